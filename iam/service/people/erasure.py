"""Erasing the person behind an account, which two administrators decide (PIPL art. 47).

What can say who somebody is goes, or is replaced by a pseudonym drawn at random. Ids stay, so
that the ledger, grants and reports go on meaning one and the same unknown person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from iam.errors import ErasureBarred, ErasureRefused, InvalidRequest
from iam.models.accounts import Account
from iam.models.changes import ChangeRequest, NewChange
from iam.service.means import Means
from iam.service.people.change_requests import ChangeRequestService
from iam.service.people.departures import close_account
from iam.service.people.role_changes import targeted_account
from iam.service.persons import refuse_own
from iam.service.reach import reached_account
from iam.service.sealed import refuse_break_glass
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import ERASURE_APPROVE, PERSON_ERASE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

PSEUDONYM: Final = "erased-"
ERASABLE: Final = ("closed", "locked")
_AFTER: Final[Mapping[str, Any]] = {"state": "closed", "erased": True}
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class PersonErasure:
    """``account.erase``: the account stays as an id that nobody can be found by."""

    name: ClassVar[str] = "account.erase"
    title: ClassVar[Text] = Text("删除个人信息", "Erase a person")

    means: Means

    def asking(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to ask."""
        return PERSON_ERASE

    def approving(self, after: Mapping[str, Any]) -> Permission:  # noqa: ARG002 - the port's
        """Return what it takes to approve."""
        return ERASURE_APPROVE

    def before(self, tx: Transaction, actor: Actor, target: str) -> Mapping[str, Any]:
        """Return the account's state and whether it was erased."""
        account = targeted_account(self.means, tx, actor, target)
        return {"state": account.state, "erased": account.erased_at is not None}

    def check(self, tx: Transaction, actor: Actor, target: str, after: Mapping[str, Any]) -> None:
        """Raise ``ErasureRefused``, ``ErasureBarred``, ``BreakGlassKept`` or ``Forbidden``."""
        if dict(after) != _AFTER:
            msg = "an erasure ends in state closed and erased true"
            raise InvalidRequest(msg)
        account = targeted_account(self.means, tx, actor, target)
        refuse_own(self.means, tx, actor, account.id)
        self._require_erasable(tx, account)

    def apply(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Erase; what forbids it is looked at again, in the same unit of work."""
        means, erasures = self.means, self.means.stores.erasures
        account = targeted_account(means, tx, actor, change.target)
        self._require_erasable(tx, account)
        pseudonym = PSEUDONYM + means.random(10).hex()
        alone = account.person_id is not None and not self._kept_by(tx, account, change.org_id)
        counts = {
            **erasures.erase_account(tx, account.id, pseudonym),
            **means.copies.erase(tx, account, pseudonym),
        }
        ended = close_account(means, tx, account, "erased")
        if alone:
            counts |= erasures.erase_person(tx, account.person_id or "", means.random(32))
        details = {"change": change.id, "person_erased": alone, **ended, "rows": counts}
        tx.record(Act("iam.erase_person", actor, change.target, details=details))

    def _require_erasable(self, tx: Transaction, account: Account) -> None:
        refuse_break_glass(self.means, tx, account.id)
        if account.erased_at is not None or account.kind == "service":
            raise ErasureRefused
        if account.state not in ERASABLE:
            msg = f"the account is {account.state}"
            raise ErasureRefused(msg)
        bars = self.means.copies.bars(tx, account)
        if bars:
            msg = f"named by {', '.join(bars[:_NAMED])}"
            raise ErasureBarred(msg)

    def _kept_by(self, tx: Transaction, account: Account, org_id: str) -> bool:
        """Tell whether the person still needs their name for another account.

        That is one that is open, or one out of reach of the organisation that asked.
        """
        reaches = self.means.stores.organisations.reaches
        return any(
            other.state != "closed" or not reaches(tx, org_id, other.org_id)
            for other in self.means.stores.erasures.other_accounts(tx, account)
        )


@dataclass(frozen=True, slots=True)
class ErasureService:
    """Asks for an erasure; the list of change requests decides it."""

    means: Means
    changes: ChangeRequestService

    def erase_person(self, actor: Actor, account: str, reason: str) -> ChangeRequest:
        """Ask that the person behind ``account`` (name or id) be erased; another one approves.

        Raises ``ErasureRefused`` unless the account is closed or locked, ``ErasureBarred``
        while a legal hold or an open incident names it; a refusal is recorded.
        """
        parts = self.means.parts
        parts.access.require(actor, PERSON_ERASE, "account:*")
        found = parts.transactions.read(lambda tx: reached_account(self.means, tx, actor, account))
        target = f"account:{found.id}"
        try:
            return self.changes.request_change(
                actor, NewChange(PersonErasure.name, target, _AFTER, reason)
            )
        except SecopsError as error:
            details = {"code": error.code}
            parts.trail.append([Act("iam.erase_person", actor, target, "refused", details)])
            raise
