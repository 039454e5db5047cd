"""The token endpoint: codes and refresh tokens are used once, whoever comes second loses all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from iam.core.rfc6749.authorize import allowed_scopes
from iam.core.rfc6749.refresh import (
    FAMILY_BYTES,
    read_refresh_token,
    write_refresh_token,
)
from iam.core.rfc7636.pkce import challenge_of
from iam.errors import AccessDenied, InvalidGrant, InvalidTarget, UnauthorizedClient
from iam.models.clients import Client, ClientCredentials
from iam.models.grants import (
    Code,
    Family,
    Redemption,
    RefreshUse,
    Rotation,
    TokenSet,
)
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory, actor_of_client
from iam.service.provider.issuing import Issuer
from iam.service.zero_trust.decisions import TOKEN_ISSUE, DecisionService
from secops.kernel.access import Question
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.events import SessionRevoked
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_CODE: Final = 128


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """The parameters of ``grant_type=authorization_code``."""

    code: str = field(repr=False)
    redirect_uri: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Redeemed:
    code: Code
    session: OpSession


@dataclass(frozen=True, slots=True)
class GrantService:
    """Exchanges grants for tokens."""

    means: Means
    directory: ClientDirectory
    issuer: Issuer
    decisions: DecisionService

    def client_credentials(
        self, credentials: ClientCredentials, scope: str | None, resource: str | None
    ) -> tuple[TokenSet, Act]:
        """Issue an application's own token; the caller makes the act durable first.

        Blocks on nothing: this is the hot path. Raises a branch of ``OAuthRefused``.
        """
        client = self.directory.authenticate(credentials)
        if "client_credentials" not in client.grants:
            raise UnauthorizedClient
        scopes = allowed_scopes(client, scope)
        audience = resource or client.audiences[0]
        if audience not in client.audiences:
            raise InvalidTarget
        actor = actor_of_client(client, scopes)
        decision = self.decisions.decide(Question(actor, TOKEN_ISSUE, "token:new"))
        if not decision.allowed:
            raise AccessDenied(decision.reason)
        token_id = self.issuer.token_id()
        granted = " ".join(sorted(scopes))
        token = self.issuer.client_token(client, token_id, granted, audience)
        act = Act(
            "iam.issue_token",
            actor,
            f"token:{token_id}",
            details={"grant": "client_credentials", "scope": granted, "audience": audience},
        )
        return TokenSet(token, self._seconds, granted), act

    def exchange_code(self, credentials: ClientCredentials, exchange: CodeExchange) -> TokenSet:
        """Redeem a code once; a second use ends everything issued from it."""
        client = self.directory.authenticate(credentials)
        redeemed, family, token_id = self.redeem(client, exchange)
        session, scopes = redeemed.session, redeemed.code.scopes
        access = self.issuer.access_token(
            client, session, token_id=token_id, scopes=scopes, family=family
        )
        identity = None
        if "openid" in scopes:
            identity = self.issuer.id_token(client, session, redeemed.code, access)
        refresh = None if family is None else self._write(family, 0)
        return TokenSet(access, self._seconds, " ".join(sorted(scopes)), refresh, identity)

    def redeem(self, client: Client, exchange: CodeExchange) -> tuple[_Redeemed, bytes | None, str]:
        """Consume a code; return it with its session, the new family's id and the ``jti``."""
        if "authorization_code" not in client.grants:
            raise UnauthorizedClient
        family = self.means.random(FAMILY_BYTES)
        redemption = Redemption(
            digest=hashlib.sha256(exchange.code[:MAX_CODE].encode()).digest(),
            client_id=client.id,
            redirect_uri=exchange.redirect_uri,
            challenge=challenge_of(exchange.verifier),
            token_id=self.issuer.token_id(),
            family=family,
        )
        refreshable = "refresh_token" in client.grants
        redeemed = self.means.parts.transactions.run(
            lambda tx: self._redeem(tx, client, redemption, refreshable=refreshable)
        )
        if redeemed is None:
            msg = "the code is wrong, used, expired or somebody else's"
            raise InvalidGrant(msg)
        return redeemed, family if refreshable else None, redemption.token_id

    def _redeem(
        self, tx: Transaction, client: Client, redemption: Redemption, *, refreshable: bool
    ) -> _Redeemed | None:
        grants = self.means.stores.grants
        code = grants.redeem_code(tx, redemption)
        if code is None:
            self._end_spent(tx, client, redemption)
            return None
        session = self._living(tx, code.session_id)
        if session is None:
            return None
        if refreshable:
            lifetimes = self.means.options.lifetimes
            grants.add_family(
                tx,
                Family(
                    id=redemption.family,
                    org_id=session.org_id,
                    client_id=client.id,
                    session_id=session.id,
                    key_id=_binding(client),
                    scopes=code.scopes,
                    idle=lifetimes.refresh_idle,
                    ends_at=tx.now + lifetimes.refresh_absolute,
                ),
            )
        self._record(tx, client, session, ("authorization_code", redemption.token_id))
        return _Redeemed(code, session)

    def _end_spent(self, tx: Transaction, client: Client, redemption: Redemption) -> None:
        """End all that was issued from a code that comes back (RFC 6749 §4.1.2)."""
        before = self.means.stores.grants.spent_code(tx, redemption)
        if before is None:
            return
        self.means.stores.grants.end_family(tx, before.family, client.id)
        self.means.parts.revocations.revoke(tx, "token", before.token_id)
        self.means.parts.revocations.revoke(tx, "token", before.family.hex())
        actor = actor_of_client(client, frozenset())
        target = f"token:{before.token_id}"
        tx.record(Act("iam.reuse_code", actor, target, "refused"))

    def refresh(self, credentials: ClientCredentials, token: str, scope: str | None) -> TokenSet:
        """Rotate a refresh token by compare-and-set; reuse ends family and session."""
        client = self.directory.authenticate(credentials)
        if "refresh_token" not in client.grants:
            raise UnauthorizedClient
        family, generation = read_refresh_token(self._refresh_key, token)
        use = RefreshUse(family, generation, client.id, _binding(client))
        token_id = self.issuer.token_id()
        rotation, session = self.means.parts.transactions.run(
            lambda tx: self._rotate(tx, client, use, token_id)
        )
        if rotation.outcome not in ("rotated", "repeated") or session is None:
            msg = "the refresh token is used, expired or revoked"
            raise InvalidGrant(msg)
        scopes = rotation.scopes
        if scope is not None and scope.strip():
            asked = allowed_scopes(client, scope)
            scopes &= asked
        access = self.issuer.access_token(
            client, session, token_id=token_id, scopes=scopes, family=family
        )
        successor = self._write(family, rotation.generation)
        return TokenSet(access, self._seconds, " ".join(sorted(scopes)), successor)

    def _rotate(
        self, tx: Transaction, client: Client, use: RefreshUse, token_id: str
    ) -> tuple[Rotation, OpSession | None]:
        rotation = self.means.stores.grants.rotate(tx, use)
        if rotation.outcome in ("rotated", "repeated"):
            session = self._living(tx, rotation.session_id)
            if session is not None:
                self._record(tx, client, session, ("refresh_token", token_id))
            return rotation, session
        actor = actor_of_client(client, frozenset())
        details = {"reason": rotation.outcome, "session": rotation.session_id or None}
        target = f"refresh_family:{use.family.hex()}"
        tx.record(Act("iam.refresh_token", actor, target, "refused", details))
        if rotation.outcome == "reused":
            self._end_stolen(tx, use.family, rotation.session_id)
        return rotation, None

    def _end_stolen(self, tx: Transaction, family: bytes, session_id: str) -> None:
        """Somebody else has the token too: the whole sign-in ends with it."""
        means = self.means
        means.parts.revocations.revoke(tx, "token", family.hex())
        means.parts.revocations.revoke(tx, "session", session_id)
        session = means.stores.sessions.get(tx, session_id)
        means.stores.sessions.end(tx, session_id)
        if session is not None:
            tx.announce(
                SessionRevoked(
                    org_id=session.org_id,
                    session_id=session.id,
                    account_id=session.account_id,
                    reason="a refresh token was used twice",
                )
            )

    def _living(self, tx: Transaction, session_id: str) -> OpSession | None:
        """Return the session unless it or its account was ended; idle time is the family's."""
        session = self.means.stores.sessions.get(tx, session_id)
        if session is None or session.ended_at is not None or session.expires_at <= tx.now:
            return None
        account = self.means.stores.accounts.get(tx, session.account_id)
        ended = self.means.parts.revocations.is_revoked
        if account.state != "active" or ended("account", account.id):
            return None
        return None if ended("session", session.id) else session

    @staticmethod
    def _record(
        tx: Transaction, client: Client, session: OpSession, issued: tuple[str, str]
    ) -> None:
        grant, token_id = issued
        actor = Actor(
            kind="account",
            id=session.account_id,
            org_id=session.org_id,
            name=session.account_id,
            session_id=session.id,
            client_id=client.id,
        )
        tx.record(Act("iam.issue_token", actor, f"token:{token_id}", details={"grant": grant}))

    @property
    def _refresh_key(self) -> bytes:
        return self.means.keys.key("refresh-token")

    def _write(self, family: bytes, generation: int) -> str:
        return write_refresh_token(self._refresh_key, family, generation)

    @property
    def _seconds(self) -> int:
        return self.means.options.lifetimes.access_token // SECOND


def _binding(client: Client) -> str | None:
    """Return what binds a refresh token to its client; None for a public one."""
    if client.secret_digest is None:
        return None
    return f"secret:{client.secret_digest.hex()[:32]}"
