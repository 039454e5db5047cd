"""A log store in memory that answers row by row, by the words of the port alone.

It shares no code with the product's evaluation, so that differential tests mean something.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import itertools
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.logs import (
    Aggregation,
    And,
    AppendResult,
    Batch,
    Bucket,
    Column,
    Exists,
    LogEvent,
    Not,
    Or,
    Query,
    Range,
    SourceSummary,
    StoredEvent,
    Term,
    Value,
    Window,
    is_held,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FakeLogStore:
    """Keeps events in a list."""

    def __init__(self) -> None:
        self.rows: list[StoredEvent] = []
        self.seq = 0

    def append(self, events: Sequence[LogEvent]) -> AppendResult:
        known = {row.event.id for row in self.rows}
        stored = 0
        for event in events:
            if event.id not in known:
                known.add(event.id)
                self.seq += 1
                stored += 1
                self.rows.append(StoredEvent(self.seq, event))
        return AppendResult(stored, len(events) - stored, self.seq)

    def scan(
        self, first_seq: int, last_seq: int | None = None, anchor: Anchor = ANYTHING
    ) -> Iterator[Batch]:
        rows = [
            row
            for row in self.rows
            if row.seq >= first_seq and (last_seq is None or row.seq <= last_seq)
        ]
        for begin in range(0, len(rows), 100):
            yield batch_of(rows[begin : begin + 100])

    def search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None = None
    ) -> Sequence[StoredEvent]:
        found = [
            row
            for row in self._matching(query, window)
            if before is None or (row.event.at, row.seq) < before
        ]
        found.sort(key=lambda row: (row.event.at, row.seq), reverse=True)
        return found[:limit]

    def get(self, event_ids: Sequence[str]) -> Sequence[StoredEvent]:
        by_id = {row.event.id: row for row in self.rows}
        return [by_id[i] for i in event_ids if i in by_id]

    def aggregate(self, query: Query, window: Window, by: Aggregation) -> Sequence[Bucket]:
        counts: Counter[tuple[str, ...]] = Counter()
        for row in self._matching(query, window):
            levels = [texts(read(row.event, name)) for name in by.fields]
            if by.interval is not None:
                width = by.interval * 1_000_000
                start = EPOCH + timedelta(microseconds=row.event.at // width * width)
                levels.insert(0, [start.isoformat().replace("+00:00", "Z")])
            for key in itertools.product(*(dict.fromkeys(level) for level in levels)):
                counts[key] += 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if by.interval is not None:
            ordered.sort(key=lambda item: item[0][0])
        return [Bucket(key, count) for key, count in ordered[: by.limit]]

    def sources(self) -> Sequence[SourceSummary]:
        found = []
        for source in sorted({row.event.source for row in self.rows}):
            events = [row.event for row in self.rows if row.event.source == source]
            times = [event.at for event in events]
            found.append(
                SourceSummary(
                    source,
                    len(events),
                    min(times),
                    max(times),
                    max(event.ingested for event in events),
                )
            )
        return found

    def last_seq(self) -> int:
        return self.seq

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        days: dict[int, int] = {}
        for row in self.rows:
            day = row.event.at // 86_400_000_000
            days[day] = max(days.get(day, 0), row.event.ingested)
        old = {day for day, last in days.items() if last < instant and not is_held(day, held)}
        self.rows = [row for row in self.rows if row.event.at // 86_400_000_000 not in old]
        return len(old)

    def _matching(self, query: Query, window: Window) -> list[StoredEvent]:
        return [
            row
            for row in self.rows
            if (window.since is None or row.event.at >= window.since)
            and (window.until is None or row.event.at < window.until)
            and holds(query, row.event)
        ]


def batch_of(rows: Sequence[StoredEvent]) -> Batch:
    """Return ``rows`` as a batch."""
    names = sorted({name for row in rows for name in row.event.fields})
    return Batch(
        ids=[row.event.id for row in rows],
        seqs=array("q", [row.seq for row in rows]),
        times=array("q", [row.event.at for row in rows]),
        source=column([row.event.source for row in rows]),
        columns={name: column([row.event.fields.get(name) for row in rows]) for name in names},
        raws=[row.event.raw for row in rows],
    )


def column(values: Sequence[Value | None]) -> Column:
    """Return ``values`` dictionary-encoded."""
    known = list(dict.fromkeys(value for value in values if value is not None))
    codes = [-1 if value is None else known.index(value) for value in values]
    return Column(known, array("i", codes))


def holds(query: Query, event: LogEvent) -> bool:  # noqa: PLR0911 - one line a kind
    """Tell whether ``query`` holds for ``event``."""
    match query:
        case And(queries):
            return all(holds(part, event) for part in queries)
        case Or(queries):
            return any(holds(part, event) for part in queries)
        case Not(inner):
            return not holds(inner, event)
        case Exists(name):
            return read(event, name) is not None
        case Range():
            return any(in_range(query, text) for text in texts(read(event, query.name)))
        case Term(None, text, quoted):
            return glob(f"*{escaped(text) if quoted else text}*", as_text(event.raw))
        case Term(name, text, quoted):
            found = texts(read(event, name))
            return any(equals(text, value, quoted=quoted) for value in found)
    raise AssertionError(query)


def read(event: LogEvent, name: str) -> Value | None:
    """Return what ``name`` reads."""
    if name == "@timestamp":
        return (EPOCH + timedelta(microseconds=event.at)).isoformat()
    if name == "log.source":
        return event.source
    if name == "event.id":
        return event.id
    return event.fields.get(name, event.fields.get("System." + name))


def texts(value: Value | None) -> list[str]:
    """Return the texts of ``value``."""
    if value is None:
        return []
    return list(value) if isinstance(value, tuple) else [value]


def folded(text: str) -> str:
    """Return ``text`` folded as design.md §3 says."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", composed).replace("\r\n", "\n")


