"""Rectification (整改) of findings, and waivers (豁免) printed beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from audits.models.evidence import WHOLE
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY

TaskState = Literal["open", "proof_given", "reopened", "closed"]
TASK_STATES: Final[dict[TaskState, Text]] = {
    "open": Text("待整改", "open"),
    "proof_given": Text("已提交证明,待复核", "proof given, to be re-checked"),
    "reopened": Text("复核未过,重新整改", "reopened"),
    "closed": Text("已关闭", "closed"),
}
TaskSource = Literal["item", "scan"]
TASK_SOURCES: Final[dict[TaskSource, Text]] = {
    "item": Text("自查条目", "assessed item"),
    "scan": Text("扫描发现", "scanner's finding"),
}
RecheckOutcome = Literal["passed", "failed", "undecided", "person"]
RECHECK_OUTCOMES: Final[dict[RecheckOutcome, Text]] = {
    "passed": Text("复核通过", "passes"),
    "failed": Text("复核未通过", "fails"),
    "undecided": Text("证据不足,无法判定", "can't be decided: evidence is missing"),
    "person": Text("需具名人员判定", "a named person decides"),
}
WaiverState = Literal["pending", "approved", "rejected", "revoked", "expired"]
WAIVER_STATES: Final[dict[WaiverState, Text]] = {
    "pending": Text("待审批", "pending"),
    "approved": Text("生效中", "in force"),
    "rejected": Text("已驳回", "rejected"),
    "revoked": Text("已撤销", "revoked"),
    "expired": Text("已到期", "expired"),
}


@dataclass(frozen=True, slots=True)
class Failing:
    """A finding of a stored assessment from which a task is made."""

    item_id: str
    object_id: str
    object_name: str
    title: Text
    reason: Text
    status: Literal["noncompliant", "partial"]
    by_person: bool
    high_risk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationTask:
    """Work on one finding. ``subject`` is an item's id, or a scanner finding's fingerprint.

    ``by_person`` tells that a person, not a check, found it. Times are UTC microseconds, 0
    what hasn't happened. ``rounds`` counts how often it was reopened.
    """

    id: str
    org_id: str
    system_id: str
    source: TaskSource
    standard: str
    level: int
    subject: str
    object_id: str = WHOLE
    object_name: str = ""
    title_zh: str
    title_en: str
    finding_zh: str
    finding_en: str
    assessment_id: str = ""
    by_person: bool = False
    high_risk: bool = False
    state: TaskState = "open"
    owner_id: str
    owner_name: str
    due_at: int
    made_by: str
    made_at: int
    proof_by: str = ""
    proof_at: int = 0
    rechecked_at: int = 0
    closed_at: int = 0
    closed_by: str = ""
    rounds: int = 0
    version: int = 1

    def overdue(self, now: int) -> bool:
        """Tell whether the deadline has passed and the finding still stands."""
        return self.state != "closed" and self.due_at < now


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks; empty takes any. ``state`` may be ``overdue`` or ``unclosed`` too."""

    system_id: str = ""
    state: str = ""
    owner_id: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """One line of the history of a task, a waiver or a risk; lines are only added."""

    org_id: str
    subject_id: str
    seq: int
    at: int
    actor_id: str
    actor_name: str
    deed: str
    state: str
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


DECIDED_WITHIN: Final = 14 * DAY
"""How long a waiver waits for a decision; then it is asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Why a finding is borne for a while. It never changes a verdict: it is printed beside."""

    id: str
    org_id: str
    system_id: str
    standard: str
    item_id: str
    object_id: str = WHOLE
    object_name: str = ""
    reason: str
    requested_by: str
    requested_name: str
    requested_at: int
    expires_at: int
    approval_id: str
    digest: str
    state: WaiverState = "pending"
    decided_by: str = ""
    decided_name: str = ""
    decided_at: int = 0
    decision: str = ""
    version: int = 1

    def state_at(self, now: int) -> WaiverState:
        """Return its state at ``now``: what waits or is in force ends with its time."""
        ends_at = {"pending": self.decided_until, "approved": self.expires_at}.get(self.state)
        return self.state if ends_at is None or ends_at > now else "expired"

    @property
    def decided_until(self) -> int:
        """Until when somebody may decide it."""
        return min(self.requested_at + DECIDED_WITHIN, self.expires_at)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: str
    name: str
