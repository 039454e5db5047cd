"""A forest as it was grown, before it becomes arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrownTree:
    """One tree: children (-1 at a leaf), split feature and threshold, samples, by node.

    Parents stand before their children.
    """

    left: Sequence[int]
    right: Sequence[int]
    feature: Sequence[int]
    threshold: Sequence[float]
    samples: Sequence[int]


@dataclass(frozen=True, slots=True)
class GrownForest:
    """All trees, each grown on ``max_samples`` rows of ``columns`` numbers."""

    trees: Sequence[GrownTree]
    columns: int
    max_samples: int
