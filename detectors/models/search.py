"""What a search answers beside its events: a histogram, facets, an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from secops.kernel.logs import Bucket

ExportForm = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class TimeBar:
    """``count`` events from ``start`` (UTC microseconds) on, for one step."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many events there are over time. ``step`` is seconds; empty bars are there, too."""

    step: int
    bars: tuple[TimeBar, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of a field, greatest first."""

    field: str
    terms: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class LogSurvey:
    """A search seen from above."""

    histogram: Histogram
    facets: tuple[Facet, ...]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported: at most ``limit`` events, as ``form``; ``columns`` are CSV's."""

    form: ExportForm = "csv"
    limit: int = 10_000
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportPart:
    """A piece of an export. ``rows`` counts from the start; ``is_cut``: there is more."""

    content: bytes
    rows: int
    is_cut: bool
