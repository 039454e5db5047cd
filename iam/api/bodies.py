"""Organisations, legal persons and mandates as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from iam.api.shapes import Table, number, schema, text
from iam.service import IamServices
from iam.service.people.bodies import NewMandate
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.permissions.iam import (
    LEGAL_PERSON_CREATE,
    MANDATE_GRANT,
    ORGANISATION_CREATE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_ORGANISATION = schema("NewOrganisation", ("name",), name={})
_LEGAL = schema("NewLegalPerson", ("credit_code", "name"), credit_code={}, name={})
_MANDATE = schema(
    "NewMandate",
    ("legal_person", "agent", "scope", "starts_at", "ends_at"),
    legal_person={},
    agent={},
    scope={},
    starts_at={"type": "integer", "description": "UTC seconds since 1970"},
    ends_at={"type": "integer", "description": "UTC seconds since 1970"},
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for registers of bodies."""
    calls = _Calls(services)
    table = Table()
    table.add(
        "POST /organisations",
        "create_organisation",
        ORGANISATION_CREATE,
        calls.create_organisation,
        request=_ORGANISATION,
    )
    table.add(
        "POST /legal-persons",
        "create_legal_person",
        LEGAL_PERSON_CREATE,
        calls.create_legal_person,
        request=_LEGAL,
    )
    table.add(
        "POST /mandates", "grant_mandate", MANDATE_GRANT, calls.grant_mandate, request=_MANDATE
    )
    table.add("DELETE /mandates/<mandate>", "revoke_mandate", MANDATE_GRANT, calls.revoke_mandate)
    return tuple(table.routes)


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def create_organisation(self, request: Request) -> Response:
        name = text(request.json_object(), "name")
        made = self.services.bodies.create_organisation(request.caller, name)
        return json_response({"id": made.id, "name": made.name, "parent": made.parent_id}, 201)

    def create_legal_person(self, request: Request) -> Response:
        body = request.json_object()
        code, name = text(body, "credit_code"), text(body, "name")
        made = self.services.bodies.create_legal_person(request.caller, code, name)
        answer = {"id": made.id, "credit_code": made.credit_code, "name": made.name}
        return json_response(answer, 201)

    def grant_mandate(self, request: Request) -> Response:
        body = request.json_object()
        new = NewMandate(
            legal_person_id=text(body, "legal_person"),
            agent=text(body, "agent"),
            scope=text(body, "scope"),
            starts_at=number(body, "starts_at") * SECOND,
            ends_at=number(body, "ends_at") * SECOND,
        )
        made = self.services.bodies.grant_mandate(request.caller, new)
        return json_response({"id": made.id, "ends_at": to_rfc3339(made.ends_at)}, 201)

    def revoke_mandate(self, request: Request) -> Response:
        self.services.bodies.revoke_mandate(request.caller, request.args["mandate"])
        return Response(204)
