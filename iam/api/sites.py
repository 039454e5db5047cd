"""What proxies ask before they let a request through: nginx ``auth_request``, Envoy ``ext_authz``.

nginx asks one address and says in X-Original-* what it holds back; Envoy asks with the request
itself, under ``/forward-auth``, and there those headers are the client's and count for nothing.
A proxy understands 401 and 403: every refusal here is one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from iam.errors import RateExceeded, SiteRefused, SiteSignIn
from iam.models.sites import SiteRequest
from iam.service import IamServices
from secops.kernel.errors import Forbidden, SecopsError
from secops.kernel.trail import Act
from secops.web.guard import presented_token
from secops.web.messages import NO_STORE, Request, Response, redirect
from secops.web.problems import problem_response
from secops.web.routes import Public, Route

_ASKED: Final = "a trusted proxy asks for somebody else, whose cookie or token the handler checks"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_START_SECONDS: Final = 600
_REFUSED: Final = (401, 403)
_NGINX: Final = "/forward-auth"


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for proxies, and those that sign a browser in at a site."""
    calls = _Calls(services)
    return (
        _asked("GET", _NGINX, "check_site", calls.check),
        *(
            _asked(
                method,
                f"{_NGINX}/<path:rest>",
                f"check_site_by_{method.lower()}",
                calls.check_itself,
            )
            for method in _METHODS
        ),
        _browser("start", "start_at_site", calls.start),
        _browser("callback", "complete_at_site", calls.complete),
    )


def _asked(method: str, path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method=method,
        path=path,
        operation=operation,
        access=Public(_ASKED),
        handler=handler,
        max_body=0,
        fast=True,
        proxied=True,
    )


def _browser(path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method="GET",
        path=f"/sites/{path}",
        operation=operation,
        access=Public("sign-in itself: nobody is signed in at the site yet"),
        handler=handler,
        form="plain",
        page=True,
        proxied=True,
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def check(self, request: Request) -> Response:
        """Decide what the proxy describes in X-Original-* headers."""
        return self._check(request, _described)

    def check_itself(self, request: Request) -> Response:
        """Decide the request as it stands, after the prefix."""
        return self._check(request, _itself)

    def _check(self, request: Request, read: Callable[[Request], SiteRequest]) -> Response:
        try:
            asked = read(request)
            check = partial(self.services.sites.check_site, asked)
            passed, act = self.services.rates.admit(request.remote, check)
        except SecopsError as error:
            return _refusal(error, request)
        headers = (NO_STORE, *passed.headers)
        return Response(200, headers, acts=(act,))

    def start(self, request: Request) -> Response:
        """Send the browser to sign in."""
        begun = self.services.sites.start(_described(request), request.query.get("to", "/"))
        cookie = _cookie(begun.name, begun.cookie, secure=begun.secure, max_age=_START_SECONDS)
        return redirect(begun.location, headers=(("set-cookie", cookie),))

    def complete(self, request: Request) -> Response:
        """Open the session at the site and go back to where the browser was held up."""
        opened = self.services.sites.complete(_described(request), request.query)
        gone = _cookie(opened.name.replace("session", "start"), "", secure=opened.secure, max_age=0)
        cookie = _cookie(opened.name, opened.cookie, secure=opened.secure)
        return redirect(opened.return_to, headers=(("set-cookie", cookie), ("set-cookie", gone)))


def _described(request: Request) -> SiteRequest:
    headers = request.headers
    try:
        uri, host = headers["x-original-uri"], headers["x-original-host"]
    except KeyError as error:
        msg = f"the proxy did not send {error.args[0]}"
        raise Forbidden(msg) from error
    return _site_request(request, headers.get("x-original-method", "GET"), host, uri)


def _itself(request: Request) -> SiteRequest:
    path = request.target.removeprefix(_NGINX)
    query = f"?{request.query_string}" if request.query_string else ""
    return _site_request(request, request.method, request.headers["host"], path + query)


def _site_request(request: Request, method: str, host: str, uri: str) -> SiteRequest:
    token, possession = presented_token(request)
    if possession is not None:
        msg = "a token bound to a key is for the API it was proved at"
        raise Forbidden(msg)
    cookies = dict(request.cookies)
    # without the header it is the proxy's own, which would put everybody into its zone
    address = request.remote if "x-forwarded-for" in request.headers else ""
    return SiteRequest(method, host, uri, cookies, token, request.request_id, address)


def _refusal(error: SecopsError, request: Request) -> Response:
    acts: tuple[Act, ...] = error.acts if isinstance(error, RateExceeded) else ()
    if error.status not in _REFUSED:
        # trouble here means refusal there
        error = Forbidden(error.detail)
    response = problem_response(error, request)
    headers = list(response.headers)
    location = error.facts.get("location") if isinstance(error, SiteSignIn) else None
    if location is not None:
        headers.append(("x-auth-redirect", str(location)))
        if request.path != _NGINX and _is_navigation(request):
            return Response(303, (*headers, ("location", str(location))))
    if isinstance(error, SiteRefused):
        details = {"code": error.code}
        acts = (
            Act(
                "iam.check_site",
                error.actor,
                error.target,
                "refused",
                details,
                request.request_id,
            ),
        )
    return Response(response.status, headers, response.body, acts)


def _is_navigation(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _cookie(name: str, value: str, *, secure: bool, max_age: int | None = None) -> str:
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        parts.append("Secure")
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    return "; ".join(parts)
