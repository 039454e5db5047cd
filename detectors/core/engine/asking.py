"""Questions that are put off until a rule depends on them, and the time that they may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.engine.columns import Index, Mask, Rows
from detectors.core.engine.questions import Predicate
from detectors.core.events.text import texts_of

_NO: Final = 0
_YES: Final = 1
_OPEN: Final = 2


class TooSlow(Exception):
    """A question took more than its time; its rule is named, the others go on."""


@dataclass(slots=True)
class Patience:
    """How long the questions of one rule may take on one table.

    ``clock`` gives seconds. ``failed`` collects, by the tree's position, what was given up:
    what took too long, and what raised.
    """

    clock: Callable[[], float]
    seconds: float
    failed: dict[int, str] = field(default_factory=dict)


class Open:
    """One question about an index: answered per distinct value, when first needed."""

    def __init__(
        self, index: Index, codes: Rows, ask: Callable[[], Predicate], patience: Patience | None
    ) -> None:
        self._index = index
        self._states: NDArray[np.int8] = np.zeros(len(index.values) + 1, dtype=np.int8)
        self._states[codes] = _OPEN
        self._ask = ask
        self._patience = patience
        self._spent = 0.0

    def holds(self, rows: Rows) -> Mask:
        """Return on which of ``rows`` it holds; raise ``TooSlow``."""
        codes = self._index.codes[rows]
        states = self._states[codes]
        waiting = codes[states == _OPEN]
        if len(waiting):
            self._decide(np.unique(waiting).tolist())
            states = self._states[codes]
        answer: Mask = states == _YES
        return answer

    def _decide(self, codes: list[int]) -> None:
        ask, values, states = self._ask(), self._index.values, self._states
        patience = self._patience
        if patience is None:
            for code in codes:
                states[code] = _YES if any(map(ask, texts_of(values[code]))) else _NO
            return
        for code in codes:
            if self._spent > patience.seconds:
                msg = f"a question took more than {patience.seconds:g} s on one batch"
                raise TooSlow(msg)
            started = patience.clock()
            states[code] = _YES if any(map(ask, texts_of(values[code]))) else _NO
            self._spent += patience.clock() - started
