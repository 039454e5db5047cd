"""Early warnings: drafted by one person, approved and lifted by another, shown to all below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.core.notices import early_warnings as core
from playbooks.core.versions import require_version
from playbooks.errors.notices import ApprovalStale, NoticeInvalid
from playbooks.models.early_warnings import (
    WARNING_STATES,
    EarlyWarning,
    WarningContent,
)
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.refusals import refusals_recorded
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions import Permission
from secops.kernel.permissions.playbooks import NOTICE_READ, WARNING_APPROVE, WARNING_DRAFT
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "early_warning"
_APPROVAL: Final = 7 * DAY
MAX_UNFINISHED: Final = 100


@dataclass(frozen=True, slots=True)
class SeenWarning:
    """A warning in force and who issued it."""

    warning: EarlyWarning
    issuer: str


class EarlyWarningService:
    """What can be done with 预警."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._store = desk.tools.warnings

    def draft_warning(self, actor: Actor, content: WarningContent) -> EarlyWarning:
        """Keep a draft; raise ``NoticeInvalid`` without scope or end."""
        self._desk.parts.access.require(actor, WARNING_DRAFT, "warning:*")
        identifier = self._desk.parts.ids.new("wrn")

        def work(tx: Transaction) -> EarlyWarning:
            checked = core.check_warning(content, tx.now)
            warning = EarlyWarning(
                identifier, actor.org_id, checked, "draft", (actor.id,), tx.now, tx.now
            )
            if self._store.unfinished(tx, actor.org_id) >= MAX_UNFINISHED:
                msg = f"{MAX_UNFINISHED} warnings are drafted or in force: end some first"
                raise NoticeInvalid(msg)
            self._store.add(tx, warning)
            self._enter(tx, actor, warning, "draft_warning")
            return warning

        return self._desk.parts.transactions.run(work)

    def revise_warning(
        self, actor: Actor, warning_id: str, content: WarningContent, version: int
    ) -> EarlyWarning:
        """Change a draft that is still ``version``."""

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            require_version(warning.id, warning.version, version)
            return core.revise_warning(warning, content, actor.id, tx.now)

        return self._change(actor, WARNING_DRAFT, "revise_warning", warning_id, change)

    def submit_warning(self, actor: Actor, warning_id: str) -> EarlyWarning:
        """Ask for approval of exactly this content."""
        approval_id = self._desk.parts.ids.new("apr")

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            submitted = core.submit_warning(warning, approval_id, tx.now)
            self._ask(tx, actor, submitted)
            return submitted

        return self._change(actor, WARNING_DRAFT, "submit_warning", warning_id, change)

    def adjust_warning(
        self, actor: Actor, warning_id: str, content: WarningContent
    ) -> EarlyWarning:
        """Ask for another colour, scope or end; what is in force stays until it is approved."""
        approval_id = self._desk.parts.ids.new("apr")

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            wanted = core.adjust_warning(warning, content, actor.id, approval_id, tx.now)
            self._ask(tx, actor, wanted)
            return wanted

        return self._change(actor, WARNING_DRAFT, "adjust_warning", warning_id, change)

    def decide_warning(
        self, actor: Actor, warning_id: str, digest: str, *, grant: bool, reason: str = ""
    ) -> EarlyWarning:
        """Approve or reject what ``digest`` names; an author can't.

        An adjustment is in force at once, and its approval used.
        """

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            approvals = self._desk.parts.approvals
            decided = core.decide_warning(warning, actor.id, tx.now, grant=grant, reason=reason)
            self._require_content(warning, warning.wanted or warning.content, digest)
            approvals.require_another(tx, actor, warning.authors)
            approvals.decide(tx, warning.approval_id, actor, grant=grant, reason=reason)
            if grant and warning.wanted is not None:
                approvals.use(tx, warning.approval_id, warning.digest)
            return decided

        return self._change(actor, WARNING_APPROVE, "decide_warning", warning_id, change)

    def issue_warning(self, actor: Actor, warning_id: str) -> EarlyWarning:
        """Put what was approved in force; raise ``ApprovalStale`` for anything else."""

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            issued = core.issue_warning(warning, tx.now)
            self._require_content(warning, warning.content, warning.digest)
            self._desk.use_approval(tx, warning.approval_id, warning.digest)
            return issued

        return self._change(actor, WARNING_DRAFT, "issue_warning", warning_id, change)

    def lift_warning(self, actor: Actor, warning_id: str, reason: str) -> EarlyWarning:
        """End a warning with a reason; an author can't."""

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            self._desk.parts.approvals.require_another(tx, actor, warning.authors)
            return core.lift_warning(warning, tx.now, reason)

        return self._change(actor, WARNING_APPROVE, "lift_warning", warning_id, change)

    def withdraw_warning(self, actor: Actor, warning_id: str, reason: str) -> EarlyWarning:
        """Withdraw what was not issued."""

        def change(tx: Transaction, warning: EarlyWarning) -> EarlyWarning:
            withdrawn = core.withdraw_warning(warning, tx.now, reason)
            self._desk.end_request(tx, actor, warning.approval_id)
            return withdrawn

        return self._change(actor, WARNING_DRAFT, "withdraw_warning", warning_id, change)

    def _change(
        self,
        actor: Actor,
        permission: Permission,
        verb: str,
        warning_id: str,
        change: Callable[[Transaction, EarlyWarning], EarlyWarning],
    ) -> EarlyWarning:
        target = f"warning:{warning_id[:60]}"
        self._desk.parts.access.require(actor, permission, target)

        def work(tx: Transaction) -> EarlyWarning:
            changed = change(tx, self._store.get(tx, actor.org_id, warning_id))
            self._store.change(tx, changed)
            self._enter(tx, actor, changed, verb)
            return changed

        with refusals_recorded(self._desk.parts, f"playbooks.{verb}", actor, target):
            return self._desk.parts.transactions.run(work)

    def _ask(self, tx: Transaction, actor: Actor, warning: EarlyWarning) -> None:
        content = warning.wanted or warning.content
        self._desk.parts.approvals.request(
            tx,
            Approval(
                id=warning.approval_id,
                org_id=warning.org_id,
                kind=APPROVAL_KIND,
                subject=f"warning:{warning.id}",
                subject_hash=warning.digest,
                permission=WARNING_APPROVE,
                requester_id=actor.id,
                requested_at=tx.now,
                expires_at=tx.now + _APPROVAL,
                reason=content.title,
            ),
        )

    @staticmethod
    def _require_content(warning: EarlyWarning, content: WarningContent, digest: str) -> None:
        if core.warning_digest(warning, content) != warning.digest or digest != warning.digest:
            msg = f"{warning.id} is not what was looked at"
            raise ApprovalStale(msg)

    @staticmethod
    def _enter(tx: Transaction, actor: Actor, warning: EarlyWarning, verb: str) -> None:
        content = warning.wanted or warning.content
        details = {
            "state": warning.state,
            "colour": content.colour,
            "ends_at": content.ends_at,
            "content": core.warning_digest(warning, content),
        }
        tx.record(Act(f"playbooks.{verb}", actor, f"warning:{warning.id}", details=details))


