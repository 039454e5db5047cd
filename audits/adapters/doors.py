"""The spine's two doors in the words of this plane."""

from __future__ import annotations

from collections.abc import Sequence

from audits.errors import DoorDamaged
from audits.models import DoorBatch
from secops.adapters.doors import LedgerDoors
from secops.adapters.journal.reader import JournalDamaged


class SpineDoors:
    """Implements ``audits.ports.Doors``; not for several threads at once."""

    def __init__(self, doors: LedgerDoors) -> None:
        self._doors = doors

    def names(self) -> Sequence[str]:
        """Return the doors that exist now, the database's last."""
        return self._doors.names()

    def read_after(self, door: str, position: int, limit: int) -> DoorBatch:
        """Return at most ``limit`` durable records; raise ``DoorDamaged``."""
        try:
            found = self._doors.read_after(door, position, limit)
        except JournalDamaged as error:
            raise DoorDamaged(error.detail) from error
        except OSError as error:
            raise DoorDamaged(str(error)) from error
        return DoorBatch(door, found.records, found.position)

    def forget(self, door: str, position: int) -> bool:
        """Drop what stands up to ``position``; True if a dead process's journal is gone."""
        if door not in self._doors.names():
            return True
        try:
            return self._doors.forget(door, position)
        except (JournalDamaged, OSError):
            return False  # reading it says so, and nothing is deleted meanwhile
