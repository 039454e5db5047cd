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

PATIENCE: Final = 2.0
"""Seconds that the questions of one rule may take on one batch."""
_NO: Final = 0
_YES: Final = 1
_OPEN: Final = 2
_LONG: Final = 1 << 16


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
        for code in codes:
            texts = texts_of(values[code])
            if self._patience is None:
                states[code] = _YES if any(map(ask, texts)) else _NO
            else:
                states[code] = _YES if self._patiently(ask, texts, self._patience) else _NO

    def _patiently(self, ask: Predicate, texts: tuple[str, ...], patience: Patience) -> bool:
        """Ask while the time lasts. A long text is tried in windows first.

        The predicates take time linear in the text, so windows whose times add up to less
        than what is left say that the whole text won't take much more.
        """
        for text in texts:
            if len(text) > _LONG:
                for start in range(0, len(text), _LONG):
                    self._timed(ask, text[start : start + _LONG], patience)
            if self._timed(ask, text, patience):
                return True
        return False

    def _timed(self, ask: Predicate, text: str, patience: Patience) -> bool:
        if self._spent > patience.seconds:
            msg = f"a question took more than {patience.seconds:g} s on one batch"
            raise TooSlow(msg)
        started = patience.clock()
        answer = ask(text)
        self._spent += patience.clock() - started
        return answer
