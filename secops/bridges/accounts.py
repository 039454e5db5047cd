"""Accounts for the other planes: names for grants, containment for playbooks."""

from __future__ import annotations

from collections.abc import Sequence

from iam.service import IamServices
from playbooks.ports import AccountState, Order
from secops.kernel.actors import Actor
from secops.kernel.errors import Unavailable
from secops.kernel.transactions import Transaction


class LateSubjects:
    """Implements ``kms.ports.Subjects``, ``CallerRisks``, ``Persons``; iam is bound later."""

    def __init__(self) -> None:
        self._iam: IamServices | None = None

    def bind(self, iam: IamServices) -> None:
        """Ask ``iam`` from now on."""
        self._iam = iam

    def resolve_subject(self, org_id: str, name: str) -> str:
        """Return ``account:ID`` or ``client:ID``; raise ``NotFound``."""
        return self._installed.actors.resolve_subject(org_id, name)

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account as they are now; None where it may not act."""
        return self._installed.actors.roles_now(account_id)

    def same_person(self, transaction: Transaction, one: str, other: str) -> bool:
        """Tell whether two account ids belong to one natural person."""
        return self._installed.actors.same_person(transaction, one, other)

    def risk_of(self, actor: Actor) -> int:
        """Return the highest risk of account, session and client."""
        return self._installed.decisions.standing(actor).risk

    @property
    def _installed(self) -> IamServices:
        if self._iam is None:
            raise Unavailable("identity is not installed yet")
        return self._iam


class IamContainment:
    """Implements ``playbooks.ports.Containment`` with iam's restricting acts."""

    def __init__(self, iam: IamServices) -> None:
        self._iam = iam

    def account_state(self, org_id: str, account: str) -> AccountState | None:
        """Return the account with this id or name; the last of an administration is protected."""
        seen = self._iam.containment.look(org_id, account)
        if seen is None:
            return None
        protected = f"the last {seen.last_of}" if seen.last_of else ""
        return AccountState(
            seen.account.id, seen.account.name, seen.account.state, seen.locked, protected
        )

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its live sessions."""
        return self._iam.containment.sessions_of(account_id)

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End all its sessions and return how many there were."""
        return self._iam.containment.revoke_sessions(account_id, _reason(order))

    def lock_account(self, account_id: str, order: Order) -> None:
        """Lock it; does nothing if it is locked."""
        self._iam.containment.lock_account(
            account_id,
            {
                "run": order.run_id,
                "incident": order.incident_id,
                "key": order.key,
                "requester": order.requester_id,
                "approver": order.approver_id,
                "reason": order.reason,
            },
        )


def _reason(order: Order) -> str:
    return f"playbook run {order.run_id}: {order.reason}"
