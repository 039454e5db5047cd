"""SCIM 2.0 (RFC 7644): one table of routes for users, groups and what the server can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.models.scim import ScimAnswer
from iam.service import IamServices
from iam.service.scim.bulk import BulkRefused
from iam.service.scim.describing import BULK_BYTES
from iam.service.scim.rendering import etag, plain_error, refusal_of
from secops.kernel.errors import NotFound
from secops.kernel.permissions.iam import SCIM_PROVISION
from secops.web.messages import NO_STORE, Request, Response
from secops.web.problems import SCIM
from secops.web.routes import Access, Route, SignedIn

_KINDS: Final = {"Users": "user", "Groups": "group"}
_OWN: Final = SignedIn("the handler looks at the caller's own user alone", SCIM_PROVISION)
_DOCUMENTS: Final = {
    "ServiceProviderConfig": "service_provider_config",
    "ResourceTypes": "resource_types",
    "Schemas": "schemas",
}
Call = Callable[[Request], ScimAnswer]


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of the SCIM server."""
    made = [
        *_discovery(_Calls(services)),
        *(route for kind, word in _KINDS.items() for route in _resources(services, kind, word)),
    ]
    # an address nobody serves is refused in SCIM's form too
    calls = _Calls(services)
    everywhere = _route("POST", ".search", "scim_search", calls.search)
    bulk = _route("POST", "Bulk", "scim_bulk", calls.bulk, max_body=BULK_BYTES)
    me = _route("GET", "Me", "scim_get_me", calls.me, access=_OWN)
    rest = _route("GET", "<path:rest>", "scim_elsewhere", _nowhere)
    return (*made, everywhere, bulk, me, rest)


def _nowhere(request: Request) -> ScimAnswer:
    raise NotFound(f"nothing is at {request.path[:100]}")


def _route(
    method: str,
    path: str,
    operation: str,
    call: Call,
    *,
    access: Access = SCIM_PROVISION,
    **more: Any,
) -> Route:
    return Route(
        method=method,
        path=f"/scim/v2/{path}",
        operation=operation,
        access=access,
        form="scim",
        handler=_worded(call),
        **more,
    )


def _discovery(calls: _Calls) -> list[Route]:
    found = []
    for path, word in _DOCUMENTS.items():
        found.append(_route("GET", path, f"scim_list_{word}", calls.describing(path)))
        if path != "ServiceProviderConfig":
            one = f"{path}/<identifier>"
            found.append(_route("GET", one, f"scim_get_{word}", calls.describing(path)))
    return found


def _resources(services: IamServices, kind: str, word: str) -> list[Route]:
    scim, one = services.scim, f"{kind}/<identifier>"

    def search(request: Request) -> ScimAnswer:
        return scim.search(request.caller, kind, request.query)

    def create(request: Request) -> ScimAnswer:
        return scim.create(request.caller, kind, request.json_object())

    def get(request: Request) -> ScimAnswer:
        return scim.get(request.caller, kind, request.args["identifier"], request.query)

    def replace(request: Request) -> ScimAnswer:
        name, match = request.args["identifier"], request.headers.get("if-match", "")
        return scim.replace(request.caller, kind, name, request.json_object(), match=match)

    def patch(request: Request) -> ScimAnswer:
        name, match = request.args["identifier"], request.headers.get("if-match", "")
        return scim.patch(request.caller, kind, name, request.json_object(), match=match)

    def delete(request: Request) -> ScimAnswer:
        name, match = request.args["identifier"], request.headers.get("if-match", "")
        return scim.delete(request.caller, kind, name, match=match)

    def search_by_body(request: Request) -> ScimAnswer:
        return scim.search(request.caller, kind, request.json_object())

    return [
        _route("POST", f"{kind}/.search", f"scim_search_{word}s", search_by_body),
        _route("GET", kind, f"scim_list_{word}s", search),
        _route("POST", kind, f"scim_create_{word}", create),
        _route("GET", one, f"scim_get_{word}", get),
        _route("PUT", one, f"scim_replace_{word}", replace),
        _route("PATCH", one, f"scim_patch_{word}", patch),
        _route("DELETE", one, f"scim_delete_{word}", delete),
    ]


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def search(self, request: Request) -> ScimAnswer:
        """Search users and groups."""
        return self.services.scim.search_all(request.caller, request.json_object())

    def bulk(self, request: Request) -> ScimAnswer:
        """Carry out many operations."""
        return self.services.scim_bulk.bulk(request.caller, request.json_object())

    def me(self, request: Request) -> ScimAnswer:
        """Return the caller's own user."""
        return self.services.scim.me(request.caller, request.query)

    def describing(self, path: str) -> Call:
        """Return what answers a discovery endpoint."""

        def call(request: Request) -> ScimAnswer:
            identifier = request.args.get("identifier")
            return self.services.scim.describe(request.caller, path, identifier)

        return call


def _worded(call: Call) -> Callable[[Request], Response]:
    """Return a handler that answers and refuses in SCIM's form."""

    def handler(request: Request) -> Response:
        try:
            answer = call(request)
        except BulkRefused as error:
            return _response(error.status, plain_error(error.status, str(error)))
        except Exception as error:
            told = refusal_of(error)
            if told is None:
                raise
            return _response(*told)
        return _answered(request, answer)

    return handler


def _answered(request: Request, answer: ScimAnswer) -> Response:
    headers: list[tuple[str, str]] = []
    if answer.version is not None:
        tag = etag(answer.version)
        if request.method == "GET" and request.headers.get("if-none-match") == tag:
            return Response(304, (("etag", tag), NO_STORE))
        headers.append(("etag", tag))
    if answer.status == 201:  # noqa: PLR2004 - Created
        headers.append(("location", answer.location))
    return _response(answer.status, answer.body, headers)


def _response(status: int, body: Any, headers: list[tuple[str, str]] | None = None) -> Response:
    content = b"" if body is None else orjson.dumps(body)
    kind = [("content-type", SCIM)] if content else []
    return Response(status, (*kind, NO_STORE, *(headers or [])), content)
