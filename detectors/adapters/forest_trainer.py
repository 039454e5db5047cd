"""Grows isolation forests with scikit-learn; imported in the scheduler and in commands only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from detectors.models.forests import GrownForest, GrownTree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TREES: Final = 300


class SklearnForests:
    """Implements ``detectors.ports.ForestTrainer`` with ``trees`` trees."""

    def __init__(self, trees: int = TREES) -> None:
        self._trees = trees

    def grow(self, rows: NDArray[np.float64], seed: int) -> GrownForest:
        """Return a forest on ``rows``; the same rows and seed give the same."""
        # 132 MB of library that workers never need
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415

        grown = IsolationForest(n_estimators=self._trees, random_state=seed).fit(rows)
        trees = tuple(_tree(each.tree_) for each in grown.estimators_)
        return GrownForest(trees, rows.shape[1], int(grown.max_samples_))


def _tree(tree: Any) -> GrownTree:
    return GrownTree(
        left=tree.children_left.tolist(),
        right=tree.children_right.tolist(),
        feature=tree.feature.tolist(),
        threshold=tree.threshold.tolist(),
        samples=tree.n_node_samples.tolist(),
    )
