"""The provider's surfaces that browsers and libraries meet: authorize, metadata, logout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from iam.api.credentials import oauth_response
from iam.errors import TokenRefused
from iam.service import IamServices
from secops.kernel.errors import Forbidden
from secops.web.guard import bearer_token
from secops.web.messages import JSON, NO_STORE, Request, Response, json_response, redirect
from secops.web.routes import Public, Route

_BROWSERS: Final = "sign-in itself: nobody is signed in yet"
_METADATA: Final = "applications read it before they know anybody"
_BEARER: Final = "the handler checks the access token, whatever audience it has"
_CACHE: Final = ("cache-control", "public, max-age=300")


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the provider's routes."""
    calls = _Calls(services)
    return (
        _page("GET", "authorize", "authorize", calls.authorize),
        _page("GET", "logout", "log_out", calls.log_out),
        _page("POST", "logout", "log_out_by_form", calls.log_out_by_form),
        _metadata("/oauth2/jwks", "get_jwks", lambda _: services.metadata.jwks()),
        _metadata(
            "/.well-known/openid-configuration",
            "get_openid_configuration",
            lambda _: services.metadata.discovery(),
        ),
        _metadata(
            "/.well-known/oauth-authorization-server",
            "get_authorization_server",
            lambda _: services.metadata.discovery(),
        ),
        *(
            Route(
                method=method,
                path="/oauth2/userinfo",
                operation=f"get_userinfo{'' if method == 'GET' else '_by_post'}",
                access=Public(_BEARER),
                handler=calls.userinfo,
                form="oauth",
            )
            for method in ("GET", "POST")
        ),
    )


def _page(method: str, path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method=method,
        path=f"/oauth2/{path}",
        operation=operation,
        access=Public(_BROWSERS),
        handler=handler,
        form="plain",
        page=True,
    )


def _metadata(path: str, operation: str, make: Callable[[Request], dict[str, Any]]) -> Route:
    def answer(request: Request) -> Response:
        return json_response(make(request), headers=(_CACHE,))

    return Route(
        method="GET", path=path, operation=operation, access=Public(_METADATA), handler=answer
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def _cookie(self, request: Request) -> str:
        name = self.services.console.cookie_name("op_session")
        return request.cookies.get(name, "")

    def authorize(self, request: Request) -> Response:
        """Send the browser back to the application with a code, or to sign in first."""
        cookie = self._cookie(request)
        transaction = request.query.get("transaction")
        if transaction is not None:
            answer = self.services.authorize.resume(transaction, cookie)
        else:
            answer = self.services.authorize.authorize(request.query, cookie)
        if answer.kind == "sign_in":
            return redirect(f"/login?{urlencode({'transaction': answer.transaction})}")
        return redirect(answer.location)

    def log_out(self, request: Request) -> Response:
        """End the session an ID token names; ask the person where nothing proves the wish."""
        return self._log_out(request, asked=False)

    def log_out_by_form(self, request: Request) -> Response:
        """End the session; the form came from a page of ours, or it is refused."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if origin != request.origin and site != "same-origin":
            msg = "the request comes from another site's page"
            raise Forbidden(msg)
        return self._log_out(request, asked=True)

    def _log_out(self, request: Request, *, asked: bool) -> Response:
        parameters = dict(request.query)
        if request.method == "POST" and request.body:
            parameters |= request.form
        target = self.services.metadata.log_out(parameters, self._cookie(request), asked=asked)
        if target is None:
            return redirect("/me")
        console = self.services.console
        gone = [
            ("set-cookie", console.cookie_header(name, "")) for name in ("op_session", "rp_session")
        ]
        return redirect(target, headers=gone)

    def userinfo(self, request: Request) -> Response:
        """Return who the access token stands for (OIDC Core §5.3)."""
        try:
            return oauth_response(self.services.inspection.userinfo(bearer_token(request)))
        except TokenRefused as error:
            body = orjson.dumps({"error": "invalid_token", "error_description": error.detail})
            challenge = ("www-authenticate", 'Bearer error="invalid_token"')
            return Response(401, (("content-type", JSON), NO_STORE, challenge), body)
