"""Seals at the province: asked for, used and verified there, and judged here before it counts.

Whatever comes back is verified by our own verifier under the outside trust anchors that two
people put in force. A use leaves its intent in the ledger before it is asked for, since it has
its effect elsewhere; what became of it is another leaf.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.judgements import WHOLE_DOCUMENT
from kms.core.gbt38540.reading import read_seal, read_signature
from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.gbt38540.verification import verify_seal
from kms.core.trust import CLOCK_SKEW, Trust
from kms.core.x690 import DerError, read_der
from kms.errors.remote_seals import RemoteAnswerRejected
from kms.errors.seals import SealStateConflict
from kms.models.remote_seals import RemoteSealOrder, RemoteUse, RemoteVerdict
from kms.models.seal_registry import FORMAT_VERSIONS, SHAPES, SealApplication, SealRecord
from kms.models.seals import VerificationReport
from kms.service.seals.parts import SealParts
from kms.service.seals.verifying import require_sizes
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, SecopsError
from secops.kernel.permissions.kms import SEAL_READ
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

_NAMES: Final = 40


@dataclass(frozen=True, slots=True)
class RemoteWish:
    """What shall be sealed there: the TBS_Sign's two fields, and who wants it what for."""

    actor: Actor
    data_hash: bytes
    property_info: str
    document_sm3: bytes
    purpose: str


@dataclass(frozen=True, slots=True)
class BothVerdicts:
    """What we say of a seal or value, and what the province says."""

    ours: VerificationReport
    theirs: RemoteVerdict

    def to_record(self) -> dict[str, Any]:
        """Return both as JSON shows them."""
        theirs = {"valid": self.theirs.valid, "reasons": list(self.theirs.reasons)}
        return {"ours": self.ours.to_record(), "province": theirs}


