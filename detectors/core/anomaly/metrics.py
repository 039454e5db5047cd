"""How good is a ranking: average precision, and what is caught at a given false-alarm rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def average_precision(bad: Flags, scores: Floats) -> float:
    """Return Σ (R_n − R_{n−1}) P_n over the distinct scores (as scikit-learn defines it)."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(bad[order])
    ends = np.append(np.nonzero(np.diff(scores[order]))[0], len(scores) - 1)
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / max(1, int(bad.sum()))
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def caught_at(bad: Flags, scores: Floats, false_rate: float) -> float:
    """Return the share of bad ones above the score that ``false_rate`` of the good ones exceed.

    The threshold is the lowest with at most that share of good ones at or above it.
    """
    good = np.sort(scores[~bad])[::-1]
    allowed = math.floor(false_rate * len(good))
    caught = scores[bad] > good[allowed] if allowed < len(good) else np.ones(int(bad.sum()), bool)
    return float(np.mean(caught)) if len(caught) else 0.0
