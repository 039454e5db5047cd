"""What the services of notices share: finding one's own, writing history, telling units."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import reduce

from playbooks.core.notices.workdays import merged, read_calendar
from playbooks.core.notifications.inbox import inbox_message
from playbooks.errors.notices import ApprovalStale, NoticeInvalid, NoticeNotFound
from playbooks.models.calendars import WorkCalendar
from playbooks.models.notices import Delivery, Notice, Remark
from playbooks.ports.notices import NoticePorts, NoticeTools
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """The surroundings, as notices need them."""

    s: Surroundings

    @property
    def parts(self) -> Parts:
        """The spine."""
        return self.s.parts

    @property
    def tools(self) -> NoticeTools:
        """Stores, printer and calendars."""
        return self.s.notices

    @property
    def ports(self) -> NoticePorts:
        """Other planes."""
        return self.s.ports.notices

    def calendar(self) -> WorkCalendar:
        """Return the tables of working days together; raise ``CalendarInvalid``."""
        return reduce(merged, map(read_calendar, self.tools.calendars.tables()))

    def issued_by(self, tx: Transaction, actor: Actor, notice_id: str) -> Notice:
        """Return a notice of the actor's own organisation; raise ``NoticeNotFound``."""
        notice = self.tools.notices.get(tx, notice_id)
        if notice.org_id != actor.org_id:
            msg = f"no notice {notice_id[:60]}"
            raise NoticeNotFound(msg)
        return notice

    def delivered_to(
        self, tx: Transaction, actor: Actor, notice_id: str
    ) -> tuple[Notice, Delivery]:
        """Return a notice and how it stands at the actor's organisation; ``NoticeNotFound``."""
        delivery = self.tools.deliveries.get(tx, notice_id, actor.org_id)
        return self.tools.notices.get(tx, notice_id), delivery

    def require_below(self, actor: Actor, units: Sequence[str]) -> None:
        """Raise ``NoticeInvalid`` for units that aren't the actor's organisation or below it."""
        strange = set(units) - set(self.ports.units.below(actor.org_id))
        if strange:
            msg = f"{min(strange)[:60]} is no open organisation of yours or below it"
            raise NoticeInvalid(msg)

    def enter(
        self,
        tx: Transaction,
        actor: Actor,
        notice: Notice,
        entry: tuple[str, str],
        *,
        unit: str = "",
        **details: str | int,
    ) -> None:
        """Write ``entry`` = (verb, text) into the notice's history, and a leaf of the ledger."""
        verb, text = entry
        remark = Remark(notice.id, 0, notice.org_id, unit, tx.now, actor.id, verb, text)
        self.tools.remarks.append(tx, remark)
        found = {"state": notice.state, **details}
        if unit:
            found["unit"] = unit
        tx.record(Act(f"playbooks.{verb}", actor, f"notice:{notice.id}", details=found))

    def refusals(self, verb: str, actor: Actor, notice_id: str) -> AbstractContextManager[None]:
        """Enter a refusal of ``verb`` in the ledger, and let it go on."""
        target = f"notice:{notice_id[:60]}"
        return refusals_recorded(self.parts, f"playbooks.{verb}", actor, target)

    def use_approval(self, tx: Transaction, approval_id: str, digest: str) -> None:
        """Spend an approval of what ``digest`` names; raise ``ApprovalStale``."""
        try:
            self.parts.approvals.use(tx, approval_id, digest)
        except NotPending as error:
            msg = "its approval was used or is over"
            raise ApprovalStale(msg) from error

    def end_request(self, tx: Transaction, actor: Actor, approval_id: str) -> None:
        """Take back one's own request for approval, if it waits still; others' run out."""
        if not approval_id:
            return
        approvals = self.parts.approvals
        asked = approvals.get(tx, approval_id)
        if asked.state == "pending" and asked.requester_id == actor.id:
            approvals.decide(tx, approval_id, actor, grant=False, reason="withdrawn")

    def was_told(self, tx: Transaction, place: tuple[str, str], key: str) -> bool:
        """Return whether ``place`` = (organisation, notice) was told of ``key``."""
        return self.s.stores.runs.is_notified(tx, _seed(place, key))

    def tell(
        self, tx: Transaction, org_id: str, notice: Notice, key: str, words: tuple[str, str]
    ) -> bool:
        """Put ``words`` = (title, text) into an organisation's inbox, once for each ``key``."""
        seed = _seed((org_id, notice.id), key)
        incident_id = notice.content.incident_id if org_id == notice.org_id else ""
        message = inbox_message(
            f"ntf_{seed[:26]}", (org_id, incident_id), words, key=seed, at=tx.now
        )
        return self.s.stores.runs.notify(tx, message)


def _seed(place: tuple[str, str], key: str) -> str:
    org_id, notice_id = place
    return hashlib.sha256(f"{notice_id} {org_id} {key}".encode()).hexdigest()
