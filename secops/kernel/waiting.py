"""Where waiting is forbidden: a thread that serves many may not wait for a disk or database.

The server's loop runs handlers inside ``without_waiting``. Whatever would block calls
``about_to_wait`` first; on such a thread that raises ``MustWait``, and the server runs the
same handler again in a thread that may. So no handler can stall the others by mistake.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_HERE: Final = threading.local()


class MustWait(BaseException):
    """Not here: this would wait. A handler that meets it has changed nothing yet."""


def about_to_wait() -> None:
    """Raise ``MustWait`` on a thread that serves many; return on any other."""
    if getattr(_HERE, "forbidden", False):
        raise MustWait


def without_waiting(work: Callable[[], T]) -> T:
    """Run ``work``, in which nothing may wait; raise ``MustWait`` where it would."""
    _HERE.forbidden = True
    try:
        return work()
    finally:
        _HERE.forbidden = False


class Renewal:
    """Who of many callers reads anew, from ``at`` on, what all of them may still use for a while.

    Without it all that come between the end of what was kept and the next reading leave the
    thread that serves many, each to read the same.
    """

    __slots__ = ("_at", "_sent", "_taken")

    def __init__(self, at: float) -> None:
        self._at = at
        self._sent = False
        self._taken = False

    def is_mine(self, now: float) -> bool:
        """Tell whether this caller reads anew, alone.

        One that must not wait here raises ``MustWait``, so that it comes again where it may.
        """
        if now < self._at or self._taken:
            return False
        if getattr(_HERE, "forbidden", False):
            if self._sent:
                return False
            self._sent = True
            raise MustWait
        self._taken = True
        return True
