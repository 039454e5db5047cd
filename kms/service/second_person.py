"""Who asks and who approves are two people, whatever accounts they have."""

from __future__ import annotations

from dataclasses import dataclass

from kms.ports.persons import Persons
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, Approvals, SelfApproval
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Decides approvals as the kernel does, and counts a person once."""

    approvals: Approvals
    persons: Persons

    def decide(
        self, transaction: Transaction, approval_id: str, actor: Actor, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raise ``SelfApproval``, ``Forbidden`` or ``NotPending``.

        The kernel compares accounts; a person with two would approve by the other one.
        """
        asked = self.approvals.get(transaction, approval_id)
        own = asked.requester_id == actor.id
        if not own and self.persons.same_person(transaction, actor.id, asked.requester_id):
            raise SelfApproval
        return self.approvals.decide(transaction, approval_id, actor, grant=grant, reason=reason)
