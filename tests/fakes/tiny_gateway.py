"""A WSGI application and a scheduler for the supervisor's tests: small, quick to start."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application() -> Application:
    """Return an application that answers everything with 200."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("content-length", "2")])
        return [b"ok"]

    return answer


def wait_for_the_end() -> None:
    """A scheduler with nothing to do."""
    threading.Event().wait()


def die_at_once(starts: Path) -> None:
    """A scheduler that falls over whenever it is started; ``starts`` gets a byte each time."""
    with starts.open("ab") as file:
        file.write(b".")
    sys.exit(1)
