"""How e-certificates (电子证照) are written in JSON, and the schemas of their requests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import orjson

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

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TEXT_OR_NULL: Final[dict[str, Any]] = {"type": ["string", "null"]}
_NUMBER: Final[dict[str, Any]] = {"type": "integer"}
_STATES: Final = ["valid", "suspended", "revoked", "superseded", "expired", "not_yet_valid"]


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _page_of(item: dict[str, Any]) -> dict[str, Any]:
    items = {"type": "array", "items": item}
    return _object(("items", "next"), items=items, next=_TEXT_OR_NULL)


_WISH: Final[dict[str, Any]] = {
    "type_code": {"type": "string", "pattern": "^[0-9A-Z]{21}$"},
    "name": _TEXT,
    "authority": _TEXT,
    "authority_code": {"type": "string", "pattern": "^[0-9A-Z]{18}$"},
    "number_prefix": _TEXT,
    "fields": {"type": "array", "items": {"type": "object"}, "maxItems": 40},
    "holder_field": _TEXT,
    "seal_id": _TEXT,
    "validity_days": {"type": ["integer", "null"]},
    "layout": {"type": ["object", "null"]},
    "format": {"enum": ["ofd", "pdf"]},
}
PROPOSE_TEMPLATE: Final = Schema(
    "ProposeTemplate",
    _object(
        tuple(name for name in _WISH if name not in ("validity_days", "layout", "format")), **_WISH
    ),
)
_TEMPLATE: Final = _object(
    ("id", "version", "state", *_WISH),
    id=_TEXT,
    version=_NUMBER,
    state={"enum": ["proposed", "active", "rejected", "retired"]},
    state_reason=_TEXT,
    created_by=_TEXT,
    created_at=_TEXT,
    approval=_TEXT,
    changes={"type": "array", "items": {"type": "object"}},
    **_WISH,
)
TEMPLATE: Final = Schema("ECertificateTemplate", _TEMPLATE)
TEMPLATE_PAGE: Final = Schema("ECertificateTemplatePage", _page_of(_TEMPLATE))
DECIDE_TEMPLATE: Final = Schema(
    "DecideTemplate", _object(("grant", "reason"), grant={"type": "boolean"}, reason=_TEXT)
)
ISSUE: Final = Schema(
    "IssueECertificate",
    _object(
        ("template_id", "values"),
        template_id=_TEXT,
        values={"type": "object", "additionalProperties": _TEXT},
        number=_TEXT,
        replaces=_TEXT,
    ),
)
_ECERTIFICATE: Final = _object(
    ("id", "identifier", "number", "state", "file_sm3"),
    id=_TEXT,
    identifier=_TEXT,
    number=_TEXT,
    type_name=_TEXT,
    type_code=_TEXT,
    authority=_TEXT,
    authority_code=_TEXT,
    holder=_TEXT,
    state={"enum": _STATES},
    state_reason=_TEXT,
    version=_NUMBER,
    valid_from=_TEXT,
    valid_until=_TEXT_OR_NULL,
    issued_at=_TEXT,
    issued_by=_TEXT,
    file_sm3=_TEXT,
    template_id=_TEXT,
    seal_id=_TEXT,
    use_id=_TEXT,
    replaces=_TEXT_OR_NULL,
    replaced_by=_TEXT_OR_NULL,
    batch_id=_TEXT_OR_NULL,
)
ECERTIFICATE: Final = Schema("ECertificate", _ECERTIFICATE)
ECERTIFICATE_PAGE: Final = Schema("ECertificatePage", _page_of(_ECERTIFICATE))
OPENED: Final = Schema(
    "OpenedECertificate",
    _object(
        ("values", "link", "document"),
        values={"type": "array", "items": {"type": "object"}},
        link=_TEXT,
        document={"type": "string", "contentEncoding": "base64"},
    ),
)
_PUBLIC: Final = _object(
    ("identifier", "number", "state", "file_sm3"),
    type_name=_TEXT,
    authority=_TEXT,
    authority_code=_TEXT,
    number=_TEXT,
    identifier=_TEXT,
    state={"enum": _STATES},
    valid_from=_TEXT,
    valid_until=_TEXT_OR_NULL,
    issued_at=_TEXT,
    file_sm3=_TEXT,
    shown={"type": "array", "items": {"type": "object"}},
)
PUBLIC_VIEW: Final = Schema("PublicECertificate", _PUBLIC)
VERIFY: Final = Schema(
    "VerifyECertificate",
    _object(("file",), file={"type": "string", "contentEncoding": "base64"}, token=_TEXT),
)
FILE_VERDICT: Final = Schema(
    "ECertificateVerdict",
    _object(
        ("seal", "registered", "same"),
        seal={"type": "object"},
        registered={"type": ["object", "null"]},
        same={"type": ["boolean", "null"]},
    ),
)
_ROWS_FILE: Final[dict[str, Any]] = {
    "template_id": _TEXT,
    "rows": {"type": "string", "description": "CSV or JSON Lines", "maxLength": 4 << 20},
}
CHECK_BATCH: Final = Schema("CheckBatch", _object(("template_id", "rows"), **_ROWS_FILE))
BATCH_CHECK: Final = Schema(
    "BatchCheck",
    _object(
        ("total", "problems"),
        total=_NUMBER,
        problems={"type": "array", "items": {"type": "object"}},
    ),
)
ORDER_BATCH: Final = Schema(
    "OrderBatch", _object(("template_id", "rows", "name"), name=_TEXT, **_ROWS_FILE)
)
_BATCH: Final = _object(
    ("id", "state", "done", "total"),
    id=_TEXT,
    name=_TEXT,
    template_id=_TEXT,
    state={"enum": ["queued", "running", "done", "failed", "cancelled"]},
    done=_NUMBER,
    total=_NUMBER,
    why={"type": ["object", "null"]},
    ordered_by=_TEXT,
    ordered_at=_TEXT,
    counts={"type": "object"},
)
BATCH: Final = Schema("ECertificateBatch", _BATCH)
BATCH_PAGE: Final = Schema("ECertificateBatchPage", _page_of(_BATCH))
_ROW: Final = _object(
    ("row", "state", "number"),
    row=_NUMBER,
    state={"enum": ["waiting", "issued", "failed"]},
    number=_TEXT,
    holder=_TEXT,
    ecertificate_id=_TEXT_OR_NULL,
    use_id=_TEXT_OR_NULL,
    why={"type": ["object", "null"]},
)
ROW_PAGE: Final = Schema("ECertificateRowPage", _page_of(_ROW))


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
