"""Approvals: what one person asks for, another grants. Requester and approver differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden
from secops.kernel.permissions import Permission
from secops.kernel.transactions import Transaction

ApprovalState = Literal["pending", "approved", "rejected", "expired", "used"]


@dataclass(frozen=True, slots=True)
class Approval:
    """A request bound to ``subject_hash``: another plan needs another approval.

    ``permission`` is what the approver must hold; times are UTC microseconds.
    """

    id: str
    org_id: str
    kind: str
    subject: str
    subject_hash: str
    permission: Permission
    requester_id: str
    requested_at: int
    expires_at: int
    state: ApprovalState = "pending"
    approver_id: str | None = None
    decided_at: int | None = None
    reason: str = ""


class SelfApproval(Forbidden):
    """Nobody approves a request of their own."""

    code = "kernel.self_approval"
    title = Text("不能审批自己的申请", "Nobody approves their own request")
    remedy = Text("请由另一位具有审批权限的人员审批。", "Ask another person who may approve it.")


class NotPending(Conflict):
    """It was decided, used, or has expired."""

    code = "kernel.approval_not_pending"
    title = Text("该申请已不在待审批状态", "The request is no longer pending")
    remedy = Text("请重新提出申请。", "Make a new request.")


class Persons(Protocol):
    """One natural person may have several accounts; who asks and who approves are two people."""

    def same_person(self, transaction: Transaction, one: str, other: str) -> bool:
        """Tell whether two account ids belong to one natural person."""
        ...


class Approvals(Protocol):
    """Keeps approvals; every change is one conditional statement."""

    def request(self, transaction: Transaction, approval: Approval) -> None:
        """Store a pending ``approval``."""
        ...

    def get(self, transaction: Transaction, approval_id: str) -> Approval:
        """Return it as of now (``expired`` when its time is over); raise ``NotFound``."""
        ...

    def pending(self, transaction: Transaction, org_id: str) -> list[Approval]:
        """Return what waits in ``org_id``, oldest first, at most 200."""
        ...

    def decide(
        self, transaction: Transaction, approval_id: str, actor: Actor, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raise ``SelfApproval``, ``Forbidden`` or ``NotPending``.

        By no account of theirs does a person approve what they asked for by another.
        """
        ...

    def require_another(
        self, transaction: Transaction, actor: Actor, others: Iterable[str]
    ) -> None:
        """Raise ``SelfApproval`` where one of these accounts is ``actor``'s, whichever of theirs.

        For what several people approve one after the other.
        """
        ...

    def use(self, transaction: Transaction, approval_id: str, subject_hash: str) -> Approval:
        """Consume an approved one, once, for exactly this hash; raise ``NotPending``."""
        ...
