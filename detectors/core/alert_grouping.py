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
            identifier = alert_id(alert.rule_id, group, f"{window}/{alert.first_at // window}")
        else:
            identifier = alert.id
        groups[identifier] = group
        found.setdefault(identifier, []).append(alert)
    return [
        Fold(each, groups[each], tuple(sorted(those, key=lambda a: (a.first_at, a.event_ids))))
        for each, those in found.items()
    ]


def grown(fold: Fold, old: Alert | None, first_ids: Sequence[str]) -> Alert:
    """Return the alert of ``fold``, whose alerts are new to ``old``.

    ``first_ids`` are the ids of all its events by time, at most as many as are kept. The
    reasons are those of the earliest event; events after a closing open it again.
    """
    first, last = fold.alerts[0], fold.alerts[-1]
    if old is None:
        return replace(
            first,
            id=fold.id,
            group=fold.group,
            last_at=last.last_at,
            event_ids=tuple(first_ids[:MAX_EVIDENCE]),
            event_count=len(fold.alerts),
        )
    reopened = old.closed_at is not None and last.last_at > old.closed_at
    return replace(
        old,
        rule_version=first.rule_version,
        first_at=min(old.first_at, first.first_at),
        last_at=max(old.last_at, last.last_at),
        reasons=first.reasons if first.first_at < old.first_at else old.reasons,
        event_ids=tuple(first_ids[:MAX_EVIDENCE]),
        event_count=old.event_count + len(fold.alerts),
        status="open" if reopened else old.status,
        closed_at=None if reopened else old.closed_at,
        closed_by=None if reopened else old.closed_by,
    )
