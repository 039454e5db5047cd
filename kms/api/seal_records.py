"""How seals, applications and uses are written in JSON, and what requests have in common."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kms.models.seal_registry import (
    SealApplication,
    SealedDocument,
    SealedValue,
    SealRecord,
)
from kms.models.seal_requests import SealUseRequest
from kms.models.seals import MARKING
from kms.service.seals.receipts import use_record
from secops.kernel.approvals import Approval
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.web.messages import Request


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """Return the text ``name``; raise ``Invalid``."""
    value = fields.get(name)
    if not isinstance(value, str):
        msg = f"{name} is a text"
        raise Invalid(msg)
    return value


def decoded_field(fields: Mapping[str, Any], name: str) -> bytes:
    """Return the bytes that ``name`` holds in Base64; raise ``Invalid``."""
    try:
        return base64.b64decode(text_field(fields, name), validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"{name} is not Base64"
        raise Invalid(msg) from error


def in_base64(content: bytes) -> str:
    """Return ``content`` in Base64."""
    return base64.b64encode(content).decode()


def seal_record(record: SealRecord) -> dict[str, Any]:
    """Return a seal as lists show it."""
    return {
        "id": record.id,
        "es_id": record.es_id,
        "name": record.name,
        "shape": record.shape,
        "state": record.state,
        "state_reason": record.state_reason,
        "marking": record.marking,
        "sm3": record.digest,
        "valid_from": to_rfc3339(record.valid_from),
        "valid_until": to_rfc3339(record.valid_until),
        "made_at": to_rfc3339(record.made_at),
        "format_version": record.format_version,
        "origin": record.origin,
    }


def application_record(application: SealApplication, approval: Approval | None) -> dict[str, Any]:
    """Return an application with the state of its approval."""
    return {
        "id": application.id,
        "name": application.name,
        "shape": application.shape,
        "organization": application.organization,
        "holders": [holder.name for holder in application.holders],
        "reason": application.reason,
        "applicant_id": application.applicant_id,
        "applied_at": to_rfc3339(application.applied_at),
        "approval": "pending" if approval is None else approval.state,
        "seal_id": application.seal_id,
        "format_version": application.format_version,
        "code": application.code,
        "picture_filed": application.picture is not None,
        "origin": application.origin,
    }


def use_request_record(request: SealUseRequest, approval: Approval | None) -> dict[str, Any]:
    """Return a request for a single use with the state of its approval."""
    return {
        "id": request.id,
        "seal_id": request.seal_id,
        "requester_id": request.requester_id,
        "requester": request.requester,
        "document_sm3": request.digest,
        "file_name": request.file_name,
        "form": request.form,
        "stamping": asdict(request.stamping),
        "document_class": request.document_class,
        "purpose": request.purpose,
        "document_kept": bool(request.document),
        "size": request.size,
        "requested_at": to_rfc3339(request.requested_at),
        "expires_at": to_rfc3339(request.expires_at),
        "approval": "pending" if approval is None else approval.state,
        "use_id": request.use_id,
    }


def sealed_record(sealed: SealedValue | SealedDocument) -> dict[str, Any]:
    """Return what a use gave, with where its receipt is fetched."""
    if isinstance(sealed, SealedValue):
        given = {"value": in_base64(sealed.value)}
    else:
        given = {"document": in_base64(sealed.document)}
    url = f"/api/v1/kms/seal-uses/{sealed.use.id}/receipt"
    receipt = {"leaf_hash": sealed.use.leaf_hash, "url": url}
    return {**given, "use": use_record(sealed.use), "receipt": receipt, "marking": MARKING}


def decision_of(fields: Mapping[str, Any]) -> tuple[bool, str]:
    """Return what was decided and why; raise ``Invalid``."""
    grant = fields.get("grant")
    if not isinstance(grant, bool):
        msg = "grant is true or false"
        raise Invalid(msg)
    return grant, text_field(fields, "reason")


def is_multipart(request: Request) -> bool:
    """Tell whether a form with files was sent."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")
