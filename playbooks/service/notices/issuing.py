"""Approving (签发) and issuing (编号用印): two other people's acts after the author's.

The number is given in a unit of work of its own before the page is set, since it stands on
it. It stays the notice's whatever fails afterwards: a second attempt takes the same one, and
no number is ever skipped or given twice.
"""

from __future__ import annotations

from playbooks.core.notices import notice as issuer
from playbooks.core.notices.deadlines import receive_due, rectify_due
from playbooks.core.notices.official import printed_notice
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.notices import (
    ApprovalStale,
    NoticeFileChanged,
    NoticeSealMissing,
    NoticeStateRefused,
)
from playbooks.models.calendars import WorkCalendar
from playbooks.models.notices import Delivery, Issue, Notice, SealVerdict, UsableSeal
from playbooks.service.notices.desk import NoticeDesk
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.clock import beijing_day
from secops.kernel.permissions.playbooks import NOTICE_APPROVE, NOTICE_ISSUE, NOTICE_RECEIVE
from secops.kernel.permissions.playbooks import NOTICE_READ as READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


class IssuingService:
    """What the 签发人 and whoever holds the seal do."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    def decide_notice(
        self, actor: Actor, notice_id: str, digest: str, *, grant: bool, reason: str = ""
    ) -> Notice:
        """Approve the content that ``digest`` names, or return it; not one's own.

        Raises ``SelfApproval``, ``ApprovalStale`` for another content than was looked at.
        """
        self._desk.parts.access.require(actor, NOTICE_APPROVE, f"notice:{notice_id}")

        def work(tx: Transaction) -> Notice:
            notice = self._desk.issued_by(tx, actor, notice_id)
            if notice.state == "review":
                self._require_content(notice, digest)
                self._desk.parts.approvals.require_another(tx, actor, notice.authors)
            decided = issuer.decide(notice, actor.id, tx.now, grant=grant, reason=reason)
            self._desk.parts.approvals.decide(
                tx, notice.approval_id, actor, grant=grant, reason=reason
            )
            self._tools.notices.change(tx, decided)
            text = "签发" if grant else f"退回修改:{decided.reason}"
            self._desk.enter(tx, actor, decided, ("decide_notice", text), content=digest)
            return decided

        with self._desk.refusals("decide_notice", actor, notice_id):
            return self._desk.parts.transactions.run(work)

    def usable_seals(self, actor: Actor) -> tuple[UsableSeal, ...]:
        """Return the seals that the actor could issue a notice with."""
        self._desk.parts.access.require(actor, NOTICE_ISSUE, "notice:*")
        return tuple(self._desk.ports.seals.usable_seals(actor))

    def issue_notice(self, actor: Actor, notice_id: str, seal_id: str = "") -> Notice:
        """Give it a number, set, seal and deliver an approved notice.

        ``seal_id`` may be left out where the actor has one seal. Raises
        ``NoticeSealMissing``, ``ApprovalStale``, ``SelfApproval`` for an author or who
        approved it, ``NoticeInvalid`` for units that are no longer the organisation's to
        notify, and what setting a page and using a seal raise.
        """
        self._desk.parts.access.require(actor, NOTICE_ISSUE, f"notice:{notice_id}")
        with self._desk.refusals("issue_notice", actor, notice_id):
            seal = self._seal(actor, seal_id)
            calendar = self._desk.calendar()
            self._require_units(actor, notice_id)
            notice = self._numbered(actor, notice_id)
            document, at = self._sealed(actor, notice, seal, calendar)
            made = Issue(actor.id, at, seal, sha256(document).hex(), sm3(document).hex())
            self._desk.parts.blobs.put(document)
            return self._desk.parts.transactions.run(
                lambda tx: self._issue(tx, actor, notice, made, calendar)
            )

    def read_notice_file(self, actor: Actor, notice_id: str) -> bytes:
        """Return the sealed PDF to the issuer's readers and to its units."""
        notice = self._readable(actor, notice_id)
        content = self._kept(notice)
        act = Act("playbooks.read_notice_file", actor, f"notice:{notice.id}")
        self._desk.parts.trail.append([act])
        return content

    def verify_notice_file(self, actor: Actor, notice_id: str) -> SealVerdict:
        """Return what verifying the kept file's seal finds, now."""
        return self._desk.ports.seals.verify_notice(self._kept(self._readable(actor, notice_id)))

    def _readable(self, actor: Actor, notice_id: str) -> Notice:
        own = actor.may(READ)
        self._desk.parts.access.require(
            actor, READ if own else NOTICE_RECEIVE, f"notice:{notice_id}"
        )

        def read(tx: Transaction) -> Notice:
            notice = self._tools.notices.get(tx, notice_id)
            if not (own and notice.org_id == actor.org_id):
                self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")
                return self._desk.delivered_to(tx, actor, notice_id)[0]
            return notice

        return self._desk.parts.transactions.read(read)

    def _kept(self, notice: Notice) -> bytes:
        if notice.issue is None:
            msg = f"{notice.id} has no file yet"
            raise NoticeStateRefused(msg)
        content = self._desk.parts.blobs.get(notice.issue.sha256)
        if sm3(content).hex() != notice.issue.sm3:
            raise NoticeFileChanged
        return content

    def _seal(self, actor: Actor, seal_id: str) -> str:
        usable = {seal.id for seal in self._desk.ports.seals.usable_seals(actor)}
        if seal_id:
            if seal_id not in usable:
                msg = f"{seal_id[:60]} is no seal in use that {actor.name} holds"
                raise NoticeSealMissing(msg)
            return seal_id
        if len(usable) != 1:
            msg = f"{len(usable)} seals could be used"
            raise NoticeSealMissing(msg)
        return next(iter(usable))

    def _require_units(self, actor: Actor, notice_id: str) -> None:
        """Raise ``NoticeInvalid`` for units that left the tree since the notice was drafted."""
        notice = self._desk.parts.transactions.read(
            lambda tx: self._desk.issued_by(tx, actor, notice_id)
        )
        self._desk.require_below(actor, notice.content.units)

    def _numbered(self, actor: Actor, notice_id: str) -> Notice:
        def work(tx: Transaction) -> Notice:
            notice = self._desk.issued_by(tx, actor, notice_id)
            self._require_approved(tx, actor, notice)
            if notice.number:
                return notice
            year = beijing_day(tx.now).year
            number = self._tools.notices.next_number(tx, notice.org_id, year)
            numbered = issuer.give_number(notice, year, number, tx.now)
            self._tools.notices.change(tx, numbered)
            text = f"编号 {numbered.reference}"
            self._desk.enter(tx, actor, numbered, ("number_notice", text), year=year, number=number)
            return numbered

        return self._desk.parts.transactions.run(work)

    def _require_approved(self, tx: Transaction, actor: Actor, notice: Notice) -> None:
        """Raise unless two others wrote and approved exactly what is stored now."""
        if notice.state != "approved":
            msg = f"{notice.id} is {notice.state}, not approved"
            raise NoticeStateRefused(msg, state=notice.state)
        hands = (*notice.authors, notice.approver_id)
        self._desk.parts.approvals.require_another(tx, actor, hands)
        self._require_content(notice, notice.digest)
        approval = self._desk.parts.approvals.get(tx, notice.approval_id)
        if approval.state != "approved" or approval.subject_hash != notice.digest:
            msg = f"the approval is {approval.state}"
            raise ApprovalStale(msg)

    @staticmethod
    def _require_content(notice: Notice, digest: str) -> None:
        if issuer.content_digest(notice) != notice.digest or digest != notice.digest:
            msg = f"{notice.id} is not what was looked at"
            raise ApprovalStale(msg)

    def _sealed(
        self, actor: Actor, notice: Notice, seal: str, calendar: WorkCalendar
    ) -> tuple[bytes, int]:
        now = self._desk.parts.clock.now()
        names = self._desk.s.unit_names(notice.org_id, *notice.content.units)
        page = self._tools.printer.print_notice(printed_notice(notice, names, calendar, now))
        purpose = f"通报{notice.reference}"
        sealed = self._desk.ports.seals.seal_notice(actor, seal, page.document, purpose, page.place)
        return sealed, now

    def _issue(
        self, tx: Transaction, actor: Actor, notice: Notice, made: Issue, calendar: WorkCalendar
    ) -> Notice:
        current = self._desk.issued_by(tx, actor, notice.id)
        self._require_approved(tx, actor, current)
        if current.version != notice.version:
            msg = f"{notice.id} changed while it was sealed"
            raise ChangedMeanwhile(msg)
        self._desk.use_approval(tx, notice.approval_id, notice.digest)
        issued = issuer.issue(notice, made)
        self._tools.notices.change(tx, issued)
        due = rectify_due(calendar, made.at, notice.content.severity)
        for unit in notice.content.units:
            delivery = Delivery(
                notice_id=notice.id,
                org_id=unit,
                issuer_id=notice.org_id,
                state="pending",
                receive_due=receive_due(made.at, urgent=notice.content.urgent),
                rectify_due=due.at,
                severity=notice.content.severity,
                issued_at=made.at,
                guessed=due.guessed,
            )
            self._tools.deliveries.add(tx, delivery)
            words = (f"收到通报{notice.reference}:{notice.content.title}", "请及时签收。")
            self._desk.tell(tx, unit, issued, "issued", words)
        self._desk.enter(
            tx,
            actor,
            issued,
            ("issue_notice", f"印发 {issued.reference}"),
            reference=issued.reference,
            content=notice.digest,
            file_sha256=made.sha256,
            file_sm3=made.sm3,
            seal=made.seal,
        )
        return issued
