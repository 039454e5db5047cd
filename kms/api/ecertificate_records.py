"""How e-certificates (电子证照) are written in JSON, and the schemas of their requests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import orjson

from kms.api.schemas import TEXT, TEXT_OR_NULL, object_of, page_of
from kms.models.ecertificates import (
    Batch,
    BatchRow,
    ECertificate,
    ECertificateTemplate,
    PublicView,
)
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.jobs import Task
from secops.web.routes import Schema

_NUMBER: Final[dict[str, Any]] = {"type": "integer"}
_STATES: Final = ["valid", "suspended", "revoked", "superseded", "expired", "not_yet_valid"]


_WISH: Final[dict[str, Any]] = {
    "type_code": {"type": "string", "pattern": "^[0-9A-Z]{21}$"},
    "name": TEXT,
    "authority": TEXT,
    "authority_code": {"type": "string", "pattern": "^[0-9A-Z]{18}$"},
    "number_prefix": TEXT,
    "fields": {"type": "array", "items": {"type": "object"}, "maxItems": 40},
    "holder_field": TEXT,
    "seal_id": TEXT,
    "validity_days": {"type": ["integer", "null"]},
    "layout": {"type": ["object", "null"]},
    "format": {"enum": ["ofd", "pdf"]},
}
PROPOSE_TEMPLATE: Final = Schema(
    "ProposeTemplate",
    object_of(
        tuple(name for name in _WISH if name not in ("validity_days", "layout", "format")), **_WISH
    ),
)
_TEMPLATE: Final = object_of(
    ("id", "version", "state", *_WISH),
    id=TEXT,
    version=_NUMBER,
    state={"enum": ["proposed", "active", "rejected", "retired"]},
    state_reason=TEXT,
    created_by=TEXT,
    created_at=TEXT,
    approval=TEXT,
    changes={"type": "array", "items": {"type": "object"}},
    **_WISH,
)
TEMPLATE: Final = Schema("ECertificateTemplate", _TEMPLATE)
TEMPLATE_PAGE: Final = Schema("ECertificateTemplatePage", page_of(_TEMPLATE))
DECIDE_TEMPLATE: Final = Schema(
    "DecideTemplate", object_of(("grant", "reason"), grant={"type": "boolean"}, reason=TEXT)
)
ISSUE: Final = Schema(
    "IssueECertificate",
    object_of(
        ("template_id", "values"),
        template_id=TEXT,
        values={"type": "object", "additionalProperties": TEXT},
        number=TEXT,
        replaces=TEXT,
    ),
)
_ECERTIFICATE: Final = object_of(
    ("id", "identifier", "number", "state", "file_sm3"),
    id=TEXT,
    identifier=TEXT,
    number=TEXT,
    type_name=TEXT,
    type_code=TEXT,
    authority=TEXT,
    authority_code=TEXT,
    holder=TEXT,
    state={"enum": _STATES},
    state_reason=TEXT,
    version=_NUMBER,
    valid_from=TEXT,
    valid_until=TEXT_OR_NULL,
    issued_at=TEXT,
    issued_by=TEXT,
    file_sm3=TEXT,
    template_id=TEXT,
    seal_id=TEXT,
    use_id=TEXT,
    replaces=TEXT_OR_NULL,
    replaced_by=TEXT_OR_NULL,
    batch_id=TEXT_OR_NULL,
)
ECERTIFICATE: Final = Schema("ECertificate", _ECERTIFICATE)
ECERTIFICATE_PAGE: Final = Schema("ECertificatePage", page_of(_ECERTIFICATE))
OPENED: Final = Schema(
    "OpenedECertificate",
    object_of(
        ("values", "link", "document"),
        values={"type": "array", "items": {"type": "object"}},
        link=TEXT,
        document={"type": "string", "contentEncoding": "base64"},
    ),
)
_PUBLIC: Final = object_of(
    ("identifier", "number", "state", "file_sm3"),
    type_name=TEXT,
    authority=TEXT,
    authority_code=TEXT,
    number=TEXT,
    identifier=TEXT,
    state={"enum": _STATES},
    valid_from=TEXT,
    valid_until=TEXT_OR_NULL,
    issued_at=TEXT,
    file_sm3=TEXT,
    shown={"type": "array", "items": {"type": "object"}},
)
PUBLIC_VIEW: Final = Schema("PublicECertificate", _PUBLIC)
VERIFY: Final = Schema(
    "VerifyECertificate",
    object_of(("file",), file={"type": "string", "contentEncoding": "base64"}, token=TEXT),
)
FILE_VERDICT: Final = Schema(
    "ECertificateVerdict",
    object_of(
        ("seal", "registered", "same"),
        seal={"type": "object"},
        registered={"type": ["object", "null"]},
        same={"type": ["boolean", "null"]},
    ),
)
_ROWS_FILE: Final[dict[str, Any]] = {
    "template_id": TEXT,
    "rows": {"type": "string", "description": "CSV or JSON Lines", "maxLength": 4 << 20},
}
CHECK_BATCH: Final = Schema("CheckBatch", object_of(("template_id", "rows"), **_ROWS_FILE))
BATCH_CHECK: Final = Schema(
    "BatchCheck",
    object_of(
        ("total", "problems"),
        total=_NUMBER,
        problems={"type": "array", "items": {"type": "object"}},
    ),
)
ORDER_BATCH: Final = Schema(
    "OrderBatch", object_of(("template_id", "rows", "name"), name=TEXT, **_ROWS_FILE)
)
_BATCH: Final = object_of(
    ("id", "state", "done", "total"),
    id=TEXT,
    name=TEXT,
    template_id=TEXT,
    state={"enum": ["queued", "running", "done", "failed", "cancelled"]},
    done=_NUMBER,
    total=_NUMBER,
    why={"type": ["object", "null"]},
    ordered_by=TEXT,
    ordered_at=TEXT,
    counts={"type": "object"},
)
BATCH: Final = Schema("ECertificateBatch", _BATCH)
BATCH_PAGE: Final = Schema("ECertificateBatchPage", page_of(_BATCH))
_ROW: Final = object_of(
    ("row", "state", "number"),
    row=_NUMBER,
    state={"enum": ["waiting", "issued", "failed"]},
    number=TEXT,
    holder=TEXT,
    ecertificate_id=TEXT_OR_NULL,
    use_id=TEXT_OR_NULL,
    why={"type": ["object", "null"]},
)
ROW_PAGE: Final = Schema("ECertificateRowPage", page_of(_ROW))


def template_record(template: ECertificateTemplate) -> dict[str, Any]:
    """Return a template as lists show it, its own fields beside its state."""
    return {
        "id": template.id,
        "version": template.version,
        "state": template.state,
        "state_reason": template.state_reason,
        "created_by": template.created_by,
        "created_at": to_rfc3339(template.created_at),
        **asdict(template.wish),
    }


def ecertificate_record(record: ECertificate, now: int) -> dict[str, Any]:
    """Return an e-certificate as lists show it: the holder masked."""
    return {
        "id": record.id,
        "identifier": record.identifier,
        "number": record.number,
        "type_name": record.type_name,
        "type_code": record.type_code,
        "authority": record.authority,
        "authority_code": record.authority_code,
        "holder": record.holder_masked,
        "state": record.standing(now),
        "state_reason": record.state_reason,
        "version": record.version,
        "valid_from": to_rfc3339(record.valid_from),
        "valid_until": rfc3339_or_none(record.valid_until),
        "issued_at": to_rfc3339(record.issued_at),
        "issued_by": record.issued_by,
        "file_sm3": record.digest,
        "template_id": record.template_id,
        "seal_id": record.seal_id,
        "use_id": record.use_id,
        "replaces": record.replaces,
        "batch_id": record.batch_id,
    }


def public_record(view: PublicView) -> dict[str, Any]:
    """Return what anybody may see."""
    return {
        "type_name": view.type_name,
        "authority": view.authority,
        "authority_code": view.authority_code,
        "number": view.number,
        "identifier": view.identifier,
        "state": view.state,
        "valid_from": to_rfc3339(view.valid_from),
        "valid_until": rfc3339_or_none(view.valid_until),
        "issued_at": to_rfc3339(view.issued_at),
        "file_sm3": view.digest,
        "shown": [{"title": title, "text": text} for title, text in view.shown],
    }


def batch_record(batch: Batch, task: Task) -> dict[str, Any]:
    """Return a batch with its progress."""
    return {
        "id": batch.id,
        "name": batch.name,
        "template_id": batch.template_id,
        "state": task.state,
        "done": task.done,
        "total": task.total,
        "why": _why(task.result),
        "ordered_by": batch.ordered_by,
        "ordered_at": to_rfc3339(batch.ordered_at),
    }


def row_record(row: BatchRow) -> dict[str, Any]:
    """Return a row and what came of it."""
    return {
        "row": row.n,
        "state": row.state,
        "number": row.number,
        "holder": row.holder_masked,
        "ecertificate_id": row.certificate_id,
        "use_id": row.use_id,
        "why": _why(row.error),
    }


def _why(text: str) -> dict[str, str] | None:
    return orjson.loads(text) if text else None
