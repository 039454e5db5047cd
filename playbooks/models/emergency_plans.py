"""Emergency plans (应急预案): versioned, approved by another person. Instants: UTC µs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

PlanState = Literal["draft", "pending", "in_force", "rejected", "superseded", "withdrawn"]
PLAN_STATES: Final[dict[PlanState, Text]] = {
    "draft": Text("草稿", "Draft"),
    "pending": Text("待审批", "Awaiting approval"),
    "in_force": Text("生效", "In force"),
    "rejected": Text("已退回", "Rejected"),
    "superseded": Text("已被新版取代", "Superseded"),
    "withdrawn": Text("已废止", "Withdrawn"),
}
PlanFormat = Literal["markdown", "text"]


@dataclass(frozen=True, slots=True)
class PlanTask:
    """A task that an incident under the plan gets; ``due_minutes`` from then, 0 for none."""

    title: str
    phase: str
    due_minutes: int = 0


@dataclass(frozen=True, slots=True)
class EmergencyPlan:
    """One version of a plan. ``classes`` are GB/T 20986 codes, ``playbooks`` names or ids.

    ``sha256`` is over the RFC 8785 form of all that is approved; ``review_at`` is when it is
    to be looked at again; ``revision`` grows with each change of the row.
    """

    id: str
    version: int
    org_id: str
    title: str
    format: PlanFormat
    content: str
    classes: tuple[str, ...]
    playbooks: tuple[str, ...]
    tasks: tuple[PlanTask, ...]
    review_at: int
    sha256: str
    state: PlanState
    written_by: str
    written_at: int
    approval_id: str = ""
    approved_by: str = ""
    approved_at: int | None = None
    ended_at: int | None = None
    revision: int = 1
