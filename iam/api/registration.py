"""Applications somebody asks for (RFC 7591 shapes), and partners that miss logouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.api.shapes import Table, schema, text
from iam.models.grants import LogoutNotice
from iam.service import IamServices
from iam.service.provider.registration import AskedClient
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.iam import (
    CLIENT_APPROVE,
    CLIENT_READ,
    CLIENT_REQUEST,
    SESSION_READ,
    SESSION_REVOKE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, SignedIn

_CONCERNED: Final = SignedIn("who asked, and who may approve: the service looks which", CLIENT_READ)
_REASON: Final = schema("Reason", reason={})
_METADATA: Final = Schema(
    "ClientMetadata", {"type": "object", "description": "RFC 7591 §2 client metadata"}
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of registration and of silent partners."""
    calls = _Calls(services)
    table = Table()
    one = "/client-requests/<request_id>"
    table.add("GET /client-requests", "list_client_requests", CLIENT_REQUEST, calls.list_all)
    table.add("GET /client-approvals", "list_client_approvals", CLIENT_APPROVE, calls.list_all)
    table.add(f"GET {one}", "get_client_request", _CONCERNED, calls.get)
    table.add(f"POST {one}/complete", "complete_client", CLIENT_REQUEST, calls.complete)
    table.add(
        f"POST {one}/approve", "approve_client", CLIENT_APPROVE, calls.approve, request=_REASON
    )
    table.add(f"POST {one}/reject", "reject_client", CLIENT_APPROVE, calls.reject, request=_REASON)
    table.add("GET /logouts", "list_silent_partners", SESSION_READ, calls.list_silent)
    table.add("POST /logouts/<notice>/retry", "retry_logout", SESSION_REVOKE, calls.retry)
    return (
        Route(
            method="POST",
            path="/oauth2/register",
            operation="request_client",
            access=CLIENT_REQUEST,
            handler=calls.ask,
            request=_METADATA,
            form="oauth",
            credential="either",
            level=2,
        ),
        *table.routes,
    )


def _shape(asked: AskedClient) -> dict[str, Any]:
    request, approval = asked.request, asked.approval
    return {
        "request_id": request.id,
        "client_id": request.client_id,
        "status": approval.state,
        "requester": request.requester_id,
        "approver": approval.approver_id,
        "reason": approval.reason,
        "metadata": orjson.loads(request.metadata),
        "created_at": to_rfc3339(request.created_at),
        "expires_at": to_rfc3339(approval.expires_at),
    }


def notice_shape(notice: LogoutNotice) -> dict[str, Any]:
    """Return a notice that was not confirmed, as JSON."""
    return {
        "id": notice.id,
        "client": notice.client_id,
        "session": notice.session_id,
        "account": notice.account_id,
        "state": notice.state,
        "tries": notice.tries,
        "trouble": notice.trouble,
        "since": to_rfc3339(notice.created_at),
        "next_at": to_rfc3339(notice.next_at) if notice.state == "waiting" else None,
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def ask(self, request: Request) -> Response:
        """Keep the request for somebody to approve; nothing is registered yet."""
        asked = self.services.registration.request_client(request.caller, request.json_object())
        place = f"{request.origin}/api/v1/iam/client-requests/{asked.request.id}"
        return json_response(_shape(asked), 202, headers=(("location", place),))

    def list_all(self, request: Request) -> Response:
        found = self.services.registration.list_requests(request.caller)
        return json_response({"items": [_shape(one) for one in found], "next": None})

    def get(self, request: Request) -> Response:
        found = self.services.registration.get_request(request.caller, request.args["request_id"])
        return json_response(_shape(found))

    def complete(self, request: Request) -> Response:
        registered = self.services.registration.complete_client(
            request.caller, request.args["request_id"]
        )
        return json_response(registered, 201)

    def approve(self, request: Request) -> Response:
        return self._decide(request, grant=True)

    def reject(self, request: Request) -> Response:
        return self._decide(request, grant=False)

    def _decide(self, request: Request, *, grant: bool) -> Response:
        reason = text(request.json_object(), "reason", "")
        self.services.registration.approve_client(
            request.caller, request.args["request_id"], grant=grant, reason=reason
        )
        return Response(204)

    def list_silent(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.logouts.list_silent_partners(request.caller, asked)
        return page_response(page, notice_shape)

    def retry(self, request: Request) -> Response:
        self.services.logouts.retry_logout(request.caller, request.args["notice"])
        return Response(204)
