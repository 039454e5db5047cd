"""JSON Schemas of the seals' requests and answers, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from kms.models.stamps import PADES_KEYS, PADES_LEVELS
from secops.web.routes import Schema

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_BASE64: Final[dict[str, Any]] = {"type": "string", "contentEncoding": "base64"}
_FORMAT: Final[dict[str, Any]] = {"enum": [4, 5]}
_ORIGIN: Final[dict[str, Any]] = {"enum": ["local", "remote"]}
_DIGEST: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _page_of(item: dict[str, Any]) -> dict[str, Any]:
    items = {"type": "array", "items": item}
    return _object(("items", "next"), items=items, next={"type": ["string", "null"]})


_SEAL: Final = _object(
    ("id", "name", "state", "marking"),
    id=_TEXT,
    es_id=_TEXT,
    name=_TEXT,
    shape={"enum": ["round", "oval", "square"]},
    state={"enum": ["active", "suspended", "revoked", "destroyed"]},
    state_reason=_TEXT,
    marking=_TEXT,
    sm3=_DIGEST,
    valid_from=_TIME,
    valid_until=_TIME,
    made_at=_TIME,
    format_version=_FORMAT,
    origin=_ORIGIN,
    holders={"type": "array"},
    content=_BASE64,
    picture=_BASE64,
)
_APPLICATION: Final = _object(
    ("id", "name", "approval"),
    id=_TEXT,
    name=_TEXT,
    shape={"enum": ["round", "oval", "square"]},
    organization=_TEXT,
    holders={"type": "array", "items": _TEXT},
    reason=_TEXT,
    applicant_id=_TEXT,
    applied_at=_TIME,
    approval={"enum": ["pending", "approved", "rejected", "expired", "used"]},
    seal_id={"type": ["string", "null"]},
    format_version=_FORMAT,
    code=_TEXT,
    picture_filed={"type": "boolean"},
    origin=_ORIGIN,
    picture=_BASE64,
)
_USE: Final = _object(
    ("id", "seal_id", "document_sm3"),
    id=_TEXT,
    seal_id=_TEXT,
    account_id=_TEXT,
    document_sm3=_DIGEST,
    purpose=_TEXT,
    used_at=_TIME,
    value_sm3=_DIGEST,
    form={"enum": ["detached", "ofd", "pdf", "pdf_sm2"]},
    document_class=_TEXT,
    leaf_hash=_TEXT,
    request_id=_TEXT,
)
_LINK: Final = _object(("leaf_hash", "url"), leaf_hash=_DIGEST, url=_TEXT)
_STAMPING: Final = _object(
    ("places", "edge"), places={"type": "array"}, edge={"type": ["object", "null"]}
)
_USE_REQUEST: Final = _object(
    ("id", "seal_id", "document_sm3", "file_name", "approval"),
    id=_TEXT,
    seal_id=_TEXT,
    requester_id=_TEXT,
    requester=_TEXT,
    document_sm3=_DIGEST,
    file_name=_TEXT,
    form={"enum": ["detached", "ofd", "pdf", "pdf_sm2"]},
    stamping=_STAMPING,
    document_class=_TEXT,
    purpose=_TEXT,
    document_kept={"type": "boolean"},
    size={"type": "integer"},
    requested_at=_TIME,
    expires_at=_TIME,
    approval={"enum": ["pending", "approved", "rejected", "expired", "used"]},
    use_id=_TEXT,
)
_STEP: Final = _object(
    ("n", "what", "ok", "why"),
    n={"type": "integer"},
    what=_TEXT,
    ok={"type": ["boolean", "null"]},
    why=_TEXT,
)
_VERDICT: Final = _object(
    ("valid", "signer", "seal_name", "signed_at", "steps", "warnings"),
    valid={"type": "boolean"},
    signer={"type": ["string", "null"]},
    seal_name={"type": ["string", "null"]},
    signed_at={"type": ["string", "null"]},
    steps={"type": "array", "items": _STEP},
    warnings={"type": "array", "items": _TEXT},
)

SEAL: Final = Schema("Seal", _SEAL)
SEAL_PAGE: Final = Schema("SealPage", _page_of(_SEAL))
APPLICATION: Final = Schema("SealApplication", _APPLICATION)
APPLICATION_PAGE: Final = Schema("SealApplicationPage", _page_of(_APPLICATION))
USE_PAGE: Final = Schema("SealUsePage", _page_of(_USE))
REASON: Final = Schema("SealReason", _object(("reason",), reason=_TEXT))
DECIDE_APPLICATION: Final = Schema(
    "DecideApplication", _object(("grant", "reason"), grant={"type": "boolean"}, reason=_TEXT)
)
APPLY_SEAL: Final = Schema(
    "ApplySeal",
    _object(
        ("name", "shape", "organization", "holders", "reason"),
        name=_TEXT,
        shape={"enum": ["round", "oval", "square"]},
        organization=_TEXT,
        holders={"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 20},
        reason=_TEXT,
        format_version=_FORMAT,
        code={"type": "string", "pattern": "^([0-9]{13})?$"},
        picture=_BASE64,
        origin=_ORIGIN,
    ),
)
USE_SEAL: Final = Schema(
    "UseSeal",
    _object((), document=_BASE64, document_sm3=_DIGEST, purpose=_TEXT, document_class=_TEXT),
)
_PLACE: Final = _object(
    ("page", "x", "y"), page={"type": "integer"}, x={"type": "number"}, y={"type": "number"}
)
_EDGE: Final = _object(
    ("y",), y={"type": "number"}, first={"type": "integer"}, last={"type": "integer"}
)
STAMP_DOCUMENT: Final = Schema(
    "StampDocument",
    _object(
        ("document",),
        document=_BASE64,
        purpose=_TEXT,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
        pdf={"enum": ["pades", "sm2"]},
        pades_level={"enum": list(PADES_LEVELS)},
        pades_key={"enum": list(PADES_KEYS)},
        document_class=_TEXT,
    ),
)
SEALED_DOCUMENT: Final = Schema(
    "SealedDocument",
    _object(
        ("document", "use", "receipt", "marking"),
        document=_BASE64,
        use=_USE,
        receipt=_LINK,
        marking=_TEXT,
    ),
)
_POLICY: Final[dict[str, dict[str, Any]]] = {
    "users": {"type": "array", "items": _TEXT},
    "document_classes": {"type": "array", "items": _TEXT},
    "weekdays": {"type": "array", "items": {"type": "integer"}},
    "opens": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
    "closes": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
    "daily_cap": {"type": ["integer", "null"]},
    "max_risk": {"type": "integer"},
    "approval": {"enum": ["none", "each_use"]},
    "version": {"type": "integer"},
}
SET_USE_POLICY: Final = Schema("SetUsePolicy", _object(("version",), **_POLICY))
USE_POLICY: Final = Schema("UsePolicy", _object(tuple(_POLICY), **_POLICY))
SEALED_VALUE: Final = Schema(
    "SealedValue",
    _object(
        ("value", "use", "receipt", "marking"),
        value=_BASE64,
        use=_USE,
        receipt=_LINK,
        marking=_TEXT,
    ),
)
SEALED: Final = Schema(
    "Sealed",
    _object(
        ("use", "receipt", "marking"),
        value=_BASE64,
        document=_BASE64,
        use=_USE,
        receipt=_LINK,
        marking=_TEXT,
    ),
)
USE_REQUEST: Final = Schema("SealUseRequest", _USE_REQUEST)
USE_REQUEST_PAGE: Final = Schema("SealUseRequestPage", _page_of(_USE_REQUEST))
DECIDE_SEAL_USE: Final = Schema(
    "DecideSealUse", _object(("grant", "reason"), grant={"type": "boolean"}, reason=_TEXT)
)
REQUEST_SEAL_USE: Final = Schema(
    "RequestSealUse",
    _object(
        ("file_name", "purpose"),
        document=_BASE64,
        document_sm3=_DIGEST,
        file_name=_TEXT,
        form={"enum": ["detached", "ofd", "pdf", "pdf_sm2"]},
        purpose=_TEXT,
        document_class=_TEXT,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
    ),
)
USE_APPROVED_SEAL: Final = Schema(
    "UseApprovedSeal", _object((), document=_BASE64, document_sm3=_DIGEST)
)
RECEIPT: Final = Schema(
    "SealUseReceipt",
    _object(
        ("format", "use", "leaf_hash", "entry", "record", "proofs", "vkeys"),
        format=_TEXT,
        use=_USE,
        leaf_hash=_DIGEST,
        entry={"type": ["integer", "null"]},
        record={"type": ["string", "null"]},
        proofs={"type": ["object", "null"]},
        vkeys={"type": "array", "items": _TEXT},
    ),
)
VERIFY_SEAL: Final = Schema("VerifySeal", _object(("file",), file=_BASE64, document=_BASE64))
REPORT: Final = Schema(
    "VerificationReport",
    _object(
        ("valid", "kind", "version", "signatures"),
        valid={"type": "boolean"},
        kind=_TEXT,
        version={"type": ["integer", "null"]},
        signatures={"type": "array", "items": _VERDICT},
        warnings={"type": "array", "items": _TEXT},
    ),
)
SIGNED_VERDICT: Final = Schema(
    "SignedVerdict", _object(("document", "verdict"), document=_BASE64, verdict={"type": "object"})
)
PREVIEW_STAMP: Final = Schema(
    "PreviewStamp",
    _object(
        ("document",),
        document=_BASE64,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
    ),
)
PAGE_PREVIEW: Final = Schema(
    "PagePreview",
    _object(
        ("picture", "page", "pages", "blank"),
        picture=_BASE64,
        page={"type": "integer"},
        pages={"type": "integer"},
        blank={"type": "boolean"},
    ),
)
BOTH_VERDICTS: Final = Schema(
    "BothVerdicts",
    _object(
        ("ours", "province"),
        ours={"type": "object"},
        province=_object(
            ("valid", "reasons"),
            valid={"type": "boolean"},
            reasons={"type": "array", "items": _TEXT},
        ),
    ),
)
