"""Until when an alert is to be acknowledged and closed: from its severity, by the wall clock."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.models.alerts import Alert
from detectors.models.queue import DEFAULT_DEADLINES, AlertOrder, Deadline, Deadlines, Due
from detectors.models.rules import SEVERITIES, Severity


def deadlines_of(decided: Mapping[Severity, Deadline]) -> Deadlines:
    """Return what holds: what was decided, else the defaults."""
    return {
        severity: decided.get(severity, default) for severity, default in DEFAULT_DEADLINES.items()
    }


def due_of(alert: Alert, deadlines: Deadlines) -> Due | None:
    """Return what an open alert waits for next; None for one that is not open.

    Time runs from when it was raised, or opened again by new events; it does not pause.
    """
    if alert.status != "open":
        return None
    since = alert.raised_at if alert.reopened_at is None else alert.reopened_at
    deadline = deadlines[alert.severity]
    if alert.acknowledged_at is None:
        return Due("acknowledge", since + deadline.acknowledge)
    return Due("resolve", since + deadline.resolve)


def sort_key(alert: Alert, order: AlertOrder, deadlines: Deadlines) -> tuple[str | int, ...]:
    """Return where ``alert`` stands in ``order``: what the cursor behind it says."""
    if order == "severity":
        return SEVERITIES.index(alert.severity), alert.last_at, alert.id
    due = due_of(alert, deadlines) if order == "due" else None
    return alert.last_at if due is None else due.at, alert.id
