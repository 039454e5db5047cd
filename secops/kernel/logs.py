"""Log events, batches of them, queries, and the port of the stores that keep them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.clock import DAY

Scalar = str
Value = str | tuple[str, ...]
"""Canonical text (numbers in decimal, ``true``/``false``), or several: then "any" holds."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event before it is stored.

    ``fields`` maps dotted ECS (or the source's own) names to canonical text; an absent or
    null value has no key, an empty text stays. ``at`` is event time and ``ingested`` arrival,
    UTC microseconds. ``id`` is hex SHA-256(source, raw, n), n = equal lines before it.
    """

    id: str
    source: str
    at: int
    ingested: int
    fields: Mapping[str, Value]
    raw: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in ingest order."""

    seq: int
    event: LogEvent


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a batch, dictionary-encoded.

    ``values[codes[i]]`` is row i's value; code -1 says the field is absent there. ``codes``
    is an ``array('i')``, so that numpy can look at it without a copy.
    """

    values: Sequence[Value]
    codes: array[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in ingest order, as columns. ``seqs`` and ``times`` are ``array('q')``.

    A store that was told what to look for may leave rows out: then ``scanned`` says how many
    events it looked at, and ``until`` up to which seq.
    """

    ids: Sequence[str]
    seqs: array[int]
    times: array[int]
    source: Column
    columns: Mapping[str, Column]
    raws: Sequence[bytes]
    scanned: int | None = None
    until: int | None = None

    @property
    def events(self) -> int:
        """How many events were looked at; rows that were left out count."""
        return len(self.ids) if self.scanned is None else self.scanned

    @property
    def last_seq(self) -> int:
        """The seq up to which nothing remains to be seen; 0 for no rows."""
        if self.until is not None:
            return self.until
        return self.seqs[-1] if len(self.seqs) else 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """Event time from ``since`` (inclusive) to ``until`` (exclusive), UTC microseconds."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """``name`` compared with ``text``; ``*`` and ``?`` are wildcards unless ``quoted``.

    ``name`` None searches the raw line. An address field takes CIDR text.
    """

    name: str | None
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """``name`` between two bounds; None is open. Numbers compare as numbers."""

    name: str
    low: str | None
    high: str | None
    low_inclusive: bool = True
    high_inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Exists:
    """``name`` is present."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of ``query``."""

    query: Query


@dataclass(frozen=True, slots=True)
class And:
    """All of ``queries``; none of them is everything."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of ``queries``."""

    queries: tuple[Query, ...]


Query = Term | Range | Exists | Not | And | Or


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What is stored of one source; times are UTC microseconds of events."""

    source: str
    events: int
    first_at: int
    last_at: int
    last_ingested: int


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of a batch: ``stored`` new ones and ``duplicates`` known before."""

    stored: int
    duplicates: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One group of an aggregation."""

    key: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Count by ``fields`` (at most 3) and, if ``interval`` seconds is set, by time."""

    fields: tuple[str, ...] = ()
    interval: int | None = None
    limit: int = 100
    extra: Mapping[str, Any] = field(default_factory=dict)


class LogStore(Protocol):
    """Keeps events. Two stores give the same answers to the same questions."""

    def append(self, events: Sequence[LogEvent]) -> AppendResult:
        """Store what is new, by id, durably; seqs follow the order given."""
        ...

    def scan(
        self, first_seq: int, last_seq: int | None = None, anchor: Anchor = ANYTHING
    ) -> Iterator[Batch]:
        """Yield all rows with first_seq <= seq <= last_seq in ingest order, by segments.

        Rows for which ``anchor`` does not hold may be left out (``Batch.scanned``).
        """
        ...

    def search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None = None
    ) -> Sequence[StoredEvent]:
        """Return matches, newest first, older than ``before`` = (time, seq)."""
        ...

    def get(self, event_ids: Sequence[str]) -> Sequence[StoredEvent]:
        """Return the events with these ids that are stored, in the order asked."""
        ...

    def aggregate(self, query: Query, window: Window, by: Aggregation) -> Sequence[Bucket]:
        """Return counts, greatest first (by time: ascending)."""
        ...

    def sources(self) -> Sequence[SourceSummary]:
        """Return what is stored of each source."""
        ...

    def last_seq(self) -> int:
        """Return the greatest seq given, 0 when there is none."""
        ...

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop days all of whose events were ingested before ``instant``; return how many.

        A day that overlaps a window of ``held`` (from, until before: UTC microseconds) stays.
        """
        ...


def is_held(day: int, held: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the UTC ``day`` (days since 1970) overlaps a window of ``held``."""
    begin = day * DAY
    return any(since < begin + DAY and begin < until for since, until in held)
