"""Changes that take two persons: asked for by one, approved and thereby done by another.

The approver sees each field before and after. What is approved is the digest of exactly that:
where the target has moved on since, nothing is applied. Approving and applying is one unit
of work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from iam.core.differences import differences
from iam.errors import InvalidRequest, OwnChange
from iam.models.changes import ChangeRequest, ChangeView, NewChange
from iam.ports import ChangeKind
from iam.service.changes import (
    MAX_REASON,
    Asking,
    ChangeDesk,
    Sides,
    Verdict,
    approval_kind,
    ask_change,
    decide_change,
    digest_of_change,
    is_stale,
)
from iam.service.means import Means
from iam.service.persons import same_person
from iam.service.reach import reaches, require_reach
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import CHANGE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

LIFE: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class ChangeRequestService:
    """Everything that can be done with change requests; it knows no kind by name.

    What is asked for at a desk of its own (``desks``) is seen and decided here as well.
    """

    means: Means
    kinds: Mapping[str, ChangeKind]
    desks: Mapping[str, ChangeDesk] = field(default_factory=dict)

    def titles(self) -> Mapping[str, Text]:
        """Return what people call each kind."""
        titles = {name: kind.title for name, kind in self.kinds.items()}
        return titles | {name: desk.title for name, desk in self.desks.items()}

    def request_change(self, actor: Actor, new: NewChange) -> ChangeRequest:
        """Ask for a change; it waits for another person for seven days."""
        kind = self._kind(new.kind)
        self.means.parts.access.require(actor, kind.asking(new.after), new.target)
        reason = new.reason.strip()
        if not 1 <= len(reason) <= MAX_REASON:
            msg = f"a reason of at most {MAX_REASON} characters is needed"
            raise InvalidRequest(msg)
        change_id = self.means.parts.ids.new("chg")

        def work(tx: Transaction) -> ChangeRequest:
            before = kind.before(tx, actor, new.target)
            kind.check(tx, actor, new.target, new.after)
            if dict(before) == dict(new.after):
                msg = "that is how it is already"
                raise InvalidRequest(msg)
            asking = Asking(
                id=change_id,
                org_id=actor.org_id,
                kind=new.kind,
                target=new.target,
                sides=Sides(before, new.after),
                permission=kind.approving(new.after),
                life=LIFE,
                reason=reason,
            )
            change = ask_change(self.means, tx, actor, asking)
            tx.record(self._act("iam.request_change", actor, change))
            return change

        return self.means.parts.transactions.run(work)

    def approve_change(self, actor: Actor, change_id: str, reason: str = "") -> ChangeRequest:
        """Approve a request and carry it out, at once and together.

        Raises ``OwnChange``, ``Forbidden``, ``NotPending``, ``StaleChange``, or what the change
        itself raises; then nothing was decided.
        """
        if self._at_desk(actor, change_id, reason, grant=True):
            return self._get(change_id)

        def work(tx: Transaction) -> ChangeRequest:
            change = self._reached(tx, actor, change_id)
            kind = self._kind(change.kind)
            approving = kind.approving(change.after)
            self.means.parts.access.require(actor, approving, change.target)
            if change.state != "pending":
                raise NotPending
            self._refuse_own(tx, actor, change)
            sides = Sides(kind.before(tx, actor, change.target), change.after)
            decide_change(self.means, tx, actor, change, Verdict("applied", reason, sides))
            kind.apply(tx, actor, change)
            tx.record(self._act("iam.approve_change", actor, change))
            return self.means.stores.changes.get(tx, change_id)

        return self.means.parts.transactions.run(work)

    def reject_change(self, actor: Actor, change_id: str, reason: str) -> ChangeRequest:
        """Refuse a request of somebody else's."""
        if self._at_desk(actor, change_id, reason, grant=False):
            return self._get(change_id)

        def work(tx: Transaction) -> ChangeRequest:
            change = self._reached(tx, actor, change_id)
            kind = self._kind(change.kind)
            self.means.parts.access.require(actor, kind.approving(change.after), change.target)
            if same_person(self.means, tx, actor.id, change.requester_id):
                raise OwnChange
            return self._end(tx, actor, change, Verdict("rejected", reason))

        return self.means.parts.transactions.run(work)

    def withdraw_change(self, actor: Actor, change_id: str) -> ChangeRequest:
        """Take back a request of one's own."""

        def work(tx: Transaction) -> ChangeRequest:
            change = self.means.stores.changes.get(tx, change_id)
            if change.requester_id != actor.id or change.kind in self.desks:
                msg = "there is no such change request of yours"
                raise NotFound(msg)
            return self._end(tx, actor, change, Verdict("withdrawn", ""))

        return self.means.parts.transactions.run(work)

    def list_changes(
        self, actor: Actor, request: PageRequest, *, pending: bool = True
    ) -> Page[ChangeRequest]:
        """Return the requests within reach, newest first."""
        self.means.parts.access.require(actor, CHANGE_READ, "change:*")
        read = self.means.parts.transactions.read
        changes = self.means.stores.changes
        return read(lambda tx: changes.page(tx, actor.org_id, request, pending=pending))

    def own_changes(self, actor: Actor) -> Sequence[ChangeRequest]:
        """Return what the caller asked for."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.changes.of_requester(tx, actor.id))

    def other_approvals(self, actor: Actor) -> Sequence[Approval]:
        """Return what waits in other planes (seals, playbooks) that the caller may approve."""
        self.means.parts.access.require(actor, CHANGE_READ, "approval:*")
        read = self.means.parts.transactions.read
        waiting = read(lambda tx: self.means.parts.approvals.pending(tx, actor.org_id))
        ours = {approval_kind(kind) for kind in (*self.kinds, *self.desks)}
        return [
            approval
            for approval in waiting
            if approval.kind not in ours
            and actor.may(approval.permission)
            and approval.requester_id != actor.id
        ]

    def view_change(self, actor: Actor, change_id: str) -> ChangeView:
        """Return a request with its differences, and what the caller may do with it."""

        def work(tx: Transaction) -> ChangeView:
            change = self.means.stores.changes.get(tx, change_id)
            own = change.requester_id == actor.id
            if not own:
                self.means.parts.access.require(actor, CHANGE_READ, f"change:{change_id}")
                require_reach(self.means, tx, actor, change.org_id, "change request")
            waiting = change.state == "pending"
            return ChangeView(
                request=change,
                differences=differences(change.before, change.after),
                stale=change.state in ("pending", "approved") and self._stale(tx, actor, change),
                may_decide=waiting
                and actor.may(self._approving(change))
                and not same_person(self.means, tx, actor.id, change.requester_id),
                may_withdraw=own and waiting and change.kind in self.kinds,
                requester=self._name(tx, change.requester_id),
                target=self._name(tx, change.target.removeprefix("account:")),
            )

        return self.means.parts.transactions.read(work)

    def _at_desk(self, actor: Actor, change_id: str, reason: str, *, grant: bool) -> bool:
        """Let a request be decided where it was asked for; False if that is here."""
        change = self._get(change_id)
        desk = self.desks.get(change.kind)
        if desk is None:
            return False
        desk.decide(actor, change, grant=grant, reason=reason)
        return True

    def _get(self, change_id: str) -> ChangeRequest:
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.changes.get(tx, change_id))

    def _approving(self, change: ChangeRequest) -> Permission:
        desk = self.desks.get(change.kind)
        return self._kind(change.kind).approving(change.after) if desk is None else desk.permission

    def _stale(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> bool:
        desk = self.desks.get(change.kind)
        try:
            if desk is not None:
                return is_stale(change, desk.look(tx, change))
            before = self._kind(change.kind).before(tx, actor, change.target)
        except (NotFound, Forbidden):
            return True
        return is_stale(change, Sides(before, change.after))

    def _refuse_own(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Raise ``OwnChange`` for who asked, who is concerned, and other accounts of theirs."""
        concerned = change.target.partition(":")[2]
        for person in (change.requester_id, concerned):
            if same_person(self.means, tx, actor.id, person):
                raise OwnChange

    def _end(
        self, tx: Transaction, actor: Actor, change: ChangeRequest, verdict: Verdict
    ) -> ChangeRequest:
        decide_change(self.means, tx, actor, change, verdict)
        action = f"iam.{'withdraw' if verdict.state == 'withdrawn' else 'reject'}_change"
        tx.record(self._act(action, actor, change))
        return self.means.stores.changes.get(tx, change.id)

    def _reached(self, tx: Transaction, actor: Actor, change_id: str) -> ChangeRequest:
        change = self.means.stores.changes.get(tx, change_id)
        if not reaches(self.means, tx, actor, change.org_id):
            msg = "there is no such change request"
            raise NotFound(msg)
        return change

    def _name(self, tx: Transaction, account_id: str) -> str:
        try:
            return self.means.stores.accounts.get(tx, account_id).name
        except SecopsError:
            return account_id

    def _kind(self, name: str) -> ChangeKind:
        kind = self.kinds.get(name)
        if kind is None:
            msg = f"a change is of one of the kinds {', '.join(sorted(self.kinds))}"
            raise InvalidRequest(msg)
        return kind

    @staticmethod
    def _act(action: str, actor: Actor, change: ChangeRequest) -> Act:
        details = {
            "kind": change.kind,
            "change": change.id,
            "digest": digest_of_change(change),
            "requester": change.requester_id,
        }
        return Act(action, actor, change.target, details=details)
