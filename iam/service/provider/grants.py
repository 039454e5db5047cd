"""The token endpoint: codes and refresh tokens are used once, whoever comes second loses all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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
from iam.models.accounts import ActingContext
from iam.models.clients import Client, ClientCredentials
from iam.models.grants import (
    Code,
    Family,
    Redemption,
    RefreshUse,
    Rotation,
    TokenContent,
    TokenSet,
)
from iam.models.real_name import NO_DEMAND
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.provider.authentication import CallerService
from iam.service.provider.consents import ConsentBook
from iam.service.provider.directory import actor_of_client
from iam.service.provider.issuing import Issuer
from iam.service.sign_on.sessions import end_one, own_actor, require_opening
from iam.service.zero_trust.decisions import TOKEN_ISSUE, DecisionService
from secops.kernel.access import Question
from secops.kernel.clock import SECOND
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
    """``consent`` covers the code, "" where none is needed; ``acting``: for whom it acts."""

    code: Code
    session: OpSession
    consent: str
    acting: ActingContext | None


@dataclass(frozen=True, slots=True)
class GrantService:
    """Exchanges grants for tokens."""

    means: Means
    callers: CallerService
    issuer: Issuer
    decisions: DecisionService
    consents: ConsentBook

    def client_credentials(
        self, credentials: ClientCredentials, scope: str | None, resource: str | None
    ) -> tuple[TokenSet, Act]:
        """Issue an application's own token; the caller makes the act durable first.

        Blocks on nothing: this is the hot path. Raises a branch of ``OAuthRefused``.
        """
        client, key = self.callers.authenticate(credentials)
        if "client_credentials" not in client.grants:
            raise UnauthorizedClient
        scopes = allowed_scopes(client, scope)
        audience = resource or client.audiences[0]
        if audience not in client.audiences:
            raise InvalidTarget
        actor = self.callers.directory.actor(client, scopes)
        decision = self.decisions.decide(Question(actor, TOKEN_ISSUE, "token:new"))
        if not decision.allowed:
            raise AccessDenied(decision.reason)
        token_id = self.issuer.token_id()
        granted = " ".join(sorted(scopes))
        token = self.issuer.client_token(client, token_id, granted, audience=audience, key=key)
        act = Act(
            "iam.issue_token",
            actor,
            f"token:{token_id}",
            details={"grant": "client_credentials", "scope": granted, "audience": audience},
        )
        return TokenSet(token, self._seconds, granted, token_type=_scheme(key)), act

    def exchange_code(self, credentials: ClientCredentials, exchange: CodeExchange) -> TokenSet:
        """Redeem a code once; a second use ends everything issued from it."""
        client, key = self.callers.authenticate(credentials)
        redeemed, family, token_id = self.redeem(client, exchange, key)
        code, consent = redeemed.code, redeemed.consent
        content = TokenContent(token_id, code.scopes, family, key, consent, redeemed.acting)
        return self.hand_out(client, redeemed.session, content, code.nonce)

    def hand_out(
        self, client: Client, session: OpSession, content: TokenContent, nonce: str | None = None
    ) -> TokenSet:
        """Return the tokens of what was granted; the first of their family."""
        access = self.issuer.access_token(client, session, content)
        identity = None
        if "openid" in content.scopes:
            identity = self.issuer.id_token(
                client, session, access, nonce=nonce, acting=content.acting
            )
        return TokenSet(
            access,
            self._seconds,
            " ".join(sorted(content.scopes)),
            None if content.family is None else self._write(content.family, 0),
            identity,
            _scheme(content.key),
        )

    def redeem(
        self, client: Client, exchange: CodeExchange, key: str | None = None
    ) -> tuple[_Redeemed, bytes | None, str]:
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
            dpop_jkt=key,
        )
        find = self.means.stores.grants.session_of_code
        self.ask_again(client, lambda tx: find(tx, redemption.digest, client.id))
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
        session = self.living(tx, code.session_id)
        if session is None:
            return None
        consent = self.consents.standing(tx, client, session.account_id, code.scopes)
        if consent is None:
            return None
        if refreshable:
            self.begin_family(
                tx, client, session, (redemption.family, code.scopes, redemption.dpop_jkt)
            )
        issued = ("authorization_code", redemption.token_id)
        return _Redeemed(code, session, consent, self.note_issue(tx, client, session, issued))

    def begin_family(
        self,
        tx: Transaction,
        client: Client,
        session: OpSession,
        what: tuple[bytes, frozenset[str], str | None],
    ) -> None:
        """Store a family of refresh tokens: its id, scopes, and the key that was shown."""
        identifier, scopes, key = what
        lifetimes = self.means.options.lifetimes
        family = Family(
            id=identifier,
            org_id=session.org_id,
            client_id=client.id,
            session_id=session.id,
            key_id=_binding(client, key),
            scopes=scopes,
            idle=lifetimes.refresh_idle,
            ends_at=tx.now + lifetimes.refresh_absolute,
        )
        self.means.stores.grants.add_family(tx, family)

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
        client, key = self.callers.authenticate(credentials)
        if "refresh_token" not in client.grants:
            raise UnauthorizedClient
        family, generation = read_refresh_token(self._refresh_key, token)
        find = self.means.stores.grants.session_of_family
        self.ask_again(client, lambda tx: find(tx, family, client.id))
        use = RefreshUse(family, generation, client.id, _binding(client, key), client.rotates)
        token_id = self.issuer.token_id()
        rotation, holder = self.means.parts.transactions.run(
            lambda tx: self._rotate(tx, client, use, token_id)
        )
        if rotation.outcome not in ("rotated", "repeated") or holder is None:
            msg = "the refresh token is used, expired or revoked"
            raise InvalidGrant(msg)
        scopes = rotation.scopes
        if scope is not None and scope.strip():
            asked = allowed_scopes(client, scope)
            scopes &= asked
        session, consent, acting = holder
        content = TokenContent(token_id, scopes, family, key, consent, acting)
        access = self.issuer.access_token(client, session, content)
        successor = self._write(family, rotation.generation)
        granted = " ".join(sorted(scopes))
        return TokenSet(access, self._seconds, granted, successor, token_type=_scheme(key))

    def _rotate(
        self, tx: Transaction, client: Client, use: RefreshUse, token_id: str
    ) -> tuple[Rotation, tuple[OpSession, str, ActingContext | None] | None]:
        """Return the step, and the session with its consent while both stand, and for whom."""
        rotation = self.means.stores.grants.rotate(tx, use)
        if rotation.outcome in ("rotated", "repeated"):
            session = self.living(tx, rotation.session_id)
            if session is None:
                return rotation, None
            whose = session.account_id
            consent = self.consents.standing(tx, client, whose, rotation.scopes)
            if consent is None:
                return rotation, None
            acting = self.note_issue(tx, client, session, ("refresh_token", token_id))
            return rotation, (session, consent, acting)
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
        if session is not None:
            end_one(means, tx, session, "a refresh token was used twice")

    def ask_again(self, client: Client, find: Callable[[Transaction], str | None]) -> None:
        """Ask the policies anew before a token is given where a real name or newer proof is due.

        ``find`` returns the session behind the grant. The grant is not consumed by a refusal: it
        works again once the person is verified, or has proved themselves, again. Applications
        check tokens by themselves: a demand that ends no session would not reach them else.
        Raises ``AccessDenied``.
        """
        asked, named = self.means.parts.revocations.ended_of("step-up"), client.real_name_level
        if named == NO_DEMAND and not asked:
            return

        def work(tx: Transaction) -> OpSession | None:
            session_id = find(tx)
            return None if session_id is None else self.living(tx, session_id)

        session = self.means.parts.transactions.read(work)
        if session is not None and (named != NO_DEMAND or session.account_id in asked):
            require_opening(self.means, self.decisions, session, client.id)

    def living(self, tx: Transaction, session_id: str) -> OpSession | None:
        """Return the session unless it or its account was ended; idle time is the family's."""
        session = self.means.stores.sessions.get(tx, session_id)
        if session is None or session.ended_at is not None or session.expires_at <= tx.now:
            return None
        account = self.means.stores.accounts.get(tx, session.account_id)
        ended = self.means.parts.revocations.is_revoked
        if account.state != "active" or ended("account", account.id):
            return None
        return None if ended("session", session.id) else session

    def note_issue(
        self, tx: Transaction, client: Client, session: OpSession, issued: tuple[str, str]
    ) -> ActingContext | None:
        """Record by which grant a token was issued, and that the application knows the session.

        Returns for whom the session acts, to be said in the tokens as it was recorded.
        """
        grant, token_id = issued
        actor = own_actor(session, client.id)
        self.means.stores.logouts.add_client(tx, session.id, client.id)
        details = {"grant": grant}
        context = self.issuer.on_behalf(tx, client, session)
        if context is not None:
            details |= {
                "mandate": context.mandate.id,
                "legal_person": context.legal_person.id,
                "agent": session.account_id,
            }
        tx.record(Act("iam.issue_token", actor, f"token:{token_id}", details=details))
        return context

    @property
    def _refresh_key(self) -> bytes:
        return self.means.keys.key("refresh-token")

    def _write(self, family: bytes, generation: int) -> str:
        return write_refresh_token(self._refresh_key, family, generation)

    @property
    def _seconds(self) -> int:
        return self.means.options.lifetimes.access_token // SECOND


def _scheme(key: str | None) -> str:
    return "Bearer" if key is None else "DPoP"


def _binding(client: Client, key: str | None) -> str | None:
    """Return what binds a refresh token: the client's credential, else the key it shows.

    A confidential client's tokens stay its own whatever key it proves (RFC 9449 §5); None
    binds nothing.
    """
    if client.auth_method == "private_key_jwt":
        return f"client:{client.id}"
    if client.secret_digest is not None:
        return f"secret:{client.secret_digest.hex()[:32]}"
    return None if key is None else f"dpop:{key}"
