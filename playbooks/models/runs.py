"""Runs of playbooks: the plan somebody approves and the journal of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

RunState = Literal[
    "awaiting_approval",
    "approved",
    "running",
    "waiting",
    "compensating",
    "done",
    "failed",
    "compensated",
    "expired",
    "cancelled",
]
FINAL_STATES: Final[frozenset[RunState]] = frozenset(
    {"done", "failed", "compensated", "expired", "cancelled"}
)

EntryKind = Literal["intent", "outcome", "decision", "prolong", "cancel"]
"""decision: which branch, what a step is bound to · prolong: containment lasts longer ·
cancel: nothing new begins."""
OutcomeState = Literal["done", "failed", "unknown"]
StepKind = Literal["action", "manual", "parallel", "if", "while", "switch", "playbook"]
WAIT: Final = "approval.wait"
"""The action that waits for a person's word; bound when it is reached."""
UNDO: Final = "~"
"""Ends the path of a step that takes back what the step before the mark did."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """A target as read before acting: what it is, and what the step would change.

    ``target`` is ``kind:id``; the approval is bound to ``version``; ``protected`` says why
    it may not be touched, or "".
    """

    target: str
    label: str
    version: str
    before: str
    after: str
    protected: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step whose variables and targets are resolved. Times are milliseconds.

    ``path`` names it in the run (``/`` joins nested playbooks, ``!`` marks the way after
    a failure); ``on_success`` and ``on_failure`` are paths, ``end:done`` or ``end:failed``.
    ``branches`` are the heads of what a branching step controls, by choice. ``frame`` names
    the variables it sees (the path of the nested playbook), ``local`` are its own before
    them. The args of a step with ``late`` variables are templates until it is reached.
    ``compensate`` is the path of the step that takes its effect back, after ``ttl_s``
    seconds at the latest. ``asks`` says of each result of a manual step its ``type`` and,
    as ``text``, what to write.
    """

    path: str
    name: str
    kind: StepKind
    action: str
    args: Mapping[str, str]
    targets: tuple[TargetState, ...]
    timeout_ms: int
    on_success: str
    on_failure: str
    delay_ms: int = 0
    retry_max: int = 0
    backoff_ms: int = 0
    verify: bool = True
    approval: bool = True
    branches: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    frame: str = ""
    local: Mapping[str, str | None] = field(default_factory=dict)
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    blast: int = 0
    compensate: str = ""
    ttl_s: int = 0
    asks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_bound_late(self) -> bool:
        """Tell whether what it does is decided, or allowed, only when it is reached."""
        return bool(self.late) or self.action == WAIT


@dataclass(frozen=True, slots=True)
class Plan:
    """Exactly what would be done. ``sha256`` and ``sm3`` (hex) are over its RFC 8785 form.

    ``given`` are the variables the requester set, ``variables`` all that were used. ``scopes``
    hold, by frame, those that are looked at or set while it runs. ``approvers`` different
    persons must approve.
    """

    playbook_id: str
    playbook_modified: str
    content_hash: str
    incident_id: str
    requester_id: str
    given: Mapping[str, str]
    variables: Mapping[str, str]
    first: str
    steps: tuple[PlannedStep, ...]
    needs_approval: bool
    expires_s: int
    scopes: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    approvers: int = 1
    sha256: str = ""
    sm3: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a plan.

    ``due_at`` is when the runner must look at it again, None when only a person can move it;
    ``approvers`` are those who approved so far, ``approver_id`` the last of them.
    """

    id: str
    org_id: str
    incident_id: str
    plan: Plan
    state: RunState
    requester_id: str
    created_at: int
    expires_at: int
    approval_id: str | None = None
    approver_id: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    error: str = ""
    fence: int = 0
    due_at: int | None = None
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What was intended or came out, for one target of one step.

    ``key`` is the idempotency key; ``deadline`` stands in intents; ``state`` in outcomes.
    ``loop`` counts the turns of the loops around the step ("3", "3.1"), "" outside of any.
    """

    run_id: str
    seq: int
    org_id: str
    at: int
    path: str
    index: int
    target: str
    key: str
    attempt: int
    kind: EntryKind
    state: OutcomeState | Literal[""] = ""
    deadline: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    loop: str = ""

    @property
    def place(self) -> tuple[str, str, int]:
        """Return what it is about: step, turn of the loops around it, target."""
        return (self.path, self.loop, self.index)


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that was sent, or shown in the inbox; no secrets, no raw logs."""

    id: str
    org_id: str
    incident_id: str
    channel: str
    kind: str
    title: str
    text: str
    key: str
    at: int