class RemoteSeals:
    """Speaks with the province and believes nothing."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def obtain(self, actor: Actor, application: SealApplication) -> tuple[SealRecord, bytes]:
        """Return the seal that the province made of an approved ``application``.

        It is asked for at the first call. Raises ``SealStateConflict`` while it is not made,
        ``RemoteAnswerRejected``, ``RemoteSealerFailed``, ``RemoteSealerRefused``.
        """
        reference = application.remote_reference or self._order(application)
        found = self._seals.remote.seal_state(reference)
        if found.state != "active" or found.content is None:
            msg = f"the province says {found.state}: {found.reason}".rstrip(": ")
            raise SealStateConflict(msg)
        seal = self._judged_seal(found.content, application)
        now = self._parts.clock.now()
        record = SealRecord(
            id=self._parts.ids.new("seal"),
            org_id=application.org_id,
            es_id=seal.es_id,
            name=application.name,
            shape=application.shape,
            application_id=application.id,
            digest=sm3(found.content).hex(),
            valid_from=seal.property.valid_from,
            valid_until=seal.property.valid_until,
            made_at=now,
            made_by=actor.id,
            marking="",
            format_version=4 if seal.version == FORMAT_VERSIONS[0] else 5,
            origin="remote",
            remote_reference=reference,
        )
        return record, found.content

    def use(self, record: SealRecord, content: bytes, wish: RemoteWish) -> bytes:
        """Return the province's SES_Signature, verified.

        Raises ``RemoteAnswerRejected`` for one that is not exactly what was asked for, now.
        """
        use = RemoteUse(
            id=self._parts.ids.new("rus"),
            data_hash=wish.data_hash,
            property_info=wish.property_info,
            document_sm3=wish.document_sm3,
            purpose=wish.purpose,
            account=wish.actor.name,
        )
        self._note(wish, record, use, "intent")
        try:
            value = self._seals.remote.use_seal(record.remote_reference, use)
            self._require(value, content, use, seal_id=record.id)
        except RemoteAnswerRejected as error:
            self._note(wish, record, use, "failed", code=error.code)
            raise
        except Forbidden as error:
            self._note(wish, record, use, "refused", code=error.code)
            raise
        except SecopsError as error:
            # it may have sealed all the same: nobody here has the value
            self._note(wish, record, use, "unknown", code=error.code)
            raise
        return value

    def verify_seal_at_province(
        self, actor: Actor, content: bytes, document: bytes | None
    ) -> BothVerdicts:
        """Return our verdict on a file, which counts, and the province's beside it.

        The file leaves the house: that, and whose file it was, is in the ledger before.
        """
        self._parts.access.require(actor, SEAL_READ, "seal:remote")
        require_sizes(content, document)
        digest = None if document is None else sm3(document)
        ours = verify_seal(content, Evidence(digest), self.trust())
        details = {
            "file_sm3": sm3(content).hex(),
            "document_sm3": "" if digest is None else digest.hex(),
        }
        act = Act("kms.verify_seal_at_province", actor, "seal:remote", "intent", details)
        self._parts.trail.append([act])
        return BothVerdicts(ours, self._seals.remote.verify_seal(content, document))

    def trust(self) -> Trust:
        """Return under what the province's seals are judged: outside anchors, not our own."""
        return replace(self._seals.authority.trust(), anchors=())

    def _order(self, application: SealApplication) -> str:
        order = RemoteSealOrder(
            id=application.id,
            name=application.name,
            shape=application.shape,
            organization=application.organization,
            code=application.code,
            holders=tuple(holder.name for holder in application.holders),
            format_version=application.format_version,
        )
        reference = self._seals.remote.request_seal(order)

        def keep(transaction: Transaction) -> None:
            self._seals.lives.set_remote_reference(transaction, application.id, reference)

        self._parts.transactions.run(keep)
        return reference

    def _judged_seal(self, content: bytes, application: SealApplication) -> Seal:
        try:
            seal = read_seal(read_der(content))
        except DerError as error:
            raise RemoteAnswerRejected(str(error)) from error
        _require_sound(verify_seal(content, Evidence(), self.trust()))
        wanted = SHAPES[application.shape]
        said = (seal.property.name, (seal.picture.width, seal.picture.height))
        if application.name not in said[0] or said[1] != wanted:
            msg = f"it is another seal: {said[0][:_NAMES]}, {said[1][0]} × {said[1][1]} mm"
            raise RemoteAnswerRejected(msg)
        if seal.version not in FORMAT_VERSIONS:
            msg = "a seal of version 1 is no longer used"
            raise RemoteAnswerRejected(msg)
        return seal

    def _require(self, value: bytes, content: bytes, use: RemoteUse, *, seal_id: str) -> None:
        """Raise ``RemoteAnswerRejected`` unless ``value`` is a new one over what was asked."""
        try:
            found = read_signature(read_der(value))
        except DerError as error:
            raise RemoteAnswerRejected(str(error)) from error
        why = self._mismatch(found, content, use)
        if why:
            raise RemoteAnswerRejected(why)
        # dataHash is compared above; in a document it is judged once more with the whole file
        digest = use.data_hash if use.property_info == WHOLE_DOCUMENT else None
        _require_sound(verify_seal(value, Evidence(digest), self.trust()))
        since = self._parts.clock.now() - 2 * CLOCK_SKEW
        known = self._parts.transactions.read(
            lambda tx: self._seals.uses.value_is_known(tx, seal_id, sm3(value).hex(), since=since)
        )
        if known:
            msg = "the value was given out before"
            raise RemoteAnswerRejected(msg)

    def _mismatch(self, found: SealSignature, content: bytes, use: RemoteUse) -> str:
        if found.seal.raw != content:
            return "the value holds another seal"
        if found.data_hash != use.data_hash:
            return "the value is over another digest"
        if found.property_info != use.property_info:
            return "the value protects something else"
        now = self._parts.clock.now()
        if abs(found.signed_at - now) > CLOCK_SKEW:
            return "the value was not signed now"
        return ""

    def _note(
        self,
        wish: RemoteWish,
        record: SealRecord,
        use: RemoteUse,
        outcome: Outcome,
        *,
        code: str = "",
    ) -> None:
        details = {"remote_use": use.id, "document_sm3": use.document_sm3.hex()}
        if code:
            details["code"] = code
        act = Act("kms.use_remote_seal", wish.actor, f"seal:{record.id}", outcome, details)
        self._parts.trail.append([act])


def _require_sound(report: VerificationReport) -> None:
    if not report.valid:
        steps = report.signatures[0].steps
        failed = ", ".join(step.what for step in steps if step.ok is not True)
        msg = f"it does not verify here ({failed})"
        raise RemoteAnswerRejected(msg)
