"""The OpenAPI 3.1 description, made from the route tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from secops.web.routes import Public, Route, SignedIn

_VARIABLE: Final = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_ORDINARY: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
PROBLEM: Final = {
    "type": "object",
    "required": ["title", "status", "code", "detail", "remedy", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "request_id": {"type": "string"},
    },
}


def _refusal(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "refused", "content": {media: {"schema": schema}}}


_REFUSALS: Final[dict[str, dict[str, Any]]] = {
    "problem": _refusal("application/problem+json", {"$ref": "#/components/schemas/Problem"}),
    "oauth": _refusal("application/json", {"type": "object", "required": ["error"]}),
    "vault": _refusal("application/json", {"type": "object", "required": ["errors"]}),
    "elastic": _refusal("application/json", {"type": "object", "required": ["error", "status"]}),
    "scim": _refusal(
        "application/scim+json", {"type": "object", "required": ["schemas", "status"]}
    ),
    "plain": _refusal("text/html", {"type": "string"}),
}
"""How each form of a route words a refusal (``Form``)."""


def describe(routes: Sequence[Route], *, version: str, server: str) -> dict[str, Any]:
    """Return the description of all ``routes`` that are not pages.

    Methods outside HTTP's usual ones (Vault's LIST) are named in ``x-also``.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    for route in routes:
        if route.page:
            continue
        path = _VARIABLE.sub(r"{\1}", route.path)
        entry = paths.setdefault(path, {})
        if route.method not in _ORDINARY:
            entry["x-also"] = {route.method: route.operation}
            continue
        entry[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "govsecops", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "rp_session"},
                "client": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _VARIABLE.findall(route.path)
        ],
        "responses": {"2XX": _answer(route, schemas), **_refusals(route)},
        "security": _security(route),
        "x-access": _access(route),
    }
    if route.listing:
        operation["parameters"] += [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}},
        ]
    if route.request is not None:
        schemas[route.request.name] = route.request.schema
        operation["requestBody"] = {"content": _content(route.request.name)}
    return operation


def _answer(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.response is None:
        return {"description": "done"}
    schemas[route.response.name] = route.response.schema
    return {"description": "done", "content": _content(route.response.name)}


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _refusals(route: Route) -> dict[str, Any]:
    """Return what may come instead of the answer: no other status is ever sent."""
    statuses = {400, 403, 429, 503}
    if not isinstance(route.access, Public):
        statuses.add(401)
    # Vault: GET of a list without ``list=true``; SCIM: a caller without a user of their own
    if "<" in route.path or route.absent or route.form in ("vault", "scim"):
        statuses.add(404)
    if route.method not in ("GET", "HEAD"):
        statuses |= {401, 404, 409, 411, 413, 415, 422}
    return {str(status): _REFUSALS[route.form] for status in sorted(statuses)}


def _security(route: Route) -> list[dict[str, list[str]]]:
    if isinstance(route.access, Public):
        return []
    pairs = {"either": ("token", "session"), "client": ("token", "client")}
    kinds = pairs.get(route.credential, (route.credential,))
    return [{kind: []} for kind in kinds]


def _access(route: Route) -> str:
    if isinstance(route.access, Public):
        return f"public: {route.access.because}"
    if isinstance(route.access, SignedIn):
        return f"signed in: {route.access.because}"
    return str(route.access)
