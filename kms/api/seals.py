"""Seals over HTTP: /api/v1/kms/seals and /api/v1/kms/seal-applications."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from kms.api.seal_schemas import (
    APPLICATION,
    APPLICATION_PAGE,
    APPLY_SEAL,
    DECIDE_APPLICATION,
    REASON,
    REPORT,
    SEAL,
    SEAL_PAGE,
    SEALED_VALUE,
    USE_PAGE,
    USE_SEAL,
    VERIFY_SEAL,
)
from kms.models.seal_registry import SealApplication, SealRecord, SealRequest, SealShape, SealUse
from kms.models.seals import MARKING
from kms.service import KmsServices
from secops.crypto.hashes import sm3
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.approvals import Approval
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.pages import Page, page_request
from secops.kernel.permissions.kms import (
    SEAL_APPLY,
    SEAL_APPROVE,
    SEAL_MAKE,
    SEAL_READ,
    SEAL_SUSPEND,
    SEAL_USE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Public, Route

SEALS: Final = "/api/v1/kms/seals"
APPLICATIONS: Final = "/api/v1/kms/seal-applications"
MAX_FILE: Final = 20 << 20
"""Bytes of one file; a JSON body holds a third more."""

_FRAMING: Final = 64 << 10
_DIGEST_HEX: Final = 64


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of seals."""
    return (
        *_registry_routes(_Registry(services)),
        *_application_routes(_Applications(services)),
        *_use_routes(_Uses(services)),
    )


def _registry_routes(handlers: _Registry) -> tuple[Route, ...]:
    stopping = (
        ("suspend", "suspend_seal", handlers.suspend_seal),
        ("resume", "resume_seal", handlers.resume_seal),
        ("revoke", "revoke_seal", handlers.revoke_seal),
    )
    return (
        Route(
            method="GET",
            path=SEALS,
            operation="list_seals",
            access=SEAL_READ,
            handler=handlers.list_seals,
            response=SEAL_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{SEALS}/<seal_id>",
            operation="show_seal",
            access=SEAL_READ,
            handler=handlers.show_seal,
            response=SEAL,
        ),
        *(
            Route(
                method="POST",
                path=f"{SEALS}/<seal_id>/{verb}",
                operation=operation,
                access=SEAL_SUSPEND,
                handler=handler,
                request=REASON,
                level=2,
            )
            for verb, operation, handler in stopping
        ),
    )


def _application_routes(handlers: _Applications) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=APPLICATIONS,
            operation="list_applications",
            access=SEAL_READ,
            handler=handlers.list_applications,
            response=APPLICATION_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=APPLICATIONS,
            operation="apply_seal",
            access=SEAL_APPLY,
            handler=handlers.apply_seal,
            request=APPLY_SEAL,
            response=APPLICATION,
        ),
        Route(
            method="POST",
            path=f"{APPLICATIONS}/<application_id>/decision",
            operation="decide_application",
            access=SEAL_APPROVE,
            handler=handlers.decide_application,
            request=DECIDE_APPLICATION,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{APPLICATIONS}/<application_id>/seal",
            operation="make_seal",
            access=SEAL_MAKE,
            handler=handlers.make_seal,
            response=SEAL,
            level=2,
        ),
    )


def _use_routes(handlers: _Uses) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=f"{SEALS}/<seal_id>/use",
            operation="use_seal",
            access=SEAL_USE,
            handler=handlers.use_seal,
            request=USE_SEAL,
            response=SEALED_VALUE,
            level=2,
            fresh_seconds=FRESH_SECONDS,
            max_body=MAX_FILE * 4 // 3 + _FRAMING,
        ),
        Route(
            method="GET",
            path=f"{SEALS}/<seal_id>/uses",
            operation="list_uses",
            access=SEAL_READ,
            handler=handlers.list_uses,
            response=USE_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{SEALS}/verify",
            operation="verify_seal",
            access=Public("whoever receives a sealed file may verify it; nothing is stored"),
            handler=handlers.verify_seal,
            request=VERIFY_SEAL,
            response=REPORT,
            max_body=2 * MAX_FILE + _FRAMING,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Registry:
    services: KmsServices

    def list_seals(self, request: Request) -> Response:
        page = self.services.seal_registry.list_seals(request.caller, _page(request))
        return _listing(page, _seal)

    def show_seal(self, request: Request) -> Response:
        details = self.services.seal_registry.show_seal(request.caller, request.args["seal_id"])
        holders = [
            {"account_id": holder.account_id, "name": holder.name} for holder in details.holders
        ]
        return json_response(
            {
                **_seal(details.record),
                "holders": holders,
                "content": _base64(details.content),
                "picture": _base64(details.picture),
            }
        )

    def suspend_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], _text(request.json_object(), "reason")
        self.services.seal_registry.suspend_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "suspended"})

    def resume_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], _text(request.json_object(), "reason")
        self.services.seal_registry.resume_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "active"})

    def revoke_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], _text(request.json_object(), "reason")
        self.services.seal_registry.revoke_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "revoked"})


