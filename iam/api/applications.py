"""Applications as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from iam.api.shapes import Table, client_shape, number, schema, text, texts
from iam.models.clients import TOKEN_ALGORITHMS, IssuedClient, NewClient
from iam.models.real_name import DEMANDS, NO_DEMAND
from iam.service import IamServices
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import CLIENT_CREATE, CLIENT_READ, ROLE_ASSIGN
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_LIST = {"type": "array", "items": {"type": "string"}}
_ROLE = schema("RoleRequest", ("role",), role={})
_NEW = schema(
    "NewClient",
    ("id",),
    id={},
    name={},
    redirect_uris=_LIST,
    logout_uris=_LIST,
    grants=_LIST,
    scopes=_LIST,
    audiences=_LIST,
    public={"type": "boolean"},
    assertion_alg={},
    jwks={"type": "object"},
    jwks_uri={},
    profile={"enum": ["standard", "fapi2"]},
    dpop_bound={"type": "boolean"},
    par_required={"type": "boolean"},
    level={"type": "integer"},
    max_age={"type": "integer", "description": "seconds"},
    real_name_level={"enum": list(DEMANDS)},
    back_channel_uri={},
    sector={},
    token_alg={"enum": list(TOKEN_ALGORITHMS)},
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for administrators of applications."""
    calls = _Calls(services)
    one = "/clients/<client>"
    table = Table()
    add = table.add
    add("GET /clients", "list_clients", CLIENT_READ, calls.list_all)
    add("POST /clients", "create_client", CLIENT_CREATE, calls.create, request=_NEW)
    add(f"POST {one}/secret", "rotate_client_secret", CLIENT_CREATE, calls.rotate)
    add(f"DELETE {one}", "disable_client", CLIENT_CREATE, calls.disable)
    add(f"POST {one}/roles", "assign_client_role", ROLE_ASSIGN, calls.assign, request=_ROLE)
    add(f"DELETE {one}/roles/<role>", "revoke_client_role", ROLE_ASSIGN, calls.revoke)
    return tuple(table.routes)


def _issued(issued: IssuedClient, status: int) -> Response:
    return json_response({**client_shape(issued.client), "secret": issued.secret}, status)


def _demands(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return how it authenticates and what it demands, as fields of ``NewClient``."""
    profile = text(body, "profile", "standard")
    if profile not in ("standard", "fapi2"):
        msg = "profile is standard or fapi2"
        raise Invalid(msg)
    keys = body.get("jwks")
    if keys is not None and not isinstance(keys, dict):
        msg = "jwks is a JWK set"
        raise Invalid(msg)
    texts_given = ("assertion_alg", "jwks_uri", "back_channel_uri", "sector", "token_alg")
    return {
        **{name: text(body, name) for name in texts_given if body.get(name) is not None},
        "jwks": None if keys is None else orjson.dumps(keys).decode(),
        "profile": profile,
        "dpop_bound": body.get("dpop_bound") is True,
        "par_required": body.get("par_required") is True,
        "level": number(body, "level") if "level" in body else 1,
        "max_age": number(body, "max_age") if body.get("max_age") is not None else None,
        "real_name_level": text(body, "real_name_level", NO_DEMAND),
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.clients.list_clients(request.caller, asked)
        return page_response(page, client_shape)

    def create(self, request: Request) -> Response:
        body = request.json_object()
        new = NewClient(
            id=text(body, "id"),
            name=text(body, "name", ""),
            redirect_uris=texts(body, "redirect_uris"),
            grants=frozenset(texts(body, "grants")) or frozenset({"client_credentials"}),
            scopes=frozenset(texts(body, "scopes")),
            audiences=texts(body, "audiences"),
            logout_uris=texts(body, "logout_uris"),
            public=body.get("public") is True,
            **_demands(body),
        )
        return _issued(self.services.clients.create_client(request.caller, new), 201)

    def rotate(self, request: Request) -> Response:
        client = request.args["client"]
        return _issued(self.services.clients.rotate_secret(request.caller, client), 200)

    def disable(self, request: Request) -> Response:
        reason = request.query.get("reason", "")
        self.services.clients.disable_client(request.caller, request.args["client"], reason)
        return Response(204)

    def assign(self, request: Request) -> Response:
        role = text(request.json_object(), "role")
        self.services.roles.assign_client_role(request.caller, request.args["client"], role)
        return Response(204)

    def revoke(self, request: Request) -> Response:
        self.services.roles.revoke_client_role(
            request.caller, request.args["client"], request.args["role"]
        )
        return Response(204)
