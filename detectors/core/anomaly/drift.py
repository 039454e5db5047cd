"""Has what is seen changed since training: the population stability index (PSI).

PSI = Σ (q_i − p_i) ln(q_i / p_i) over ten bins of equal weight in the reference. Below 0.1
nothing changed, from 0.25 on the model should be trained anew (usual practice in credit
scoring; Siddiqi, *Credit Risk Scorecards*, 2006).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS: Final = 10
MOVED: Final = 0.25
_LEAST: Final = 1e-4


def edges_of(reference: Floats) -> Floats:
    """Return the inner edges of bins of equal weight; equal quantiles become one."""
    return np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))


def shares(values: Floats, edges: Floats) -> Floats:
    """Return which share of ``values`` lies in each bin, never less than 0.0001."""
    found = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values)
    return np.maximum(found, _LEAST)


def stability_index(before: Floats, now: Floats) -> float:
    """Return the PSI of two rows of shares."""
    return float(np.sum((now - before) * np.log(now / before)))


def drift_of(reference: Mapping[str, Floats], recent: Mapping[str, Floats]) -> dict[str, float]:
    """Return the PSI of each column."""
    found = {}
    for name, before in reference.items():
        edges = edges_of(before)
        found[name] = stability_index(shares(before, edges), shares(recent[name], edges))
    return found
