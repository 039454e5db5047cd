"""Records of evidence over HTTP: the document is the body, what it is stands in the query."""

from __future__ import annotations

from typing import Final

from audits.api.bodies import MAX_INTEGER, body_of, body_schema
from audits.models.records import NewRecord, RecordFilter
from audits.service.records.documents import download_name, record_document
from audits.service.records.records import MAX_DOCUMENT, RecordService
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import READ_RECORDS, WRITE_RECORDS
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/records"
_PARTS: Final = frozenset(
    {
        "kind", "title", "held_on", "filename", "system_id", "evidence_kind", "person", "note",
        "items", "expires_on",
    }
)  # fmt: skip
_FILTERS: Final = ("kind", "system_id", "item", "state")
_WITHDRAWAL: Final = body_schema(
    "RecordWithdrawal",
    ("version", "reason"),
    version={"type": "integer", "minimum": 1, "maximum": MAX_INTEGER},
    reason={"type": "string", "maxLength": 500},
)


class _Records:
    def __init__(self, records: RecordService) -> None:
        self._records = records

    def add_record(self, request: Request) -> Response:
        query = dict(request.query)
        unknown = set(query) - _PARTS
        missing = {"kind", "title", "held_on", "filename"} - set(query)
        if unknown or missing:
            raise Invalid(f"{min(unknown or missing)[:60]} is no parameter, or missing")
        items = tuple(query.pop("items", "").split(";"))
        new = NewRecord(**query, items=items)
        record = self._records.add_record(request.caller, new, request.body)
        return json_response(
            record_document(self._records.show_record(request.caller, record.id)), 201
        )

    def list_records(self, request: Request) -> Response:
        query = request.query
        wanted = RecordFilter(**{name: query.get(name, "") for name in _FILTERS})
        page = self._records.list_records(request.caller, wanted, wanted_page(request))
        return page_response(page, record_document)

    def show_record(self, request: Request) -> Response:
        view = self._records.show_record(request.caller, request.args["record_id"])
        return json_response(record_document(view))

    def read_record(self, request: Request) -> Response:
        record, content = self._records.read_record(request.caller, request.args["record_id"])
        return file_response(content, record.media_type, download_name(record))

    def withdraw_record(self, request: Request) -> Response:
        body, record_id = body_of(request, _WITHDRAWAL), request.args["record_id"]
        self._records.withdraw_record(request.caller, record_id, body["version"], body["reason"])
        view = self._records.show_record(request.caller, record_id)
        return json_response(record_document(view))


def records_routes(records: RecordService) -> tuple[Route, ...]:
    """Return the routes of records."""
    here = _Records(records)
    one = f"{_BASE}/<record_id>"
    return (
        named_route("GET", _BASE, READ_RECORDS, here.list_records, listing=True),
        named_route("POST", _BASE, WRITE_RECORDS, here.add_record, max_body=MAX_DOCUMENT),
        named_route("GET", one, READ_RECORDS, here.show_record),
        named_route("GET", f"{one}/content", READ_RECORDS, here.read_record),
        named_route(
            "POST",
            f"{one}/withdrawal",
            WRITE_RECORDS,
            here.withdraw_record,
            request=_WITHDRAWAL,
        ),
    )
