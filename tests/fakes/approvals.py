"""Approvals in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending, SelfApproval
from secops.kernel.errors import Conflict, Forbidden, NotFound
from secops.kernel.transactions import Transaction


class FakeApprovals:
    def __init__(self) -> None:
        self.kept: dict[str, Approval] = {}

    def request(self, transaction: Transaction, approval: Approval) -> None:
        if approval.id in self.kept:
            raise Conflict
        self.kept[approval.id] = replace(approval, state="pending")

    def get(self, transaction: Transaction, approval_id: str) -> Approval:
        if approval_id not in self.kept:
            raise NotFound
        approval = self.kept[approval_id]
        over = approval.expires_at <= transaction.now
        if approval.state in ("pending", "approved") and over:
            return replace(approval, state="expired")
        return approval

    def pending(self, transaction: Transaction, org_id: str) -> list[Approval]:
        waiting = [
            approval
            for approval in (self.get(transaction, key) for key in self.kept)
            if approval.org_id == org_id and approval.state == "pending"
        ]
        return sorted(waiting, key=lambda approval: (approval.requested_at, approval.id))[:200]

    def decide(
        self, transaction: Transaction, approval_id: str, actor: Actor, *, grant: bool, reason: str
    ) -> Approval:
        approval = self.get(transaction, approval_id)
        own = approval.requester_id == actor.id
        if own and grant:
            raise SelfApproval
        if not own and not actor.may(approval.permission):
            raise Forbidden(permission=approval.permission)
        if approval.state != "pending":
            raise NotPending
        decided = replace(
            approval,
            state="approved" if grant else "rejected",
            approver_id=actor.id,
            decided_at=transaction.now,
            reason=reason,
        )
        self.kept[approval_id] = decided
        return decided

    def require_another(
        self, transaction: Transaction, actor: Actor, others: Iterable[str]
    ) -> None:
        del transaction
        if actor.id in others:
            raise SelfApproval

    def use(self, transaction: Transaction, approval_id: str, subject_hash: str) -> Approval:
        approval = self.kept.get(approval_id)
        if (
            approval is None
            or approval.state != "approved"
            or approval.subject_hash != subject_hash
            or approval.expires_at <= transaction.now
        ):
            raise NotPending
        used = replace(approval, state="used")
        self.kept[approval_id] = used
        return used
