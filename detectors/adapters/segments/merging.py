"""Compaction: which neighbours become one segment, and how their tables join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from detectors.adapters.segments.manifest import Segment

_RUN: Final = 8
_TIERS: Final = (512, 4_096, 32_768, 262_144)
"""Rows below which a segment is of tier 0, 1, 2, 3; a greater one is left alone."""
_MAX_ROWS: Final = 600_000


def runs_to_merge(segments: Sequence[Segment]) -> list[Sequence[Segment]]:
    """Return runs of at least 8 neighbours of one tier or below, lowest tier first.

    Each row is so rewritten about once per tier. Runs share no segment.
    """
    tiers = [_tier(segment) for segment in segments]
    for tier in range(len(_TIERS)):
        runs = _runs(segments, [level <= tier for level in tiers])
        if runs:
            return runs
    return []


def merge_tables(tables: Sequence[Any]) -> Any:
    """Return the rows of ``tables`` (one day) in ingest order."""
    import pyarrow as pa  # noqa: PLC0415 - heavy: only where segments are written

    joined = pa.concat_tables(tables, promote_options="default")
    return joined.unify_dictionaries().combine_chunks().sort_by("@seq").unify_dictionaries()


def _tier(segment: Segment) -> int:
    rows = segment.rows
    return next((tier for tier, bound in enumerate(_TIERS) if rows < bound), len(_TIERS))


def _runs(segments: Sequence[Segment], small: Sequence[bool]) -> list[Sequence[Segment]]:
    runs: list[Sequence[Segment]] = []
    run: list[Segment] = []
    for segment, is_small in zip(segments, small, strict=True):
        if is_small and sum(s.rows for s in run) + segment.rows <= _MAX_ROWS:
            run.append(segment)
            continue
        if len(run) >= _RUN:
            runs.append(run)
        run = [segment] if is_small else []
    if len(run) >= _RUN:
        runs.append(run)
    return runs
