"""Destroy a revoked seal (销毁): asked for by one, approved by another person, and final.

With the approval its holders' keys are erased, so that nobody can ever sign with it again. The
SESeal, the certificates, the uses and the ledger stay: what was sealed can be verified as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.errors.seals import SealStateConflict
from kms.models.seal_registry import SealHolder, SealRecord
from kms.models.stamps import PADES_KEYS
from kms.service.document_authority import document_key_name
from kms.service.reasons import check_reason
from kms.service.refusals import refusals_recorded
from kms.service.seals.parts import SealParts
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.permissions.kms import SEAL_DESTROY, SEAL_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "seal_destruction"
_VALID: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class Loss:
    """What would be gone: the keys of these holders; ``approval`` None before it was asked for."""

    holders: tuple[SealHolder, ...]
    approval: Approval | None


class SealDestruction:
    """Takes a seal away for good."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def request_seal_destruction(self, actor: Actor, seal_id: str, reason: str) -> Approval:
        """Ask for it; raises ``SealStateConflict`` unless the seal is revoked, or if it waits."""
        self._parts.access.require(actor, SEAL_DESTROY, f"seal:{seal_id[:60]}")
        check_reason(reason)
        identifier = self._parts.ids.new("apr")

        def ask(transaction: Transaction) -> Approval:
            record, holders = self._load(transaction, actor, seal_id)
            waiting = self._approval(transaction, record)
            free = waiting is None or waiting.state not in ("pending", "approved")
            if record.state != "revoked" or not free:
                msg = "only a revoked seal is destroyed, and it is asked for once"
                raise SealStateConflict(msg)
            approval = Approval(
                id=identifier,
                org_id=record.org_id,
                kind=APPROVAL_KIND,
                subject=f"seal:{record.id}",
                subject_hash=loss_hash(record, holders),
                permission=SEAL_DESTROY,
                requester_id=actor.id,
                requested_at=transaction.now,
                expires_at=transaction.now + _VALID,
                reason=reason,
            )
            self._parts.approvals.request(transaction, approval)
            self._seals.lives.ask_destruction(transaction, record.id, identifier)
            details = {"approval": identifier, "loss": approval.subject_hash, "reason": reason}
            target = f"seal:{record.id}"
            transaction.record(Act("kms.request_seal_destruction", actor, target, details=details))
            return approval

        return self._parts.transactions.run(ask)

    def decide_seal_destruction(
        self, actor: Actor, seal_id: str, *, grant: bool, reason: str
    ) -> Approval:
        """Destroy the seal, or reject that; never by who asked, whichever account they use.

        Raises ``SelfApproval``, ``NotPending``, ``PoolLocked``.
        """
        target = f"seal:{seal_id[:60]}"
        self._parts.access.require(actor, SEAL_DESTROY, target)
        check_reason(reason)

        def decide(transaction: Transaction) -> Approval:
            record, holders = self._load(transaction, actor, seal_id)
            if record.destroy_approval is None:
                msg = "nobody asked for the seal's destruction"
                raise SealStateConflict(msg)
            approval = self._parts.approvals.decide(
                transaction, record.destroy_approval, actor, grant=grant, reason=reason
            )
            erased = 0
            if grant:
                # for exactly what was asked for: other holders would need another approval
                loss = loss_hash(record, holders)
                approval = self._parts.approvals.use(transaction, approval.id, loss)
                erased = self._destroy(transaction, actor, record, holders)
            details = {"approval": approval.id, "grant": grant, "keys": erased}
            act = Act("kms.decide_seal_destruction", actor, target, details=details)
            transaction.record(act)
            return approval

        with refusals_recorded(self._parts, "kms.decide_seal_destruction", actor, target):
            approval = self._parts.transactions.run(decide)
        self._seals.keys.forget()
        return approval

    def show_loss(self, actor: Actor, seal_id: str) -> Loss:
        """Return what the seal's destruction would take, and who asked for it."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id[:60]}")

        def read(transaction: Transaction) -> Loss:
            record, holders = self._load(transaction, actor, seal_id)
            return Loss(holders, self._approval(transaction, record))

        return self._parts.transactions.read(read)

    def _destroy(
        self,
        transaction: Transaction,
        actor: Actor,
        record: SealRecord,
        holders: tuple[SealHolder, ...],
    ) -> int:
        """Erase the keys and return how many there were."""
        if not self._seals.lives.mark_destroyed(transaction, record.id):
            msg = "only a revoked seal is destroyed"
            raise SealStateConflict(msg)
        erased = 0
        for holder in holders:
            found = self._seals.authority.store.get(transaction, holder.certificate_id)
            names = [] if found is None else [found.key_name]
            names += [document_key_name(holder.certificate_id, kind) for kind in PADES_KEYS]
            for name in names:
                erased += self._seals.keys.destroy_key(transaction, actor, name)
        return erased

    def _approval(self, transaction: Transaction, record: SealRecord) -> Approval | None:
        if record.destroy_approval is None:
            return None
        return self._parts.approvals.get(transaction, record.destroy_approval)

    def _load(
        self, transaction: Transaction, actor: Actor, seal_id: str
    ) -> tuple[SealRecord, tuple[SealHolder, ...]]:
        record, _ = self._seals.load_seal(transaction, actor, seal_id)
        return record, tuple(self._seals.store.holders(transaction, seal_id))


def loss_hash(record: SealRecord, holders: tuple[SealHolder, ...]) -> str:
    """Return what the approval is bound to: this seal, and whose keys go with it."""
    certificates = [holder.certificate_id for holder in holders]
    lost = {"seal": record.id, "sm3": record.digest, "certificates": certificates}
    return sha256(canonical(lost)).hex()
