"""The CAS 3.0 surface for legacy portals, in the protocol's own form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from iam.api.shapes import Table
from iam.errors import RedirectRefused
from iam.models.cas import CasLogin
from iam.service import IamServices
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.iam import CLIENT_READ
from secops.web.messages import (
    JSON,
    NO_STORE,
    Request,
    Response,
    html_response,
    json_response,
    redirect,
)
from secops.web.routes import Public, Route

_BROWSERS: Final = "sign-in itself, for services of the CAS protocol"
_SERVICES: Final = "the ticket is the credential: the service that got it asks about it, once"
_XML: Final = ("content-type", "application/xml; charset=utf-8")


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the CAS server's routes, and the list of its services."""
    calls = _Calls(services)
    table = Table()
    table.add("GET /cas-services", "list_cas_services", CLIENT_READ, calls.list_services)
    return (
        *table.routes,
        Route(
            method="GET",
            path="/cas/login",
            operation="cas_login",
            access=Public(_BROWSERS),
            handler=calls.log_in,
            form="plain",
            page=True,
        ),
        Route(
            method="GET",
            path="/cas/logout",
            operation="cas_logout",
            access=Public(_BROWSERS),
            handler=lambda _: redirect("/oauth2/logout"),
            form="plain",
            page=True,
        ),
        Route(
            method="GET",
            path="/cas/serviceValidate",
            operation="cas_service_validate",
            access=Public(_SERVICES),
            handler=calls.validate,
            form="plain",
        ),
        Route(
            method="GET",
            path="/cas/p3/serviceValidate",
            operation="cas_p3_service_validate",
            access=Public(_SERVICES),
            handler=calls.validate_with_attributes,
            form="plain",
        ),
    )


def _posting(request: Request, login: CasLogin) -> Response:
    """Return the page whose form gives the service its ticket (§2.1.1, ``method=POST``).

    It goes to the registered address and nowhere else; without scripts it has a button.
    """
    parts = urlsplit(login.location)
    policy = (
        f"default-src 'none'; script-src 'nonce-{request.nonce}'; base-uri 'none'; "
        f"form-action {parts.scheme}://{parts.netloc}; frame-ancestors 'none'"
    )
    where, ticket = escape(login.location, quote=True), escape(login.ticket, quote=True)
    page = (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><title>→</title>'
        f'<form method="post" action="{where}"><input type="hidden" name="ticket" '
        f'value="{ticket}"><button>继续 Continue</button></form>'
        f'<script nonce="{request.nonce}">document.forms[0].submit()</script></html>'
    )
    return html_response(page, headers=(("content-security-policy", policy),))


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def log_in(self, request: Request) -> Response:
        """Send the browser to the service with a ticket, or to sign in first."""
        name = self.services.console.cookie_name("op_session")
        cookie = request.cookies.get(name, "")
        try:
            parameters = request.query
        except Invalid as error:
            raise RedirectRefused(error.detail) from error
        login = self.services.cas.log_in(parameters, cookie)
        if login.kind == "post":
            return _posting(request, login)
        return redirect(login.location)

    def validate(self, request: Request) -> Response:
        """Answer in the form of CAS 2.0."""
        return self._validated(request, attributes=False)

    def validate_with_attributes(self, request: Request) -> Response:
        """Answer with attributes."""
        return self._validated(request, attributes=True)

    def _validated(self, request: Request, *, attributes: bool) -> Response:
        cas, parameters = self.services.cas, dict[str, str]()
        try:
            parameters = dict(request.query)
            answer = cas.validate(parameters, attributes=attributes)
        except Invalid as error:
            answer = cas.refuse(parameters, "INVALID_REQUEST", error.detail)
        except SecopsError:
            answer = cas.refuse(parameters, "INTERNAL_ERROR", "it can't be validated now")
        kind = ("content-type", JSON) if answer.as_json else _XML
        return Response(200, (kind, NO_STORE), answer.body)

    def list_services(self, request: Request) -> Response:
        found = self.services.cas.list_services(request.caller)
        return json_response({"items": [asdict(one) for one in found], "next": None})
