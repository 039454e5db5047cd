"""How certificates, requests and trust anchors are written in JSON, by whatever door."""

from __future__ import annotations

import base64
from typing import Any

from kms.models.certificates import AnchorEntry, CertificateDetails, CertificateRequest
from kms.models.seal_registry import IssuedCertificate
from secops.crypto.pem import to_pem
from secops.kernel.approvals import Approval
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def certificate_record(certificate: IssuedCertificate) -> dict[str, Any]:
    """Return a certificate as lists show it."""
    return {
        "id": certificate.id,
        "kind": certificate.kind,
        "subject": certificate.subject,
        "serial": certificate.serial,
        "not_before": to_rfc3339(certificate.not_before),
        "not_after": to_rfc3339(certificate.not_after),
        "issued_at": to_rfc3339(certificate.issued_at),
        "revoked_at": rfc3339_or_none(certificate.revoked_at),
        "revocation_reason": certificate.revocation_reason,
        "issuer_id": certificate.issuer_id,
        "key_sha256": certificate.key_digest,
        "requester_id": certificate.requester_id,
    }


def details_record(details: CertificateDetails) -> dict[str, Any]:
    """Return a certificate with its PEM, those above it, and what it answers."""
    record = {
        **certificate_record(details.certificate),
        "revoked": details.revoked,
        "pem": to_pem("CERTIFICATE", details.certificate.der),
        "chain": [to_pem("CERTIFICATE", issuer.der) for issuer in details.issuers],
    }
    request = details.request
    if request is not None:
        record |= {
            "request_id": request.id,
            "enveloped_key": base64.b64encode(request.enveloped_key).decode(),
            "encryption_id": request.encryption_id,
        }
    return record


def request_record(request: CertificateRequest, approval: Approval | None) -> dict[str, Any]:
    """Return a request with the state of its approval."""
    return {
        "id": request.id,
        "profile": request.profile,
        "organization": request.organization,
        "common_name": request.common_name,
        "names": list(request.names),
        "ignored": list(request.ignored),
        "key_algorithm": request.key_algorithm,
        "key_sha256": request.key_digest,
        "reason": request.reason,
        "requester_id": request.requester_id,
        "requested_at": to_rfc3339(request.requested_at),
        "approval": "pending" if approval is None else approval.state,
        "state": request.state,
        "renews": request.renews,
        "certificate_id": request.certificate_id,
        "encryption_id": request.encryption_id,
    }


def anchor_record(entry: AnchorEntry) -> dict[str, Any]:
    """Return an anchor with the state of its approval and when its list is due."""
    anchor, known = entry.anchor, entry.revocation_list
    return {
        "id": anchor.id,
        "subject": anchor.subject,
        "sha256": anchor.fingerprint,
        "uses": list(anchor.uses),
        "not_before": to_rfc3339(anchor.not_before),
        "not_after": to_rfc3339(anchor.not_after),
        "reason": anchor.reason,
        "requester_id": anchor.requester_id,
        "requested_at": to_rfc3339(anchor.requested_at),
        "approval": entry.approval.state,
        "state": anchor.state,
        "state_reason": anchor.state_reason,
        "list_next_update": rfc3339_or_none(None if known is None else known.next_update),
    }
