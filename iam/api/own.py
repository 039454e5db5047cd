"""What every signed-in caller may see and end: themselves and their own sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.api.shapes import Table, session_shape
from iam.service import IamServices
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the handler looks at the caller's own things alone")


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of ``/api/v1/iam/me``."""
    calls = _Calls(services)
    table = Table(level=1)
    table.add("GET /me", "get_own_account", _OWN, calls.me)
    table.add("GET /me/sessions", "list_own_sessions", _OWN, calls.sessions)
    table.add("DELETE /me/sessions/<session>", "end_own_session", _OWN, calls.end)
    return tuple(table.routes)


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def me(self, request: Request) -> Response:
        actor = request.caller
        return json_response(
            {
                "kind": actor.kind,
                "id": actor.id,
                "name": actor.name,
                "org": actor.org_id,
                "roles": sorted(actor.roles),
                "level": actor.level,
            }
        )

    def sessions(self, request: Request) -> Response:
        own = self.services.sessions.own_sessions(request.caller)
        return json_response({"items": [session_shape(s) for s in own], "next": None})

    def end(self, request: Request) -> Response:
        self.services.sessions.end_own(request.caller, request.args["session"])
        return Response(204)
