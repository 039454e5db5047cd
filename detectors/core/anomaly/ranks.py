"""From scores to ranks among earlier ones, and on beyond the greatest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS: Final = 2_001
_TAIL: Final = 0.99


@dataclass(frozen=True, slots=True)
class Ranks:
    """``points`` are evenly spaced quantiles of a reference, ascending.

    Below the 99 % quantile the rank is read off; above it what is left falls off hyperbolically,
    to a tenth at the greatest score seen, so that scores beyond all earlier ones still differ.
    """

    points: Floats

    def of(self, scores: Floats) -> Floats:
        """Return ranks between 0 and 1, never falling with the score."""
        grid = np.linspace(0.0, 1.0, len(self.points))
        inner = np.interp(scores, self.points, grid)
        edge = float(np.interp(_TAIL, grid, self.points))
        reach = max(float(self.points[-1]) - edge, 1e-9)
        outer = 1.0 - (1.0 - _TAIL) / (1.0 + 9.0 * np.maximum(scores - edge, 0.0) / reach)
        found: Floats = np.where(scores > edge, outer, np.minimum(inner, _TAIL))
        return found


def ranks_of(scores: Floats) -> Ranks:
    """Return the ranks of a reference of scores; at least one is needed."""
    return Ranks(np.quantile(scores, np.linspace(0.0, 1.0, POINTS)))
