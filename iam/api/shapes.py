"""Reading JSON bodies field by field, and how things of this plane look as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from iam.models.accounts import (
    Account,
    AccountQuery,
    DocumentType,
    IdentityDocument,
    IssuedEnrolment,
)
from iam.models.clients import Client
from iam.models.sessions import OpSession
from secops.kernel.clock import SECOND, rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.web.limits import MAX_BODY
from secops.web.messages import Request, Response
from secops.web.routes import Access, Credential, Route, Schema

MAX_TEXT: Final = 500
_DOCUMENTS: Final[tuple[DocumentType, ...]] = ("cn-id", "passport", "other")
_TEXT: Final = {"type": "string"}


def text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a text of at most 500 characters; raise ``Invalid`` for anything else."""
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        msg = f"{name} must be a text of at most {MAX_TEXT} characters"
        raise Invalid(msg)
    return value


def number(body: Mapping[str, Any], name: str) -> int:
    """Return a whole number; raise ``Invalid`` for anything else."""
    value = body.get(name)
    if type(value) is not int:
        msg = f"{name} must be a whole number"
        raise Invalid(msg)
    return value


def instant(body: Mapping[str, Any], name: str) -> int:
    """Return UTC seconds since 1970 as microseconds; raise ``Invalid`` for anything else."""
    return number(body, name) * SECOND


def instant_or_none(body: Mapping[str, Any], name: str) -> int | None:
    """Return ``instant``, None where the member is missing."""
    return instant(body, name) if name in body else None


def texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts, empty if it is missing; raise ``Invalid`` for anything else."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(
        isinstance(item, str) and len(item) <= 2 * MAX_TEXT for item in value
    ):
        msg = f"{name} must be a list of texts"
        raise Invalid(msg)
    return tuple(value)


def document(body: Mapping[str, Any]) -> IdentityDocument | None:
    """Return the identity document in ``document``: {"type", "number"}."""
    value = body.get("document")
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") not in _DOCUMENTS:
        msg = f"document.type is one of {', '.join(_DOCUMENTS)}"
        raise Invalid(msg)
    return IdentityDocument(value["type"], text(value, "number"))


def account_shape(account: Account, roles: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return an account as JSON."""
    signed_in = account.last_sign_in
    return {
        "id": account.id,
        "name": account.name,
        "kind": account.kind,
        "state": account.state,
        "org": account.org_id,
        "roles": sorted(roles),
        "created_at": to_rfc3339(account.created_at),
        "last_sign_in": rfc3339_or_none(signed_in),
        "erased_at": rfc3339_or_none(account.erased_at),
    }


def account_query(query: Mapping[str, str]) -> AccountQuery:
    """Return what a list of accounts is asked for in a query string."""
    order = query.get("order", "created")
    orders = {"created": "created", "name": "name", "sign_in": "sign_in"}
    if order not in orders:
        msg = f"order is one of {', '.join(orders)}"
        raise Invalid(msg)
    return AccountQuery(
        text=query.get("q", "")[:MAX_TEXT],
        state=query.get("state", ""),
        kind=query.get("kind", ""),
        role=query.get("role", ""),
        organisation_id=query.get("organisation", ""),
        order=order,  # type: ignore[arg-type] # one of the three
    )


def enrolment_shape(enrolment: IssuedEnrolment) -> dict[str, Any]:
    """Return an enrolment as it is handed out, once."""
    return {
        "account": enrolment.account_name,
        "token": enrolment.token,
        "expires_at": to_rfc3339(enrolment.expires_at),
    }


def session_shape(session: OpSession) -> dict[str, Any]:
    """Return a session as JSON."""
    return {
        "id": session.id,
        "account": session.account_id,
        "acr": session.acr,
        "amr": list(session.amr),
        "address": session.address,
        "signed_in_at": to_rfc3339(session.auth_time),
        "last_seen": to_rfc3339(session.last_seen),
        "expires_at": to_rfc3339(session.expires_at),
    }


def client_shape(client: Client) -> dict[str, Any]:
    """Return an application as JSON, without its secret."""
    return {
        "id": client.id,
        "name": client.name,
        "public": client.public,
        "redirect_uris": list(client.redirect_uris),
        "logout_uris": list(client.logout_uris),
        "grants": sorted(client.grants),
        "scopes": sorted(client.scopes),
        "audiences": list(client.audiences),
        "roles": sorted(client.roles),
        "authentication": client.auth_method,
        "profile": client.profile,
        "dpop_bound": client.dpop_bound,
        "par_required": client.par_required,
        "consent": client.consent,
        "level": client.level,
        "max_age": client.max_age,
        "real_name_level": client.real_name_level,
        "token_alg": client.token_alg,
        "back_channel_uri": client.back_channel_uri,
        "disabled": client.disabled_at is not None,
        "created_at": to_rfc3339(client.created_at),
    }


def schema(title: str, required: tuple[str, ...] = (), /, **properties: dict[str, Any]) -> Schema:
    """Return the schema of an object; fields without a type are texts."""
    fields = {key: value or _TEXT for key, value in properties.items()}
    return Schema(title, {"type": "object", "required": list(required), "properties": fields})


class Table:
    """Collects the routes of ``/api/v1/iam``; what changes something needs two factors.

    ``level`` 1 is for what people may always do about themselves; ``fresh_seconds`` is the
    greatest age of the sign-in of whoever changes something.
    """

    def __init__(
        self,
        credential: Credential = "either",
        *,
        level: int = 2,
        fresh_seconds: int | None = None,
        max_body: int = MAX_BODY,
    ) -> None:
        self._credential: Credential = credential
        self._level, self._fresh, self._max_body = level, fresh_seconds, max_body
        self.routes: list[Route] = []

    def add(
        self,
        verb: str,
        operation: str,
        access: Access,
        handler: Callable[[Request], Response],
        *,
        request: Schema | None = None,
    ) -> None:
        """Add the route ``verb`` = "METHOD path"; ``list_…`` operations return pages."""
        method, _, path = verb.partition(" ")
        self.routes.append(
            Route(
                method=method,
                path=f"/api/v1/iam{path}",
                operation=operation,
                access=access,
                handler=handler,
                request=request,
                credential=self._credential,
                level=1 if method == "GET" else self._level,
                fresh_seconds=None if method == "GET" else self._fresh,
                max_body=self._max_body,
                listing=operation.startswith("list_"),
            )
        )
