"""``/api/v1/logs``: histogram, top terms and export of what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from detectors.models.search import ExportForm, ExportOptions
from detectors.service.logs.log_presentation import (
    EXPORT_TYPES,
    MAX_BYTES,
    MAX_EVENTS,
    export_headers,
    facet_json,
    histogram_json,
)
from detectors.service.logs.log_search import LogSearch
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import LOG_EXPORT, LOG_SEARCH
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.routes import Route

_FIELDS: Final = "event.action,event.outcome,user.name,source.ip"


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
        query = request.query
        form = query.get("format", "jsonl")
        columns = tuple(name for name in query.get("columns", "").split(",") if name)
        limit = _number("limit", query.get("limit", "10000"))
        found = self.search.gather_export(
            request.caller,
            (query.get("q", ""), _window(request)),
            ExportOptions(cast("ExportForm", form), limit, columns),
            max_events=MAX_EVENTS,
            max_bytes=MAX_BYTES,
        )
        return file_response(
            found.content, EXPORT_TYPES[form], f"logs.{form}", headers=export_headers(found)
        )


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
