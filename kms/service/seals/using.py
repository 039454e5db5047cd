"""Use a seal (用章): a SES_Signature over a file's SM3, by a named holder, into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540 import writing
from kms.core.gbt38540.evidence import Evidence, Trust
from kms.core.gbt38540.judgements import WHOLE_DOCUMENT
from kms.core.gbt38540.structures import SM3_BYTES
from kms.core.gbt38540.verification import verify_seal
from kms.core.gbt38540.writing import SigningContent
from kms.errors.seals import NotSealHolder, SealNotFound, SealNotUsable, SealRejected
from kms.models.seal_registry import IssuedCertificate, SealedValue, SealRecord, SealUse
from kms.service.seals.parts import SealParts
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import SealUsed
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import SEAL_READ, SEAL_USE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_MAX_PURPOSE: Final = 200


@dataclass(frozen=True, slots=True)
class _Ready:
    """A seal that its holder may use now."""

    record: SealRecord
    content: bytes
    certificate: IssuedCertificate


class SealUsing:
    """Puts seals on things."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def use_seal(
        self, actor: Actor, seal_id: str, *, document_digest: bytes, purpose: str
    ) -> SealedValue:
        """Return the SES_Signature of the document whose SM3 is ``document_digest``.

        Raises ``NotSealHolder``, ``SealNotUsable``; each refusal is in the ledger too.
        """
        _check(document_digest, purpose)
        try:
            self._parts.access.require(actor, SEAL_USE, f"seal:{seal_id}")
            ready = self._parts.transactions.read(
                lambda transaction: self._ready(transaction, actor, seal_id)
            )
        except Forbidden as error:
            self._note_refusal(actor, seal_id, document_digest, error=error)
            raise
        value = self._sign(ready, document_digest)
        use = SealUse(
            id=self._parts.ids.new("use"),
            org_id=ready.record.org_id,
            seal_id=seal_id,
            account_id=actor.id,
            digest=document_digest.hex(),
            purpose=purpose,
            used_at=self._parts.clock.now(),
            value_digest=sm3(value).hex(),
        )

        def keep(transaction: Transaction) -> SealedValue:
            # again, inside the unit of work: a suspension that came first wins
            self._ready(transaction, actor, seal_id)
            self._seals.uses.insert_use(transaction, use)
            details = {"document_sm3": use.digest, "value_sm3": use.value_digest, "use": use.id}
            transaction.record(Act("kms.use_seal", actor, f"seal:{seal_id}", details=details))
            transaction.announce(SealUsed(use.org_id, seal_id, use.digest))
            return SealedValue(value, use)

        return self._parts.transactions.run(keep)

    def list_uses(self, actor: Actor, seal_id: str, request: PageRequest) -> Page[SealUse]:
        """Return what a seal was put on, newest first."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id}")

        def read(transaction: Transaction) -> Page[SealUse]:
            if self._seals.store.seal(transaction, actor.org_id, seal_id) is None:
                raise SealNotFound
            rows = self._seals.uses.uses(transaction, seal_id, request)
            return page_of(rows, request.limit, [(row.used_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def _ready(self, transaction: Transaction, actor: Actor, seal_id: str) -> _Ready:
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
        certificate = self._seals.authority.store.get(transaction, holder.certificate_id)
        if certificate is None or certificate.revoked_at is not None:
            msg = "the holder's certificate is revoked"
            raise SealNotUsable(msg)
        return _Ready(record, content, certificate)

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

    def _sign(self, ready: _Ready, document_digest: bytes) -> bytes:
        now = self._parts.clock.now() // SECOND * SECOND
        tbs = writing.to_sign(
            SigningContent(
                ready.content, now, document_digest, WHOLE_DOCUMENT, ready.record.format_version
            )
        )
        signature = self._seals.keys.sign(ready.certificate.key_name, tbs)
        value = writing.seal_signature(tbs, ready.certificate.der, signature)
        trust = Trust(self._parts.clock.now(), self._seals.authority.anchors())
        report = verify_seal(value, Evidence(document_digest), trust)
        if not report.valid:
            failed = [step.what for step in report.signatures[0].steps if step.ok is False]
            msg = f"the value does not verify ({', '.join(failed)}); it is not given out"
            raise SealRejected(msg)
        return value

    def _note_refusal(
        self, actor: Actor, seal_id: str, document_digest: bytes, *, error: Forbidden
    ) -> None:
        details = {"code": error.code, "document_sm3": document_digest.hex()}
        self._parts.trail.append(
            [Act("kms.use_seal", actor, f"seal:{seal_id[:60]}", "refused", details)]
        )


def _check(document_digest: bytes, purpose: str) -> None:
    if len(document_digest) != SM3_BYTES:
        msg = "the document's digest is SM3: 32 bytes"
        raise Invalid(msg)
    if len(purpose) > _MAX_PURPOSE or not (purpose.isprintable() or not purpose):
        msg = f"the purpose is at most {_MAX_PURPOSE} printable characters"
        raise Invalid(msg)
