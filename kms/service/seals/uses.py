"""What every use of a seal has in common: who may, the value, the entry in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from kms.core.gbt38540 import writing
from kms.core.gbt38540.structures import SM3_BYTES, V5
from kms.core.gbt38540.writing import SigningContent
from kms.core.seal_use.policy import Circumstances, refusal
from kms.errors.certificates import because
from kms.errors.seals import (
    DocumentRejected,
    NotSealHolder,
    SealNotFound,
    SealNotUsable,
    SealRejected,
    SealUseRefused,
)
from kms.models.seal_policies import MAX_CLASS_NAME, is_class_name
from kms.models.seal_registry import IssuedCertificate, SealHolder, SealRecord, SealUse, UseForm
from kms.models.seal_requests import SealUseRequest
from kms.models.seals import MAX_FILE, SignatureVerdict
from kms.service.refusals import refusals_recorded
from kms.service.seals.parts import SealParts
from kms.service.seals.remote import RemoteSeals, RemoteWish
from kms.service.tenants import Tenants
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND, day_start, to_rfc3339
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.events import SealUsed
from secops.kernel.permissions.kms import SEAL_USE
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Transaction

T = TypeVar("T")

_MAX_PURPOSE: Final = 200
_LEAF: Final = b"\x00"
"""What a leaf's hash begins with (RFC 6962 §2.1)."""


@dataclass(frozen=True, slots=True)
class WantedUse:
    """Who wants which seal on what: ``document_digest`` is the document's SM3."""

    actor: Actor
    seal_id: str
    document_digest: bytes
    purpose: str
    form: UseForm = "detached"
    document_class: str = ""
    request_id: str = ""
    """The approved request that this use is of, where there is one."""


@dataclass(frozen=True, slots=True)
class ReadySeal:
    """A seal that its holder may use now, with its SESeal and the holder's certificate.

    A seal at the province has no certificate here.
    """

    record: SealRecord
    content: bytes
    wanted: WantedUse
    held: IssuedCertificate | None

    @property
    def certificate(self) -> IssuedCertificate:
        """The holder's certificate; raise ``DocumentRejected`` where the province has the key."""
        if self.held is None:
            msg = "a seal at the province goes into a PDF by SM2 only"
            raise DocumentRejected(msg)
        return self.held


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A sealed ``document`` that may not leave before its use is entered, and the seal's value."""

    wanted: WantedUse
    value: bytes
    document: bytes


