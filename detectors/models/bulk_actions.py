"""Bulk actions: one decision about all alerts that fit a query, carried out in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from detectors.models.alerts import AlertFilter

BulkVerb = Literal["close", "acknowledge", "assign", "undo"]
BulkState = Literal["preview", "acting", "telling", "done", "cancelled", "failed"]
BulkResult = Literal["done", "changed"]
"""``changed``: somebody wrote the alert since, so an undo leaves it as it is."""

RUNNING: Final[tuple[BulkState, ...]] = ("acting", "telling")
ENDED: Final[tuple[BulkState, ...]] = ("done", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class BulkAction:
    """What was decided, and how far it is. Times are UTC microseconds.

    The selection is ``wanted`` among the alerts whose revision is at most ``snapshot``:
    ``count`` of them when it was previewed. ``place`` counts the alerts worked on, ``written``
    those that were changed, ``told`` the subjects whose risks have followed; ``root`` is the
    hash chain over what was written. When the risks are told it is in the state ``ending``.
    ``ordered`` is the actor as JSON; ``assignee`` who gets the alerts, for ``assign``: empty
    for nobody.
    """

    id: str
    org_id: str
    verb: BulkVerb
    reason: str
    wanted: AlertFilter
    snapshot: int
    count: int
    state: BulkState
    ordered_by: str
    ordered: str
    created_at: int
    ordered_at: int | None = None
    ended_at: int | None = None
    undoes: str | None = None
    undone_by: str | None = None
    last_at: int | None = None
    last_id: str = ""
    place: int = 0
    written: int = 0
    told: int = 0
    root: str = ""
    ending: BulkState = "done"
    failure: str = ""
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class BulkItem:
    """One alert of a bulk action: its version after it, or the one it was left with.

    ``before`` is JSON: what stood in the columns that the action wrote.
    """

    alert_id: str
    place: int
    version: int
    result: BulkResult
    before: str


@dataclass(frozen=True, slots=True)
class Selected:
    """An alert that a chunk is about to write, as it stands now; ``before`` as in ``BulkItem``.

    ``written`` is the version that an undo expects, None where there is nothing to expect.
    """

    id: str
    version: int
    last_at: int
    before: str
    written: int | None = None
