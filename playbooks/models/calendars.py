"""Which days are worked, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class YearTable:
    """The holidays of a year (``off``), the weekend days ``worked`` for them, and who said so."""

    off: frozenset[date]
    worked: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The tables by year. A year without one is reckoned Monday to Friday."""

    years: Mapping[int, YearTable]


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant (UTC microseconds); ``guessed`` names the years that no table was there for."""

    at: int
    guessed: tuple[int, ...] = ()
