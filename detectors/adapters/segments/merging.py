"""Compaction: which neighbours become one segment, and how their tables join."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from detectors.adapters.segments.manifest import Segment
from secops.kernel.clock import DAY

_RUN: Final = 8
_TIERS: Final = (512, 4_096, 32_768, 262_144)
"""Rows below which a segment is of tier 0, 1, 2, 3; a greater one is left alone."""
_MAX_ROWS: Final = 300_000
_FULL: Final = 8_192


def runs_to_merge(segments: Sequence[Segment]) -> list[Sequence[Segment]]:
    """Return runs of neighbours to merge: at least 8 of one tier and what is smaller between.

    The lowest tier comes first; each row is so rewritten about once per tier.
    """
    tiers = [_tier(segment) for segment in segments]
    for tier in range(len(_TIERS)):
        runs = _runs(segments, tiers, tier)
        if runs:
            return runs
    return []


def merge_tables(tables: Sequence[Any]) -> Any:
    """Return the rows of ``tables`` in ingest order."""
    import pyarrow as pa  # noqa: PLC0415 - heavy: only where segments are written

    joined = pa.concat_tables(tables, promote_options="default")
    return joined.unify_dictionaries().combine_chunks().sort_by("@seq").unify_dictionaries()


def _tier(segment: Segment) -> int:
    rows = segment.rows
    return next((tier for tier, bound in enumerate(_TIERS) if rows < bound), len(_TIERS))


def _runs(segments: Sequence[Segment], tiers: Sequence[int], tier: int) -> list[Sequence[Segment]]:
    runs: list[Sequence[Segment]] = []
    run: list[Segment] = []
    rows = full = 0
    for segment, level in zip(segments, tiers, strict=True):
        if level > tier or rows + segment.rows > _MAX_ROWS:
            if full >= _RUN:
                runs.append(run)
            run, rows, full = [], 0, 0
        if level <= tier:
            run.append(segment)
            rows += segment.rows
            full += level == tier
    if full >= _RUN:
        runs.append(run)
    return runs


def rows_of_days(table: Any, days: Collection[int]) -> Any:
    """Return the rows of ``table`` whose day (since 1970, UTC) is among ``days``."""
    import numpy as np  # noqa: PLC0415 - as pyarrow
    import pyarrow as pa  # noqa: PLC0415 - heavy

    mask = np.isin(table.column("@at").to_numpy() // DAY, np.fromiter(days, dtype=np.int64))
    return table if mask.all() else table.filter(pa.array(mask)).unify_dictionaries()


def packed(rows_by_day: Mapping[int, int]) -> list[list[int]]:
    """Return the days in order, packed so that a part has at least 8,192 rows or all."""
    packs: list[list[int]] = []
    filling = 0
    for day in sorted(rows_by_day):
        if not packs or filling >= _FULL:
            packs.append([])
            filling = 0
        packs[-1].append(day)
        filling += rows_by_day[day]
    return packs