def escaped(text: str) -> str:
    """Return ``text`` without live wildcards."""
    return "".join("\\" + char if char in "*?\\" else char for char in text)


def glob(pattern: str, value: str) -> bool:
    """Tell whether ``value`` is ``pattern``, by fnmatch on a translated pattern."""
    translated, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and pattern[position + 1 : position + 2] in tuple("*?\\"):
            position += 1
            char = pattern[position]
            translated += f"[{char}]" if char in "*?" else "\\"
        elif char == "[":
            translated += "[[]"
        else:
            translated += char if char in "*?" else folded(char)
        position += 1
    return re.fullmatch(fnmatch.translate(folded(translated)), folded(value)) is not None


def equals(text: str, value: str, *, quoted: bool) -> bool:
    """Tell whether a term's ``text`` matches ``value``."""
    if quoted:
        return folded(text) == folded(value)
    if "/" in text:
        try:
            address = ipaddress.ip_address(value)
            mapped = getattr(address, "ipv4_mapped", None)
            if (mapped or address) in ipaddress.ip_network(text, strict=False):
                return True
        except ValueError:
            pass
    return glob(text, value)


def as_text(raw: bytes) -> str:
    """Return a raw line as text."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def in_range(query: Range, text: str) -> bool:
    """Tell whether ``text`` is inside: numbers, addresses or times as such, else as text."""
    bounds = [bound for bound in (query.low, query.high) if bound is not None]
    if not bounds:
        return True
    key = next(key for key in (number, address, moment, folded) if all_read(key, bounds))
    value = key(text)
    if value is None:
        return False
    low, high = (None if b is None else key(b) for b in (query.low, query.high))
    above = low is None or (value >= low if query.low_inclusive else value > low)
    below = high is None or (value <= high if query.high_inclusive else value < high)
    return bool(above and below)


def all_read(key, bounds) -> bool:
    return all(key(bound) is not None for bound in bounds)


def number(text: str):
    return float(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else None


def address(text: str):
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return found.version, int(found)


def moment(text: str):
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return None
    return datetime.fromisoformat(text)
