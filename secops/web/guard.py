"""The guard: who calls, may they, is the sign-in strong and fresh enough. One for both lanes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from secops.kernel.access import (
    AccessControl,
    BoundTokenVerifier,
    ClientVerifier,
    Possession,
    TokenVerifier,
)
from secops.kernel.actors import Actor, PlacedActors
from secops.kernel.clock import SECOND, Clock
from secops.kernel.errors import Forbidden, StepUpRequired, Unauthenticated
from secops.web.messages import Request
from secops.web.routes import Public, Route, SignedIn

SESSION_COOKIES: Final = ("__Host-rp_session", "rp_session")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_TOKEN: Final = 8_192


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides on each request anew; what it keeps are names, never answers."""

    verifier: TokenVerifier
    access: AccessControl
    clock: Clock
    clients: ClientVerifier | None = None
    """Without it nobody is an application by id and secret."""
    bound: BoundTokenVerifier | None = None
    """Without it no token bound to a key is taken."""
    _placed: PlacedActors = field(default_factory=PlacedActors, repr=False)
    """Whoever decides knows one that asked a moment ago by the object."""

    def identify(self, request: Request, route: Route) -> Request:
        """Return ``request`` with its actor; raise ``Unauthenticated`` where one is needed.

        Public routes get an actor when a valid session came along, and none otherwise.
        """
        if isinstance(route.access, Public):
            return self._with_optional_actor(request, route)
        return self._with_actor(request, route)

    def authorise(self, request: Request, route: Route) -> None:
        """Return if the identified ``request`` may use ``route``; raise the refusal otherwise."""
        if isinstance(route.access, Public):
            return
        actor = request.caller
        self._check_strength(actor, route)
        if not isinstance(route.access, SignedIn):
            self.access.require(actor, route.access, f"route:{route.operation}")
        elif actor.kind == "account" and not actor.covers(route.access.scope):
            msg = f"the token's scopes do not cover {route.access.scope}"
            raise Forbidden(msg)

    def _with_optional_actor(self, request: Request, route: Route) -> Request:
        if route.credential == "token" or not _session_cookie(request):
            return request
        try:
            return self._with_actor(request, route)
        except Unauthenticated:
            return request

    def _with_actor(self, request: Request, route: Route) -> Request:
        actor = self._authenticate(request, route)
        return request.with_actor(self._placed.at(actor, request.remote))

    def _authenticate(self, request: Request, route: Route) -> Actor:
        token, possession = presented_token(request)
        if token and route.credential != "session":
            return self._by_token(token, possession)
        if route.credential == "client" and self.clients is not None:
            return self.clients.verify_client(*client_pair(request))
        cookie = _session_cookie(request)
        if cookie and route.credential in ("session", "either"):
            _refuse_cross_site(request)
            return self.verifier.verify_session(cookie)
        raise Unauthenticated

    def _by_token(self, token: str, possession: Possession | None) -> Actor:
        if possession is None:
            return self.verifier.verify_token(token)
        if self.bound is None:
            raise Unauthenticated
        return self.bound.verify_bound_token(token, possession)

    def _check_strength(self, actor: Actor, route: Route) -> None:
        if actor.kind != "account":
            return
        if actor.level < route.level:
            msg = f"this needs authentication level {route.level}"
            raise StepUpRequired(msg, acr_values=f"urn:secops:aal:{route.level}")
        if route.fresh_seconds is None:
            return
        if self.clock.now() - actor.auth_time > route.fresh_seconds * SECOND:
            msg = f"the sign-in is older than {route.fresh_seconds} s"
            raise StepUpRequired(msg, max_age=route.fresh_seconds)


def bearer_token(request: Request) -> str:
    """Return the access token of Authorization: Bearer or X-Vault-Token, or ""."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    token = value.strip() if scheme.lower() == "bearer" else ""
    token = token or request.headers.get("x-vault-token", "")
    return token if len(token) <= MAX_TOKEN else ""


def presented_token(request: Request) -> tuple[str, Possession | None]:
    """Return the access token, and under the scheme DPoP its proof (RFC 9449 §7.1)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "dpop":
        return bearer_token(request), None
    token = value.strip()
    possession = Possession(request.headers.get("dpop", ""), request.method, request.path)
    return (token if len(token) <= MAX_TOKEN else ""), possession


def client_pair(request: Request) -> tuple[str, str]:
    """Return id and secret of ``Basic`` (RFC 7617) or ``ApiKey``; raise ``Unauthenticated``."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("basic", "apikey") or len(value) > MAX_TOKEN:
        raise Unauthenticated
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        msg = "the credential can't be read"
        raise Unauthenticated(msg) from error
    identifier, colon, secret = text.partition(":")
    if not (identifier and colon and secret):
        msg = "the credential is ID:SECRET"
        raise Unauthenticated(msg)
    return identifier, secret


def _session_cookie(request: Request) -> str:
    if "cookie" not in request.headers:
        return ""
    cookies = request.cookies
    return next((cookies[name] for name in SESSION_COOKIES if cookies.get(name)), "")


def _refuse_cross_site(request: Request) -> None:
    """Cookies alone never change state for another site's page (CSRF).

    Browsers send Sec-Fetch-Site or Origin with every POST; one of them must say "ours".
    """
    if request.method in _SAFE_METHODS:
        return
    if not request.from_our_page:
        msg = "the request comes from another site's page"
        raise Forbidden(msg)
