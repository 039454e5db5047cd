"""Single uses that another person approves, and receipts: /api/v1/kms/seal-use-requests, …."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from kms.api.seal_records import (
    decision_of,
    decoded_field,
    is_multipart,
    sealed_record,
    text_field,
    use_request_record,
)
from kms.api.seal_schemas import (
    DECIDE_SEAL_USE,
    RECEIPT,
    REQUEST_SEAL_USE,
    SEALED,
    USE_APPROVED_SEAL,
    USE_REQUEST,
    USE_REQUEST_PAGE,
)
from kms.api.stampings import stamping_in_form, stamping_of
from kms.models.seal_registry import UseForm
from kms.models.seal_requests import SealUseWish
from kms.models.seals import MAX_FILE
from kms.service import KmsServices
from kms.service.seals.receipts import receipt_record
from secops.crypto.hashes import sm3
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import SEAL_APPROVE_USE, SEAL_READ, SEAL_USE
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_REQUESTS: Final = "/api/v1/kms/seal-use-requests"
_ONE: Final = f"{_REQUESTS}/<request_id>"
_BODY: Final = MAX_FILE * 4 // 3 + FRAMING


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of requests and receipts."""
    return (*_asking(_Requests(services)), *_reading(_Requests(services)))


def _asking(handlers: _Requests) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path="/api/v1/kms/seals/<seal_id>/use-requests",
            operation="request_seal_use",
            access=SEAL_USE,
            handler=handlers.request_seal_use,
            request=REQUEST_SEAL_USE,
            response=USE_REQUEST,
            level=2,
            max_body=_BODY,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/decision",
            operation="decide_seal_use",
            access=SEAL_APPROVE_USE,
            handler=handlers.decide_seal_use,
            request=DECIDE_SEAL_USE,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/use",
            operation="use_approved_seal",
            access=SEAL_USE,
            handler=handlers.use_approved_seal,
            request=USE_APPROVED_SEAL,
            response=SEALED,
            level=2,
            fresh_seconds=FRESH_SECONDS,
            max_body=_BODY,
        ),
    )


def _reading(handlers: _Requests) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=_REQUESTS,
            operation="list_seal_use_requests",
            access=SEAL_READ,
            handler=handlers.list_seal_use_requests,
            response=USE_REQUEST_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=_ONE,
            operation="show_seal_use_request",
            access=SEAL_READ,
            handler=handlers.show_seal_use_request,
            response=USE_REQUEST,
        ),
        Route(
            method="GET",
            path=f"{_ONE}/document",
            operation="read_requested_document",
            access=SEAL_READ,
            handler=handlers.read_requested_document,
            level=2,
        ),
        Route(
            method="GET",
            path="/api/v1/kms/seal-uses/<use_id>/receipt",
            operation="show_receipt",
            access=SEAL_READ,
            handler=handlers.show_receipt,
            response=RECEIPT,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Requests:
    services: KmsServices

    def request_seal_use(self, request: Request) -> Response:
        request.require_length()
        wish = _wish(request)
        made = self.services.seal_use_requests.request_seal_use(request.caller, wish)
        return json_response(use_request_record(made, None), 201)

    def decide_seal_use(self, request: Request) -> Response:
        request_id = request.args["request_id"]
        grant, reason = decision_of(request.json_object())
        approval = self.services.seal_use_requests.decide_seal_use(
            request.caller, request_id, grant=grant, reason=reason
        )
        return json_response({"id": request_id, "state": approval.state})

    def use_approved_seal(self, request: Request) -> Response:
        request.require_length()
        document, digest = _given(request)
        sealed = self.services.seal_use_requests.use_approved_seal(
            request.caller, request.args["request_id"], document, digest=digest
        )
        return json_response(sealed_record(sealed), 201)

    def list_seal_use_requests(self, request: Request) -> Response:
        page = self.services.seal_use_requests.list_seal_use_requests(
            request.caller, wanted_page(request)
        )
        return page_response(page, lambda pair: use_request_record(*pair))

    def show_seal_use_request(self, request: Request) -> Response:
        view = self.services.seal_use_requests.show_seal_use_request(
            request.caller, request.args["request_id"]
        )
        return json_response(use_request_record(view.request, view.approval))

    def read_requested_document(self, request: Request) -> Response:
        found = self.services.seal_use_requests.read_requested_document(
            request.caller, request.args["request_id"]
        )
        return file_response(found.content, "application/octet-stream", found.safe_name)

    def show_receipt(self, request: Request) -> Response:
        receipt = self.services.seal_receipts.show_receipt(request.caller, request.args["use_id"])
        return json_response(receipt_record(receipt))


def _given(request: Request) -> tuple[bytes | None, bytes | None]:
    """Return the document or its digest, where one of them was sent."""
    if is_multipart(request):
        part = request.files.get("document")
        return (None if part is None else part.content), None
    fields = request.json_object()
    document = decoded_field(fields, "document") if "document" in fields else None
    return document, _hex(fields) if "document_sm3" in fields else None


def _wish(request: Request) -> SealUseWish:
    if is_multipart(request):
        fields: Mapping[str, Any] = dict(request.form)
        part = request.files.get("document")
        if part is None:
            msg = "the part `document` is missing"
            raise Invalid(msg)
        document: bytes | None = part.content
        stamping = stamping_in_form(dict(request.form))
    else:
        fields = request.json_object()
        document = decoded_field(fields, "document") if "document" in fields else None
        stamping = stamping_of(fields)
        if (document is None) == ("document_sm3" not in fields):
            msg = "give either document (Base64) or document_sm3 (hex)"
            raise Invalid(msg)
    form = fields.get("form", "detached")
    if form not in get_args(UseForm):
        msg = f"form is one of {', '.join(get_args(UseForm))}"
        raise Invalid(msg)
    return SealUseWish(
        seal_id=request.args["seal_id"],
        digest=_hex(fields) if document is None else sm3(document),
        file_name=text_field(fields, "file_name"),
        form=cast("UseForm", form),
        purpose=text_field(fields, "purpose"),
        stamping=stamping,
        document_class=text_field(fields, "document_class") if "document_class" in fields else "",
        document=document,
    )


def _hex(fields: Mapping[str, Any]) -> bytes:
    try:
        return binascii.unhexlify(text_field(fields, "document_sm3"))
    except (binascii.Error, ValueError) as error:
        msg = "document_sm3 is hex"
        raise Invalid(msg) from error
