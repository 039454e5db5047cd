"""The registry: what seals there are; suspend, resume, revoke (停用 恢复 撤销)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kms.core.gbt38540.reading import read_seal
from kms.core.x690 import read_der
from kms.errors.seals import SealStateConflict
from kms.models.seal_registry import SealHolder, SealRecord, SealState
from kms.ports.holds import HoldStore
from kms.service.document_authority import DocumentAuthority
from kms.service.reasons import check_reason
from kms.service.seals.parts import SealParts
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import SEAL_READ, SEAL_SUSPEND
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


@dataclass(frozen=True, slots=True)
class SealDetails:
    """A seal with its SESeal in DER, its picture (PNG) and its holders."""

    record: SealRecord
    content: bytes
    picture: bytes
    holders: Sequence[SealHolder]


class SealRegistry:
    """Shows seals and takes their use away."""

    def __init__(self, seals: SealParts, holds: HoldStore) -> None:
        self._seals = seals
        self._holds = holds
        self._parts = seals.parts

    def list_seals(self, actor: Actor, request: PageRequest) -> Page[SealRecord]:
        """Return the seals of the actor's organisation, newest first."""
        self._parts.access.require(actor, SEAL_READ, "seal:*")

        def read(transaction: Transaction) -> Page[SealRecord]:
            rows = self._seals.store.seals(transaction, actor.org_id, request)
            return page_of(rows, request.limit, [(row.made_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_seal(self, actor: Actor, seal_id: str) -> SealDetails:
        """Return one seal; raise ``SealNotFound``."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id}")

        def read(transaction: Transaction) -> SealDetails:
            record, content = self._seals.load_seal(transaction, actor, seal_id)
            picture = read_seal(read_der(content)).picture.data
            holders = self._seals.store.holders(transaction, seal_id)
            return SealDetails(record, content, picture, holders)

        return self._parts.transactions.read(read)

    def suspend_seal(self, actor: Actor, seal_id: str, reason: str) -> None:
        """Stop the seal's use at once, everywhere; never refused for the ledger."""
        self._stop(actor, seal_id, reason, after="suspended")

    def revoke_seal(self, actor: Actor, seal_id: str, reason: str) -> None:
        """End the seal for good, with its holders' certificates."""
        self._stop(actor, seal_id, reason, after="revoked")

    def resume_seal(self, actor: Actor, seal_id: str, reason: str) -> None:
        """Let a suspended seal be used again, whatever holds it."""
        self._parts.access.require(actor, SEAL_SUSPEND, f"seal:{seal_id}")
        check_reason(reason)

        def resume(transaction: Transaction) -> None:
            record, _ = self._seals.load_seal(transaction, actor, seal_id)
            # suspended by the emergency way: the table could not be told, so it says active
            elsewhere = self._parts.revocations.is_revoked("seal", seal_id)
            before: tuple[SealState, ...] = ("suspended",)
            if record.state == "active" and elsewhere:
                before = ("active",)
            self._change(transaction, seal_id, before, after="active", reason=reason)
            self._holds.lift(transaction, "seal", seal_id)
            self._parts.revocations.restore(transaction, "seal", seal_id)
            details = {"reason": reason}
            transaction.record(Act("kms.resume_seal", actor, f"seal:{seal_id}", details=details))

        self._parts.transactions.run(resume)

    def _stop(self, actor: Actor, seal_id: str, reason: str, *, after: SealState) -> None:
        self._parts.access.require(actor, SEAL_SUSPEND, f"seal:{seal_id}")
        check_reason(reason)
        before: tuple[SealState, ...] = ("active",)
        if after == "revoked":
            before = ("active", "suspended")

        documents = DocumentAuthority(self._seals.authority)

        def stop(transaction: Transaction) -> None:
            self._seals.load_seal(transaction, actor, seal_id)
            # what a run holds already stays so when the hold is lifted
            if not (after == "suspended" and self._holds.outlast(transaction, "seal", seal_id)):
                self._change(transaction, seal_id, before, after=after, reason=reason)
            if after == "revoked":
                for holder in self._seals.store.holders(transaction, seal_id):
                    documents.revoke_holder(transaction, holder.certificate_id)

        verb = "suspend" if after == "suspended" else "revoke"
        act = Act(f"kms.{verb}_seal", actor, f"seal:{seal_id}", details={"reason": reason})
        self._parts.transactions.restrict(stop, Restriction("seal", seal_id, act))

    def _change(
        self,
        transaction: Transaction,
        seal_id: str,
        before: Sequence[SealState],
        *,
        after: SealState,
        reason: str,
    ) -> None:
        changed = self._seals.store.change_state(
            transaction, seal_id, before=before, after=after, reason=reason
        )
        if not changed:
            msg = f"only a seal that is {' or '.join(before)} can become {after}"
            raise SealStateConflict(msg)
