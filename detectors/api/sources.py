"""``/api/v1/logs/sources``: registered sources, and how every source fares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from detectors.models.logs import CHANGEABLE, LogSource, SourceChanges
from detectors.service.logs.log_presentation import source_json
from detectors.service.logs.sources import SourceService
from detectors.service.watching.source_watch import SourceWatch, view_record
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import LOG_SOURCE_CHANGE, LOG_SOURCE_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, Schema

_PATH: Final = "/api/v1/logs/sources"
_TEXT: Final = {"type": "string", "maxLength": 4096}
_PROPERTIES: Final[dict[str, Any]] = {
    "format": _TEXT,
    "timezone": _TEXT,
    "encoding": _TEXT,
    "path": _TEXT,
    "follow": {"type": "boolean"},
    "owner": _TEXT,
    "expected_silence": {"type": "integer", "minimum": 10},
    "peers": _TEXT,
    "hosts": _TEXT,
}
_SOURCE: Final = Schema(
    "LogSource",
    {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "maxLength": 200}, **_PROPERTIES},
        "additionalProperties": False,
    },
)
_CHANGES: Final = Schema(
    "LogSourceChanges",
    {"type": "object", "properties": _PROPERTIES, "additionalProperties": False},
)
_NULLABLE: Final = frozenset({"encoding", "path", "expected_silence"})


@dataclass(frozen=True, slots=True)
class _Handlers:
    sources: SourceService
    watch: SourceWatch

    def list_sources(self, request: Request) -> Response:
        found = self.sources.list_sources(request.caller)
        return json_response({"items": [source_json(s) for s in found], "next": None})

    def list_source_health(self, request: Request) -> Response:
        found = self.watch.list_health(request.caller)
        return json_response({"items": [view_record(view) for view in found], "next": None})

    def add_source(self, request: Request) -> Response:
        document = request.json_object()
        name = document.pop("name", "")
        if not isinstance(name, str):
            msg = "name is a text"
            raise Invalid(msg)
        source = LogSource(name, request.caller.org_id, "auto", "Asia/Shanghai")
        source = SourceChanges(_checked(document)).of(source)
        return json_response(source_json(self.sources.add_source(request.caller, source)), 201)

    def change_source(self, request: Request) -> Response:
        changes = SourceChanges(_checked(request.json_object()))
        changed = self.sources.change_source(request.caller, request.args["name"], changes)
        return json_response(source_json(changed))

    def remove_source(self, request: Request) -> Response:
        self.sources.remove_source(request.caller, request.args["name"])
        return Response(204)


def source_routes(sources: SourceService, watch: SourceWatch) -> tuple[Route, ...]:
    """Return the routes of sources."""
    to = _Handlers(sources, watch)
    one = f"{_PATH}/<name>"
    return (
        _route("GET", _PATH, "list_sources", to.list_sources, listing=True),
        _route(
            "GET", "/api/v1/logs/health", "list_source_health", to.list_source_health, listing=True
        ),
        _route("POST", _PATH, "add_source", to.add_source, request=_SOURCE),
        _route("PATCH", one, "change_source", to.change_source, request=_CHANGES),
        _route("DELETE", one, "remove_source", to.remove_source),
    )


def _route(method: str, path: str, operation: str, handler: Any, **more: Any) -> Route:
    return Route(
        method=method,
        path=path,
        operation=operation,
        access=LOG_SOURCE_READ if method == "GET" else LOG_SOURCE_CHANGE,
        handler=handler,
        **more,
    )


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that people may write; raise ``Invalid`` for others."""
    for name, value in document.items():
        kind = CHANGEABLE.get(name)
        if kind is None or not (type(value) is kind or (value is None and name in _NULLABLE)):
            msg = f"{name[:40]!r} is not a property of a source, or not of its type"
            raise Invalid(msg)
    return document
