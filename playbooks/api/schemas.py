"""JSON Schemas of the plane's bodies and answers, and how bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.models import INCIDENT_STATES
from playbooks.models.filings import DUTIES
from playbooks.models.incidents import ENDINGS
from secops.kernel.errors import Invalid
from secops.web.messages import Request
from secops.web.routes import Schema

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
_OPEN: Final[dict[str, Any]] = {"type": "object"}


def _object(required: tuple[str, ...], **fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def page_schema(name: str) -> Schema:
    """Return the schema of a page of ``name``."""
    return Schema(
        f"{name}Page",
        {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": _OPEN},
                "next": {"type": ["string", "null"]},
            },
            "required": ["items", "next"],
        },
    )


INCIDENT: Final = Schema("Incident", {**_OPEN, "required": ["id", "state", "severity"]})
RUN: Final = Schema("PlaybookRun", {**_OPEN, "required": ["id", "state", "plan_sha256"]})
PLAN: Final = Schema("PlaybookPlan", {**_OPEN, "required": ["sha256", "sm3", "steps"]})
PLAYBOOK: Final = Schema("Playbook", {**_OPEN, "required": ["content_hash", "state"]})

OPEN_INCIDENT: Final = Schema(
    "OpenIncident",
    _object(
        (),
        alert_id=_TEXT,
        title=_TEXT,
        severity={"enum": ["low", "medium", "high", "critical"]},
        drill={"type": "boolean"},
    ),
)
CHANGE_STATE: Final = Schema(
    "ChangeIncidentState",
    _object(
        ("state",),
        state={"enum": list(INCIDENT_STATES)},
        reason=_TEXT,
        ending={"enum": [ending for ending in ENDINGS if ending != "handled"]},
        duplicate_of=_TEXT,
        version=_COUNT,
    ),
)
JUDGE: Final = Schema(
    "JudgeIncident",
    _object(
        (),
        category=_TEXT,
        level=_TEXT,
        reporting_level=_TEXT,
        cause=_TEXT,
        lessons=_TEXT,
        basis=_TEXT,
        version=_COUNT,
    ),
)
NOTE: Final = Schema("IncidentNote", _object(("text",), text=_TEXT))
LINK: Final = Schema("LinkAlert", _object(("alert_id",), alert_id=_TEXT))
FILING: Final = Schema("Filing", {**_OPEN, "required": ["incident_id", "duty", "filed_at"]})
DECLARE_DUTY: Final = Schema("DeclareDuty", _object(("duty",), duty={"enum": ["defect_report"]}))
FILE_REPORT: Final = Schema(
    "FileReport",
    _object(
        ("duty",), duty={"enum": list(DUTIES)}, filed_at=_TEXT, filed_to=_TEXT, reference=_TEXT
    ),
)
RUN_REQUEST: Final = Schema(
    "RunRequest",
    _object(
        ("incident_id", "playbook"),
        incident_id=_TEXT,
        playbook=_TEXT,
        variables={"type": "object", "additionalProperties": _TEXT},
    ),
)
DECISION: Final = Schema(
    "RunDecision",
    _object(("grant", "plan_sha256"), grant={"type": "boolean"}, plan_sha256=_TEXT, reason=_TEXT),
)
PLAYBOOK_DECISION: Final = Schema(
    "PlaybookDecision", _object((), grant={"type": "boolean"}, reason=_TEXT)
)
ANSWER: Final = Schema(
    "StepAnswer",
    _object(
        ("step", "outcome"),
        step=_TEXT,
        outcome={"enum": ["done", "failed"]},
        note=_TEXT,
        values={"type": "object", "additionalProperties": _TEXT},
    ),
)
STEP_DECISION: Final = Schema(
    "StepDecision",
    _object(
        ("step", "sha256", "grant"),
        step=_TEXT,
        loop=_TEXT,
        sha256=_TEXT,
        grant={"type": "boolean"},
        reason=_TEXT,
    ),
)
PROLONGATION: Final = Schema(
    "Prolongation",
    _object(("step", "seconds"), step=_TEXT, seconds={"type": "integer", "minimum": 1}),
)
REASON: Final = Schema("RunReason", _object(("reason",), reason=_TEXT))


def body_of(request: Request, schema: Schema) -> Mapping[str, Any]:
    """Return the body, whose fields are those of ``schema`` and of their types."""
    body = request.json_object()
    known = schema.schema["properties"]
    for name in schema.schema["required"]:
        if name not in body:
            msg = f"{name} is missing"
            raise Invalid(msg)
    for name, value in body.items():
        if name not in known:
            msg = f"{name[:60]} is not a field"
            raise Invalid(msg)
        if not _fits(value, known[name]):
            msg = f"{name} has the wrong type or value"
            raise Invalid(msg)
    return body


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "boolean":
        return isinstance(value, bool)
    if schema["type"] == "object":
        return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
    if schema["type"] == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)
