"""``/api/v1/logs``: search, count, one event, sources, and batches that integrators send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from detectors.models.logs import IngestOptions
from detectors.service.logs.log_integrity import LogIntegrity
from detectors.service.logs.log_presentation import (
    bucket_json,
    event_json,
    summary_json,
    verdict_json,
)
from detectors.service.logs.logs import LogService
from secops.kernel.errors import Invalid
from secops.kernel.logs import Aggregation
from secops.kernel.pages import encode_cursor
from secops.kernel.permissions.detectors import (
    LOG_INGEST,
    LOG_SEARCH,
    LOG_SOURCE_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

MAX_BATCH: Final = 16 << 20
_MAX_FIELDS: Final = 3
_MAX_BUCKETS: Final = 1_000
_LINES: Final = Schema("LogLines", {"type": "string", "description": "log lines, LF between them"})


@dataclass(frozen=True, slots=True)
class _Handlers:
    logs: LogService
    integrity: LogIntegrity

    def search_logs(self, request: Request) -> Response:
        query = request.query
        page = wanted_page(request)
        found = self.logs.search_logs(
            request.caller,
            query.get("q", ""),
            window=(query.get("since"), query.get("until")),
            limit=page.limit + 1,
            before=page.key(int, int),
        )
        rows = found[: page.limit]
        following = None
        if len(found) > page.limit:
            following = encode_cursor((rows[-1].event.at, rows[-1].seq))
        return json_response({"items": [event_json(row) for row in rows], "next": following})

    def count_logs(self, request: Request) -> Response:
        query = request.query
        buckets = self.logs.count_logs(
            request.caller,
            query.get("q", ""),
            _aggregation(query.get("by", ""), query.get("interval")),
            window=(query.get("since"), query.get("until")),
        )
        return json_response({"items": [bucket_json(b) for b in buckets], "next": None})

    def show_event(self, request: Request) -> Response:
        found = self.logs.show_event(request.caller, request.args["event_id"])
        return json_response(event_json(found))

    def ingest_lines(self, request: Request) -> Response:
        request.require_length()
        query = request.query
        accepted = self.logs.ingest_lines(
            request.caller,
            query.get("source", ""),
            request.body,
            IngestOptions(
                format=query.get("format", "auto"),
                timezone=query.get("timezone"),
                encoding=query.get("encoding"),
            ),
            batch=query.get("batch", "")[:100],
        )
        answer = {"accepted": accepted.accepted, "rejected": accepted.rejected}
        return json_response(answer, 202)

    def verify_segments(self, request: Request) -> Response:
        return json_response(verdict_json(self.integrity.verify_segments(request.caller)))

    def summarise_sources(self, request: Request) -> Response:
        found = self.logs.summarise_sources(request.caller)
        return json_response({"items": [summary_json(s) for s in found], "next": None})


def log_routes(logs: LogService, integrity: LogIntegrity) -> tuple[Route, ...]:
    """Return the routes under ``/api/v1/logs``."""
    to = _Handlers(logs, integrity)
    return (
        _get("search", "search_logs", LOG_SEARCH, to.search_logs, listing=True),
        _get("count", "count_logs", LOG_SEARCH, to.count_logs, listing=True),
        _get("events/<event_id>", "show_event", LOG_SEARCH, to.show_event),
        _get("summary", "summarise_sources", LOG_SOURCE_READ, to.summarise_sources, listing=True),
        Route(
            method="POST",
            path="/api/v1/logs/verify",
            operation="verify_segments",
            access=LOG_SEARCH,
            handler=to.verify_segments,
        ),
        Route(
            method="POST",
            path="/api/v1/logs/ingest",
            operation="ingest_lines",
            access=LOG_INGEST,
            handler=to.ingest_lines,
            request=_LINES,
            max_body=MAX_BATCH,
        ),
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


def _aggregation(fields: str, interval: str | None) -> Aggregation:
    names = tuple(name for name in fields.split(",") if name)
    if len(names) > _MAX_FIELDS:
        msg = f"by takes at most {_MAX_FIELDS} fields"
        raise Invalid(msg)
    if interval is not None and not (
        interval.isascii() and interval.isdigit() and int(interval[:9]) > 0
    ):
        msg = "interval is a number of seconds"
        raise Invalid(msg)
    seconds = None if interval is None else int(interval[:9])
    return Aggregation(names, seconds, _MAX_BUCKETS)
