"""What a parser is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from detectors.models.privacy import Prepared
from secops.kernel.logs import Value


class BadLine(ValueError):
    """A line that is not of its format; ``reason`` is a stable word for the rejects file."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Context:
    """What a source says about its lines.

    ``zone`` is for times without one. ``latest`` (UTC microseconds) is the file's mtime plus
    one day: a time without a year is in the latest year not after it, unless ``year`` is
    given. ``encoding`` None means UTF-8, else GB18030. ``prepare`` grades and masks a line
    before anything reads, numbers or stores it; ``sift`` says which of several lines it has to
    see, for it would return all others as they are. ``arrival`` (UTC microseconds) is when a live
    line came in: what carries no time of its own, or no header at all, has that one.
    """

    zone: tzinfo
    latest: int
    year: int | None = None
    encoding: str | None = None
    prepare: Callable[[bytes], Prepared] | None = None
    sift: Callable[[Sequence[bytes]], Collection[int]] | None = None
    arrival: int | None = None


@dataclass(slots=True)
class Parsed:
    """A line's event time (UTC microseconds) and fields; one is made for every line."""

    at: int
    fields: dict[str, Value]


Parser = Callable[[bytes, Context], Parsed]
"""Reads one line; raises ``BadLine``."""


def decode_line(raw: bytes, encoding: str | None = None) -> str:
    r"""Return ``raw`` as text; bytes that are no text stay visible as ``\xNN``.

    A line is never dropped for its encoding alone: somebody who can put one bad byte into a
    log could otherwise hide the line.
    """
    try:
        return raw.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        pass
    if encoding is None:
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return raw.decode("utf-8", "backslashreplace")
