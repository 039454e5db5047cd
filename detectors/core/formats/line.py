"""Lines of a file or stream, before and after they were read.

Not frozen, for ingest makes one of each for every line: a frozen one takes three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass

from detectors.core.formats.record import Parsed
from detectors.models.privacy import Prepared


@dataclass(slots=True)
class Record:
    """A line that was read. ``index`` is its 0-based line or record number in the file.

    ``prepared`` is what masking found, where the source asks for it.
    """

    index: int
    raw: bytes
    at: int
    parsed: Parsed
    prepared: Prepared | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not: where, why, and its bytes (``length`` counts all of them)."""

    index: int
    offset: int
    length: int
    reason: str
    detail: str
    raw: bytes


@dataclass(slots=True)
class Line:
    """A line without its end. ``length`` is its true length; ``raw`` may be cut."""

    index: int
    offset: int
    length: int
    raw: bytes
