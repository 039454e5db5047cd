"""Approvals: each change is one conditional statement, so that nothing is decided twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, Final

from sqlalchemy import select

from secops.adapters.database.tables import approvals
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending, Persons, SelfApproval
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.permissions import Permission
from secops.kernel.transactions import Transaction

MAX_PENDING: Final = 200


class DatabaseApprovals:
    """The kernel's ``Approvals``. Without ``persons`` each account is a person of its own."""

    def __init__(self, persons: Persons | None = None) -> None:
        self._persons = persons

    def request(self, transaction: Transaction, approval: Approval) -> None:
        """Store a pending ``approval``."""
        pending = replace(approval, state="pending", approver_id=None, decided_at=None)
        transaction.execute(approvals.insert().values(**asdict(pending)))

    def get(self, transaction: Transaction, approval_id: str) -> Approval:
        """Return it as of now (``expired`` when its time is over); raise ``NotFound``."""
        row = transaction.execute(select(approvals).where(approvals.c.id == approval_id)).first()
        if row is None:
            raise NotFound
        return _approval(row, transaction.now)

    def pending(self, transaction: Transaction, org_id: str) -> list[Approval]:
        """Return what waits in ``org_id``, oldest first, at most 200."""
        statement = (
            select(approvals)
            .where(
                approvals.c.org_id == org_id,
                approvals.c.state == "pending",
                approvals.c.expires_at > transaction.now,
            )
            .order_by(approvals.c.requested_at, approvals.c.id)
            .limit(MAX_PENDING)
        )
        return [_approval(row, transaction.now) for row in transaction.execute(statement)]

    def decide(
        self, transaction: Transaction, approval_id: str, actor: Actor, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raise ``SelfApproval``, ``Forbidden`` or ``NotPending``.

        The requester may withdraw (reject) their own request, never approve it.
        """
        approval = self.get(transaction, approval_id)
        own = approval.requester_id == actor.id
        if grant:
            self.require_another(transaction, actor, (approval.requester_id,))
        if not own and not actor.may(approval.permission):
            msg = "only who holds the permission decides"
            raise Forbidden(msg, permission=approval.permission)
        conditions = [approvals.c.state == "pending", approvals.c.expires_at > transaction.now]
        if grant:
            conditions.append(approvals.c.requester_id != actor.id)
        statement = (
            approvals.update()
            .where(approvals.c.id == approval_id, *conditions)
            .values(
                state="approved" if grant else "rejected",
                approver_id=actor.id,
                decided_at=transaction.now,
                reason=reason,
            )
        )
        if transaction.execute(statement).rowcount != 1:
            raise NotPending
        return self.get(transaction, approval_id)

    def require_another(
        self, transaction: Transaction, actor: Actor, others: Iterable[str]
    ) -> None:
        """Raise ``SelfApproval`` where one of these accounts is ``actor``'s."""
        for other in others:
            if other == actor.id or (
                self._persons is not None
                and self._persons.same_person(transaction, actor.id, other)
            ):
                raise SelfApproval

    def use(self, transaction: Transaction, approval_id: str, subject_hash: str) -> Approval:
        """Consume an approved one, once, for exactly this hash; raise ``NotPending``."""
        statement = (
            approvals.update()
            .where(
                approvals.c.id == approval_id,
                approvals.c.subject_hash == subject_hash,
                approvals.c.state == "approved",
                approvals.c.expires_at > transaction.now,
            )
            .values(state="used")
        )
        if transaction.execute(statement).rowcount != 1:
            raise NotPending
        return self.get(transaction, approval_id)


def _approval(row: Any, now: int) -> Approval:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    if fields["state"] in ("pending", "approved") and fields["expires_at"] <= now:
        fields["state"] = "expired"
    fields["permission"] = Permission(fields["permission"])
    return Approval(**fields)
