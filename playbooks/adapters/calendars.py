"""Working days: the release's tables, and the home's own beside or over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from playbooks.errors.notices import CalendarInvalid
from playbooks.ports import Library

FILE: Final = "working_days.json"
_MAX_FILE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class HomeCalendars:
    """Implements ``playbooks.ports.notices.Calendars``; the home's file is read each time."""

    library: Library
    home: Path

    def tables(self) -> Sequence[Any]:
        """Return the release's document, then the home's; raise ``CalendarInvalid``."""
        released = self.library.working_days()
        file = self.home / FILE
        try:
            with file.open("rb") as handle:
                content = handle.read(_MAX_FILE + 1)
        except FileNotFoundError:
            return (released,)
        except OSError as error:
            msg = f"{FILE} can't be read"
            raise CalendarInvalid(msg) from error
        if len(content) > _MAX_FILE:
            msg = f"{FILE} has more than {_MAX_FILE} bytes"
            raise CalendarInvalid(msg)
        try:
            own = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            msg = f"{FILE} is not JSON"
            raise CalendarInvalid(msg) from error
        return (released, own)
