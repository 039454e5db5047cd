"""An isolation forest as arrays, scored without the library that grew it.

Liu, Ting, Zhou, *Isolation Forest* (ICDM 2008): the score is 2^(-E[h(x)] / c(n)), higher is
more unusual. Equal to the negative of scikit-learn's ``score_samples`` to the last bit, which a
property test holds against it: rows are rounded to float32 as there, and depths are added up
in the order of the trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.errors import ModelRejected
from detectors.models.forests import GrownForest, GrownTree

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
_ROWS: Final = 2_000
MAX_NODES: Final = 4_000_000
_MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Forest:
    """All trees' nodes in one array. A leaf is its own child; ``depth`` is used at leaves."""

    roots: Integers
    left: Integers
    right: Integers
    feature: Integers
    threshold: Floats
    depth: Floats
    columns: int
    longest: int
    normal: float

    def score(self, rows: Floats) -> Floats:
        """Return how unusual each row is, 0 to 1 (scikit-learn's ``-score_samples``)."""
        parts = [self._score(rows[at : at + _ROWS]) for at in range(0, len(rows), _ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, rows: Floats) -> Floats:
        values = rows.astype(np.float32).astype(np.float64)
        node = np.broadcast_to(self.roots, (len(values), len(self.roots)))
        row = np.arange(len(values))[:, None]
        for _ in range(self.longest):
            smaller = values[row, self.feature[node]] <= self.threshold[node]
            node = np.where(smaller, self.left[node], self.right[node])
        depths: Floats = np.cumsum(self.depth[node], axis=1)[:, -1]
        scores: Floats = 2.0 ** -(depths / (len(self.roots) * self.normal))
        return scores

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that ``forest_of_arrays`` reads."""
        return {
            "roots": self.roots,
            "left": self.left,
            "right": self.right,
            "feature": self.feature,
            "threshold": self.threshold,
            "depth": self.depth,
            "shape": np.array([self.columns, self.longest], np.int32),
            "normal": np.array([self.normal]),
        }


def average_path(samples: Floats) -> Floats:
    """Return c(n), the average length of an unsuccessful search among n samples."""
    found = np.where(samples == 2, 1.0, 0.0)  # noqa: PLR2004 - c(2) = 1 by definition
    many = samples > 2  # noqa: PLR2004 - as above
    count = samples[many]
    found[many] = 2.0 * (np.log(count - 1.0) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return found


def assemble_forest(grown: GrownForest) -> Forest:
    """Return a grown forest as arrays."""
    roots, left, right, feature, threshold, depth = [], [], [], [], [], []
    longest, offset = 0, 0
    for tree in grown.trees:
        count = len(tree.left)
        own = np.arange(count)
        is_leaf = np.asarray(tree.left) < 0
        levels = _levels(tree)
        longest = max(longest, int(levels.max()))
        roots.append(offset)
        left.append(np.where(is_leaf, own, tree.left) + offset)
        right.append(np.where(is_leaf, own, tree.right) + offset)
        feature.append(np.where(is_leaf, 0, tree.feature))
        threshold.append(np.where(is_leaf, 0.0, tree.threshold))
        lengths = average_path(np.asarray(tree.samples, np.float64))
        # the same three numbers in the same order as in scikit-learn
        depth.append(np.where(is_leaf, (levels + 1.0) + lengths - 1.0, 0.0))
        offset += count
    return Forest(
        roots=np.array(roots, np.int32),
        left=np.concatenate(left).astype(np.int32),
        right=np.concatenate(right).astype(np.int32),
        feature=np.concatenate(feature).astype(np.int32),
        threshold=np.concatenate(threshold),
        depth=np.concatenate(depth),
        columns=grown.columns,
        longest=longest,
        normal=float(average_path(np.array([float(grown.max_samples)]))[0]),
    )


def _levels(tree: GrownTree) -> Floats:
    """Return how many edges lead to each node; parents stand before their children."""
    levels = np.zeros(len(tree.left))
    for node, (low, high) in enumerate(zip(tree.left, tree.right, strict=True)):
        if low >= 0:
            levels[low] = levels[high] = levels[node] + 1
    return levels


def forest_of_arrays(arrays: dict[str, NDArray[Any]]) -> Forest:
    """Return the forest of ``Forest.arrays``; raise ``ModelRejected`` where it can't be one."""
    try:
        forest = Forest(
            roots=arrays["roots"].astype(np.int32),
            left=arrays["left"].astype(np.int32),
            right=arrays["right"].astype(np.int32),
            feature=arrays["feature"].astype(np.int32),
            threshold=arrays["threshold"].astype(np.float64),
            depth=arrays["depth"].astype(np.float64),
            columns=int(arrays["shape"][0]),
            longest=int(arrays["shape"][1]),
            normal=float(arrays["normal"][0]),
        )
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ModelRejected("the forest is incomplete") from error
    _check(forest)
    return forest


def _check(forest: Forest) -> None:
    """Refuse what would read outside its arrays or never end."""
    nodes = len(forest.left)
    same = {len(forest.right), len(forest.feature), len(forest.threshold), len(forest.depth)}
    fits = (
        0 < len(forest.roots) <= nodes <= MAX_NODES
        and same == {nodes}
        and 0 <= forest.longest <= _MAX_DEPTH
        and forest.normal > 0
    )
    if not fits:
        raise ModelRejected("the forest's arrays don't fit together")
    places = np.concatenate((forest.roots, forest.left, forest.right))
    inside = places.min() >= 0 and places.max() < nodes
    if not inside or forest.feature.min() < 0 or forest.feature.max() >= forest.columns:
        raise ModelRejected("the forest points outside its arrays")
