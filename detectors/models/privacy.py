"""Classes of data, their grades, and what is done with them in logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from secops.kernel.catalogue import Text
from secops.kernel.logs import Value

Grade = Literal["1", "2", "3", "4", "important", "core"]
GRADES: Final[tuple[Grade, ...]] = ("1", "2", "3", "4", "important", "core")
"""Grades of GB/T 43697-2024, lowest first: general data 1 to 4, important, core data."""
GRADE_TEXTS: Final[dict[Grade, Text]] = {
    "1": Text("一般数据 1 级", "General data, level 1"),
    "2": Text("一般数据 2 级", "General data, level 2"),
    "3": Text("一般数据 3 级", "General data, level 3"),
    "4": Text("一般数据 4 级", "General data, level 4"),
    "important": Text("重要数据", "Important data"),
    "core": Text("核心数据", "Core data"),
}
Neighbours = Literal["any", "digits", "alphanumeric", "base64url"]
"""Characters that may not stand directly before or after a value."""
Check = Literal["", "gb11643", "gb32100", "luhn"]

DATA_CLASSES: Final = "data.class"
DATA_GRADE: Final = "data.grade"
DATA_SUBJECTS: Final = "data.subject"
DATA_LEAK: Final = "data.leak"
DATA_UNTRACED: Final = "data.untraced"
"""Fields that an event gets: its classes, the highest grade, keyed digests of the subjects,
``true`` where the grade is above that of its source, and ``true`` where no digest could be
made because the key pool was locked."""


@dataclass(frozen=True, slots=True)
class DataClass:
    """One class of data and how it is recognised in bytes.

    ``patterns`` are RE2 over bytes; group 1, where there is one, is the value, else the whole
    match. ``keep`` is how many characters stay visible at both ends, (-1, -1) all. ``subject``
    values name somebody: their keyed digests make events traceable.
    """

    id: str
    title: Text
    grade: Grade
    patterns: tuple[bytes, ...]
    check: Check
    neighbours: Neighbours
    keep: tuple[int, int]
    subject: bool
    masked: bool
    source: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataClassFile:
    """A file with classes of data."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A line as it is stored: ``raw`` masked, and ``fields`` that say what was in it before.

    ``original`` is the line as it came where the policy keeps it and something was masked.
    """

    raw: bytes
    fields: Mapping[str, Value] = field(default_factory=dict)
    original: bytes | None = None


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """What is done with graded data in one source's lines.

    ``grade`` is the highest that belongs there: above it is a leak. ``masked`` are the ids of
    the classes that are starred out before storing; with ``keeps_originals`` the line as it
    came is kept under a key of the pool. Times are UTC microseconds.
    """

    source: str
    org_id: str
    grade: Grade = "2"
    masked: tuple[str, ...] = ()
    keeps_originals: bool = False
    changed_at: int = 0
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class KeptOriginal:
    """The sealed original of a masked event; ``at`` is event time, UTC microseconds."""

    event_id: str
    org_id: str
    source: str
    at: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class TraceRow:
    """Who touched the subject: ``who`` by ``action`` on ``target``, how often and when.

    ``event_ids`` and ``entries`` (ledger entries, each of which can be proved) name at most
    20; times are UTC microseconds.
    """

    who: str
    source: str
    action: str
    target: str
    outcome: str
    count: int
    first_at: int
    last_at: int
    event_ids: tuple[str, ...]
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What logs and ledger say of a subject: ``rows`` by last touch, newest first.

    ``classes`` are the classes of data the subject was recognised as; ``complete`` is False
    where more events name it than were read.
    """

    rows: tuple[TraceRow, ...]
    events: int
    classes: tuple[str, ...]
    complete: bool
