"""Emergency accounts as JSON: asked for, sealed, tested, looked into, retired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.api.shapes import Table, schema, text
from iam.service import IamServices
from iam.service.people.break_glass import SealedAccount
from secops.kernel.clock import rfc3339_or_none
from secops.kernel.permissions.iam import (
    BREAK_GLASS_APPROVE,
    BREAK_GLASS_READ,
    BREAK_GLASS_REVIEW,
    BREAK_GLASS_SEAL,
)
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_ASKED: Final = schema(
    "BreakGlassRequest",
    ("role", "reason"),
    role={},
    reason={},
    retire={"type": "boolean"},
)
_TEST: Final = schema("BreakGlassTest", ("password",), password={})
_NOTE: Final = schema("BreakGlassReview", ("note",), note={})


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of ``/api/v1/iam/break-glass``; requests are decided with all others."""
    calls, table = _Calls(services), Table()
    add, one, base = table.add, "/break-glass-requests/<request>", "/break-glass"
    add(f"GET {base}", "list_break_glass", BREAK_GLASS_READ, calls.list_all)
    ask = "/break-glass-requests"
    add(f"POST {ask}", "request_break_glass", BREAK_GLASS_SEAL, calls.ask, request=_ASKED)
    add(f"POST {one}/seal", "create_break_glass", BREAK_GLASS_SEAL, calls.seal)
    add(f"POST {one}/retire", "retire_break_glass", BREAK_GLASS_SEAL, calls.retire)
    each = f"{base}/<role>"
    add(f"POST {each}/test", "test_break_glass", BREAK_GLASS_SEAL, calls.test, request=_TEST)
    add(f"POST {each}/collect", "collect_break_glass", BREAK_GLASS_APPROVE, calls.collect)
    review = f"POST {each}/review"
    add(review, "review_break_glass", BREAK_GLASS_REVIEW, calls.review, request=_NOTE)
    return tuple(table.routes)


def sealed_shape(one: SealedAccount) -> dict[str, object]:
    """Return an emergency account as JSON."""
    sealed = one.sealed
    return {
        "role": one.role,
        "account": one.name,
        "state": one.state,
        "sealed_at": rfc3339_or_none(sealed.sealed_at),
        "tested_at": rfc3339_or_none(sealed.tested_at),
        "opened_at": rfc3339_or_none(sealed.opened_at),
        "open_until": rfc3339_or_none(sealed.open_until),
        "reviewed_at": rfc3339_or_none(sealed.reviewed_at),
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        found = self.services.break_glass.list_break_glass(request.caller)
        return json_response({"items": [sealed_shape(each) for each in found], "next": None})

    def ask(self, request: Request) -> Response:
        body = request.json_object()
        role, reason = text(body, "role"), text(body, "reason")
        retire = body.get("retire") is True
        made = self.services.break_glass.request_break_glass(
            request.caller, role, reason, retire=retire
        )
        return json_response({"id": made}, 201)

    def seal(self, request: Request) -> Response:
        made = self.services.break_glass.create_break_glass(request.caller, request.args["request"])
        return json_response({"account": made.account, "first_half": made.half}, 201)

    def collect(self, request: Request) -> Response:
        made = self.services.break_glass.collect_break_glass(request.caller, request.args["role"])
        answer = {"account": made.account, "second_half": made.half, "codes": list(made.codes)}
        return json_response(answer)

    def retire(self, request: Request) -> Response:
        self.services.break_glass.retire_break_glass(request.caller, request.args["request"])
        return Response(204)

    def test(self, request: Request) -> Response:
        password = text(request.json_object(), "password")
        self.services.break_glass.test_break_glass(request.caller, request.args["role"], password)
        return Response(204)

    def review(self, request: Request) -> Response:
        note = text(request.json_object(), "note")
        self.services.break_glass.review_break_glass(request.caller, request.args["role"], note)
        return Response(204)
