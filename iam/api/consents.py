"""What people allowed applications, as JSON: for themselves and for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.api.shapes import Table
from iam.models.consents import ConsentView
from iam.service import IamServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.iam import SESSION_READ, SESSION_REVOKE
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the handler looks at the caller's own things alone")


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of consents."""
    calls = _Calls(services)
    table, own = Table(), Table(level=1)
    table.add("GET /consents", "list_consents", SESSION_READ, calls.list_all)
    table.add("DELETE /consents/<consent>", "revoke_consent", SESSION_REVOKE, calls.revoke)
    own.add("GET /me/consents", "list_own_consents", _OWN, calls.list_own)
    own.add("DELETE /me/consents/<consent>", "revoke_own_consent", _OWN, calls.revoke_own)
    return (*table.routes, *own.routes)


def consent_shape(view: ConsentView) -> dict[str, Any]:
    """Return a consent as JSON."""
    consent = view.consent
    return {
        "id": consent.id,
        "account": consent.account_id,
        "account_name": view.account_name,
        "client": consent.client_id,
        "client_name": view.client_name,
        "organisation": view.organisation,
        "scopes": [
            {"scope": one.scope, "zh": one.title.zh, "en": one.title.en} for one in view.scopes
        ],
        "granted_at": to_rfc3339(consent.granted_at),
        "expires_at": to_rfc3339(consent.expires_at),
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        account = request.query.get("account")
        page = self.services.consents.list_consents(request.caller, asked, account)
        return page_response(page, consent_shape)

    def revoke(self, request: Request) -> Response:
        reason = request.query.get("reason", "")
        self.services.consents.revoke_consent(request.caller, request.args["consent"], reason)
        return Response(204)

    def list_own(self, request: Request) -> Response:
        own = self.services.consents.own_consents(request.caller)
        return json_response({"items": [consent_shape(view) for view in own], "next": None})

    def revoke_own(self, request: Request) -> Response:
        self.services.consents.revoke_own_consent(request.caller, request.args["consent"])
        return Response(204)
