"""How the listeners of the running service fare, in a file of the home: what doctor reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from detectors.models.listening import Endpoint, ListenerState

_FILE: Final = "listeners.json"


class LocalListenerNotes:
    """Implements ``ports.ListenerNotes`` under ``home``."""

    def __init__(self, home: Path) -> None:
        self._path = home / _FILE

    def note(self, opened: Sequence[Endpoint], failure: str = "") -> None:
        """Replace what is said of the listeners; best effort, it is a hint for people."""
        places = [f"{each.transport} {each.host}:{each.port}" for each in opened]
        content = orjson.dumps({"opened": places, "failure": failure[:500]})
        beside = self._path.with_name(f"{_FILE}.new")
        try:
            descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            beside.replace(self._path)
        except OSError:
            return

    def forget(self) -> None:
        """Say nothing of them: they are closed."""
        self._path.unlink(missing_ok=True)

    def state(self) -> ListenerState | None:
        """Return what was said last; None while nothing is open."""
        try:
            written = orjson.loads(self._path.read_bytes())
            return ListenerState(tuple(written["opened"]), str(written["failure"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
