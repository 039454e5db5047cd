"""``/api/v1/logs/_bulk`` and what Elasticsearch's clients ask before they ship.

A shipper is told to send to ``https://HOST/api/v1/logs`` and finds there as much of
Elasticsearch 8 as it needs to deliver, and nothing to search with: no index, template or policy
is kept, and what asks for one is told that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from detectors.service.logs.shipping import ShippingService
from secops.kernel.permissions.detectors import LOG_INGEST
from secops.web.messages import Request, Response, json_response
from secops.web.problems import ELASTIC
from secops.web.routes import Route, Schema

PREFIX: Final = "/api/v1/logs"
MAX_BULK: Final = 16 << 20
SPOKEN: Final = "8.19.0"
"""The version whose bulk form is spoken; shippers compare it with their own."""
_DOCUMENTS: Final = Schema(
    "BulkBody", {"type": "string", "description": "NDJSON: action and document, LF after each"}
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    shipping: ShippingService

    def ship_logs(self, request: Request) -> Response:
        request.require_length()
        query = request.query
        answer = self.shipping.ship_logs(
            request.caller,
            request.body,
            index=request.args.get("index"),
            pipeline=query.get("pipeline"),
            encoding=request.headers.get("content-encoding", "").strip().lower(),
        )
        return _elastic({"took": answer.took, "errors": answer.errors, "items": answer.items})

    def describe_bulk(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        version = {
            "number": SPOKEN,
            "build_flavor": "default",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        }
        return _elastic(
            {
                "name": "govsecops",
                "cluster_name": "govsecops",
                "version": version,
                "tagline": "You Know, for Search",
            }
        )

    def show_bulk_licence(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        licence = {"status": "active", "type": "basic", "mode": "basic", "uid": "govsecops"}
        return _elastic({"license": licence})

    def show_bulk_features(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        off = {"available": False, "enabled": False}
        licence = {"status": "active", "type": "basic", "mode": "basic"}
        return _elastic({"license": licence, "features": {"ilm": off, "security": off}})

    def show_bulk_health(self, request: Request) -> Response:  # noqa: ARG002 - below
        self.shipping.require_room()
        return _elastic({"cluster_name": "govsecops", "status": "green", "timed_out": False})


def bulk_routes(shipping: ShippingService) -> tuple[Route, ...]:
    """Return the routes that shippers use."""
    to = _Handlers(shipping)
    return (
        _route("POST", "/_bulk", "ship_logs", to.ship_logs),
        _route("PUT", "/_bulk", "ship_logs_put", to.ship_logs),
        _route("POST", "/<index>/_bulk", "ship_logs_to", to.ship_logs),
        _route("PUT", "/<index>/_bulk", "ship_logs_to_put", to.ship_logs),
        _route("GET", "/", "describe_bulk", to.describe_bulk),
        _route("GET", "/_license", "show_bulk_licence", to.show_bulk_licence),
        _route("GET", "/_xpack", "show_bulk_features", to.show_bulk_features),
        _route("GET", "/_cluster/health", "show_bulk_health", to.show_bulk_health),
    )


def _route(method: str, path: str, operation: str, handler: Any) -> Route:
    ships = path.endswith("_bulk")
    return Route(
        method=method,
        path=PREFIX + path,
        operation=operation,
        access=LOG_INGEST,
        handler=handler,
        request=_DOCUMENTS if ships else None,
        form="elastic",
        credential="client",
        max_body=MAX_BULK if ships else 0,
    )


def _elastic(document: dict[str, Any]) -> Response:
    return json_response(document, headers=(ELASTIC,))
