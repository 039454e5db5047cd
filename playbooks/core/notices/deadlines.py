"""What a unit and its verifier owe by when, and when they are urged (催办, 督办).

Rectification is reckoned from the issue, since its day stands in the sealed document; who
receives late has less time. Policy values: 签收 24 h, urgent 2 h; 整改 3, 10 or 30 working
days; 复核 3 working days.
"""

from __future__ import annotations

from typing import Final

from playbooks.core.notices.workdays import due_after
from playbooks.errors.notices import ExtensionRefused
from playbooks.models.calendars import Deadline, WorkCalendar
from playbooks.models.notices import Debt, Delivery, NoticeSeverity, Owed
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, HOUR, MINUTE

RECEIVE: Final = 24 * HOUR
RECEIVE_URGENT: Final = 2 * HOUR
RECTIFY_DAYS: Final[dict[NoticeSeverity, int]] = {"high": 3, "medium": 10, "low": 30}
VERIFY_DAYS: Final = 3
MAX_EXTENSIONS: Final = 2
SUPERVISED_DAYS: Final = 30
LONGEST_LEAD: Final = DAY
_LEAD: Final[dict[Owed, int]] = {"receive": 4 * HOUR, "rectify": DAY, "verify": DAY}
_LEAD_URGENT: Final = 30 * MINUTE


def receive_due(issued_at: int, *, urgent: bool) -> int:
    """Return until when a notice issued at ``issued_at`` is to be received."""
    return issued_at + (RECEIVE_URGENT if urgent else RECEIVE)


def rectify_due(calendar: WorkCalendar, start: int, severity: NoticeSeverity) -> Deadline:
    """Return until when it is to be put right, from its issue or its return."""
    return due_after(calendar, start, RECTIFY_DAYS[severity])


def verify_due(calendar: WorkCalendar, rectified_at: int) -> Deadline:
    """Return until when it is to be verified."""
    return due_after(calendar, rectified_at, VERIFY_DAYS)


def check_extension(delivery: Delivery, days: int, now: int) -> None:
    """Raise ``ExtensionRefused`` for one asked too late, too often or too long."""
    if delivery.state not in ("received", "responded") or now > delivery.rectify_due:
        msg = "an extension is asked for after receipt and before the deadline"
        raise ExtensionRefused(msg)
    if delivery.extensions >= MAX_EXTENSIONS:
        msg = f"at most {MAX_EXTENSIONS} extensions"
        raise ExtensionRefused(msg)
    most = RECTIFY_DAYS[delivery.severity]
    if not 1 <= days <= most:
        msg = f"an extension is 1 to {most} working days here"
        raise ExtensionRefused(msg)


def debts_of(delivery: Delivery) -> tuple[Debt, ...]:
    """Return what is owed now, the soonest first."""
    if delivery.state == "closed":
        return ()
    if delivery.state == "rectified":
        return () if delivery.verify_due is None else (Debt("verify", delivery.verify_due),)
    owed = [Debt("rectify", delivery.rectify_due)]
    if delivery.state == "pending":
        owed.append(Debt("receive", delivery.receive_due))
    return tuple(sorted(owed, key=lambda debt: debt.due))


def stage_of(debt: Debt, issued_at: int, now: int) -> tuple[str, Text] | None:
    """Return the stage of reminding that ``debt`` is in, and its words; None for none.

    催办 once before, 督办 when it is over and each day of the first 30 after; each stage once.
    """
    lead = _LEAD[debt.what]
    if debt.what == "receive" and debt.due - issued_at <= RECEIVE_URGENT:
        lead = _LEAD_URGENT
    if now <= debt.due - lead:
        return None
    if not debt.overdue(now):
        return "urge", Text("催办", "is due soon")
    days = (now - debt.due) // DAY
    if days > SUPERVISED_DAYS:
        return None
    words = (
        Text("督办", "is overdue")
        if not days
        else Text(f"督办(逾期 {days} 天)", f"is {days} d overdue")
    )
    return f"supervise-{days}", words
