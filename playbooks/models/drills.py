"""Drills: what is exercised, by whom it was approved, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

DRILL_RULE: Final = "drill:"
"""What stands before a drill's id where an alert names its rule."""
DrillState = Literal["planned", "approved", "rejected", "running", "ended"]
STATES: Final[dict[DrillState, Text]] = {
    "planned": Text("待审批", "Waits for approval"),
    "approved": Text("已批准", "Approved"),
    "rejected": Text("已驳回", "Rejected"),
    "running": Text("演练中", "Running"),
    "ended": Text("已结束", "Ended"),
}
NoteKind = Literal["state", "injected", "note", "finding"]


@dataclass(frozen=True, slots=True)
class DrillAlert:
    """An alert that the drill injects. It is about nobody: it says nothing of anybody's risk."""

    title: str
    severity: str


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """What is approved. ``accounts`` are ids of accounts that may really be locked."""

    title: str
    scenario: str
    alerts: tuple[DrillAlert, ...]
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drill:
    """One exercise. ``plan_sha256`` is over the canonical plan: another plan, another approval."""

    id: str
    org_id: str
    plan: DrillPlan
    plan_sha256: str
    state: DrillState
    planned_by: str
    planned_at: int
    approval_id: str | None = None
    approved_by: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DrillNote:
    """A line of a drill's record; never changed. ``subject`` names the alert or incident."""

    drill_id: str
    seq: int
    org_id: str
    at: int
    actor_id: str
    kind: NoteKind
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class InjectedAlert:
    """An alert of a drill as the detectors keep it."""

    id: str
    title: str
    severity: str
    status: str
    raised_at: int
    acknowledged_at: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class DrillView:
    """A drill with its record, its alerts, and the incidents that were opened for them."""

    drill: Drill
    notes: tuple[DrillNote, ...]
    alerts: tuple[InjectedAlert, ...]
    incidents: tuple[str, ...]
