"""Access tokens and console sessions are read here; fills ``kernel.access.TokenVerifier``.

A token is checked once (signature, claims, account) and then known by its SHA-256 until it
expires; what was revoked since is asked on every use, from memory.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Final

from iam.core.rfc6749.authorize import allowed_scopes
from iam.core.rfc9068.verify import MAX_TOKEN, signed_claims, verify
from iam.errors import InvalidClient, PossessionRefused, TokenRefused
from iam.models.accounts import Account
from iam.models.clients import ClientCredentials
from iam.models.grants import VerifiedClaims
from iam.models.options import API_AUDIENCE, CLI_CLIENT, CONSOLE_CLIENT
from iam.models.sessions import OpSession, RpSession
from iam.service.means import Means
from iam.service.provider.consents import consent_epoch
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.possession import PossessionService
from iam.service.provider.tokens import KeyRing, token_digest
from iam.service.sign_on.acting import epoch_id
from secops.kernel.access import Possession
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE, SECOND
from secops.kernel.errors import AuditUnavailable
from secops.kernel.transactions import Transaction

MAX_CACHED: Final = 50_000
SEEN_SECONDS: Final = 5.0
_MAX_COOKIE: Final = 128
_OWN_CLIENTS: Final = frozenset({CONSOLE_CLIENT, CLI_CLIENT})


@dataclass(slots=True)
class Known:
    """A token that was checked: its claims, who it stands for.

    ``until`` is when the first role that was lent to them ends: then it is read anew.
    ``clear_at`` is the last epoch of revocations at which nothing of it was ended; while that
    stands there is nothing to look up.
    """

    claims: VerifiedClaims
    actor: Actor
    until: int | None = None
    clear_at: int = -1

    def over(self, now: int) -> bool:
        """Tell whether a lent role has ended since."""
        return self.until is not None and now >= self.until


@dataclass(frozen=True, slots=True)
class Seen:
    """A session at an application, as it was read; ``until`` is on the monotonic clock."""

    client_id: str
    session: OpSession
    actor: Actor
    until: float
    consent_id: str | None = None


class TokenVerification:
    """Turns tokens and cookies into actors."""

    def __init__(self, means: Means, ring: KeyRing, directory: ClientDirectory) -> None:
        self._means = means
        self._possession = PossessionService(means)
        self._ring = ring
        self._directory = directory
        self._known: dict[bytes, Known] = {}
        self._seen: dict[bytes, Seen] = {}

    def verify_token(self, token: str) -> Actor:
        """Return who presents a token for our own API; raise ``TokenRefused``."""
        return self._verify(token, None)

    def verify_bound_token(self, token: str, possession: Possession) -> Actor:
        """Return who presents a token for our own API and holds its key; raise ``TokenRefused``."""
        return self._verify(token, possession)

    def _verify(self, token: str, possession: Possession | None) -> Actor:
        known = self.inspect(token)
        if API_AUDIENCE not in known.claims.audience:
            msg = "the token is not for this audience"
            raise TokenRefused(msg)
        self.check_possession(token, known, possession)
        return known.actor

    def check_possession(self, token: str, known: Known, possession: Possession | None) -> None:
        """Raise ``TokenRefused`` unless token and proof belong together, or neither has a key."""
        key = known.claims.key
        if key is None and possession is None:
            return
        if key is None:
            msg = "the token is bound to no key; send it as Bearer"
            raise TokenRefused(msg)
        if possession is None:
            msg = "the token is bound to a key; send it as DPoP with a proof"
            raise PossessionRefused(msg)
        self._possession.at_resource(token, key, possession)

    def verify_client(self, client_id: str, secret: str) -> Actor:
        """Return the application that proves itself on each request; raise ``TokenRefused``.

        For shippers that can't fetch tokens: what a token of its own would say holds here.
        """
        try:
            client = self._directory.authenticate(ClientCredentials(client_id, secret))
        except InvalidClient as error:
            msg = "the application or its secret is wrong"
            raise TokenRefused(msg) from error
        if client.dpop_bound:
            msg = "the application is registered to prove possession of a key"
            raise TokenRefused(msg)
        if "client_credentials" not in client.grants or API_AUDIENCE not in client.audiences:
            msg = "the application may not act for itself here"
            raise TokenRefused(msg)
        return self._directory.actor(client, allowed_scopes(client, None))

    def inspect(self, token: str) -> Known:
        """Return a token's claims and actor, whatever its audience; raise ``TokenRefused``."""
        if len(token) > MAX_TOKEN:
            msg = "not a compact JWT of at most 8 KiB"
            raise TokenRefused(msg)
        digest = token_digest(token)
        known = self.known(digest)
        if known is None:
            epoch = self._means.parts.revocations.epoch
            known = self._check(token)
            self._refuse_ended(known)
            known.clear_at = epoch
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            self._known[digest] = known
        return known

    def known(self, digest: bytes) -> Known | None:
        """Return a token by its SHA-256 as ``inspect`` would, None where it has to be read."""
        known = self._known.get(digest)
        if known is None:
            return None
        epoch, now = self._means.parts.revocations.epoch, self._means.now
        if known.clear_at != epoch:
            if not self._directory.unchanged(known.actor):
                return None
            self._refuse_ended(known)
            known.clear_at = epoch
        if known.over(now):
            return None
        if known.claims.expires_at <= now // SECOND:
            msg = "the token has expired"
            raise TokenRefused(msg)
        return known

    def claims_of(self, token: str) -> VerifiedClaims:
        """Return the claims of an access token without asking who stands behind it."""
        now = self._means.now // SECOND
        issuer = self._means.options.issuer
        return verify(token, self._ring.keys_for(token, "at+jwt"), issuer, now)

    def is_id_token(self, token: str) -> bool:
        """Tell whether we signed it as an ID token, however old it is."""
        try:
            signed_claims(token, self._ring.keys_for(token, "JWT"))
        except TokenRefused:
            return False
        return True

    def _check(self, token: str) -> Known:
        claims = self.claims_of(token)
        self._directory.require_algorithm(claims)
        if claims.session_id is None:
            return Known(claims, self._directory.actor_of(claims))
        return self._account_actor(claims, claims.session_id)

    def _account_actor(self, claims: VerifiedClaims, session_id: str) -> Known:
        stores = self._means.stores

        def work(tx: Transaction) -> Known:
            session = stores.sessions.get(tx, session_id)
            if session is None or session.ended_at is not None:
                msg = "the session has ended"
                raise TokenRefused(msg)
            account = stores.accounts.get(tx, session.account_id)
            actor = _actor(account, stores.roles.of_subject(tx, account.id), session, claims)
            lent = stores.roles.lent(tx, account.id)
            return Known(claims, actor, min(lent.values(), default=None))

        return self._means.parts.transactions.read(work)

    def _refuse_ended(self, known: Known) -> None:
        claims, actor = known.claims, known.actor
        if claims.expires_at <= self._means.now // SECOND:
            msg = "the token has expired"
            raise TokenRefused(msg)
        ended = self._means.parts.revocations.is_revoked
        if (
            ended("token", claims.token_id)
            or ended("client", claims.client_id)
            or (claims.session_id is not None and ended("session", claims.session_id))
            or (claims.family is not None and ended("token", claims.family))
            or (actor.kind == "account" and ended("account", actor.id))
            or (claims.mandate is not None and ended("token", epoch_id(claims.mandate)))
            or (claims.consent is not None and ended("token", consent_epoch(claims.consent)))
        ):
            msg = "the token was revoked"
            raise TokenRefused(msg)

    def verify_session(self, cookie: str) -> Actor:
        """Return who holds a console or command-line session; raise ``TokenRefused``."""
        seen = self._read_seen(cookie, _OWN_CLIENTS)
        self._use(seen)
        return seen.actor

    def verify_site(self, cookie: str, client_id: str) -> Actor:
        """Return who holds a session at ``client_id``; raise ``TokenRefused``.

        What was read is believed for five seconds; what was ended since is asked each time.
        """
        digest = token_digest(cookie)
        seen, now = self._seen.get(digest), self._means.parts.clock.monotonic()
        fits = seen is not None and seen.client_id == client_id and now < seen.until
        if seen is None or not fits or not seen.session.alive(self._means.now):
            seen = self._read_seen(cookie, frozenset({client_id}))
            if len(self._seen) >= MAX_CACHED:
                self._seen.clear()
            self._seen[digest] = seen
        if self._use(seen):
            self._seen.pop(digest, None)  # two requests may do this at once
        return seen.actor

    def _read_seen(self, cookie: str, client_ids: frozenset[str]) -> Seen:
        if not cookie or len(cookie) > _MAX_COOKIE:
            msg = "no session"
            raise TokenRefused(msg)
        digest, now = token_digest(cookie), self._means.parts.clock.monotonic()

        def work(tx: Transaction) -> Seen:
            hanging, session, actor = self._read_session(tx, digest, client_ids)
            until = now + SEEN_SECONDS
            return Seen(hanging.client_id, session, actor, until, hanging.consent_id)

        return self._means.parts.transactions.read(work)

    def _use(self, seen: Seen) -> bool:
        """Raise ``TokenRefused`` if it was ended; tell whether its use was noted."""
        session = seen.session
        ended = self._means.parts.revocations.is_revoked
        consent = seen.consent_id
        if (
            ended("session", session.id)
            or ended("account", seen.actor.id)
            or (consent is not None and ended("token", consent_epoch(consent)))
        ):
            msg = "the session was ended"
            raise TokenRefused(msg)
        if self._means.now - session.last_seen <= MINUTE:
            return False
        # being unable to note it only shortens the session
        with contextlib.suppress(AuditUnavailable):
            self._means.parts.transactions.run(
                lambda tx: self._means.stores.sessions.touch(tx, session.id)
            )
        return True

    def _read_session(
        self, tx: Transaction, digest: bytes, client_ids: frozenset[str]
    ) -> tuple[RpSession, OpSession, Actor]:
        stores = self._means.stores
        hanging = stores.sessions.rp_by_digest(tx, digest)
        if hanging is None or hanging.client_id not in client_ids:
            # a cookie for one application opens no other, least of all the console
            msg = "the session is unknown or over"
            raise TokenRefused(msg)
        session = stores.sessions.get(tx, hanging.session_id)
        if session is None or not session.alive(self._means.now):
            msg = "the session is unknown or over"
            raise TokenRefused(msg)
        account = stores.accounts.get(tx, session.account_id)
        if account.state != "active":
            msg = "the account is not active"
            raise TokenRefused(msg)
        actor = _actor(account, stores.roles.of_subject(tx, account.id), session, None)
        return hanging, session, actor


def _actor(
    account: Account, roles: frozenset[str], session: OpSession, claims: VerifiedClaims | None
) -> Actor:
    if account.state != "active":
        msg = "the account is not active"
        raise TokenRefused(msg)
    return Actor(
        kind="account",
        id=account.id,
        org_id=account.org_id,
        name=account.name,
        roles=roles,
        session_id=session.id,
        client_id=None if claims is None else claims.client_id,
        level=session.level,
        auth_time=session.auth_time,
        scopes=None if claims is None else claims.scopes,
    )
