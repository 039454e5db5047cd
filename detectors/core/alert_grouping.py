"""Alerts of plain rules: one for a rule, an entity and an hour of event time.

The window is a fixed part of the day, not "since the last event": so an alert's id and
content depend on its events alone, in whatever order and portions they were seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.detection import alert_id
from detectors.models.alerts import MAX_EVIDENCE, Alert
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND

WINDOW: Final = HOUR
FIELD: Final = "grouping_window"
"""The custom field of a rule that says otherwise: ``30m``; ``0`` is an alert per event."""
_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_ENTITY: Final = ("user.id", "user.name", "source.ip", "host.name", "session.id", "client.id")


@dataclass(frozen=True, slots=True)
class Fold:
    """The alerts (one per event, in time's order) that become one, ``id``."""

    id: str
    group: tuple[str, ...]
    alerts: tuple[Alert, ...]


def window_of(custom: Mapping[str, str]) -> int:
    """Return a rule's grouping window, microseconds; what can't be read is the default."""
    text = custom.get(FIELD, "").strip()
    found = re.fullmatch(r"(\d{1,4})([smhd])", text)
    if found:
        return int(found[1]) * _UNITS[found[2]]
    return 0 if text == "0" else WINDOW


def entity_of(subjects: Mapping[str, str]) -> tuple[str, ...]:
    """Return whom an alert is about, as a group key."""
    return tuple(f"{name}={subjects[name]}" for name in _ENTITY if name in subjects)


def fold_alerts(alerts: Iterable[Alert]) -> list[Fold]:
    """Return which of a plain rules' one-event ``alerts`` are one."""
    found: dict[str, list[Alert]] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for alert in alerts:
        group, window = entity_of(alert.subjects), window_of(alert.custom)
        if window:
            identifier = fold_id(alert.rule_id, group, window, alert.first_at // window)
        else:
            identifier = alert.id
        groups[identifier] = group
        found.setdefault(identifier, []).append(alert)
    return [
        Fold(each, groups[each], tuple(sorted(those, key=lambda a: (a.first_at, a.event_ids))))
        for each, those in found.items()
    ]


@dataclass(frozen=True, slots=True)
class Growth:
    """What is new to the alert ``id``: its first event as an alert, the last one's time."""

    id: str
    group: tuple[str, ...]
    first: Alert
    last_at: int
    count: int


def growth_of(fold: Fold) -> Growth:
    """Return what ``fold`` adds."""
    first, last = fold.alerts[0], fold.alerts[-1]
    return Growth(fold.id, fold.group, first, last.last_at, len(fold.alerts))


def fold_id(rule_id: str, group: Sequence[str], window: int, number: int) -> str:
    """Return the id of the alert of the ``number``-th ``window`` (microseconds)."""
    return alert_id(rule_id, group, f"{window}/{number}")


def begins(old: Alert | None, at: int, event: str) -> bool:
    """Tell whether an event would be the first of an alert: by its time, then by its id."""
    return old is None or (at, event) < (old.first_at, *old.event_ids[:1])


def grown(growth: Growth, old: Alert | None, first_ids: Sequence[str]) -> Alert:
    """Return the alert of ``growth``, whose events are new to ``old``.

    ``first_ids`` are the ids of all its events by time, at most as many as are kept. The
    reasons are those of the earliest event; events after a closing open it again.
    """
    first = growth.first
    if old is None:
        return replace(
            first,
            id=growth.id,
            group=growth.group,
            last_at=growth.last_at,
            event_ids=tuple(first_ids[:MAX_EVIDENCE]),
            event_count=growth.count,
        )
    reopened = old.closed_at is not None and growth.last_at > old.closed_at
    shown = first if begins(old, first.first_at, first.event_ids[0]) else old
    return replace(
        old,
        subjects=shown.subjects,
        rule_version=first.rule_version,
        first_at=min(old.first_at, first.first_at),
        last_at=max(old.last_at, growth.last_at),
        reasons=shown.reasons,
        event_ids=tuple(first_ids[:MAX_EVIDENCE]),
        event_count=old.event_count + growth.count,
        status="open" if reopened else old.status,
        closed_at=None if reopened else old.closed_at,
        closed_by=None if reopened else old.closed_by,
    )
