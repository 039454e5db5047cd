"""Use and verify seals over HTTP: /api/v1/kms/seals/ID/use, …/verify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.api.seal_records import decoded_field, in_base64, is_multipart, sealed_record, text_field
from kms.api.seal_schemas import (
    PAGE_PREVIEW,
    PREVIEW_STAMP,
    REPORT,
    SEALED_DOCUMENT,
    SEALED_VALUE,
    SIGNED_VERDICT,
    STAMP_DOCUMENT,
    USE_PAGE,
    USE_SEAL,
    VERIFY_SEAL,
)
from kms.api.stampings import stamping_in_form, stamping_of, standard_of
from kms.models.seals import MAX_FILE
from kms.models.stamps import Stamping, StampRequest
from kms.service import KmsServices
from kms.service.seals.pades_words import pades_of
from kms.service.seals.receipts import use_record
from secops.crypto.hashes import sm3
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.permissions.kms import SEAL_READ, SEAL_REPORT, SEAL_USE
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Public, Route

SEALS: Final = "/api/v1/kms/seals"
_DIGEST_HEX: Final = 64
_TEXTS: Final = ("purpose", "document_class")


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of what is done with seals."""
    handlers = _Uses(services)
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
            max_body=MAX_FILE * 4 // 3 + FRAMING,
        ),
        Route(
            method="POST",
            path=f"{SEALS}/<seal_id>/stamp",
            operation="stamp_document",
            access=SEAL_USE,
            handler=handlers.stamp_document,
            request=STAMP_DOCUMENT,
            response=SEALED_DOCUMENT,
            level=2,
            fresh_seconds=FRESH_SECONDS,
            max_body=MAX_FILE * 4 // 3 + FRAMING,
        ),
        Route(
            method="POST",
            path=f"{SEALS}/<seal_id>/preview",
            operation="preview_stamp",
            access=SEAL_READ,
            handler=handlers.preview_stamp,
            request=PREVIEW_STAMP,
            response=PAGE_PREVIEW,
            max_body=MAX_FILE * 4 // 3 + FRAMING,
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
            path=f"{SEALS}/verify/report",
            operation="report_verdict",
            access=SEAL_REPORT,
            handler=handlers.report_verdict,
            request=VERIFY_SEAL,
            response=SIGNED_VERDICT,
            max_body=2 * MAX_FILE + FRAMING,
        ),
        Route(
            method="POST",
            path=f"{SEALS}/verify",
            operation="verify_seal",
            access=Public("whoever receives a sealed file may verify it; nothing is stored"),
            handler=handlers.verify_seal,
            request=VERIFY_SEAL,
            response=REPORT,
            max_body=2 * MAX_FILE + FRAMING,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Uses:
    services: KmsServices

    def use_seal(self, request: Request) -> Response:
        request.require_length()
        digest, fields = _document_digest(request)
        sealed = self.services.seal_using.use_seal(
            request.caller,
            request.args["seal_id"],
            document_digest=digest,
            purpose=fields.get("purpose", ""),
            document_class=fields.get("document_class", ""),
        )
        return json_response(sealed_record(sealed), 201)

    def stamp_document(self, request: Request) -> Response:
        content, stamping, given = _placed(request)
        standard, pades, fields = standard_of(given), pades_of(given), _said(given)
        sealed = self.services.seal_stamping.stamp_document(
            request.caller,
            request.args["seal_id"],
            StampRequest(
                content,
                stamping,
                fields.get("purpose", ""),
                standard,
                fields.get("document_class", ""),
                pades=pades,
            ),
        )
        return json_response(sealed_record(sealed), 201)

    def preview_stamp(self, request: Request) -> Response:
        content, stamping, _ = _placed(request)
        seen = self.services.seal_previews.preview_stamp(
            request.caller, request.args["seal_id"], content, stamping
        )
        return json_response(
            {
                "picture": in_base64(seen.picture),
                "page": seen.page,
                "pages": seen.pages,
                "blank": seen.blank,
            }
        )

    def list_uses(self, request: Request) -> Response:
        page = self.services.seal_using.list_uses(
            request.caller, request.args["seal_id"], wanted_page(request)
        )
        return page_response(page, use_record)

    def verify_seal(self, request: Request) -> Response:
        content, document = _judged(request)
        report = self.services.seal_verification.verify_seal(
            content, document, caller=request.remote
        )
        return json_response(report.to_record())

    def report_verdict(self, request: Request) -> Response:
        content, document = _judged(request)
        made = self.services.seal_verdicts.report_verdict(request.caller, content, document)
        return json_response(
            {"document": in_base64(made.document), "verdict": made.report.to_record()}
        )


def _judged(request: Request) -> tuple[bytes, bytes | None]:
    """Return the file that shall be verified, and what it was put on; raise ``Invalid``."""
    request.require_length()
    if is_multipart(request):
        files = request.files
        if "file" not in files:
            msg = "the part `file` is missing"
            raise Invalid(msg)
        document = files["document"].content if "document" in files else None
        return files["file"].content, document
    fields = request.json_object()
    document = decoded_field(fields, "document") if "document" in fields else None
    return decoded_field(fields, "file"), document


def _placed(request: Request) -> tuple[bytes, Stamping, Mapping[str, Any]]:
    """Return a document, where the seal goes, and the other fields; raise ``Invalid``."""
    request.require_length()
    if not is_multipart(request):
        given = request.json_object()
        return decoded_field(given, "document"), stamping_of(given), given
    fields, document = dict(request.form), request.files.get("document")
    if document is None:
        msg = "the part `document` is missing"
        raise Invalid(msg)
    return document.content, stamping_in_form(fields), fields


def _said(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that a use comes with; raise ``Invalid``."""
    return {name: text_field(fields, name) for name in _TEXTS if name in fields}


def _document_digest(request: Request) -> tuple[bytes, Mapping[str, str]]:
    """Return the SM3 of what shall be sealed, and the texts beside it."""
    if is_multipart(request):
        files = request.files
        if "document" not in files:
            msg = "the part `document` is missing"
            raise Invalid(msg)
        return _digest(files["document"].content), request.form
    fields = request.json_object()
    said = _said(fields)
    if ("document" in fields) == ("document_sm3" in fields):
        msg = "give either document (Base64) or document_sm3 (hex)"
        raise Invalid(msg)
    if "document" in fields:
        return _digest(decoded_field(fields, "document")), said
    text = text_field(fields, "document_sm3")
    try:
        digest = bytes.fromhex(text) if len(text) == _DIGEST_HEX else b""
    except ValueError:
        digest = b""
    return digest, said


def _digest(document: bytes) -> bytes:
    if len(document) > MAX_FILE:
        msg = f"a document is at most {MAX_FILE >> 20} MiB; send its document_sm3"
        raise TooLarge(msg)
    return sm3(document)
