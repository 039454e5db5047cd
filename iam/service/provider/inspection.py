"""Introspection, revocation and userinfo: what a token is worth now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iam.core.rfc6749.refresh import PREFIX, read_refresh_token
from iam.errors import InvalidGrant, TokenRefused, UnsupportedTokenType
from iam.models.clients import Client, ClientCredentials
from iam.models.sessions import acr_of
from iam.service.means import Means
from iam.service.provider.authentication import CallerService
from iam.service.provider.directory import actor_of_client
from iam.service.provider.issuing import Issuer
from iam.service.provider.tokens import token_digest
from iam.service.provider.verification import Known, TokenVerification
from secops.kernel.access import Possession
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction

INACTIVE: Final[Mapping[str, Any]] = {"active": False}
MAX_CACHED: Final = 20_000
_NO_SCOPES: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that was answered "active": who asked, of which token, and the answer."""

    caller: Client
    digest: bytes
    known: Known
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InspectionService:
    """Answers what others ask about tokens."""

    means: Means
    callers: CallerService
    tokens: TokenVerification
    issuer: Issuer
    _asked: dict[bytes, _Asked] = field(default_factory=dict, repr=False)

    def introspect(
        self, credentials: ClientCredentials, token: str, asked: bytes = b""
    ) -> tuple[Mapping[str, Any], Act]:
        """Return the answer of RFC 7662 §2.2 and the act to make durable before it.

        Inactive, and nothing more, for a token the caller is not meant to see. ``asked`` is a
        digest of the whole question, by which ``introspect_again`` knows it.
        """
        caller = self.callers.identify(credentials)
        try:
            known = self.tokens.inspect(token)
        except TokenRefused:
            known = None
        if known is None:
            return INACTIVE, self._act(caller, "token:-", active=False)
        target = f"token:{known.claims.token_id}"
        if not _concerns(caller, known):
            return INACTIVE, self._act(caller, target, active=False)
        answer = _active(known)
        if asked and credentials.assertion is None:
            if len(self._asked) >= MAX_CACHED:
                self._asked.clear()
            self._asked[asked] = _Asked(caller, token_digest(token), known, answer)
        return answer, self._act(caller, target, active=True)

    def introspect_again(self, asked: bytes) -> tuple[Mapping[str, Any], Act] | None:
        """Return what ``introspect`` would, where it said "active" to the same question before.

        None where anything has changed since: then the question is to be read as if new.
        Reading it (form, secret, token) is what is saved; whether application and token still
        count is asked each time. Raises ``RateExceeded``.
        """
        before = self._asked.get(asked)
        if before is None:
            return None
        try:
            same = self.tokens.known(before.digest) is before.known
        except TokenRefused:
            same = False
        if not same or not self.callers.again(before.caller):
            self._asked.pop(asked, None)
            return None
        target = f"token:{before.known.claims.token_id}"
        return before.answer, self._act(before.caller, target, active=True)

    def _act(self, caller: Client, target: str, *, active: bool) -> Act:
        actor = self.callers.directory.actor(caller, _NO_SCOPES)
        details = {"active": active}
        return Act("iam.introspect_token", actor, target, details=details, bulk=True)

    def revoke(self, credentials: ClientCredentials, token: str) -> None:
        """End a token of the caller's own; unknown ones are no error (RFC 7009 §2.2)."""
        caller = self.callers.identify(credentials)
        if token.startswith(PREFIX):
            self._revoke_refresh(caller, token)
        else:
            self._revoke_access(caller, token)

    def _revoke_refresh(self, caller: Client, token: str) -> None:
        try:
            family, _ = read_refresh_token(self.means.keys.key("refresh-token"), token)
        except InvalidGrant:
            return
        grants = self.means.stores.grants
        ended = self.means.parts.transactions.run(
            lambda tx: grants.end_family(tx, family, caller.id)
        )
        if ended is not None:
            self._restrict(caller, family.hex(), "refresh_token")

    def _revoke_access(self, caller: Client, token: str) -> None:
        try:
            claims = self.tokens.claims_of(token)
        except TokenRefused as error:
            if self.tokens.is_id_token(token):
                msg = "an ID token is not revoked: end its session"
                raise UnsupportedTokenType(msg) from error
            return
        if claims.client_id == caller.id:
            self._restrict(caller, claims.token_id, "access_token")

    def _restrict(self, caller: Client, identifier: str, kind: str) -> None:
        act = Act(
            "iam.revoke_token",
            actor_of_client(caller, frozenset()),
            f"token:{identifier}",
            details={"kind": kind},
        )
        self.means.parts.transactions.restrict(
            lambda _: None, Restriction("token", identifier, act)
        )

    def userinfo(self, token: str, possession: Possession | None = None) -> dict[str, Any]:
        """Return the claims of OIDC Core §5.3.2; raise ``TokenRefused``."""
        known = self.tokens.inspect(token)
        self.tokens.check_possession(token, known, possession)
        if known.actor.kind != "account" or "openid" not in known.claims.scopes:
            msg = "the token is not for userinfo"
            raise TokenRefused(msg)
        answer: dict[str, Any] = {"sub": known.claims.subject, "org": known.claims.org_id}
        if "profile" in known.claims.scopes:
            answer["preferred_username"] = known.actor.name
            answer["roles"] = sorted(known.actor.roles)
        return answer


def _concerns(caller: Client, known: Known) -> bool:
    claims = known.claims
    return caller.id in claims.audience or caller.id == claims.client_id


def _active(known: Known) -> dict[str, Any]:
    claims = known.claims
    answer: dict[str, Any] = {
        "active": True,
        "token_type": "Bearer" if claims.key is None else "DPoP",
        "iss": claims.issuer,
        "sub": claims.subject,
        "aud": claims.audience[0] if len(claims.audience) == 1 else list(claims.audience),
        "client_id": claims.client_id,
        "scope": " ".join(sorted(claims.scopes)),
        "jti": claims.token_id,
        "iat": claims.issued_at,
        "exp": claims.expires_at,
        "org": claims.org_id,
    }
    if claims.key is not None:
        answer["cnf"] = {"jkt": claims.key}
    if claims.mandate is not None:
        answer |= {"mandate": claims.mandate, "act": {"sub": claims.agent}}
    if claims.session_id is not None:
        answer |= {
            "sid": claims.session_id,
            "acr": acr_of(claims.level),
            "auth_time": claims.auth_time,
        }
    return answer
