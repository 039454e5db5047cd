"""Forward-auth: each request at a proxy is decided here before the application sees it.

A site is an application whose redirect URI ends in ``/_secops/callback``. Its browser sessions
are sessions of that application at our own provider; its tokens must address it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from iam.core.base64url import encode
from iam.core.forward_auth.sites import CALLBACK, canonical_path, covers, host_of, site_of
from iam.core.rfc7636.pkce import challenge_of
from iam.core.rfc9470.demands import fresh
from iam.errors import (
    InvalidGrant,
    PathRefused,
    SiteRealNameTooLow,
    SiteRefused,
    SiteSignIn,
    SiteUnknown,
    TokenRefused,
)
from iam.models.clients import Client
from iam.models.sessions import acr_of
from iam.models.sites import Site, SitePass, SiteRequest, SiteSession, SiteStart
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.grants import CodeExchange, GrantService
from iam.service.provider.issuing import Issuer
from iam.service.provider.verification import TokenVerification
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import digest_of, hang, opening_of
from iam.service.zero_trust.decisions import SESSION_OPEN, TOKEN_ISSUE, DecisionService
from secops.kernel.access import Question
from secops.kernel.actors import Actor, PlacedActors
from secops.kernel.clock import SECOND
from secops.kernel.trail import Act

_PURPOSE: Final = "site"
SITES_SECONDS: Final = 5.0
IDENTITY_SECONDS: Final = 120
"""How long the signed identity of a request is good for; one is used for half of it."""
MAX_CACHED: Final = 20_000
MAX_HOSTS: Final = 1_000
MAX_WHY: Final = 300


@dataclass(frozen=True, slots=True)
class _Written:
    """The headers for one session or token at one site, and until when they are used."""

    headers: tuple[tuple[str, str], ...]
    until: int


class SiteService:
    """Answers proxies, and signs browsers in at the sites behind them."""

    def __init__(
        self,
        means: Means,
        directory: ClientDirectory,
        verification: TokenVerification,
        *,
        grants: GrantService,
        decisions: DecisionService,
    ) -> None:
        self._means = means
        self._directory = directory
        self._verification = verification
        self._grants = grants
        self._issuer: Issuer = grants.issuer
        self._decisions = decisions
        self._sites: tuple[Site, ...] = ()
        self._by_host: dict[str, tuple[Site, ...]] = {}
        self._read_at = float("-inf")
        self._written: dict[tuple[bytes, str], _Written] = {}
        self._placed = PlacedActors()

    def check_site(self, request: SiteRequest) -> tuple[SitePass, Act]:
        """Return what the application is told, and the act to make durable before that.

        Raises ``SiteSignIn`` where somebody has to sign in, ``Forbidden`` or ``RateExceeded``.
        """
        site, client = self._find(request)
        try:
            actor, key = self._identify(request, site, client)
        except TokenRefused as error:
            raise SiteSignIn(error.detail, location=_start_uri(site, request.uri)) from error
        actor = self._placed.at(actor, request.address)
        self._means.rates.count(actor)
        target = f"site:{client.id}"
        permission = SESSION_OPEN if actor.kind == "account" else TOKEN_ISSUE
        asked = Question(actor, permission, target)
        decision = self._decisions.decide(asked)
        if decision.step_up is not None and self._asks_anew(actor, client):
            raise SiteSignIn(decision.reason, location=_start_uri(site, request.uri))
        if not decision.allowed:
            refusal = SiteRealNameTooLow if self._decisions.lacks_real_name(asked) else SiteRefused
            raise refusal(decision.reason, actor, target)
        act = Act(
            "iam.check_site",
            actor,
            target,
            details={"method": request.method[:16]},
            request_id=request.request_id,
            bulk=True,
        )
        return SitePass(self._headers(client, actor, key)), act

    def _asks_anew(self, actor: Actor, client: Client) -> bool:
        """Tell whether our sign-in would ask for a proof: what it passes would go in a circle."""
        return self._decisions.consider(opening_of(actor, client.id)).step_up is not None

    def start(self, request: SiteRequest, return_to: str) -> SiteStart:
        """Begin a sign-in for the site of ``request``; the browser comes back to the site."""
        site, client = self._find(request)
        state, verifier = encode(self._means.random(16)), encode(self._means.random(32))
        content = {
            "state": state,
            "verifier": verifier,
            "client": client.id,
            "uri": site.redirect_uri,
            "to": _inside(site, return_to),
        }
        lifetime = self._means.options.lifetimes.transaction
        parameters = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": site.redirect_uri,
            "scope": "openid",
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        location = f"{self._means.options.issuer}/oauth2/authorize?{urlencode(parameters)}"
        reference = write_reference(self._means, _PURPOSE, content, lifetime)
        return SiteStart(location, _cookie_name(site, "start"), reference, _secure(site))

    def complete(self, request: SiteRequest, query: Mapping[str, str]) -> SiteSession:
        """Turn the answer of the provider into a session at the site.

        The cookie of ``start`` binds it to the browser that asked. Raises ``TokenRefused`` or
        ``InvalidGrant``.
        """
        site, client = self._find(request)
        reference = request.cookies.get(_cookie_name(site, "start"), "")
        begun = read_reference(self._means, _PURPOSE, reference)
        given, expected = query.get("state", ""), begun["state"]
        ours = begun["client"] == client.id and begun["uri"] == site.redirect_uri
        if not ours or not hmac.compare_digest(given.encode(), expected.encode()):
            msg = "the answer belongs to another sign-in"
            raise TokenRefused(msg)
        if query.get("iss") != self._means.options.issuer:
            msg = "the answer comes from another provider"
            raise TokenRefused(msg)
        if "code" not in query:
            why = query.get("error_description", "")[:MAX_WHY]
            msg = f"sign-in was refused: {query.get('error', 'no code')[:64]}: {why}"
            raise InvalidGrant(msg)
        exchange = CodeExchange(query["code"], site.redirect_uri, begun["verifier"])
        redeemed, _, _ = self._grants.redeem(client, exchange)
        secret = hang(self._means, redeemed.session.id, client.id, redeemed.consent)
        return SiteSession(_cookie_name(site, "session"), secret, _secure(site), begun["to"])

    def _find(self, request: SiteRequest) -> tuple[Site, Client]:
        path = canonical_path(request.uri)
        for site in self._sites_at(request.host):
            if covers(site, path):
                client = self._directory.find(site.client_id)
                ended = self._means.parts.revocations.is_revoked
                if client is None or ended("client", client.id):
                    break
                return site, client
        raise SiteUnknown

    def _sites_at(self, host: str) -> tuple[Site, ...]:
        """Return the sites of ``host`` as it was written, the longest prefix first."""
        known = self._known_sites()
        found = self._by_host.get(host)
        if found is None:
            here = [site for site in known if host_of(host, site.scheme) == site.host]
            found = tuple(sorted(here, key=lambda site: len(site.prefix), reverse=True))
            if len(self._by_host) >= MAX_HOSTS:
                self._by_host.clear()
            self._by_host[host] = found
        return found

    def _known_sites(self) -> tuple[Site, ...]:
        now = self._means.parts.clock.monotonic()
        if now - self._read_at > SITES_SECONDS:
            stores = self._means.stores
            read = self._means.parts.transactions.read
            found = read(lambda tx: stores.clients.with_redirect(tx, f"/{CALLBACK}"))
            sites = (site_of(client.id, uri) for client in found for uri in client.redirect_uris)
            self._sites = tuple(site for site in sites if site is not None)
            self._by_host = {}
            self._read_at = now
        return self._sites

    def _identify(self, request: SiteRequest, site: Site, client: Client) -> tuple[Actor, bytes]:
        """Return who asks and what to know them by; raise ``TokenRefused``."""
        if request.token:
            known = self._verification.inspect(request.token)
            self._verification.check_possession(request.token, known, None)
            if client.id not in known.claims.audience:
                msg = "the token is not for this application"
                raise TokenRefused(msg)
            key, actor = request.token, known.actor
        else:
            cookie = request.cookies.get(_cookie_name(site, "session"), "")
            key, actor = cookie, self._verification.verify_site(cookie, client.id)
        if actor.kind == "account" and not (
            actor.level >= client.level and fresh(actor.auth_time, client.max_age, self._means.now)
        ):
            msg = "the application demands a stronger or fresher sign-in"
            raise TokenRefused(msg)
        return actor, digest_of(key)

    def _headers(self, client: Client, actor: Actor, key: bytes) -> tuple[tuple[str, str], ...]:
        now = self._means.now // SECOND
        written = self._written.get((key, client.id))
        if written is None or written.until <= now:
            written = _Written(self._write(client, actor, now), now + IDENTITY_SECONDS // 2)
            if len(self._written) >= MAX_CACHED:
                self._written.clear()
            self._written[key, client.id] = written
        return written.headers

    def _write(self, client: Client, actor: Actor, now: int) -> tuple[tuple[str, str], ...]:
        account = actor.kind == "account"
        subject = self._issuer.subject(client, actor.id) if account else actor.id
        claims: dict[str, Any] = {
            "iss": self._means.options.issuer,
            "sub": subject,
            "aud": client.id,
            "iat": now,
            "exp": now + IDENTITY_SECONDS,
            "jti": self._issuer.token_id(),
            "org": actor.org_id,
            "name": actor.name,
        }
        if account:
            claims["acr"] = acr_of(actor.level)
            claims["auth_time"] = actor.auth_time // SECOND
        return (
            ("x-secops-identity", self._issuer.ring.sign("identity+jwt", claims)),
            ("x-auth-subject", subject),
            ("x-auth-user", quote(actor.name, safe="")),
            ("x-auth-org", actor.org_id),
            ("x-auth-level", str(actor.level)),
        )


def _inside(site: Site, return_to: str) -> str:
    """Return where the browser goes in the end: a path of the site, or its beginning."""
    try:
        return return_to if covers(site, canonical_path(return_to)) else site.prefix
    except PathRefused:
        return site.prefix


def _start_uri(site: Site, uri: str) -> str:
    query = urlencode({"to": _inside(site, uri)})
    return f"{site.scheme}://{site.host}{site.prefix}_secops/start?{query}"


def _secure(site: Site) -> bool:
    return site.scheme == "https"


def _cookie_name(site: Site, use: str) -> str:
    """Return a name of its own for each site: two of them may share a host."""
    suffix = digest_of(site.redirect_uri).hex()[:8]
    return f"{'__Host-' if _secure(site) else ''}site_{use}_{suffix}"
