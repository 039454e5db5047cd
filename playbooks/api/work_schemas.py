"""JSON Schemas of the bodies about an incident's work, and of emergency plans."""

from __future__ import annotations

from typing import Any, Final

from playbooks.api.schemas import COUNT, FLAG, TEXT, object_schema
from playbooks.models.incident_work import MEMBER_ROLES, OBSERVABLE_KINDS, TASK_STATES
from playbooks.models.incidents import INCIDENT_STATES
from secops.web.routes import Schema

_PHASE: Final[dict[str, Any]] = {"enum": [s for s in INCIDENT_STATES if s != "closed"]}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": TEXT, "maxItems": 100}


EMPTY: Final = Schema("Nothing", object_schema(()))
SET_MEMBER: Final = Schema(
    "SetMember", object_schema(("account", "role"), account=TEXT, role={"enum": list(MEMBER_ROLES)})
)
REMOVE_MEMBER: Final = Schema("RemoveMember", object_schema(("account",), account=TEXT))
ADD_TASK: Final = Schema(
    "AddTask",
    object_schema(("title", "phase"), title=TEXT, phase=_PHASE, assignee=TEXT, due_at=TEXT),
)
CHANGE_TASK: Final = Schema(
    "ChangeTask",
    object_schema(
        ("version",),
        version=COUNT,
        state={"enum": list(TASK_STATES)},
        assignee=TEXT,
        result=TEXT,
    ),
)
ADD_OBSERVABLE: Final = Schema(
    "AddObservable",
    object_schema(
        ("kind", "value"),
        kind={"enum": list(OBSERVABLE_KINDS)},
        value=TEXT,
        first_seen=TEXT,
        last_seen=TEXT,
    ),
)
OFFER_EVIDENCE: Final = Schema(
    "OfferEvidence", object_schema(("receiver", "reason"), receiver=TEXT, reason=TEXT)
)
PROPOSE_LEVELS: Final = Schema(
    "ProposeLevels",
    object_schema(
        ("target", "loss"),
        target=TEXT,
        loss=TEXT,
        harm=TEXT,
        figures={"type": "object", "additionalProperties": TEXT},
    ),
)
WRITE_PLAN: Final = Schema(
    "WriteEmergencyPlan",
    object_schema(
        ("title", "content", "classes", "review_at"),
        plan_id=TEXT,
        title=TEXT,
        content=TEXT,
        format={"enum": ["markdown", "text"]},
        classes=_TEXTS,
        playbooks=_TEXTS,
        review_at=TEXT,
        tasks={
            "type": "array",
            "maxItems": 100,
            "items": object_schema(
                ("title", "phase"),
                title=TEXT,
                phase=_PHASE,
                due_minutes={"type": "integer", "minimum": 0},
            ),
        },
    ),
)
APPROVE_PLAN: Final = Schema(
    "ApproveEmergencyPlan",
    object_schema(
        ("version", "sha256", "grant"),
        version=COUNT,
        sha256=TEXT,
        grant=FLAG,
        reason=TEXT,
    ),
)
WITHDRAW_PLAN: Final = Schema("WithdrawEmergencyPlan", object_schema(("version",), version=COUNT))
ADOPT_PLAN: Final = Schema("AdoptEmergencyPlan", object_schema(("plan_id",), plan_id=TEXT))
EMERGENCY_PLAN: Final = Schema(
    "EmergencyPlan", {"type": "object", "required": ["id", "version", "state", "sha256"]}
)
