"""The CAS 3.0 surface for legacy portals, in the protocol's own form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from iam.api.shapes import Table
from iam.errors import RedirectRefused
from iam.service import IamServices
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.iam import CLIENT_READ
from secops.web.messages import NO_STORE, Request, Response, json_response, redirect
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
        return redirect(self.services.cas.log_in(parameters, cookie).location)

    def validate(self, request: Request) -> Response:
        """Answer in the form of CAS 2.0."""
        return self._validated(request, attributes=False)

    def validate_with_attributes(self, request: Request) -> Response:
        """Answer with attributes."""
        return self._validated(request, attributes=True)

    def _validated(self, request: Request, *, attributes: bool) -> Response:
        try:
            body = self.services.cas.validate(request.query, attributes=attributes)
        except Invalid as error:
            body = self.services.cas.refusal("INVALID_REQUEST", error.detail)
        except SecopsError:
            body = self.services.cas.refusal("INTERNAL_ERROR", "it can't be validated now")
        return Response(200, (_XML, NO_STORE), body)

    def list_services(self, request: Request) -> Response:
        found = self.services.cas.list_services(request.caller)
        return json_response({"items": [asdict(one) for one in found], "next": None})
