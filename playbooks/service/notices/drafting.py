"""Writing notices: draft, revise, submit for review, take back, withdraw, archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playbooks.core.notices import delivery as unit
from playbooks.core.notices import notice as issuer
from playbooks.core.versions import require_version
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.notices import NoticeInvalid
from playbooks.models.notices import OPEN_DELIVERIES, Content, Notice
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.notices.templates import FORM, notice_content
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.permissions.playbooks import NOTICE_APPROVE, NOTICE_DRAFT, NOTICE_READ
from secops.kernel.transactions import Transaction

MAX_UNISSUED: Final = 200
APPROVAL_DAYS: Final = 7
APPROVAL_KIND: Final = "notice"


class DraftingService:
    """What a 通报员 does."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    def draft_notice(self, actor: Actor, content: Content) -> Notice:
        """Keep a draft; raise ``NoticeInvalid`` for units that aren't the actor's to notify."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, "notice:*")
        return self.keep_draft(actor, content)

    def prefilled(self, actor: Actor, incident_id: str) -> Content:
        """Return what a notice about an incident begins with; keeps nothing."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, f"incident:{incident_id}")
        incident = self._desk.parts.transactions.read(
            lambda tx: self._desk.s.stores.incidents.get(tx, actor.org_id, incident_id)
        )
        return notice_content(self._desk.s.library.notice_templates()[FORM], incident)

    def keep_draft(
        self, actor: Actor, content: Content, *, origin: str = "", author: str = ""
    ) -> Notice:
        """Keep a draft of ``author``, once for each ``origin``; asks for no permission."""
        checked = issuer.check_content(content)
        self._desk.require_below(actor, checked.units)
        identifier = self._desk.parts.ids.new("ntc")
        author = author or actor.id

        def work(tx: Transaction) -> Notice:
            if origin and (known := self._tools.notices.by_origin(tx, actor.org_id, origin)):
                return known
            self._require_room(tx, actor)
            notice = Notice(
                identifier,
                actor.org_id,
                checked,
                "draft",
                (author,),
                tx.now,
                tx.now,
                origin=origin,
            )
            if checked.incident_id:
                self._desk.s.stores.incidents.get(tx, actor.org_id, checked.incident_id)
            self._tools.notices.add(tx, notice)
            self._enter(tx, actor, notice, "draft_notice", "拟稿")
            return notice

        return self._desk.parts.transactions.run(work)

    def revise_notice(self, actor: Actor, notice_id: str, content: Content, version: int) -> Notice:
        """Change a draft that is still ``version``; raise ``ChangedMeanwhile`` otherwise."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, f"notice:{notice_id}")
        self._desk.require_below(actor, issuer.check_content(content).units)

        def change(tx: Transaction, notice: Notice) -> Notice:
            require_version(notice.id, notice.version, version)
            if content.incident_id and content.incident_id != notice.content.incident_id:
                self._desk.s.stores.incidents.get(tx, actor.org_id, content.incident_id)
            return issuer.revise(notice, content, actor.id, tx.now)

        return self._change(actor, notice_id, "revise_notice", "修改", change)

    def submit_notice(self, actor: Actor, notice_id: str) -> Notice:
        """Ask for approval of exactly this content."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, f"notice:{notice_id}")
        return self.submit(actor, notice_id)

    def submit(self, actor: Actor, notice_id: str) -> Notice:
        """Submit for whoever may; asks for no permission."""
        approval_id = self._desk.parts.ids.new("apr")

        def change(tx: Transaction, notice: Notice) -> Notice:
            submitted = issuer.submit(notice, approval_id, tx.now)
            self._desk.parts.approvals.request(tx, _approval(submitted, actor, tx.now))
            return submitted

        return self._change(actor, notice_id, "submit_notice", "提交审核", change)

    def recall_notice(self, actor: Actor, notice_id: str) -> Notice:
        """Take it back from review, or before it was sealed; its approval is void."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, f"notice:{notice_id}")

        def change(tx: Transaction, notice: Notice) -> Notice:
            recalled = issuer.recall(notice, tx.now)
            self._desk.end_request(tx, actor, notice.approval_id)
            return recalled

        return self._change(actor, notice_id, "recall_notice", "撤回修改", change)

    def withdraw_notice(self, actor: Actor, notice_id: str, reason: str) -> Notice:
        """Withdraw it for good: an issued one takes who may approve, and frees its units."""
        self._desk.parts.access.require(actor, NOTICE_READ, f"notice:{notice_id}")
        notice = self._desk.parts.transactions.read(
            lambda tx: self._desk.issued_by(tx, actor, notice_id)
        )
        needed = NOTICE_DRAFT if notice.issue is None else NOTICE_APPROVE
        self._desk.parts.access.require(actor, needed, f"notice:{notice_id}")

        def change(tx: Transaction, found: Notice) -> Notice:
            if found.issue is not None and needed == NOTICE_DRAFT:
                msg = f"{found.id} was issued meanwhile"
                raise ChangedMeanwhile(msg)
            for delivery in self._tools.deliveries.of(tx, found.id):
                if delivery.state in OPEN_DELIVERIES:
                    self._tools.deliveries.change(tx, unit.end(delivery, "withdrawn", tx.now))
                words = (f"通报已撤回:{found.reference}", reason)
                self._desk.tell(tx, delivery.org_id, found, "withdrawn", words)
            withdrawn = issuer.withdraw(found, tx.now, reason)
            self._desk.end_request(tx, actor, found.approval_id)
            return withdrawn

        return self._change(actor, notice_id, "withdraw_notice", f"撤回:{reason.strip()}", change)

    def archive_notice(self, actor: Actor, notice_id: str) -> Notice:
        """File a closed notice."""
        self._desk.parts.access.require(actor, NOTICE_DRAFT, f"notice:{notice_id}")
        return self._change(
            actor, notice_id, "archive_notice", "归档", lambda tx, n: issuer.archive(n, tx.now)
        )

    def _change(
        self,
        actor: Actor,
        notice_id: str,
        verb: str,
        text: str,
        change: Callable[[Transaction, Notice], Notice],
    ) -> Notice:
        def work(tx: Transaction) -> Notice:
            changed = change(tx, self._desk.issued_by(tx, actor, notice_id))
            self._tools.notices.change(tx, changed)
            self._enter(tx, actor, changed, verb, text)
            return changed

        with self._desk.refusals(verb, actor, notice_id):
            return self._desk.parts.transactions.run(work)

    def _enter(self, tx: Transaction, actor: Actor, notice: Notice, verb: str, text: str) -> None:
        digest = notice.digest or issuer.content_digest(notice)
        self._desk.enter(tx, actor, notice, (verb, text), content=digest)

    def _require_room(self, tx: Transaction, actor: Actor) -> None:
        if self._tools.notices.unissued(tx, actor.org_id) >= MAX_UNISSUED:
            msg = f"{MAX_UNISSUED} notices wait to be issued: issue or withdraw some first"
            raise NoticeInvalid(msg)


def _approval(notice: Notice, actor: Actor, now: int) -> Approval:
    return Approval(
        id=notice.approval_id,
        org_id=notice.org_id,
        kind=APPROVAL_KIND,
        subject=f"notice:{notice.id}",
        subject_hash=notice.digest,
        permission=NOTICE_APPROVE,
        requester_id=notice.authors[0] if actor.kind == "system" else actor.id,
        requested_at=now,
        expires_at=now + APPROVAL_DAYS * DAY,
        reason=notice.content.title,
    )
