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
