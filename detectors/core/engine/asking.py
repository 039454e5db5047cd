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
from secops.kernel.logs import Value

PATIENCE: Final = 2.0
"""Seconds that the questions of one rule may take on one batch."""
States = NDArray[np.int8]
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


def open_states(codes: Rows, values: int) -> States:
    """Return the states of so many values, and of "absent": those of ``codes`` are open."""
    states = np.zeros(values + 1, dtype=np.int8)
    states[codes] = _OPEN
    return states


class Asking:
    """Asks one question about values, as long as ``patience`` allows on one table."""

    def __init__(self, ask: Predicate, patience: Patience | None) -> None:
        self._ask = ask
        self._patience = patience
        self._spent = 0.0

    def holds(self, value: Value) -> bool:
        """Tell whether it holds for one of the texts of ``value``; raise ``TooSlow``."""
        if self._patience is None:
            return any(map(self._ask, texts_of(value)))
        return self._patiently(texts_of(value), self._patience)

    def _patiently(self, texts: tuple[str, ...], patience: Patience) -> bool:
        """Ask while the time lasts. A long text is tried in windows first.

        The predicates take time linear in the text, so windows whose times add up to less
        than what is left say that the whole text won't take much more.
        """
        for text in texts:
            if len(text) > _LONG:
                for start in range(0, len(text), _LONG):
                    self._timed(text[start : start + _LONG], patience)
            if self._timed(text, patience):
                return True
        return False

    def _timed(self, text: str, patience: Patience) -> bool:
        if self._spent > patience.seconds:
            msg = f"a question took more than {patience.seconds:g} s on one batch"
            raise TooSlow(msg)
        started = patience.clock()
        answer = self._ask(text)
        self._spent += patience.clock() - started
        return answer


class Open:
    """One question about an index: answered per distinct value, when first needed.

    ``states`` says of each value what is known of it, and keeps what is answered.
    """

    def __init__(self, index: Index, states: States, asking: Asking) -> None:
        self._index = index
        self._states = states
        self._asking = asking

    def holds(self, rows: Rows) -> Mask:
        """Return on which of ``rows`` it holds; raise ``TooSlow``."""
        codes = self._index.codes[rows]
        states = self._states[codes]
        waiting = codes[states == _OPEN]
        if len(waiting):
            for code in np.unique(waiting).tolist():
                holds = self._asking.holds(self._index.values[code])
                self._states[code] = _YES if holds else _NO
            states = self._states[codes]
        answer: Mask = states == _YES
        return answer
