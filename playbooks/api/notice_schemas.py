"""JSON Schemas of notices and early warnings."""

from __future__ import annotations

from typing import Any, Final

from playbooks.api.schemas import FLAG, TEXT, TEXTS, object_schema
from playbooks.models.early_warnings import WARNING_COLOURS
from playbooks.models.notices import NOTICE_SEVERITIES, PETITION_KINDS
from secops.web.routes import Schema

_OPEN: Final[dict[str, Any]] = {"type": "object"}
_NUMBER: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_CONTENT: Final[dict[str, dict[str, Any]]] = {
    "title": TEXT,
    "body": TEXT,
    "severity": {"enum": list(NOTICE_SEVERITIES)},
    "urgent": FLAG,
    "units": TEXTS,
    "check": TEXT,
    "incident_id": TEXT,
}
_NEEDED: Final = ("title", "body", "severity", "units")
_WARNED: Final[dict[str, dict[str, Any]]] = {
    "colour": {"enum": list(WARNING_COLOURS)},
    "title": TEXT,
    "scope": TEXT,
    "measures": TEXT,
    "ends_at": TEXT,
}

NOTICE: Final = Schema("Notice", {**_OPEN, "required": ["id", "state", "reference"]})
DELIVERY: Final = Schema("NoticeDelivery", {**_OPEN, "required": ["notice_id", "state"]})
PROOF: Final = Schema("NoticeProof", {**_OPEN, "required": ["id", "sha256", "sm3"]})
PETITION: Final = Schema("NoticePetition", {**_OPEN, "required": ["id", "state"]})
RECHECK: Final = Schema("NoticeRecheck", {**_OPEN, "required": ["check", "passed"]})
VERDICT: Final = Schema("NoticeSealVerdict", {**_OPEN, "required": ["valid", "steps"]})
SCORES: Final = Schema("NoticeScores", {**_OPEN, "required": ["items", "formula"]})
WARNING: Final = Schema("EarlyWarning", {**_OPEN, "required": ["id", "colour", "ends_at"]})

DRAFT_NOTICE: Final = Schema("DraftNotice", object_schema(_NEEDED, **_CONTENT))
REVISE_NOTICE: Final = Schema(
    "ReviseNotice", object_schema((*_NEEDED, "version"), **_CONTENT, version=_NUMBER)
)
DECIDE_DIGEST: Final = Schema(
    "DecideDigest", object_schema(("grant", "digest"), grant=FLAG, digest=TEXT, reason=TEXT)
)
ISSUE_NOTICE: Final = Schema("IssueNotice", object_schema((), seal_id=TEXT))
WITH_REASON: Final = Schema("WithReason", object_schema(("reason",), reason=TEXT))
WITH_TEXT: Final = Schema("WithText", object_schema(("text",), text=TEXT))
VERIFY_NOTICE: Final = Schema(
    "VerifyNotice",
    object_schema(("verdict", "reason"), verdict={"enum": ["close", "return"]}, reason=TEXT),
)
PETITION_NOTICE: Final = Schema(
    "PetitionNotice",
    object_schema(
        ("kind", "reason"), kind={"enum": list(PETITION_KINDS)}, reason=TEXT, days=_NUMBER
    ),
)
DECIDE_PETITION: Final = Schema(
    "DecidePetition", object_schema(("grant", "reason"), grant=FLAG, reason=TEXT)
)
DRAFT_WARNING: Final = Schema("DraftEarlyWarning", object_schema(tuple(_WARNED), **_WARNED))
REVISE_WARNING: Final = Schema(
    "ReviseEarlyWarning", object_schema((*_WARNED, "version"), **_WARNED, version=_NUMBER)
)
