"""How seals, applications and uses are written in JSON, and what requests have in common."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from kms.models.seal_registry import SealApplication, SealRecord, SealUse
from secops.kernel.approvals import Approval
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page
from secops.web.messages import Response, json_response


def listing(page: Page[Any], present: Callable[[Any], dict[str, Any]]) -> Response:
    """Return a page as every list of the API is written."""
    return json_response({"items": [present(item) for item in page.items], "next": page.next})


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
    }


def use_record(use: SealUse) -> dict[str, Any]:
    """Return an entry of the usage ledger."""
    return {
        "id": use.id,
        "seal_id": use.seal_id,
        "account_id": use.account_id,
        "document_sm3": use.digest,
        "purpose": use.purpose,
        "used_at": to_rfc3339(use.used_at),
        "form": use.form,
        "document_class": use.document_class,
        "value_sm3": use.value_digest,
    }
