"""Counts that outlive their process, until they are in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TallyLine:
    """What was counted under ``text``: how often, and the first and last instant."""

    text: bytes
    count: int
    first_at: int
    last_at: int


class TallyBook(Protocol):
    """Lines that are counted. One thread at a time writes, and turns the page.

    A line that was begun or counted is still there when the process is killed at any moment
    afterwards; a power cut may take it. ``name`` and ``page`` name what stands on the open page
    once and for all.
    """

    @property
    def name(self) -> str:
        """The book's name; no other ever has it."""
        ...

    @property
    def page(self) -> int:
        """The number of the open page; later pages have greater numbers."""
        ...

    def begin(self, text: bytes, count: int, at: int) -> int | None:
        """Write a new line; return where it stands, None if the page is full.

        Raises ``AuditUnavailable`` where nothing can be written.
        """
        ...

    def count(self, place: int, count: int, at: int) -> None:
        """Let the line at ``place`` of the open page say ``count`` and ``at``."""
        ...

    def turn(self) -> bool:
        """Open the other page if it is blank; what was written stays until ``blank``."""
        ...

    def filled(self) -> Sequence[tuple[int, Sequence[TallyLine]]]:
        """Return the pages that hold lines, by number, the oldest first."""
        ...

    def blank(self, page: int) -> None:
        """Forget the page of this number: it is in the database."""
        ...

    def close(self, *, remove: bool) -> None:
        """Let go of it; ``remove`` where everything in it is in the database."""
        ...


class TallyShelf(Protocol):
    """Where the books of all processes of a home stand."""

    def open(self) -> TallyBook:
        """Return a new book of this process; raise ``AuditUnavailable``."""
        ...

    def left_behind(self) -> Iterable[TallyBook]:
        """Return the books whose processes are gone, each to be closed."""
        ...
