"""Resetting credentials takes two administrators of different kinds, and a day's notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from iam.models.accounts import Account, IssuedEnrolment
from iam.models.changes import ChangeRequest
from iam.service.changes import (
    Asking,
    ChangeDesk,
    Sides,
    Verdict,
    ask_change,
    decide_change,
    use_change,
)
from iam.service.means import Means
from iam.service.people.accounts import issue_enrolment
from iam.service.people.recoveries import begin_recovery, require_waiting, take_recovery
from iam.service.persons import refuse_own, refuse_requester
from iam.service.protection.locks import refuse_locked
from iam.service.reach import reached_account, reaches
from iam.service.sealed import refuse_break_glass
from iam.service.sign_on.factors import held_factors
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.catalogue import Text
from secops.kernel.clock import rfc3339_or_none
from secops.kernel.errors import Conflict
from secops.kernel.permissions.iam import ACCOUNT_RESET, RESET_APPROVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.reset_account"


@dataclass(frozen=True, slots=True)
class ResetService:
    """The system administrator asks, the security administrator approves, then it is done."""

    means: Means

    def request_reset(self, actor: Actor, account: str, reason: str) -> str:
        """Ask to reset an account's credentials; return the request's id."""
        means = self.means
        means.parts.access.require(actor, ACCOUNT_RESET, "account:*")
        approval_id, lifetimes = means.parts.ids.new("apr"), means.options.lifetimes

        def work(tx: Transaction) -> str:
            found = reached_account(means, tx, actor, account)
            refuse_own(means, tx, actor, found.id)
            refuse_break_glass(means, tx, found.id)
            if found.state == "closed":
                msg = "a closed account stays closed"
                raise Conflict(msg)
            asking = Asking(
                id=approval_id,
                org_id=found.org_id,
                kind=KIND,
                target=f"account:{found.id}",
                sides=self._sides(tx, found),
                permission=RESET_APPROVE,
                life=lifetimes.reset_delay + lifetimes.reset_request,
                reason=reason,
            )
            ask_change(means, tx, actor, asking)
            begin_recovery(means, tx, approval_id, (found.id, found.org_id))
            self._record(tx, "iam.request_reset", actor, (found.id, approval_id))
            return approval_id

        return means.parts.transactions.run(work)

    def pending(self, actor: Actor) -> Sequence[Approval]:
        """Return the requests that wait, for those who approve or ask."""
        if not actor.may(RESET_APPROVE):
            self.means.parts.access.require(actor, ACCOUNT_RESET, "account:*")
        read = self.means.parts.transactions.read
        waiting = read(lambda tx: self.means.parts.approvals.pending(tx, actor.org_id))
        asked = [approval for approval in waiting if approval.kind == KIND]
        get = self.means.stores.recoveries.get
        found = read(lambda tx: {each.id: get(tx, each.id) for each in asked})
        return [
            each
            for each in asked
            if (wait := found[each.id]) is not None and wait.state == "waiting"
        ]

    def approve_reset(
        self, actor: Actor, approval_id: str, *, grant: bool, reason: str = ""
    ) -> None:
        """Approve or reject a request; raise ``SelfApproval``, ``Forbidden`` or ``Conflict``."""
        means = self.means
        means.parts.access.require(actor, RESET_APPROVE, f"approval:{approval_id}")

        def work(tx: Transaction) -> None:
            approval = self._approval(tx, actor, approval_id)
            refuse_own(means, tx, actor, approval.subject.removeprefix("account:"))
            refuse_requester(means, tx, actor, approval_id)
            change = means.stores.changes.get(tx, approval_id)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("approved", reason, self._look(tx, change))
            require_waiting(means, tx, approval_id)
            decide_change(means, tx, actor, change, verdict)
            if not grant:
                means.stores.recoveries.end(tx, approval_id, "rejected")
            action = "iam.approve_reset" if grant else "iam.reject_reset"
            self._record(
                tx, action, actor, (approval.subject.removeprefix("account:"), approval_id)
            )

        means.parts.transactions.run(work)

    def complete_reset(self, actor: Actor, approval_id: str) -> IssuedEnrolment:
        """Clear every factor of an approved request's account; return its new enrolment.

        Raises ``ResetTooEarly`` while its owner has time, ``ResetOver`` once they cancelled it.
        """
        means = self.means
        means.parts.access.require(actor, ACCOUNT_RESET, f"approval:{approval_id}")
        account = means.parts.transactions.read(
            lambda tx: self._account(tx, self._approval(tx, actor, approval_id))
        )
        stored, issued = issue_enrolment(means, account)

        def work(tx: Transaction) -> None:
            refuse_locked(means, tx, account.id)
            change = means.stores.changes.get(tx, approval_id)
            use_change(means, tx, change, self._look(tx, change))
            take_recovery(means, tx, approval_id)
            means.stores.credentials.clear(tx, account.id)
            means.stores.message_addresses.clear(tx, account.id)
            means.stores.enrolments.add(tx, stored)
            means.stores.accounts.set_state(tx, account.id, "pending")
            means.parts.revocations.restore(tx, "account", account.id)
            end_within(means, tx, account.id, "credentials reset")
            self._record(tx, "iam.reset_account", actor, (account.id, approval_id))

        means.parts.transactions.run(work)
        return issued

    @property
    def desk(self) -> ChangeDesk:
        """How requests are seen and decided beside all others."""
        title = Text("重置登录因素", "Reset credentials")
        return ChangeDesk(KIND, title, RESET_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        account_id = change.target.removeprefix("account:")
        return self._sides(tx, self.means.stores.accounts.get(tx, account_id))

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        self.approve_reset(actor, change.id, grant=grant, reason=reason)

    def _sides(self, tx: Transaction, account: Account) -> Sides:
        """Return which factors go: what the account holds now, without any secret."""
        held = held_factors(self.means, tx, account.id)
        counts = Counter(factor.kind for factor in held if factor.usable)
        password = next((factor.since for factor in held if factor.kind == "password"), None)
        before: dict[str, Any] = {
            "account": account.name,
            "state": account.state,
            "password_set_at": rfc3339_or_none(password),
            "factors": {factor.kind: counts[factor.kind] for factor in held},
        }
        gone = dict.fromkeys(before["factors"], 0)
        after = {"state": "pending", "password_set_at": None, "factors": gone}
        return Sides(before, {**before, **after})

    def _approval(self, tx: Transaction, actor: Actor, approval_id: str) -> Approval:
        approval = self.means.parts.approvals.get(tx, approval_id)
        if approval.kind != KIND or not reaches(self.means, tx, actor, approval.org_id):
            msg = "that is no request to reset an account"
            raise Conflict(msg)
        return approval

    def _account(self, tx: Transaction, approval: Approval) -> Account:
        return self.means.stores.accounts.get(tx, approval.subject.removeprefix("account:"))

    @staticmethod
    def _record(tx: Transaction, action: str, actor: Actor, what: tuple[str, str]) -> None:
        account_id, approval_id = what
        tx.record(Act(action, actor, f"account:{account_id}", details={"approval": approval_id}))
