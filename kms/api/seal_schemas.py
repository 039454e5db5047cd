"""JSON Schemas of the seals' requests and answers, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final, get_args

from kms.api.schemas import APPROVAL_STATE, BASE64, TEXT, TIME, object_of, page_of
from kms.models.seal_policies import APPROVALS
from kms.models.seal_registry import FORMAT_VERSIONS, ORIGINS, SHAPES, SealState, UseForm
from kms.models.stamps import PADES_KEYS, PADES_LEVELS
from secops.web.routes import Schema

_FORMAT: Final[dict[str, Any]] = {"enum": list(FORMAT_VERSIONS)}
_ORIGIN: Final[dict[str, Any]] = {"enum": list(ORIGINS)}
_SHAPE: Final[dict[str, Any]] = {"enum": list(SHAPES)}
_FORM: Final[dict[str, Any]] = {"enum": list(get_args(UseForm))}
_DIGEST: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}


_SEAL: Final = object_of(
    ("id", "name", "state", "marking"),
    id=TEXT,
    es_id=TEXT,
    name=TEXT,
    shape=_SHAPE,
    state={"enum": list(get_args(SealState))},
    state_reason=TEXT,
    marking=TEXT,
    sm3=_DIGEST,
    valid_from=TIME,
    valid_until=TIME,
    made_at=TIME,
    format_version=_FORMAT,
    origin=_ORIGIN,
    holders={"type": "array"},
    content=BASE64,
    picture=BASE64,
)
_APPLICATION: Final = object_of(
    ("id", "name", "approval"),
    id=TEXT,
    name=TEXT,
    shape=_SHAPE,
    organization=TEXT,
    holders={"type": "array", "items": TEXT},
    reason=TEXT,
    applicant_id=TEXT,
    applied_at=TIME,
    approval=APPROVAL_STATE,
    seal_id={"type": ["string", "null"]},
    format_version=_FORMAT,
    code=TEXT,
    picture_filed={"type": "boolean"},
    origin=_ORIGIN,
    picture=BASE64,
)
_USE: Final = object_of(
    ("id", "seal_id", "document_sm3"),
    id=TEXT,
    seal_id=TEXT,
    account_id=TEXT,
    document_sm3=_DIGEST,
    purpose=TEXT,
    used_at=TIME,
    value_sm3=_DIGEST,
    form=_FORM,
    document_class=TEXT,
    leaf_hash=TEXT,
    request_id=TEXT,
)
_LINK: Final = object_of(("leaf_hash", "url"), leaf_hash=_DIGEST, url=TEXT)
_STAMPING: Final = object_of(
    ("places", "edge"), places={"type": "array"}, edge={"type": ["object", "null"]}
)
_USE_REQUEST: Final = object_of(
    ("id", "seal_id", "document_sm3", "file_name", "approval"),
    id=TEXT,
    seal_id=TEXT,
    requester_id=TEXT,
    requester=TEXT,
    document_sm3=_DIGEST,
    file_name=TEXT,
    form=_FORM,
    stamping=_STAMPING,
    document_class=TEXT,
    purpose=TEXT,
    document_kept={"type": "boolean"},
    size={"type": "integer"},
    requested_at=TIME,
    expires_at=TIME,
    approval=APPROVAL_STATE,
    use_id=TEXT,
)
_STEP: Final = object_of(
    ("n", "what", "ok", "why"),
    n={"type": "integer"},
    what=TEXT,
    ok={"type": ["boolean", "null"]},
    why=TEXT,
)
_VERDICT: Final = object_of(
    ("valid", "signer", "seal_name", "signed_at", "steps", "warnings"),
    valid={"type": "boolean"},
    signer={"type": ["string", "null"]},
    seal_name={"type": ["string", "null"]},
    signed_at={"type": ["string", "null"]},
    steps={"type": "array", "items": _STEP},
    warnings={"type": "array", "items": TEXT},
)

SEAL: Final = Schema("Seal", _SEAL)
SEAL_PAGE: Final = Schema("SealPage", page_of(_SEAL))
APPLICATION: Final = Schema("SealApplication", _APPLICATION)
APPLICATION_PAGE: Final = Schema("SealApplicationPage", page_of(_APPLICATION))
USE_PAGE: Final = Schema("SealUsePage", page_of(_USE))
REASON: Final = Schema("SealReason", object_of(("reason",), reason=TEXT))
DECIDE_APPLICATION: Final = Schema(
    "DecideApplication", object_of(("grant", "reason"), grant={"type": "boolean"}, reason=TEXT)
)
APPLY_SEAL: Final = Schema(
    "ApplySeal",
    object_of(
        ("name", "shape", "organization", "holders", "reason"),
        name=TEXT,
        shape=_SHAPE,
        organization=TEXT,
        holders={"type": "array", "items": TEXT, "minItems": 1, "maxItems": 20},
        reason=TEXT,
        format_version=_FORMAT,
        code={"type": "string", "pattern": "^([0-9]{13})?$"},
        picture=BASE64,
        origin=_ORIGIN,
    ),
)
USE_SEAL: Final = Schema(
    "UseSeal",
    object_of((), document=BASE64, document_sm3=_DIGEST, purpose=TEXT, document_class=TEXT),
)
_PLACE: Final = object_of(
    ("page", "x", "y"), page={"type": "integer"}, x={"type": "number"}, y={"type": "number"}
)
_EDGE: Final = object_of(
    ("y",), y={"type": "number"}, first={"type": "integer"}, last={"type": "integer"}
)
STAMP_DOCUMENT: Final = Schema(
    "StampDocument",
    object_of(
        ("document",),
        document=BASE64,
        purpose=TEXT,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
        pdf={"enum": ["pades", "sm2"]},
        pades_level={"enum": list(PADES_LEVELS)},
        pades_key={"enum": list(PADES_KEYS)},
        document_class=TEXT,
    ),
)
SEALED_DOCUMENT: Final = Schema(
    "SealedDocument",
    object_of(
        ("document", "use", "receipt", "marking"),
        document=BASE64,
        use=_USE,
        receipt=_LINK,
        marking=TEXT,
    ),
)
_POLICY: Final[dict[str, dict[str, Any]]] = {
    "users": {"type": "array", "items": TEXT},
    "document_classes": {"type": "array", "items": TEXT},
    "weekdays": {"type": "array", "items": {"type": "integer"}},
    "opens": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
    "closes": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
    "daily_cap": {"type": ["integer", "null"]},
    "max_risk": {"type": "integer"},
    "approval": {"enum": list(APPROVALS)},
    "version": {"type": "integer"},
}
SET_USE_POLICY: Final = Schema("SetUsePolicy", object_of(("version",), **_POLICY))
USE_POLICY: Final = Schema("UsePolicy", object_of(tuple(_POLICY), **_POLICY))
SEALED_VALUE: Final = Schema(
    "SealedValue",
    object_of(
        ("value", "use", "receipt", "marking"),
        value=BASE64,
        use=_USE,
        receipt=_LINK,
        marking=TEXT,
    ),
)
SEALED: Final = Schema(
    "Sealed",
    object_of(
        ("use", "receipt", "marking"),
        value=BASE64,
        document=BASE64,
        use=_USE,
        receipt=_LINK,
        marking=TEXT,
    ),
)
USE_REQUEST: Final = Schema("SealUseRequest", _USE_REQUEST)
USE_REQUEST_PAGE: Final = Schema("SealUseRequestPage", page_of(_USE_REQUEST))
DECIDE_SEAL_USE: Final = Schema(
    "DecideSealUse", object_of(("grant", "reason"), grant={"type": "boolean"}, reason=TEXT)
)
REQUEST_SEAL_USE: Final = Schema(
    "RequestSealUse",
    object_of(
        ("file_name", "purpose"),
        document=BASE64,
        document_sm3=_DIGEST,
        file_name=TEXT,
        form=_FORM,
        purpose=TEXT,
        document_class=TEXT,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
    ),
)
USE_APPROVED_SEAL: Final = Schema(
    "UseApprovedSeal", object_of((), document=BASE64, document_sm3=_DIGEST)
)
RECEIPT: Final = Schema(
    "SealUseReceipt",
    object_of(
        ("format", "use", "leaf_hash", "entry", "record", "proofs", "vkeys"),
        format=TEXT,
        use=_USE,
        leaf_hash=_DIGEST,
        entry={"type": ["integer", "null"]},
        record={"type": ["string", "null"]},
        proofs={"type": ["object", "null"]},
        vkeys={"type": "array", "items": TEXT},
    ),
)
VERIFY_SEAL: Final = Schema("VerifySeal", object_of(("file",), file=BASE64, document=BASE64))
REPORT: Final = Schema(
    "VerificationReport",
    object_of(
        ("valid", "kind", "version", "signatures"),
        valid={"type": "boolean"},
        kind=TEXT,
        version={"type": ["integer", "null"]},
        signatures={"type": "array", "items": _VERDICT},
        warnings={"type": "array", "items": TEXT},
    ),
)
SIGNED_VERDICT: Final = Schema(
    "SignedVerdict", object_of(("document", "verdict"), document=BASE64, verdict={"type": "object"})
)
PREVIEW_STAMP: Final = Schema(
    "PreviewStamp",
    object_of(
        ("document",),
        document=BASE64,
        places={"type": "array", "items": _PLACE, "maxItems": 20},
        edge=_EDGE,
    ),
)
PAGE_PREVIEW: Final = Schema(
    "PagePreview",
    object_of(
        ("picture", "page", "pages", "blank"),
        picture=BASE64,
        page={"type": "integer"},
        pages={"type": "integer"},
        blank={"type": "boolean"},
    ),
)
BOTH_VERDICTS: Final = Schema(
    "BothVerdicts",
    object_of(
        ("ours", "province"),
        ours={"type": "object"},
        province=object_of(
            ("valid", "reasons"),
            valid={"type": "boolean"},
            reasons={"type": "array", "items": TEXT},
        ),
    ),
)
