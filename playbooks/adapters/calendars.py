"""Working days: the release's tables, and the home's own beside or over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from playbooks.core.notices.workdays import merged, read_calendar
from playbooks.errors.notices import CalendarInvalid
from playbooks.models.calendars import WorkCalendar
from playbooks.ports import Library

FILE: Final = "working_days.json"
_MAX_FILE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class HomeCalendars:
    """Implements ``playbooks.ports.notices.Calendars``; the home's file is read each time."""

    library: Library
    home: Path

    def calendar(self) -> WorkCalendar:
        """Return both together; raise ``CalendarInvalid``."""
        released = read_calendar(self.library.working_days())
        file = self.home / FILE
        try:
            with file.open("rb") as handle:
                content = handle.read(_MAX_FILE + 1)
        except FileNotFoundError:
            return released
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
        return merged(released, read_calendar(own))
