"""Classes of data, their grades, and what is done with them in logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

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
"""Fields that an event gets: its classes, the highest grade, keyed digests of the subjects,
and ``true`` where the grade is above that of its source."""


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
    """A line as it is stored: ``raw`` masked, and what was found in it before.

    ``original`` is the line as it came where the policy keeps it and something was masked.
    """

    raw: bytes
    classes: tuple[str, ...] = ()
    grade: Grade | None = None
    subjects: tuple[str, ...] = ()
    original: bytes | None = None


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

    ``entries`` are ledger entries among the events (each can be proved), at most 20.
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
