"""What every use of a seal has in common: who may, the value, the entry in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kms.core.gbt38540 import writing
from kms.core.gbt38540.structures import SM3_BYTES
from kms.core.gbt38540.writing import SigningContent
from kms.core.seal_use.policy import Circumstances, day_start, refusal
from kms.errors.seals import (
    NotSealHolder,
    SealNotFound,
    SealNotUsable,
    SealRejected,
    SealUseRefused,
)
from kms.models.seal_policies import MAX_CLASS_NAME, is_class_name
from kms.models.seal_registry import IssuedCertificate, SealRecord, SealUse, UseForm
from kms.models.seals import MAX_FILE, SignatureVerdict
from kms.service.seals.parts import SealParts
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.errors import Forbidden, Invalid, TooLarge
from secops.kernel.events import SealUsed
from secops.kernel.permissions.kms import SEAL_USE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

T = TypeVar("T")

_MAX_PURPOSE: Final = 200


@dataclass(frozen=True, slots=True)
class WantedUse:
    """Who wants which seal on what: ``document_digest`` is the document's SM3."""

    actor: Actor
    seal_id: str
    document_digest: bytes
    purpose: str
    form: UseForm = "detached"
    document_class: str = ""


@dataclass(frozen=True, slots=True)
class ReadySeal:
    """A seal that its holder may use now, with its SESeal and the holder's certificate."""

    record: SealRecord
    content: bytes
    certificate: IssuedCertificate


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

    def open_seal(self, wanted: WantedUse) -> ReadySeal:
        """Return the seal; raise ``NotSealHolder``, ``SealNotUsable``, ``SealNotFound``."""
        _check(wanted)
        try:
            self._parts.access.require(wanted.actor, SEAL_USE, f"seal:{wanted.seal_id}")
            return self._parts.transactions.read(
                lambda transaction: self._ready(transaction, wanted)
            )
        except Forbidden as error:
            self._note_refusal(wanted, error)
            raise

    def sign(self, ready: ReadySeal, data_hash: bytes, property_info: str) -> bytes:
        """Return the SES_Signature over ``data_hash``; not given out before ``enter``."""
        now = self._parts.clock.now() // SECOND * SECOND
        version = ready.record.format_version
        tbs = writing.to_sign(SigningContent(ready.content, now, data_hash, property_info, version))
        signature = self._seals.keys.sign(ready.certificate.key_name, tbs)
        return writing.seal_signature(tbs, ready.certificate.der, signature)

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
            )
            self._seals.uses.insert_use(transaction, use)
            details = {
                "document_sm3": use.digest,
                "value_sm3": use.value_digest,
                "use": use.id,
                "form": use.form,
                "document_class": use.document_class,
            }
            transaction.record(Act("kms.use_seal", actor, f"seal:{seal_id}", details=details))
            transaction.announce(SealUsed(use.org_id, seal_id, use.digest))
            if beside is not None:
                beside(transaction, use)
            return give(use)

        try:
            return self._parts.transactions.run(keep)
        except Forbidden as error:
            # what changed while the value was made: a suspension, the last use of the day
            self._note_refusal(wanted, error)
            raise

    def _ready(self, transaction: Transaction, wanted: WantedUse) -> ReadySeal:
        actor, seal_id = wanted.actor, wanted.seal_id
        found = self._seals.store.seal(transaction, actor.org_id, seal_id)
        if found is None:
            msg = f"there is no seal {seal_id[:40]!r}"
            raise SealNotFound(msg)
        record, content = found
        holders = self._seals.store.holders(transaction, seal_id)
        holder = next((each for each in holders if each.account_id == actor.id), None)
        if holder is None:
            msg = f"{actor.name} is not a holder of {record.name}"
            raise NotSealHolder(msg)
        self._require_usable(record, transaction.now)
        self._require_allowed(transaction, wanted)
        certificate = self._seals.authority.store.get(transaction, holder.certificate_id)
        if certificate is None or certificate.revoked_at is not None:
            msg = "the holder's certificate is revoked"
            raise SealNotUsable(msg)
        return ReadySeal(record, content, certificate)

    def _require_usable(self, record: SealRecord, now: int) -> None:
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
        why = refusal(policy, seen)
        if why is not None:
            raise SealUseRefused(why.en, because_zh=why.zh, because_en=why.en)

    def _note_refusal(self, wanted: WantedUse, error: Forbidden) -> None:
        details = {"code": error.code, "document_sm3": wanted.document_digest.hex()}
        target = f"seal:{wanted.seal_id[:60]}"
        self._parts.trail.append([Act("kms.use_seal", wanted.actor, target, "refused", details)])


def _check(wanted: WantedUse) -> None:
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
