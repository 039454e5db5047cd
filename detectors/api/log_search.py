"""``/api/v1/logs``: histogram, top terms and export of what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from detectors.models.search import ExportForm, ExportOptions
from detectors.service.log_presentation import facet_json, histogram_json
from detectors.service.log_search import LogSearch
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import LOG_EXPORT, LOG_SEARCH
from secops.web.messages import NO_STORE, Request, Response, json_response
from secops.web.routes import Route

MAX_BYTES: Final = 32 << 20
"""An answer over HTTP ends with the piece that reaches it; the command line has no such end."""
_FIELDS: Final = "event.action,event.outcome,user.name,source.ip"
_MAX_EVENTS: Final = 50_000
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class _Handlers:
    search: LogSearch

    def histogram_logs(self, request: Request) -> Response:
        query = request.query
        step = None if "interval" not in query else _number("interval", query["interval"])
        found = self.search.histogram_logs(
            request.caller, query.get("q", ""), window=_window(request), step=step
        )
        return json_response(histogram_json(found))

    def top_terms(self, request: Request) -> Response:
        query = request.query
        found = self.search.top_terms(
            request.caller,
            query.get("q", ""),
            [name for name in query.get("fields", _FIELDS).split(",") if name],
            window=_window(request),
            limit=_number("limit", query.get("limit", "10")),
        )
        return json_response({"items": [facet_json(facet) for facet in found], "next": None})

    def export_logs(self, request: Request) -> Response:
        return export_response(self.search, request, request.query.get("format", "jsonl"))


def export_response(search: LogSearch, request: Request, form: str) -> Response:
    """Return what the search finds as a file; headers say how many, and whether it was cut."""
    query = request.query
    limit = _number("limit", query.get("limit", "10000"))
    if limit > _MAX_EVENTS:
        msg = f"at most {_MAX_EVENTS} events over HTTP; the command line exports more"
        raise Invalid(msg)
    columns = tuple(name for name in query.get("columns", "").split(",") if name)
    options = ExportOptions(cast("ExportForm", form), limit, columns)
    parts = search.export_logs(request.caller, query.get("q", ""), options, window=_window(request))
    content, rows, is_cut = bytearray(), 0, False
    for part in parts:
        content += part.content
        rows, is_cut = part.rows, part.is_cut
        if len(content) > MAX_BYTES:
            is_cut = True
            break
    headers = (
        ("content-type", _TYPES[form]),
        ("content-disposition", f'attachment; filename="logs.{form}"'),
        ("x-exported-events", str(rows)),
        ("x-export-cut", "true" if is_cut else "false"),
        NO_STORE,
    )
    return Response(200, headers, bytes(content))


def search_routes(search: LogSearch) -> tuple[Route, ...]:
    """Return the routes."""
    to = _Handlers(search)
    return (
        _get("histogram", "histogram_logs", LOG_SEARCH, to.histogram_logs),
        _get("terms", "top_terms", LOG_SEARCH, to.top_terms, listing=True),
        _get("export", "export_logs", LOG_EXPORT, to.export_logs),
    )


def _get(path: str, operation: str, access: Any, handler: Any, *, listing: bool = False) -> Route:
    return Route(
        method="GET",
        path=f"/api/v1/logs/{path}",
        operation=operation,
        access=access,
        handler=handler,
        listing=listing,
    )


def _window(request: Request) -> tuple[str | None, str | None]:
    return request.query.get("since"), request.query.get("until")


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len("10000000"):
        msg = f"{name} is a number"
        raise Invalid(msg)
    return int(text)
