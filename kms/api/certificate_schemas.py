"""JSON Schemas of certificates, requests and trust anchors, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from kms.models.certificates import ANCHOR_USES, REVOCATION_REASONS
from kms.service.certificates.requests import REQUESTABLE
from secops.web.routes import Schema

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT}
_MAYBE: Final[dict[str, Any]] = {"type": ["string", "null"]}
_BASE64: Final[dict[str, Any]] = {"type": "string", "contentEncoding": "base64"}
_STATE: Final[dict[str, Any]] = {
    "enum": ["pending", "approved", "rejected", "expired", "used"],
}


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _page_of(item: dict[str, Any]) -> dict[str, Any]:
    items = {"type": "array", "items": item}
    return _object(("items", "next"), items=items, next=_MAYBE)


_CERTIFICATE: Final = _object(
    ("id", "kind", "subject", "serial", "not_after"),
    id=_TEXT,
    kind=_TEXT,
    subject=_TEXT,
    serial=_TEXT,
    not_before=_TIME,
    not_after=_TIME,
    issued_at=_TIME,
    revoked_at={"type": ["string", "null"], "format": "date-time"},
    revocation_reason=_TEXT,
    issuer_id=_TEXT,
    key_sha256=_TEXT,
    requester_id=_TEXT,
    revoked={"type": "boolean"},
    pem=_TEXT,
    chain=_TEXTS,
    request_id=_MAYBE,
    enveloped_key=_BASE64,
    encryption_id=_MAYBE,
)
_REQUEST: Final = _object(
    ("id", "profile", "approval", "state"),
    id=_TEXT,
    profile={"enum": list(REQUESTABLE)},
    organization=_TEXT,
    common_name=_TEXT,
    names=_TEXTS,
    ignored=_TEXTS,
    key_algorithm=_TEXT,
    key_sha256=_TEXT,
    reason=_TEXT,
    requester_id=_TEXT,
    requested_at=_TIME,
    approval=_STATE,
    state={"enum": ["requested", "issued"]},
    renews=_MAYBE,
    certificate_id=_MAYBE,
    encryption_id=_MAYBE,
)
_ANCHOR: Final = _object(
    ("id", "subject", "sha256", "uses", "state"),
    id=_TEXT,
    subject=_TEXT,
    sha256=_TEXT,
    uses={"type": "array", "items": {"enum": list(ANCHOR_USES)}},
    not_before=_TIME,
    not_after=_TIME,
    reason=_TEXT,
    requester_id=_TEXT,
    requested_at=_TIME,
    approval=_STATE,
    state={"enum": ["proposed", "active", "retired"]},
    state_reason=_TEXT,
    list_next_update={"type": ["string", "null"], "format": "date-time"},
)
CERTIFICATE: Final = Schema("Certificate", _CERTIFICATE)
CERTIFICATE_PAGE: Final = Schema("CertificatePage", _page_of(_CERTIFICATE))
REQUEST: Final = Schema("CertificateRequest", _REQUEST)
REQUEST_PAGE: Final = Schema("CertificateRequestPage", _page_of(_REQUEST))
ANCHOR: Final = Schema("TrustAnchor", _ANCHOR)
ANCHOR_PAGE: Final = Schema("TrustAnchorPage", _page_of(_ANCHOR))
REQUEST_CERTIFICATE: Final = Schema(
    "RequestCertificate",
    _object(
        ("profile", "csr", "reason"),
        profile={"enum": list(REQUESTABLE)},
        csr=_TEXT,
        reason=_TEXT,
        organization=_TEXT,
        renews=_MAYBE,
    ),
)
DECIDE: Final = Schema(
    "DecideCertificate", _object(("grant", "reason"), grant={"type": "boolean"}, reason=_TEXT)
)
REVOKE: Final = Schema(
    "RevokeCertificate", _object(("reason",), reason={"enum": list(REVOCATION_REASONS)})
)
PROPOSE_ANCHOR: Final = Schema(
    "ProposeAnchor",
    _object(
        ("certificate", "uses", "reason"),
        certificate=_TEXT,
        uses={"type": "array", "items": {"enum": list(ANCHOR_USES)}},
        reason=_TEXT,
    ),
)
_WANTED: Final[dict[str, dict[str, Any]]] = {
    "role": {"enum": ["maker", "holder"]},
    "application_id": _TEXT,
    "place": {"type": "integer", "minimum": 0},
}
EXPORT_REQUEST: Final = Schema("ExportCertificateRequest", _object(("role",), **_WANTED))
EXPORTED_REQUEST: Final = Schema("ExportedCertificateRequest", _object(("csr",), csr=_TEXT))
IMPORT_CERTIFICATE: Final = Schema(
    "ImportCertificate", _object(("role", "certificate"), **_WANTED, certificate=_TEXT)
)
IMPORT_LIST: Final = Schema("ImportRevocationList", _object(("list",), list=_TEXT))