class SealUses:
    """Opens a seal for one use and enters what came of it; refusals are entered, too."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts
        self._tenants = Tenants(seals.parts)
        self._remote = RemoteSeals(seals)

    def open_seal(self, wanted: WantedUse) -> ReadySeal:
        """Return the seal; raise ``NotSealHolder``, ``SealNotUsable``, ``SealNotFound``."""
        check_use(wanted)
        with self._refusals_recorded(wanted):
            self._parts.access.require(wanted.actor, SEAL_USE, f"seal:{wanted.seal_id}")
            return self._parts.transactions.read(
                lambda transaction: self._ready(transaction, wanted)
            )

    def require_holder(self, transaction: Transaction, wanted: WantedUse) -> SealRecord:
        """Return the seal that the actor holds and could use; raise as ``open_seal`` does.

        Its policy is not asked: hours, counts and risk are weighed when it is used.
        """
        return self._held(transaction, wanted)[0]

    def sign(self, ready: ReadySeal, data_hash: bytes, property_info: str) -> bytes:
        """Return the SES_Signature over ``data_hash``; not given out before ``enter``."""
        if ready.record.origin == "remote":
            wanted = ready.wanted
            return self._remote.use(
                ready.record,
                ready.content,
                RemoteWish(
                    wanted.actor, data_hash, property_info, wanted.document_digest, wanted.purpose
                ),
            )
        now = self._parts.clock.now() // SECOND * SECOND
        version = ready.record.format_version
        tbs = writing.to_sign(SigningContent(ready.content, now, data_hash, property_info, version))
        signature = self._seals.keys.sign(ready.certificate.key_name, tbs)
        token = self._seals.stamp_signature(signature) if version == V5 else None
        return writing.seal_signature(tbs, ready.certificate.der, signature, token)

    def enter(
        self,
        wanted: WantedUse,
        value: bytes,
        give: Callable[[SealUse], T],
        *,
        beside: Callable[[Transaction, SealUse], None] | None = None,
    ) -> T:
        """Enter the use into both ledgers, then return what ``give`` makes of the entry.

        What ``beside`` stores is kept with the entry or not at all.
        """
        actor, seal_id = wanted.actor, wanted.seal_id
        identifier, value_digest = self._parts.ids.new("use"), sm3(value).hex()

        def keep(transaction: Transaction) -> T:
            # again, inside the unit of work: a suspension that came first wins
            ready = self._ready(transaction, wanted)
            use = SealUse(
                id=identifier,
                org_id=ready.record.org_id,
                seal_id=seal_id,
                account_id=actor.id,
                digest=wanted.document_digest.hex(),
                purpose=wanted.purpose,
                used_at=transaction.now,
                value_digest=value_digest,
                form=wanted.form,
                document_class=wanted.document_class,
                request_id=wanted.request_id,
            )
            act = _act(actor, use)
            # the very leaf: the unit of work encodes the act at its own instant, as here
            leaf = sha256(_LEAF + encode_act(act, transaction.now)).hex()
            use = replace(use, leaf_hash=leaf)
            self._consume_request(transaction, use)
            self._seals.uses.insert_use(transaction, use)
            transaction.record(act)
            transaction.announce(SealUsed(use.org_id, seal_id, use.digest))
            if beside is not None:
                beside(transaction, use)
            return give(use)

        # what changed while the value was made: a suspension, the last use of the day
        with self._refusals_recorded(wanted):
            return self._parts.transactions.run(keep)

    def _ready(self, transaction: Transaction, wanted: WantedUse) -> ReadySeal:
        record, content, holder = self._held(transaction, wanted)
        self._require_allowed(transaction, wanted)
        if record.origin == "remote":
            return ReadySeal(record, content, wanted, None)
        certificate = self._seals.authority.store.get(transaction, holder.certificate_id)
        if certificate is None or certificate.revoked_at is not None:
            msg = "the holder's certificate is revoked"
            raise SealNotUsable(msg)
        return ReadySeal(record, content, wanted, certificate)

    def _held(
        self, transaction: Transaction, wanted: WantedUse
    ) -> tuple[SealRecord, bytes, SealHolder]:
        actor, seal_id = wanted.actor, wanted.seal_id
        record, content = self._seals.load_seal(transaction, actor, seal_id)
        holders = self._seals.store.holders(transaction, seal_id)
        holder = next((each for each in holders if each.account_id == actor.id), None)
        if holder is None:
            msg = f"{actor.name} is not a holder of {record.name}"
            raise NotSealHolder(msg)
        self._require_usable(record, transaction.now)
        return record, content, holder

    def _require_usable(self, record: SealRecord, now: int) -> None:
        self._tenants.demand_open(record.org_id)
        if record.state != "active":
            since = "" if record.state_at is None else f" since {to_rfc3339(record.state_at)}"
            msg = f"{record.name} is {record.state}{since}: {record.state_reason}"
            raise SealNotUsable(msg)
        # the emergency way of suspending reaches here before it reaches the table
        if self._parts.revocations.is_revoked("seal", record.id):
            msg = f"{record.name} is suspended"
            raise SealNotUsable(msg)
        if not record.valid_from <= now <= record.valid_until:
            msg = f"{record.name} is valid until {to_rfc3339(record.valid_until)}"
            raise SealNotUsable(msg)

    def _require_allowed(self, transaction: Transaction, wanted: WantedUse) -> None:
        """Raise ``SealUseRefused`` where the policy forbids it; counted where it is entered."""
        policy = self._seals.policies.policy(transaction, wanted.seal_id)
        if wanted.request_id:
            self._require_approved(transaction, wanted)
        elif policy.approval == "each_use":
            why = Text("每次用章须先由他人审批", "each use needs another person's approval first")
            raise because(SealUseRefused, why)
        used = 0
        if policy.daily_cap is not None:
            since = day_start(transaction.now)
            used = self._seals.uses.uses_since(transaction, wanted.seal_id, since)
        seen = Circumstances(
            account_id=wanted.actor.id,
            document_class=wanted.document_class,
            at=transaction.now,
            used_today=used,
            risk=self._seals.risks.risk_of(wanted.actor),
        )
        against = refusal(policy, seen)
        if against is not None:
            raise because(SealUseRefused, against)

    def _require_approved(self, transaction: Transaction, wanted: WantedUse) -> None:
        """Raise ``SealUseRefused`` unless exactly this use was approved, and not used yet."""
        request = self._request(transaction, wanted)
        asked = (request.requester_id, request.seal_id, request.digest, request.form)
        given = (wanted.actor.id, wanted.seal_id, wanted.document_digest.hex(), wanted.form)
        if asked != given:
            why = Text(
                "与批准的用章不符", "this is not the use that was approved: another document"
            )
            raise because(SealUseRefused, why)
        state = self._parts.approvals.get(transaction, request.approval_id).state
        if state != "approved":
            why = Text(f"该次用章的审批状态为 {state}", f"the request is {state}")
            raise because(SealUseRefused, why)

    def _consume_request(self, transaction: Transaction, use: SealUse) -> None:
        """Use the approval up, once: one conditional statement of the kernel's."""
        if use.request_id:
            store = self._seals.requests
            request = store.request(transaction, use.org_id, use.request_id)
            if request is None:
                raise SealNotFound
            self._parts.approvals.use(transaction, request.approval_id, request.subject_hash)
            store.mark_used(transaction, request.id, use.id)

    def _request(self, transaction: Transaction, wanted: WantedUse) -> SealUseRequest:
        found = self._seals.requests.request(transaction, wanted.actor.org_id, wanted.request_id)
        if found is None:
            msg = f"there is no request {wanted.request_id[:40]!r}"
            raise SealNotFound(msg)
        return found

    def _refusals_recorded(self, wanted: WantedUse) -> AbstractContextManager[None]:
        digest, target = wanted.document_digest.hex(), f"seal:{wanted.seal_id[:60]}"
        return refusals_recorded(
            self._parts, "kms.use_seal", wanted.actor, target, document_sm3=digest
        )


