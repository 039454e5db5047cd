"""Puts the log store together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detectors.adapters.segments.spool import Spool
from detectors.adapters.segments.store import SegmentStore
from detectors.adapters.segments.writer import Writer
from detectors.ports import ClosedSegments, QueryEvaluator


@dataclass(frozen=True, slots=True)
class Segments:
    """The log store, its quick door and its background work."""

    store: SegmentStore
    spool: Spool
    writer: Writer


def _unheard(_name: str) -> None:
    """Tell nobody: for callers without a ledger."""


def open_segments(
    home: Path,
    process: str,
    evaluator: QueryEvaluator,
    closed: ClosedSegments,
    damaged: Callable[[str], None] = _unheard,
) -> Segments:
    """Open the store under ``home``; ``process`` names this process's spool folder.

    ``damaged`` is told the name of each spooled batch that was not what was written; it lies
    in ``home/spool/damaged`` then.
    """
    spool = Spool(home / "spool", process)
    writer = Writer(home / "segments", spool, evaluator, closed=closed, damaged=damaged)
    return Segments(SegmentStore(home / "segments", writer, spool, evaluator), spool, writer)
