"""Organisations, people who leave, and service accounts as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iam.api.changes import change_shape
from iam.api.shapes import Table, account_shape, instant, instant_or_none, schema, text
from iam.models.accounts import Departure, Organisation
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_READ,
    DEPARTURE_ORDER,
    ORGANISATION_CHANGE,
    ORGANISATION_CREATE,
    ORGANISATION_READ,
    PERSON_ERASE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_SECONDS = {"type": "integer", "description": "UTC seconds since 1970"}
_NEW = schema("NewOrganisation", ("name",), name={}, parent={})
_NAME = schema("OrganisationName", ("name",), name={})
_PARENT = schema("OrganisationParent", ("parent",), parent={})
_PLACE = schema("AccountPlace", ("organisation",), organisation={})
_DEPARTURE = schema("NewDeparture", ("reason",), reason={}, due_at=_SECONDS, successor={})
_ERASURE = schema("NewErasure", ("reason",), reason={})
_OWNING = schema(
    "ServiceAccountOwner",
    ("owner", "review_at", "expires_at"),
    owner={},
    review_at=_SECONDS,
    expires_at=_SECONDS,
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for the tree of organisations and for leavers."""
    calls, people = _Organisations(services), _People(services)
    one, account = "/organisations/<organisation>", "/accounts/<account>"
    change = ORGANISATION_CHANGE
    table = Table()
    add = table.add
    add("GET /organisations", "list_organisations", ORGANISATION_READ, calls.list_all)
    add(
        "POST /organisations",
        "create_organisation",
        ORGANISATION_CREATE,
        calls.create,
        request=_NEW,
    )
    add(f"GET {one}", "get_organisation", ORGANISATION_READ, calls.get)
    add(f"POST {one}/name", "rename_organisation", change, calls.rename, request=_NAME)
    add(f"POST {one}/parent", "move_organisation", change, calls.move, request=_PARENT)
    add(f"POST {one}/close", "close_organisation", change, calls.close)
    add(f"POST {account}/organisation", "move_account", change, people.move, request=_PLACE)
    add(f"POST {account}/erasure", "erase_person", PERSON_ERASE, people.erase, request=_ERASURE)
    add("GET /departures", "list_departures", ACCOUNT_READ, people.list_departures)
    add(
        f"POST {account}/departure",
        "order_departure",
        DEPARTURE_ORDER,
        people.order,
        request=_DEPARTURE,
    )
    add("DELETE /departures/<departure>", "cancel_departure", DEPARTURE_ORDER, people.cancel)
    add(
        f"POST {account}/owner",
        "set_service_account",
        ACCOUNT_CREATE,
        people.own,
        request=_OWNING,
    )
    return tuple(table.routes)


def organisation_shape(organisation: Organisation) -> dict[str, Any]:
    """Return an organisation as JSON."""
    return {
        "id": organisation.id,
        "name": organisation.name,
        "parent": organisation.parent_id,
        "created_at": to_rfc3339(organisation.created_at),
        "closed_at": rfc3339_or_none(organisation.closed_at),
    }


def _departure_shape(departure: Departure) -> dict[str, Any]:
    return {
        "id": departure.id,
        "account": departure.account_id,
        "successor": departure.successor_id,
        "reason": departure.reason,
        "due_at": to_rfc3339(departure.due_at),
        "state": departure.state,
    }


@dataclass(frozen=True, slots=True)
class _Organisations:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.power.organisations.list_organisations(
            request.caller,
            asked,
            parent_id=request.query.get("parent", ""),
            text=request.query.get("q", ""),
        )
        return page_response(page, organisation_shape)

    def create(self, request: Request) -> Response:
        body = request.json_object()
        made = self.services.power.organisations.create_organisation(
            request.caller, text(body, "name"), text(body, "parent", "") or None
        )
        return json_response(organisation_shape(made), 201)

    def get(self, request: Request) -> Response:
        view = self.services.power.organisations.get_organisation(
            request.caller, request.args["organisation"]
        )
        return json_response(
            {
                **organisation_shape(view.organisation),
                "path": [{"id": each.id, "name": each.name} for each in view.path],
                "organisations": view.children,
                "accounts": view.accounts,
            }
        )

    def rename(self, request: Request) -> Response:
        name = text(request.json_object(), "name")
        self.services.power.organisations.rename_organisation(
            request.caller, request.args["organisation"], name
        )
        return Response(204)

    def move(self, request: Request) -> Response:
        parent = text(request.json_object(), "parent")
        self.services.power.organisations.move_organisation(
            request.caller, request.args["organisation"], parent
        )
        return Response(204)

    def close(self, request: Request) -> Response:
        self.services.power.organisations.close_organisation(
            request.caller, request.args["organisation"]
        )
        return Response(204)


@dataclass(frozen=True, slots=True)
class _People:
    services: IamServices

    def move(self, request: Request) -> Response:
        place = text(request.json_object(), "organisation")
        moved = self.services.power.organisations.move_account(
            request.caller, request.args["account"], place
        )
        return json_response(account_shape(moved))

    def list_departures(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.power.departures.list_departures(request.caller, asked)
        return page_response(page, _departure_shape)

    def order(self, request: Request) -> Response:
        body = request.json_object()
        due = instant_or_none(body, "due_at")
        ordered = self.services.power.departures.order_departure(
            request.caller,
            request.args["account"],
            text(body, "reason"),
            due_at=due,
            successor=text(body, "successor", "") or None,
        )
        return json_response(_departure_shape(ordered), 201)

    def erase(self, request: Request) -> Response:
        asked = self.services.power.erasures.erase_person(
            request.caller, request.args["account"], text(request.json_object(), "reason")
        )
        return json_response(change_shape(asked), 201)

    def cancel(self, request: Request) -> Response:
        self.services.power.departures.cancel_departure(request.caller, request.args["departure"])
        return Response(204)

    def own(self, request: Request) -> Response:
        body = request.json_object()
        account = self.services.power.departures.set_service_account(
            request.caller,
            request.args["account"],
            text(body, "owner"),
            review_at=instant(body, "review_at"),
            expires_at=instant(body, "expires_at"),
        )
        return json_response(account_shape(account))
