"""The detectors' door for drills, and where drills are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models.drills import Drill, DrillAlert, DrillNote, InjectedAlert
from secops.kernel.errors import Unavailable
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DrillDoor(Protocol):
    """Lets alerts in that are marked from their beginning and count nowhere."""

    def inject(self, org_id: str, drill_id: str, number: int, alert: DrillAlert) -> str:
        """Raise the ``number``-th alert of a drill, once, and return its id."""
        ...

    def alerts_of(self, org_id: str, drill_id: str) -> Sequence[InjectedAlert]:
        """Return the drill's alerts, in the order they were raised."""
        ...

    def end(self, org_id: str, drill_id: str) -> int:
        """Close those that are open; return how many were."""
        ...


class NoDrillDoor:
    """Where no detectors are."""

    def inject(self, org_id: str, drill_id: str, number: int, alert: DrillAlert) -> str:
        """Refuse."""
        del org_id, drill_id, number, alert
        msg = "no detectors take a drill's alerts"
        raise Unavailable(msg)

    def alerts_of(self, org_id: str, drill_id: str) -> Sequence[InjectedAlert]:
        """Return none."""
        del org_id, drill_id
        return ()

    def end(self, org_id: str, drill_id: str) -> int:
        """Return 0."""
        del org_id, drill_id
        return 0


class DrillStore(Protocol):
    """Drills and their records."""

    def add(self, tx: Transaction, drill: Drill) -> None:
        """Store a new one."""
        ...

    def get(self, tx: Transaction, org_id: str, drill_id: str) -> Drill:
        """Return it; raise ``DrillUnknown``."""
        ...

    def change(self, tx: Transaction, drill: Drill) -> None:
        """Store it if the version before is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def list(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Drill]:
        """Return the organisation's drills, newest first."""
        ...

    def note(self, tx: Transaction, note: DrillNote) -> None:
        """Add the next line to a drill's record; ``note.seq`` is given here."""
        ...

    def notes(self, tx: Transaction, drill_id: str) -> Sequence[DrillNote]:
        """Return its record in order."""
        ...
