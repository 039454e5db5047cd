"""What goes into each token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.core.base64url import encode
from iam.core.openid.consent import LEGAL_PERSON, REAL_NAME
from iam.core.openid_logout.token import logout_claims
from iam.core.real_name import real_name_claim
from iam.errors import AccessDenied, MandateRefused
from iam.models.accounts import ActingContext
from iam.models.clients import Client
from iam.models.grants import TokenContent
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.provider.tokens import KeyRing, access_token_hash
from iam.service.sign_on.acting import ActingService
from secops.kernel.clock import SECOND
from secops.kernel.transactions import Transaction

_JTI_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Issuer:
    """Writes access and ID tokens."""

    means: Means
    ring: KeyRing
    acting: ActingService

    def on_behalf(
        self, tx: Transaction, client: Client, session: OpSession
    ) -> ActingContext | None:
        """Return for whom ``session`` acts at ``client``; raise ``AccessDenied``.

        A mandate that ended or does not cover the application gives no token at all: the agent
        meant to act for somebody else. Our own applications are used in person.
        """
        if client.first_party:
            return None
        try:
            context = self.acting.context(tx, session.id)
            if context is not None:
                self.acting.require_covered(context, "service", client.id)
        except MandateRefused as error:
            raise AccessDenied(error.detail) from error
        return context

    def _acting_claims(
        self, client: Client, session: OpSession, exp: int, context: ActingContext | None
    ) -> dict[str, Any]:
        """Return subject and end of a token, and who acts where it is not the subject."""
        agent = self.subject(client, session.account_id)
        if context is None:
            return {"sub": agent, "exp": exp}
        return {
            **context.claims(agent),
            "sub": self.subject(client, context.legal_person.id),
            "exp": min(exp, context.mandate.ends_at // SECOND),
        }

    def token_id(self) -> str:
        """Return a new ``jti``."""
        return encode(self.means.random(_JTI_BYTES))

    def subject(self, client: Client, account_id: str) -> str:
        """Return what ``client`` knows an account by: itself, or pairwise (OIDC Core §8.1)."""
        if client.first_party:
            return account_id
        sector = client.id if client.sector is None else f"sector:{client.sector}"
        return encode(self.means.keys.mac("subject", f"{sector}|{account_id}".encode())[:16])

    def _end(self, session: OpSession) -> int:
        """Return when a token of ``session`` ends, in seconds: never after the session itself."""
        lifetime = self.means.options.lifetimes.access_token
        return min(self.means.now + lifetime, session.expires_at) // SECOND

    def client_token(
        self, client: Client, token_id: str, scope: str, *, audience: str, key: str | None
    ) -> str:
        """Return an application's own access token, bound to ``key`` if there is one."""
        now = self.means.now // SECOND
        claims: dict[str, Any] = {
            "iss": self.means.options.issuer,
            "sub": client.id,
            "aud": audience,
            "client_id": client.id,
            "org": client.org_id,
            "jti": token_id,
            "iat": now,
            "exp": now + self.means.options.lifetimes.access_token // SECOND,
            "scope": scope,
        }
        if key is not None:
            claims["cnf"] = {"jkt": key}
        return self.ring.sign("at+jwt", claims, client.token_alg)

    def access_token(self, client: Client, session: OpSession, content: TokenContent) -> str:
        """Return an access token for ``session`` at ``client``."""
        now = self.means.now // SECOND
        claims: dict[str, Any] = {
            "iss": self.means.options.issuer,
            "aud": list(client.audiences) if len(client.audiences) > 1 else client.audiences[0],
            "client_id": client.id,
            "org": session.org_id,
            "jti": content.token_id,
            "iat": now,
            "exp": self._end(session),
            "scope": " ".join(sorted(content.scopes)),
            "sid": session.id,
            "acr": session.acr,
            "amr": list(session.amr),
            "auth_time": session.auth_time // SECOND,
        }
        claims |= self._acting_claims(client, session, claims["exp"], content.acting)
        if content.family is not None:
            claims["rtf"] = content.family.hex()
        if content.key is not None:
            claims["cnf"] = {"jkt": content.key}
        if content.consent:
            claims["consent"] = content.consent
        return self.ring.sign("at+jwt", claims, client.token_alg)

    def id_token(
        self,
        client: Client,
        session: OpSession,
        access_token: str,
        *,
        nonce: str | None,
        acting: ActingContext | None,
    ) -> str:
        """Return the ID token that goes with an access token (OIDC Core §2)."""
        now = self.means.now // SECOND
        claims: dict[str, Any] = {
            "iss": self.means.options.issuer,
            "aud": client.id,
            "iat": now,
            "exp": now + self.means.options.lifetimes.access_token // SECOND,
            "auth_time": session.auth_time // SECOND,
            "acr": session.acr,
            "amr": list(session.amr),
            "sid": session.id,
            "at_hash": access_token_hash(access_token, client.token_alg),
        }
        claims |= self._acting_claims(client, session, claims["exp"], acting)
        if nonce is not None:
            claims["nonce"] = nonce
        claims |= self._person(client, session.account_id)
        return self.ring.sign("JWT", claims, client.token_alg)

    def _person(self, client: Client, account_id: str) -> dict[str, Any]:
        """Return what the application is registered to learn of the person or body.

        Scope ``real_name``: the level of the real name; ``legal_person``: the credit code that
        a legal person's own account stands for. Both are of the registration, which somebody
        approved, never of the request alone.
        """
        wanted = client.scopes & {REAL_NAME, LEGAL_PERSON}
        if not wanted:
            return {}
        links = self.means.stores.upstream_links
        read = self.means.parts.transactions.read
        claims: dict[str, Any] = {}
        if REAL_NAME in wanted:
            levels = read(lambda tx: links.levels_of(tx, account_id))
            claims["real_name_level"] = real_name_claim(levels, self.means.now)
        if LEGAL_PERSON in wanted:
            claims["credit_code"] = read(lambda tx: links.credit_code_of(tx, account_id))
        return {name: value for name, value in claims.items() if value is not None}

    def logout_token(self, client: Client, session_id: str, account_id: str) -> str:
        """Return what tells ``client`` that a session ended (Back-Channel Logout 1.0 §2.4)."""
        claims = logout_claims(
            self.means.options.issuer,
            client.id,
            subject=self.subject(client, account_id),
            session_id=session_id,
            now=self.means.now // SECOND,
        )
        claims = {**claims, "jti": self.token_id()}
        return self.ring.sign("logout+jwt", claims, client.token_alg)
