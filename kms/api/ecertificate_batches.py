"""Batches of e-certificates over HTTP: /api/v1/kms/ecertificate-batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.api.ecertificate_records import (
    BATCH,
    BATCH_CHECK,
    BATCH_PAGE,
    CHECK_BATCH,
    ORDER_BATCH,
    ROW_PAGE,
    batch_record,
    row_record,
)
from kms.api.seal_records import text_field
from kms.service import KmsServices
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    ECERTIFICATE_ISSUE,
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
)
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

BATCHES: Final = "/api/v1/kms/ecertificate-batches"
_MAX_ROWS_BODY: Final = 9 << 20
"""4 MiB of rows may take twice that much as JSON text."""
_MAX_PART: Final = 3


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of batches."""
    handlers = _Batches(services)
    return (*_ordering(handlers), *_looking(handlers))


def _ordering(handlers: _Batches) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=f"{BATCHES}/check",
            operation="check_ecertificate_batch",
            access=ECERTIFICATE_ISSUE,
            handler=handlers.check_ecertificate_batch,
            request=CHECK_BATCH,
            response=BATCH_CHECK,
            max_body=_MAX_ROWS_BODY,
        ),
        Route(
            method="POST",
            path=BATCHES,
            operation="order_ecertificate_batch",
            access=ECERTIFICATE_ISSUE,
            handler=handlers.order_ecertificate_batch,
            request=ORDER_BATCH,
            response=BATCH,
            max_body=_MAX_ROWS_BODY,
            level=2,
            fresh_seconds=FRESH_SECONDS,
        ),
        Route(
            method="POST",
            path=f"{BATCHES}/<batch_id>/resume",
            operation="resume_ecertificate_batch",
            access=ECERTIFICATE_ISSUE,
            handler=handlers.resume_ecertificate_batch,
            response=BATCH,
            level=2,
            fresh_seconds=FRESH_SECONDS,
        ),
        Route(
            method="POST",
            path=f"{BATCHES}/<batch_id>/cancel",
            operation="cancel_ecertificate_batch",
            access=ECERTIFICATE_ISSUE,
            handler=handlers.cancel_ecertificate_batch,
            response=BATCH,
        ),
    )


def _looking(handlers: _Batches) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=BATCHES,
            operation="list_ecertificate_batches",
            access=ECERTIFICATE_READ,
            handler=handlers.list_ecertificate_batches,
            response=BATCH_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{BATCHES}/<batch_id>",
            operation="show_ecertificate_batch",
            access=ECERTIFICATE_READ,
            handler=handlers.show_ecertificate_batch,
            response=BATCH,
        ),
        Route(
            method="GET",
            path=f"{BATCHES}/<batch_id>/rows",
            operation="list_ecertificate_rows",
            access=ECERTIFICATE_READ,
            handler=handlers.list_ecertificate_rows,
            response=ROW_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{BATCHES}/<batch_id>/files/<part>",
            operation="zip_ecertificate_batch",
            access=ECERTIFICATE_OPEN,
            handler=handlers.zip_ecertificate_batch,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Batches:
    services: KmsServices

    def check_ecertificate_batch(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        check = self.services.ecertificates.batches.check_ecertificate_batch(
            request.caller, text_field(fields, "template_id"), text_field(fields, "rows").encode()
        )
        problems = [
            {"row": each.row, "field": each.field, "why": {"zh": each.why.zh, "en": each.why.en}}
            for each in check.problems
        ]
        return json_response({"total": check.total, "problems": problems})

    def order_ecertificate_batch(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        batch = self.services.ecertificates.batches.order_ecertificate_batch(
            request.caller,
            text_field(fields, "template_id"),
            text_field(fields, "rows").encode(),
            name=text_field(fields, "name"),
        )
        return self._shown(request, batch.id, 201)

    def resume_ecertificate_batch(self, request: Request) -> Response:
        batch_id = request.args["batch_id"]
        self.services.ecertificates.batches.resume_ecertificate_batch(request.caller, batch_id)
        return self._shown(request, batch_id)

    def cancel_ecertificate_batch(self, request: Request) -> Response:
        batch_id = request.args["batch_id"]
        self.services.ecertificates.batches.cancel_ecertificate_batch(request.caller, batch_id)
        return self._shown(request, batch_id)

    def list_ecertificate_batches(self, request: Request) -> Response:
        page = self.services.ecertificates.batches.list_ecertificate_batches(
            request.caller, wanted_page(request)
        )
        return page_response(page, lambda pair: batch_record(*pair))

    def show_ecertificate_batch(self, request: Request) -> Response:
        return self._shown(request, request.args["batch_id"])

    def list_ecertificate_rows(self, request: Request) -> Response:
        page = self.services.ecertificates.batches.list_ecertificate_rows(
            request.caller, request.args["batch_id"], wanted_page(request)
        )
        return page_response(page, row_record)

    def zip_ecertificate_batch(self, request: Request) -> Response:
        part, batch_id = request.args["part"], request.args["batch_id"]
        if not part.isascii() or not part.isdigit() or len(part) > _MAX_PART:
            msg = "a part is a number from 1 on"
            raise Invalid(msg)
        content = self.services.ecertificates.batches.zip_ecertificate_batch(
            request.caller, batch_id, int(part)
        )
        return file_response(content, "application/zip", f"{batch_id}-{int(part)}.zip")

    def _shown(self, request: Request, batch_id: str, status: int = 200) -> Response:
        found = self.services.ecertificates.batches.show_ecertificate_batch(
            request.caller, batch_id
        )
        record = batch_record(found.batch, found.task) | {"counts": dict(found.counts)}
        return json_response(record, status)