@dataclass(frozen=True, slots=True)
class _Applications:
    services: KmsServices

    def list_applications(self, request: Request) -> Response:
        page = self.services.seal_applications.list_applications(request.caller, _page(request))
        return _listing(page, lambda pair: _application(*pair))

    def apply_seal(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        holders = fields.get("holders")
        if not isinstance(holders, list) or not all(isinstance(name, str) for name in holders):
            msg = "holders is a list of sign-in names"
            raise Invalid(msg)
        wanted = SealRequest(
            name=_text(fields, "name"),
            shape=cast("SealShape", _text(fields, "shape")),
            organization=_text(fields, "organization"),
            holders=tuple(holders),
            reason=_text(fields, "reason"),
        )
        application = self.services.seal_applications.apply_seal(request.caller, wanted)
        return json_response(_application(application, None), 201)

    def decide_application(self, request: Request) -> Response:
        fields = request.json_object()
        grant = fields.get("grant")
        if not isinstance(grant, bool):
            msg = "grant is true or false"
            raise Invalid(msg)
        approval = self.services.seal_applications.decide_application(
            request.caller,
            request.args["application_id"],
            grant=grant,
            reason=_text(fields, "reason"),
        )
        return json_response({"id": request.args["application_id"], "state": approval.state})

    def make_seal(self, request: Request) -> Response:
        record = self.services.seal_making.make_seal(request.caller, request.args["application_id"])
        return json_response(_seal(record), 201)


@dataclass(frozen=True, slots=True)
class _Uses:
    services: KmsServices

    def use_seal(self, request: Request) -> Response:
        request.require_length()
        digest, purpose = _document_digest(request)
        sealed = self.services.seal_using.use_seal(
            request.caller, request.args["seal_id"], document_digest=digest, purpose=purpose
        )
        return json_response(
            {"value": _base64(sealed.value), "use": _use(sealed.use), "marking": MARKING}, 201
        )

    def list_uses(self, request: Request) -> Response:
        page = self.services.seal_using.list_uses(
            request.caller, request.args["seal_id"], _page(request)
        )
        return _listing(page, _use)

    def verify_seal(self, request: Request) -> Response:
        request.require_length()
        if _is_multipart(request):
            files = request.files
            if "file" not in files:
                msg = "the part `file` is missing"
                raise Invalid(msg)
            content = files["file"].content
            document = files["document"].content if "document" in files else None
        else:
            fields = request.json_object()
            content = _decoded(fields, "file")
            document = _decoded(fields, "document") if "document" in fields else None
        report = self.services.seal_verification.verify_seal(content, document)
        return json_response(report.to_record())


def _document_digest(request: Request) -> tuple[bytes, str]:
    """Return the SM3 of what shall be sealed, and the purpose."""
    if _is_multipart(request):
        files = request.files
        if "document" not in files:
            msg = "the part `document` is missing"
            raise Invalid(msg)
        return _digest(files["document"].content), request.form.get("purpose", "")
    fields = request.json_object()
    purpose = _text(fields, "purpose") if "purpose" in fields else ""
    if ("document" in fields) == ("document_sm3" in fields):
        msg = "give either document (Base64) or document_sm3 (hex)"
        raise Invalid(msg)
    if "document" in fields:
        return _digest(_decoded(fields, "document")), purpose
    text = _text(fields, "document_sm3")
    try:
        digest = bytes.fromhex(text) if len(text) == _DIGEST_HEX else b""
    except ValueError:
        digest = b""
    return digest, purpose


def _digest(document: bytes) -> bytes:
    if len(document) > MAX_FILE:
        msg = f"a document is at most {MAX_FILE >> 20} MiB; send its document_sm3"
        raise TooLarge(msg)
    return sm3(document)


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def _page(request: Request) -> Any:
    return page_request(request.query.get("limit"), request.query.get("cursor"))


def _listing(page: Page[Any], present: Callable[[Any], dict[str, Any]]) -> Response:
    return json_response({"items": [present(item) for item in page.items], "next": page.next})


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        msg = f"{name} is a text"
        raise Invalid(msg)
    return value


def _decoded(fields: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(fields, name), validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"{name} is not Base64"
        raise Invalid(msg) from error


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _seal(record: SealRecord) -> dict[str, Any]:
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
    }


def _application(application: SealApplication, approval: Approval | None) -> dict[str, Any]:
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
    }


def _use(use: SealUse) -> dict[str, Any]:
    return {
        "id": use.id,
        "seal_id": use.seal_id,
        "account_id": use.account_id,
        "document_sm3": use.digest,
        "purpose": use.purpose,
        "used_at": to_rfc3339(use.used_at),
        "value_sm3": use.value_digest,
    }
