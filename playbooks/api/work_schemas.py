"""JSON Schemas of the bodies about an incident's work, and of emergency plans."""

from __future__ import annotations

from typing import Any, Final

from playbooks.models.incident_work import MEMBER_ROLES, OBSERVABLE_KINDS, TASK_STATES
from playbooks.models.incidents import INCIDENT_STATES
from secops.web.routes import Schema

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
_PHASE: Final[dict[str, Any]] = {"enum": [s for s in INCIDENT_STATES if s != "closed"]}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT, "maxItems": 100}


def _object(required: tuple[str, ...], **fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


EMPTY: Final = Schema("Nothing", _object(()))
SET_MEMBER: Final = Schema(
    "SetMember", _object(("account", "role"), account=_TEXT, role={"enum": list(MEMBER_ROLES)})
)
REMOVE_MEMBER: Final = Schema("RemoveMember", _object(("account",), account=_TEXT))
ADD_TASK: Final = Schema(
    "AddTask",
    _object(("title", "phase"), title=_TEXT, phase=_PHASE, assignee=_TEXT, due_at=_TEXT),
)
CHANGE_TASK: Final = Schema(
    "ChangeTask",
    _object(
        ("version",),
        version=_COUNT,
        state={"enum": list(TASK_STATES)},
        assignee=_TEXT,
        result=_TEXT,
    ),
)
ADD_OBSERVABLE: Final = Schema(
    "AddObservable",
    _object(
        ("kind", "value"),
        kind={"enum": list(OBSERVABLE_KINDS)},
        value=_TEXT,
        first_seen=_TEXT,
        last_seen=_TEXT,
    ),
)
OFFER_EVIDENCE: Final = Schema(
    "OfferEvidence", _object(("receiver", "reason"), receiver=_TEXT, reason=_TEXT)
)
PROPOSE_LEVELS: Final = Schema(
    "ProposeLevels",
    _object(
        ("target", "loss"),
        target=_TEXT,
        loss=_TEXT,
        harm=_TEXT,
        figures={"type": "object", "additionalProperties": _TEXT},
    ),
)
WRITE_PLAN: Final = Schema(
    "WriteEmergencyPlan",
    _object(
        ("title", "content", "classes", "review_at"),
        plan_id=_TEXT,
        title=_TEXT,
        content=_TEXT,
        format={"enum": ["markdown", "text"]},
        classes=_TEXTS,
        playbooks=_TEXTS,
        review_at=_TEXT,
        tasks={
            "type": "array",
            "maxItems": 100,
            "items": _object(
                ("title", "phase"),
                title=_TEXT,
                phase=_PHASE,
                due_minutes={"type": "integer", "minimum": 0},
            ),
        },
    ),
)
APPROVE_PLAN: Final = Schema(
    "ApproveEmergencyPlan",
    _object(
        ("version", "sha256", "grant"),
        version=_COUNT,
        sha256=_TEXT,
        grant={"type": "boolean"},
        reason=_TEXT,
    ),
)
WITHDRAW_PLAN: Final = Schema("WithdrawEmergencyPlan", _object(("version",), version=_COUNT))
ADOPT_PLAN: Final = Schema("AdoptEmergencyPlan", _object(("plan_id",), plan_id=_TEXT))
EMERGENCY_PLAN: Final = Schema(
    "EmergencyPlan", {"type": "object", "required": ["id", "version", "state", "sha256"]}
)
