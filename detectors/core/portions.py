"""What plain rules find in a batch, already counted by rule, entity and window of event time.

The same folding as of alerts one by one (``alert_grouping``), on codes: who an event is about is
decided once per combination of values, not once per finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.alert_grouping import entity_of
from detectors.core.engine.columns import Rows, codes_of
from detectors.core.engine.tables import RowFields
from detectors.core.subjects import SUBJECT_FIELDS, subjects_of
from detectors.models.alerts import Reason
from secops.kernel.logs import Batch

Key = tuple[int, tuple[str, ...], int | str]
"""A rule's position, an entity, and the window's number (the event's id where none is asked)."""
_NONE: Final = -1


@dataclass(slots=True)
class Portion:
    """Events of one key, by time and then id. ``row`` is the first one's.

    ``subjects`` and ``reasons`` are those of ``event``; None where nobody made them.
    """

    key: Key
    hits: list[tuple[int, str]]
    row: int = _NONE
    event: str = ""
    subjects: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[Reason, ...] | None = None


def portions_of(batch: Batch, found: Mapping[int, Rows], windows: Sequence[int]) -> list[Portion]:
    """Return the portions of ``found`` (rows by rule's position) in ``batch``."""
    if not found:
        return []
    counts = [len(rows) for rows in found.values()]
    rules = np.repeat(np.fromiter(found, np.int64, len(found)), counts)
    rows = np.concatenate(list(found.values()))
    entities, numbers = _entities(batch, rows)
    times = np.frombuffer(batch.times, dtype=np.int64)[rows]
    widths = np.array(windows, dtype=np.int64)[rules]
    buckets = np.where(widths > 0, times // np.maximum(widths, 1), rows)
    order = np.lexsort((times, buckets, numbers, rules))
    joint = np.stack((rules[order], numbers[order], buckets[order]))
    starts = np.flatnonzero(np.any(joint[:, 1:] != joint[:, :-1], axis=0)) + 1
    bounds = [0, *starts.tolist(), len(order)]
    ids = batch.ids
    portions = []
    for start, end in pairwise(bounds):
        mine = order[start:end]
        places = rows[mine].tolist()
        hits = sorted(
            (at, ids[row], row) for at, row in zip(times[mine].tolist(), places, strict=True)
        )
        rule, number, bucket = joint[:, start].tolist()
        _, event, row = hits[0]
        window = bucket if windows[rule] else event
        key = (rule, entities[number], window)
        portions.append(Portion(key, [(at, each) for at, each, _ in hits], row, event))
    return portions


def _entities(batch: Batch, rows: Rows) -> tuple[list[tuple[str, ...]], NDArray[np.int64]]:
    """Return the entities that ``rows`` are about, and for each row which of them."""
    distinct, places = np.unique(rows, return_inverse=True)
    joint = np.zeros(len(distinct), dtype=np.int64)
    for name in SUBJECT_FIELDS:
        if name in batch.columns:
            column = batch.columns[name]
            codes = codes_of(column.codes)[distinct].astype(np.int64) + 1
            _, joint = np.unique(joint * (len(column.values) + 1) + codes, return_inverse=True)
    _, first, combination = np.unique(joint, return_index=True, return_inverse=True)
    known: dict[tuple[str, ...], int] = {}
    numbers = np.array(
        [
            known.setdefault(entity_of(subjects_of(RowFields(batch, row))), len(known))
            for row in distinct[first].tolist()
        ],
        dtype=np.int64,
    )
    return list(known), numbers[combination.reshape(-1)][places.reshape(-1)]