class EarlyWarningViews:
    """Reads early warnings."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._store = desk.tools.warnings

    def list_warnings(self, actor: Actor, state: str, page: PageRequest) -> Page[EarlyWarning]:
        """Return the organisation's own, newest first."""
        self._desk.parts.access.require(actor, NOTICE_READ, "warning:*")
        if state and state not in WARNING_STATES:
            msg = f"a state is {', '.join(WARNING_STATES)}"
            raise NoticeInvalid(msg)
        return self._desk.parts.transactions.read(
            lambda tx: self._store.list(tx, actor.org_id, state, page)
        )

    def show_warning(self, actor: Actor, warning_id: str) -> EarlyWarning:
        """Return one of the organisation's own."""
        self._desk.parts.access.require(actor, NOTICE_READ, f"warning:{warning_id}")
        return self._desk.parts.transactions.read(
            lambda tx: self._store.get(tx, actor.org_id, warning_id)
        )

    def warnings_in_force(self, actor: Actor) -> Sequence[SeenWarning]:
        """Return what concerns the actor's organisation now, the gravest first.

        Everybody who is signed in may know what their own and those above them warn of.
        """
        above = self._desk.ports.units.above(actor.org_id)
        found = self._desk.parts.transactions.read(
            lambda tx: self._store.in_force(tx, above, tx.now)
        )
        names = self._desk.s.unit_names(*{each.org_id for each in found})
        ordered = sorted(found, key=core.gravest_first)
        return [SeenWarning(each, names[each.org_id]) for each in ordered]
