"""JSON Schemas of the plane's bodies and answers, and how bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.models import INCIDENT_STATES
from playbooks.models.filings import DUTIES
from playbooks.models.incidents import ENDINGS
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.web.messages import Request
from secops.web.routes import Schema

MAX_INTEGER: Final = 2**53
"""What JSON's numbers hold exactly, and every database takes."""
FRESH: Final[Mapping[str, Any]] = {"level": 2, "fresh_seconds": 900}
"""What the route of an approval asks of the sign-in: a second factor, just now.

A seal's is asked for anew (``FRESH_SECONDS``).
"""
TEXT: Final[dict[str, Any]] = {"type": "string"}
TEXTS: Final[dict[str, Any]] = {"type": "array", "items": TEXT, "maxItems": 200}
FLAG: Final[dict[str, Any]] = {"type": "boolean"}
COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
_OPEN: Final[dict[str, Any]] = {"type": "object"}


def object_schema(required: tuple[str, ...], **fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object of these fields and no others."""
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
    object_schema(
        (),
        alert_id=TEXT,
        title=TEXT,
        severity={"enum": ["low", "medium", "high", "critical"]},
        drill=FLAG,
    ),
)
CHANGE_STATE: Final = Schema(
    "ChangeIncidentState",
    object_schema(
        ("state",),
        state={"enum": list(INCIDENT_STATES)},
        reason=TEXT,
        ending={"enum": [ending for ending in ENDINGS if ending != "handled"]},
        duplicate_of=TEXT,
        version=COUNT,
    ),
)
JUDGE: Final = Schema(
    "JudgeIncident",
    object_schema(
        (),
        category=TEXT,
        level=TEXT,
        reporting_level=TEXT,
        cause=TEXT,
        lessons=TEXT,
        basis=TEXT,
        version=COUNT,
    ),
)
NOTE: Final = Schema("IncidentNote", object_schema(("text",), text=TEXT))
LINK: Final = Schema("LinkAlert", object_schema(("alert_id",), alert_id=TEXT))
FILING: Final = Schema("Filing", {**_OPEN, "required": ["incident_id", "duty", "filed_at"]})
DECLARE_DUTY: Final = Schema(
    "DeclareDuty", object_schema(("duty",), duty={"enum": ["defect_report"]})
)
FILE_REPORT: Final = Schema(
    "FileReport",
    object_schema(
        ("duty",), duty={"enum": list(DUTIES)}, filed_at=TEXT, filed_to=TEXT, reference=TEXT
    ),
)
RUN_REQUEST: Final = Schema(
    "RunRequest",
    object_schema(
        ("incident_id", "playbook"),
        incident_id=TEXT,
        playbook=TEXT,
        variables={"type": "object", "additionalProperties": TEXT},
    ),
)
DECISION: Final = Schema(
    "RunDecision",
    object_schema(("grant", "plan_sha256"), grant=FLAG, plan_sha256=TEXT, reason=TEXT),
)
PLAYBOOK_DECISION: Final = Schema("PlaybookDecision", object_schema((), grant=FLAG, reason=TEXT))
ANSWER: Final = Schema(
    "StepAnswer",
    object_schema(
        ("step", "outcome"),
        step=TEXT,
        outcome={"enum": ["done", "failed"]},
        note=TEXT,
        values={"type": "object", "additionalProperties": TEXT},
    ),
)
STEP_DECISION: Final = Schema(
    "StepDecision",
    object_schema(
        ("step", "sha256", "grant"),
        step=TEXT,
        loop=TEXT,
        sha256=TEXT,
        grant=FLAG,
        reason=TEXT,
    ),
)
PROLONGATION: Final = Schema(
    "Prolongation",
    object_schema(("step", "seconds"), step=TEXT, seconds=COUNT),
)
REASON: Final = Schema("RunReason", object_schema(("reason",), reason=TEXT))


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
        return _fits_object(value, schema)
    if schema["type"] == "array":
        fitting = isinstance(value, list) and len(value) <= schema["maxItems"]
        return fitting and all(_fits(item, schema["items"]) for item in value)
    if schema["type"] == "integer":
        number = isinstance(value, int) and not isinstance(value, bool)
        return number and schema.get("minimum", 0) <= value <= MAX_INTEGER
    return isinstance(value, str)


def _fits_object(value: Any, schema: Mapping[str, Any]) -> bool:
    if not isinstance(value, dict):
        return False
    if "properties" not in schema:
        return all(isinstance(text, str) for text in value.values())
    known = schema["properties"]
    named = set(schema["required"]) <= set(value) <= set(known)
    return named and all(_fits(each, known[name]) for name, each in value.items())


def instant_of(fields: Mapping[str, Any], name: str) -> int | None:
    """Return the RFC 3339 instant called ``name``, None where it isn't given or empty."""
    return needed_instant(fields, name) if fields.get(name) else None


def needed_instant(fields: Mapping[str, Any], name: str) -> int:
    """Return the RFC 3339 instant called ``name``; raise ``Invalid``."""
    try:
        return from_rfc3339(fields[name])
    except ValueError as error:
        msg = f"{name} is an instant of RFC 3339"
        raise Invalid(msg) from error
