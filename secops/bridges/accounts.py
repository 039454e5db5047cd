"""Accounts for the other planes: names for grants, persons, risks."""

from __future__ import annotations

from iam.service import IamServices
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