def _act(actor: Actor, use: SealUse) -> Act:
    details = {
        "document_sm3": use.digest,
        "value_sm3": use.value_digest,
        "use": use.id,
        "form": use.form,
        "document_class": use.document_class,
        # its words may name people: the ledger keeps what proves them, the usage ledger them
        "purpose_sm3": sm3(use.purpose.encode()).hex(),
    }
    if use.request_id:
        details["request"] = use.request_id
    return Act("kms.use_seal", actor, f"seal:{use.seal_id}", details=details)


def check_use(wanted: WantedUse) -> None:
    """Raise ``Invalid`` for a digest, class or purpose that can't be one."""
    if len(wanted.document_digest) != SM3_BYTES:
        msg = "the document's digest is SM3: 32 bytes"
        raise Invalid(msg)
    if wanted.document_class and not is_class_name(wanted.document_class):
        msg = f"a document class has at most {MAX_CLASS_NAME} printable characters"
        raise Invalid(msg)
    purpose = wanted.purpose
    if len(purpose) > _MAX_PURPOSE or not (purpose.isprintable() or not purpose):
        msg = f"the purpose is at most {_MAX_PURPOSE} printable characters"
        raise Invalid(msg)


def require_valid(verdict: SignatureVerdict) -> None:
    """Raise ``SealRejected`` for a new signature that our own verifier refuses."""
    if not verdict.valid:
        why = "; ".join(step.why.en for step in verdict.steps if step.ok is False)
        msg = f"the sealed document does not verify ({why}); it is not given out"
        raise SealRejected(msg)


def require_size(document: bytes) -> None:
    """Raise ``TooLarge`` for what our own verifier would not take."""
    if len(document) > MAX_FILE:
        msg = f"a document is at most {MAX_FILE >> 20} MiB, sealed or not"
        raise TooLarge(msg)
