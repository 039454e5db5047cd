"""Field references: two fields of one row compared, folded, any element with any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from detectors.core.engine.columns import Index, Mask, Rows
from detectors.core.events.text import fold, texts_of
from detectors.core.sigma.tree import Operation
from secops.kernel.logs import Value

HOLDS: Final[Mapping[Operation, Callable[[str, str], bool]]] = {
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "equals": str.__eq__,
}
"""Whether a folded text stands so to a folded literal."""


def refers(operation: Operation, left: Index, right: Index, rows: Rows) -> Mask:
    """Return on which of ``rows`` the left field compares so with the right one."""
    known: dict[tuple[int, int], bool] = {}
    answers = []
    for pair in zip(left.codes[rows].tolist(), right.codes[rows].tolist(), strict=True):
        answer = known.get(pair)
        if answer is None:
            mine, other = pair
            both = mine < left.absent and other < right.absent
            answer = both and compares(operation, left.values[mine], right.values[other])
            known[pair] = answer
        answers.append(answer)
    return np.array(answers, dtype=np.bool_)


def compares(operation: Operation, left: Value, right: Value) -> bool:
    """Tell whether an element of ``left`` compares so with one of ``right``, folded."""
    mine = [fold(text) for text in texts_of(left)]
    holds = HOLDS[operation]
    return any(holds(a, fold(b)) for a in mine for b in texts_of(right))
