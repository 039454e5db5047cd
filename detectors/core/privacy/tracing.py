"""Who touched a subject: events grouped by actor, action and object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.core.formats.ledger import ENTRY
from detectors.models.privacy import DATA_SUBJECTS, TraceRow
from secops.kernel.logs import LogEvent, Or, Query, Term, Value

MAX_NAMED: Final = 20
_WHO: Final = (
    "user.name",
    "user.id",
    "source.user.name",
    "SubjectUserName",
    "User",
    "TargetUserName",
    "client.id",
)
_FROM: Final = ("source.ip", "client.ip", "source.address", "IpAddress", "host.name", "Computer")
_ACTION: Final = ("event.action", "http.request.method", "EventID", "process.name")
_TARGET: Final = ("target", "url.path", "url.original", "file.path", "ObjectName", "process.name")
_OUTCOME: Final = ("event.outcome", "http.response.status_code")


def subject_query(written: str, digests: Iterable[str]) -> Query:
    """Return what finds a subject: in the raw lines as written, and by its digests."""
    by_digest = [Term(DATA_SUBJECTS, digest, quoted=True) for digest in digests]
    return Or((Term(None, written, quoted=True), *by_digest))


@dataclass(slots=True)
class _Group:
    key: tuple[str, str, str, str, str]
    first_at: int
    last_at: int
    count: int = 0
    event_ids: list[str] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)


def trace_rows(events: Iterable[LogEvent]) -> tuple[TraceRow, ...]:
    """Return who did what to what, by last touch, newest first."""
    groups: dict[tuple[str, str, str, str, str], _Group] = {}
    for event in events:
        key = _key(event)
        group = groups.setdefault(key, _Group(key, event.at, event.at))
        group.count += 1
        group.first_at = min(group.first_at, event.at)
        group.last_at = max(group.last_at, event.at)
        if len(group.event_ids) < MAX_NAMED:
            group.event_ids.append(event.id)
        entry = _first(event.fields, (ENTRY,))
        if entry and len(group.entries) < MAX_NAMED:
            group.entries.append(int(entry))
    rows = [
        TraceRow(*g.key, g.count, g.first_at, g.last_at, tuple(g.event_ids), tuple(g.entries))
        for g in groups.values()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.last_at, row.who, row.action, row.target)))


def _key(event: LogEvent) -> tuple[str, str, str, str, str]:
    fields = event.fields
    who, place = _first(fields, _WHO), _first(fields, _FROM)
    named = f"{who} @ {place}" if who and place else who or place
    return (
        named,
        event.source,
        _first(fields, _ACTION),
        _first(fields, _TARGET),
        _first(fields, _OUTCOME),
    )


def _first(fields: Mapping[str, Value], names: Iterable[str]) -> str:
    for name in names:
        value = fields.get(name)
        if value:
            return value if isinstance(value, str) else value[0]
    return ""
