"""The provider's surfaces that browsers and libraries meet: authorize, metadata, logout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from iam.api.credentials import oauth_response
from iam.errors import TokenRefused
from iam.service import IamServices
from iam.service.provider.authorize import AuthorizeAnswer
from secops.kernel.errors import Forbidden, Invalid
from secops.web.guard import presented_token
from secops.web.messages import (
    JSON,
    NO_STORE,
    Request,
    Response,
    html_response,
    json_response,
    redirect,
)
from secops.web.problems import token_challenge
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
        _page("POST", "consent", "decide_consent", calls.decide_consent),
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
        return _answered(request, answer)

    def decide_consent(self, request: Request) -> Response:
        """Take the answer of the consent page, from that page alone."""
        if not request.from_our_page:
            msg = "the request comes from another site's page"
            raise Forbidden(msg)
        form = request.form
        if form.get("do") not in ("allow", "deny"):
            msg = "an application is allowed or denied"
            raise Invalid(msg)
        transaction, cookie = form.get("transaction", ""), self._cookie(request)
        granted = form["do"] == "allow"
        decide = self.services.authorize.decide_consent
        return _answered(request, decide(transaction, cookie, grant=granted))

    def log_out(self, request: Request) -> Response:
        """End the session an ID token names; ask the person where nothing proves the wish."""
        return self._log_out(request, request.query, confirmed=False)

    def log_out_by_form(self, request: Request) -> Response:
        """End the session where a page of ours asked; another site's form becomes a link.

        A browser leaves the session's cookie out of another site's form, and sends it along
        when it follows the redirect.
        """
        form = request.form if request.body else {}
        if request.from_our_page:
            return self._log_out(request, form, confirmed=True)
        known = {name: form[name] for name in self._parameters if name in form}
        return redirect(f"/oauth2/logout?{urlencode(known)}")

    @property
    def _parameters(self) -> tuple[str, ...]:
        return self.services.log_out.parameters

    def _log_out(
        self, request: Request, parameters: Mapping[str, str], *, confirmed: bool
    ) -> Response:
        cookie = self._cookie(request)
        answer = self.services.log_out.log_out(parameters, cookie, confirmed=confirmed)
        if answer.kind == "ask":
            known = {name: parameters[name] for name in self._parameters if name in parameters}
            return redirect(f"/logout?{urlencode(known)}")
        console = self.services.console
        gone = [
            ("set-cookie", console.cookie_header(name, "")) for name in ("op_session", "rp_session")
        ]
        return _onward(request, answer.location, headers=gone)

    def userinfo(self, request: Request) -> Response:
        """Return who the access token stands for (OIDC Core §5.3)."""
        token, possession = presented_token(request)
        try:
            return oauth_response(self.services.inspection.userinfo(token, possession))
        except TokenRefused as error:
            return _token_refused(error)


def _answered(request: Request, answer: AuthorizeAnswer) -> Response:
    """Send the browser where the request stands: to sign in, to be asked, or back."""
    if answer.kind == "application":
        return _onward(request, answer.location)
    page = "/login" if answer.kind == "sign_in" else "/consent"
    return redirect(f"{page}?{urlencode({'transaction': answer.transaction})}")


def _onward(
    request: Request, location: str, *, headers: Sequence[tuple[str, str]] = ()
) -> Response:
    """Send the browser on; with a page in between where it comes from a form of ours.

    Browsers hold a page's ``form-action 'self'`` against every redirect that follows its
    form, up to the next page; that page's own link goes anywhere.
    """
    ours = not urlsplit(location).netloc or location.startswith(f"{request.origin}/")
    if ours or request.headers.get("sec-fetch-site") != "same-origin":
        return redirect(location, headers=headers)
    where = escape(location, quote=True)
    page = (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>→</title>'
        f'<meta http-equiv="refresh" content="0;url={where}"><a href="{where}">→</a></html>'
    )
    return html_response(page, headers=headers)


def _token_refused(error: TokenRefused) -> Response:
    """Refuse with the scheme the token should come under (RFC 6750 §3, RFC 9449 §7.1)."""
    name = str(error.facts.get("oauth_error") or "invalid_token")
    body = orjson.dumps({"error": name, "error_description": error.detail})
    headers = [("content-type", JSON), NO_STORE, ("www-authenticate", token_challenge(error))]
    if error.facts.get("dpop_nonce"):
        headers.append(("dpop-nonce", str(error.facts["dpop_nonce"])))
    return Response(401, headers, body)
