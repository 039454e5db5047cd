"""JSON Schemas of certificates, requests and trust anchors, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from kms.api.schemas import (
    APPROVAL_STATE,
    BASE64,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TIME,
    TIME_OR_NULL,
    object_of,
    page_of,
)
from kms.models.certificates import ANCHOR_USES, REVOCATION_REASONS
from kms.service.certificates.requests import REQUESTABLE
from secops.web.routes import Schema

_CERTIFICATE: Final = object_of(
    ("id", "kind", "subject", "serial", "not_after"),
    id=TEXT,
    kind=TEXT,
    subject=TEXT,
    serial=TEXT,
    not_before=TIME,
    not_after=TIME,
    issued_at=TIME,
    revoked_at=TIME_OR_NULL,
    revocation_reason=TEXT,
    issuer_id=TEXT,
    key_sha256=TEXT,
    requester_id=TEXT,
    revoked={"type": "boolean"},
    pem=TEXT,
    chain=TEXTS,
    request_id=TEXT_OR_NULL,
    enveloped_key=BASE64,
    encryption_id=TEXT_OR_NULL,
)
_REQUEST: Final = object_of(
    ("id", "profile", "approval", "state"),
    id=TEXT,
    profile={"enum": list(REQUESTABLE)},
    organization=TEXT,
    common_name=TEXT,
    names=TEXTS,
    ignored=TEXTS,
    key_algorithm=TEXT,
    key_sha256=TEXT,
    reason=TEXT,
    requester_id=TEXT,
    requested_at=TIME,
    approval=APPROVAL_STATE,
    state={"enum": ["requested", "issued"]},
    renews=TEXT_OR_NULL,
    certificate_id=TEXT_OR_NULL,
    encryption_id=TEXT_OR_NULL,
)
_ANCHOR: Final = object_of(
    ("id", "subject", "sha256", "uses", "state"),
    id=TEXT,
    subject=TEXT,
    sha256=TEXT,
    uses={"type": "array", "items": {"enum": list(ANCHOR_USES)}},
    not_before=TIME,
    not_after=TIME,
    reason=TEXT,
    requester_id=TEXT,
    requested_at=TIME,
    approval=APPROVAL_STATE,
    state={"enum": ["proposed", "active", "retired"]},
    state_reason=TEXT,
    list_next_update=TIME_OR_NULL,
)
CERTIFICATE: Final = Schema("Certificate", _CERTIFICATE)
CERTIFICATE_PAGE: Final = Schema("CertificatePage", page_of(_CERTIFICATE))
REQUEST: Final = Schema("CertificateRequest", _REQUEST)
REQUEST_PAGE: Final = Schema("CertificateRequestPage", page_of(_REQUEST))
ANCHOR: Final = Schema("TrustAnchor", _ANCHOR)
ANCHOR_PAGE: Final = Schema("TrustAnchorPage", page_of(_ANCHOR))
REQUEST_CERTIFICATE: Final = Schema(
    "RequestCertificate",
    object_of(
        ("profile", "csr", "reason"),
        profile={"enum": list(REQUESTABLE)},
        csr=TEXT,
        reason=TEXT,
        organization=TEXT,
        renews=TEXT_OR_NULL,
    ),
)
DECIDE: Final = Schema(
    "DecideCertificate", object_of(("grant", "reason"), grant={"type": "boolean"}, reason=TEXT)
)
REVOKE: Final = Schema(
    "RevokeCertificate", object_of(("reason",), reason={"enum": list(REVOCATION_REASONS)})
)
PROPOSE_ANCHOR: Final = Schema(
    "ProposeAnchor",
    object_of(
        ("certificate", "uses", "reason"),
        certificate=TEXT,
        uses={"type": "array", "items": {"enum": list(ANCHOR_USES)}},
        reason=TEXT,
    ),
)
_WANTED: Final[dict[str, dict[str, Any]]] = {
    "role": {"enum": ["maker", "holder"]},
    "application_id": TEXT,
    "place": {"type": "integer", "minimum": 0},
}
EXPORT_REQUEST: Final = Schema("ExportCertificateRequest", object_of(("role",), **_WANTED))
EXPORTED_REQUEST: Final = Schema("ExportedCertificateRequest", object_of(("csr",), csr=TEXT))
IMPORT_CERTIFICATE: Final = Schema(
    "ImportCertificate", object_of(("role", "certificate"), **_WANTED, certificate=TEXT)
)
IMPORT_LIST: Final = Schema("ImportRevocationList", object_of(("list",), list=TEXT))
