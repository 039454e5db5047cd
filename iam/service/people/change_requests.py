"""Changes that take two persons: asked for by one, approved and thereby done by another.

The approver sees each field before and after. What is approved is the digest of exactly that:
where the target has moved on since, nothing is applied. Approving and applying is one unit
of work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.differences import base_digest, change_digest, differences
from iam.errors import InvalidRequest, OwnChange, StaleChange
from iam.models.changes import ChangeRequest, ChangeState, ChangeView, NewChange
from iam.ports import ChangeKind
from iam.service.means import Means
from iam.service.persons import same_person
from iam.service.reach import reaches, require_reach
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import CHANGE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

LIFE: Final = 7 * DAY
MAX_REASON: Final = 500


def approval_kind(kind: str) -> str:
    """Return what an approval of a change request is called in the kernel's table."""
    return f"iam.change.{kind}"


@dataclass(frozen=True, slots=True)
class ChangeRequestService:
    """Everything that can be done with change requests; it knows no kind by name."""

    means: Means
    kinds: Mapping[str, ChangeKind]

    def titles(self) -> Mapping[str, Text]:
        """Return what people call each kind."""
        return {name: kind.title for name, kind in self.kinds.items()}

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
            change = ChangeRequest(
                id=change_id,
                org_id=actor.org_id,
                kind=new.kind,
                target=new.target,
                before=before,
                after=new.after,
                base=base_digest(before),
                reason=reason,
                requester_id=actor.id,
                requested_at=tx.now,
                expires_at=tx.now + LIFE,
            )
            self.means.stores.changes.add(tx, change)
            self.means.parts.approvals.request(tx, self._approval(kind, change))
            tx.record(self._act("iam.request_change", actor, change))
            return change

        return self.means.parts.transactions.run(work)

    def approve_change(self, actor: Actor, change_id: str, reason: str = "") -> ChangeRequest:
        """Approve a request and carry it out, at once and together.

        Raises ``OwnChange``, ``Forbidden``, ``NotPending``, ``StaleChange``, or what the change
        itself raises; then nothing was decided.
        """

        def work(tx: Transaction) -> ChangeRequest:
            change = self._reached(tx, actor, change_id)
            kind = self._kind(change.kind)
            approving = kind.approving(change.after)
            self.means.parts.access.require(actor, approving, change.target)
            if change.state != "pending":
                raise NotPending
            self._refuse_own(tx, actor, change)
            if base_digest(kind.before(tx, actor, change.target)) != change.base:
                raise StaleChange
            approvals = self.means.parts.approvals
            approvals.decide(tx, change_id, actor, grant=True, reason=reason[:MAX_REASON])
            approvals.use(tx, change_id, _digest(change))
            self._decide(tx, actor, (change, "applied", reason))
            kind.apply(tx, actor, change)
            tx.record(self._act("iam.approve_change", actor, change))
            return self.means.stores.changes.get(tx, change_id)

        return self.means.parts.transactions.run(work)

    def reject_change(self, actor: Actor, change_id: str, reason: str) -> ChangeRequest:
        """Refuse a request of somebody else's."""

        def work(tx: Transaction) -> ChangeRequest:
            change = self._reached(tx, actor, change_id)
            kind = self._kind(change.kind)
            self.means.parts.access.require(actor, kind.approving(change.after), change.target)
            if same_person(self.means, tx, actor.id, change.requester_id):
                raise OwnChange
            return self._end(tx, actor, (change, "rejected", reason))

        return self.means.parts.transactions.run(work)

    def withdraw_change(self, actor: Actor, change_id: str) -> ChangeRequest:
        """Take back a request of one's own."""

        def work(tx: Transaction) -> ChangeRequest:
            change = self.means.stores.changes.get(tx, change_id)
            if change.requester_id != actor.id:
                msg = "there is no such change request of yours"
                raise NotFound(msg)
            return self._end(tx, actor, (change, "withdrawn", ""))

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
        """Return what else waits in the caller's organisation that the caller may approve.

        Each plane has its own approvals (resets, applications, seals, playbooks); here they
        are only seen together.
        """
        self.means.parts.access.require(actor, CHANGE_READ, "approval:*")
        read = self.means.parts.transactions.read
        waiting = read(lambda tx: self.means.parts.approvals.pending(tx, actor.org_id))
        ours = {approval_kind(kind) for kind in self.kinds}
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
            kind = self._kind(change.kind)
            return ChangeView(
                request=change,
                differences=differences(change.before, change.after),
                stale=change.state == "pending" and self._stale(tx, actor, kind, change),
                may_decide=change.state == "pending"
                and actor.may(kind.approving(change.after))
                and not same_person(self.means, tx, actor.id, change.requester_id),
                may_withdraw=own and change.state == "pending",
                requester=self._name(tx, change.requester_id),
                target=self._name(tx, change.target.removeprefix("account:")),
            )

        return self.means.parts.transactions.read(work)

    def _stale(
        self, tx: Transaction, actor: Actor, kind: ChangeKind, change: ChangeRequest
    ) -> bool:
        try:
            return base_digest(kind.before(tx, actor, change.target)) != change.base
        except (NotFound, Forbidden):
            return True

    def _refuse_own(self, tx: Transaction, actor: Actor, change: ChangeRequest) -> None:
        """Raise ``OwnChange`` for who asked, who is concerned, and other accounts of theirs."""
        concerned = change.target.partition(":")[2]
        for person in (change.requester_id, concerned):
            if same_person(self.means, tx, actor.id, person):
                raise OwnChange

    def _end(
        self, tx: Transaction, actor: Actor, decision: tuple[ChangeRequest, ChangeState, str]
    ) -> ChangeRequest:
        change, state, reason = decision
        approvals = self.means.parts.approvals
        approvals.decide(tx, change.id, actor, grant=False, reason=reason[:MAX_REASON])
        self._decide(tx, actor, decision)
        action = "iam.withdraw_change" if state == "withdrawn" else "iam.reject_change"
        tx.record(self._act(action, actor, change))
        return self.means.stores.changes.get(tx, change.id)

    def _decide(
        self, tx: Transaction, actor: Actor, decision: tuple[ChangeRequest, ChangeState, str]
    ) -> None:
        change, state, reason = decision
        said = (actor.id, reason[:MAX_REASON])
        if not self.means.stores.changes.decide(tx, change.id, state, said):
            raise NotPending

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

    def _approval(self, kind: ChangeKind, change: ChangeRequest) -> Approval:
        return Approval(
            id=change.id,
            org_id=change.org_id,
            kind=approval_kind(change.kind),
            subject=change.target,
            subject_hash=_digest(change),
            permission=kind.approving(change.after),
            requester_id=change.requester_id,
            requested_at=change.requested_at,
            expires_at=change.expires_at,
            reason=change.reason,
        )

    @staticmethod
    def _act(action: str, actor: Actor, change: ChangeRequest) -> Act:
        details = {
            "kind": change.kind,
            "change": change.id,
            "digest": _digest(change),
            "requester": change.requester_id,
        }
        return Act(action, actor, change.target, details=details)


def _digest(change: ChangeRequest) -> str:
    return change_digest(change.kind, change.target, change.before, change.after)
