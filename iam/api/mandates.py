"""Legal persons, mandates of agents, and acting under them, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.api.shapes import Table, instant, schema, text, texts
from iam.models.accounts import ActingContext, LegalPerson, Mandate
from iam.service import IamServices
from iam.service.people.mandates import NewMandate
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.iam import LEGAL_PERSON_CREATE, MANDATE_GRANT, MANDATE_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("agents and legal representatives see and end their own mandates alone")
_LIST = {"type": "array", "items": {"type": "string"}}
_SECONDS = {"type": "integer", "description": "UTC seconds since 1970"}
_LEGAL = schema(
    "NewLegalPerson", ("credit_code", "name"), credit_code={}, name={}, representative={}
)
_REPRESENTATIVE = schema("LegalRepresentative", ("account",), account={})
_ACTING = schema("ActingChoice", (), mandate={"type": ["string", "null"]})
_MANDATE = schema(
    "NewMandate",
    ("legal_person", "agent", "scope", "starts_at", "ends_at"),
    legal_person={},
    agent={},
    scope={},
    services=_LIST,
    seals=_LIST,
    starts_at=_SECONDS,
    ends_at=_SECONDS,
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for legal persons and mandates."""
    calls, own = _Calls(services), _Own(services)
    one = "/legal-persons/<legal_person>"
    table = Table()
    add = table.add
    add("GET /legal-persons", "list_legal_persons", MANDATE_READ, calls.list_legal)
    add(
        "POST /legal-persons",
        "create_legal_person",
        LEGAL_PERSON_CREATE,
        calls.create_legal,
        request=_LEGAL,
    )
    add(
        f"POST {one}/representative",
        "set_representative",
        LEGAL_PERSON_CREATE,
        calls.represent,
        request=_REPRESENTATIVE,
    )
    add(f"GET {one}/mandates", "list_mandates", MANDATE_READ, calls.list_mandates)
    add("POST /mandates", "grant_mandate", MANDATE_GRANT, calls.grant, request=_MANDATE)
    add("DELETE /mandates/<mandate>", "revoke_mandate", MANDATE_GRANT, calls.revoke)
    add("GET /me/mandates", "list_own_mandates", _OWN, own.list_all)
    add("POST /me/mandates", "grant_own_mandate", _OWN, own.grant, request=_MANDATE)
    add("DELETE /me/mandates/<mandate>", "end_own_mandate", _OWN, own.end)
    add("PUT /me/acting", "act_for", _OWN, own.act_for, request=_ACTING)
    add("GET /me/acting", "get_acting", _OWN, own.acting)
    return tuple(table.routes)


def _legal_shape(legal: LegalPerson) -> dict[str, Any]:
    return {
        "id": legal.id,
        "credit_code": legal.credit_code,
        "name": legal.name,
        "representative": legal.representative_id,
    }


def mandate_shape(mandate: Mandate) -> dict[str, Any]:
    """Return a mandate as JSON."""
    return {
        "id": mandate.id,
        "legal_person": mandate.legal_person_id,
        "agent": mandate.agent_id,
        "granter": mandate.granter_id,
        "scope": mandate.scope,
        "services": list(mandate.services),
        "seals": list(mandate.seals),
        "starts_at": to_rfc3339(mandate.starts_at),
        "ends_at": to_rfc3339(mandate.ends_at),
        "signature": None if mandate.signature is None else mandate.signature.hex(),
    }


def _acting_shape(context: ActingContext | None) -> dict[str, Any]:
    if context is None:
        return {"legal_person": None, "mandate": None}
    return {
        "legal_person": _legal_shape(context.legal_person),
        "mandate": mandate_shape(context.mandate),
    }


def _new(request: Request) -> NewMandate:
    body = request.json_object()
    return NewMandate(
        legal_person_id=text(body, "legal_person"),
        agent=text(body, "agent"),
        scope=text(body, "scope"),
        starts_at=instant(body, "starts_at"),
        ends_at=instant(body, "ends_at"),
        services=texts(body, "services"),
        seals=texts(body, "seals"),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_legal(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.power.mandates.list_legal_persons(request.caller, asked)
        return page_response(page, _legal_shape)

    def create_legal(self, request: Request) -> Response:
        body = request.json_object()
        made = self.services.power.mandates.create_legal_person(
            request.caller,
            text(body, "credit_code"),
            text(body, "name"),
            text(body, "representative", "") or None,
        )
        return json_response(_legal_shape(made), 201)

    def represent(self, request: Request) -> Response:
        account = text(request.json_object(), "account")
        self.services.power.mandates.set_representative(
            request.caller, request.args["legal_person"], account
        )
        return Response(204)

    def list_mandates(self, request: Request) -> Response:
        found = self.services.power.mandates.list_mandates(
            request.caller, request.args["legal_person"]
        )
        return json_response({"items": [mandate_shape(each) for each in found], "next": None})

    def grant(self, request: Request) -> Response:
        made = self.services.power.mandates.grant_mandate(request.caller, _new(request))
        return json_response(mandate_shape(made), 201)

    def revoke(self, request: Request) -> Response:
        self.services.power.mandates.revoke_mandate(request.caller, request.args["mandate"])
        return Response(204)


@dataclass(frozen=True, slots=True)
class _Own:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        own = self.services.power.mandates.own_mandates(request.caller)
        return json_response({"items": [mandate_shape(each) for each in own], "next": None})

    def grant(self, request: Request) -> Response:
        made = self.services.power.mandates.grant_own_mandate(request.caller, _new(request))
        return json_response(mandate_shape(made), 201)

    def end(self, request: Request) -> Response:
        self.services.power.mandates.revoke_mandate(request.caller, request.args["mandate"])
        return Response(204)

    def act_for(self, request: Request) -> Response:
        mandate = text(request.json_object(), "mandate", "") or None
        return json_response(
            _acting_shape(self.services.power.acting.act_for(request.caller, mandate))
        )

    def acting(self, request: Request) -> Response:
        session = request.caller.session_id
        context = None if session is None else self.services.power.acting.context_of(session)
        return json_response(_acting_shape(context))
