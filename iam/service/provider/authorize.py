"""The authorization endpoint: who asks, is somebody signed in, a code or a refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from iam.core.base64url import encode
from iam.core.rfc6749.authorize import answer_location, check_authorization, redirect_target
from iam.core.rfc9068.verify import signed_claims
from iam.core.rfc9126.reference import digest_of_reference
from iam.core.rfc9470.demands import fresh
from iam.errors import (
    ConsentDenied,
    ConsentRequired,
    InvalidRequest,
    LoginRequired,
    OAuthRefused,
    RedirectRefused,
    RequestUriRefused,
    TokenRefused,
    UnmetAuthentication,
)
from iam.models.clients import Client
from iam.models.consents import ConsentQuestion
from iam.models.grants import AuthorizationRequest, Code
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.provider.consents import ConsentBook
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.issuing import Issuer
from iam.service.provider.pushing import MAX_PARAMETERS, PARAMETERS, PushService
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import (
    SessionService,
    decide_opening,
    opening_of,
    opening_refused,
    own_actor,
)
from iam.service.zero_trust.decisions import DecisionService
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "authorize"
_CONSENT: Final = "consent"
LEAST_AGE_SECONDS: Final = 60
"""A sign-in for this very request is fresh enough so long, whatever ``max_age`` says."""


@dataclass(frozen=True, slots=True)
class AuthorizeAnswer:
    """Where the browser goes: back to the ``application``, to ``sign_in`` or ``consent`` first.

    For these two, ``transaction`` is the reference with which to resume afterwards.
    """

    kind: Literal["application", "sign_in", "consent"]
    location: str = ""
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request's parameters; ``started``: when somebody was sent to sign in for it.

    ``consented``: its person has just been asked, and said yes.
    """

    parameters: Mapping[str, str]
    pushed: bool = False
    started: int | None = None
    consented: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizeService:
    """Answers authorization requests."""

    means: Means
    directory: ClientDirectory
    sessions: SessionService
    pushed: PushService
    issuer: Issuer
    decisions: DecisionService
    consents: ConsentBook

    def authorize(self, parameters: Mapping[str, str], cookie: str) -> AuthorizeAnswer:
        """Answer a new request; raise ``RedirectRefused`` where no redirect is safe."""
        known = {name: value for name, value in parameters.items() if name in PARAMETERS}
        if sum(map(len, known.values())) > MAX_PARAMETERS:
            msg = "the request is too long"
            raise RedirectRefused(msg)
        reference = known.get("request_uri", "")
        if digest_of_reference(reference) is None:
            return self._answer(_Asked(known), cookie)
        client = self._client(known)
        # what was pushed counts and nothing beside it (RFC 9126 §4)
        return self._answer(_Asked(self.pushed.take(reference, client.id), pushed=True), cookie)

    def resume(self, transaction: str, cookie: str) -> AuthorizeAnswer:
        """Go on after sign-in; raise ``TokenRefused`` for a foreign or old reference."""
        content = read_reference(self.means, _PURPOSE, transaction)
        asked = _Asked(content["parameters"], content["pushed"], content["started"])
        return self._answer(asked, cookie)

    def ask_consent(self, transaction: str, cookie: str) -> ConsentQuestion:
        """Return what the person is asked; raise ``RequestUriRefused`` in another's session."""
        _, session, client, request = self._consent(transaction, cookie)
        goes_to = urlsplit(request.redirect_uri).netloc
        return self.consents.question(client, session.account_id, request.scopes, goes_to)

    def decide_consent(self, transaction: str, cookie: str, *, grant: bool) -> AuthorizeAnswer:
        """Take the person's yes or no, once; all that was checked is checked again.

        Raises ``RequestUriRefused`` in another's session, or where it was answered before.
        """
        content, session, client, request = self._consent(transaction, cookie)
        parameters = content["parameters"]
        actor = own_actor(session, client.id)
        key, until = hashlib.sha256(transaction.encode()).digest(), int(content["until"])

        def work(tx: Transaction) -> None:
            if not self.means.stores.grants.use_once(tx, _CONSENT, key, until):
                msg = "the question was answered before"
                raise RequestUriRefused(msg)
            if grant:
                self.consents.give(tx, actor, client, request.scopes)
            else:
                self.consents.deny(tx, actor, client, request.scopes)

        self.means.parts.transactions.run(work)
        if not grant:
            msg = "the person said no"
            target = request.redirect_uri
            return self._refusal(target, parameters.get("state"), ConsentDenied(msg))
        asked = _Asked(parameters, content["pushed"], content["started"], consented=True)
        return self._answer(asked, cookie)

    def _consent(
        self, transaction: str, cookie: str
    ) -> tuple[dict[str, Any], OpSession, Client, AuthorizationRequest]:
        """Return the question and whom it was put to, with all that was checked checked again."""
        try:
            content = read_reference(self.means, _CONSENT, transaction)
        except TokenRefused as error:
            raise RequestUriRefused(error.detail) from error
        session = self.sessions.by_cookie(cookie)
        if session is None or session.id != content["session"]:
            # a page that another browser, or another person, was shown
            msg = "the question was put to another session"
            raise RequestUriRefused(msg)
        parameters = content["parameters"]
        client = self._client(parameters)
        target = redirect_target(client, parameters.get("redirect_uri"))
        return content, session, client, check_authorization(parameters, client, target)

    def _ask_consent(
        self, request: AuthorizationRequest, asked: _Asked, session: OpSession
    ) -> AuthorizeAnswer:
        if "none" in request.prompt:
            msg = "the person has to be asked first"
            raise ConsentRequired(msg)
        content = {
            "parameters": dict(asked.parameters),
            "pushed": asked.pushed,
            "started": asked.started,
            "session": session.id,
            "once": encode(self.means.random(16)),
        }
        lifetime = self.means.options.lifetimes.transaction
        reference = write_reference(self.means, _CONSENT, content, lifetime)
        return AuthorizeAnswer("consent", transaction=reference)

    def client_name(self, transaction: str) -> str:
        """Return the name of the application that waits, to show on the sign-in page."""
        content = read_reference(self.means, _PURPOSE, transaction)
        client = self.directory.find(str(content["parameters"].get("client_id", "")))
        return "" if client is None else client.name

    def level(self, transaction: str) -> int:
        """Return the authentication level that the waiting application needs."""
        content = read_reference(self.means, _PURPOSE, transaction)
        return int(content["level"])

    def _client(self, parameters: Mapping[str, str]) -> Client:
        client = self.directory.find(parameters.get("client_id", ""))
        if client is None or self.means.parts.revocations.is_revoked("client", client.id):
            msg = "the application is not registered"
            raise RedirectRefused(msg)
        return client

    def _answer(self, asked: _Asked, cookie: str) -> AuthorizeAnswer:
        parameters = asked.parameters
        client = self._client(parameters)
        target = redirect_target(client, parameters.get("redirect_uri"))
        try:
            if client.par_required and not asked.pushed:
                msg = "the application is registered to push its requests"
                raise InvalidRequest(msg)
            request = check_authorization(parameters, client, target)
            session = self.sessions.by_cookie(cookie)
            if session is None or self._must_sign_in(client, request, session, asked.started):
                return self._sign_in(request, asked)
            if self._newer_proof_due(client, session, asked.started):
                return self._sign_in(request, asked)
            if not asked.consented and self.consents.due(client, request, session):
                return self._ask_consent(request, asked, session)
        except OAuthRefused as error:
            return self._refusal(target, parameters.get("state"), error)
        return self._grant(client, request, session)

    def _newer_proof_due(self, client: Client, session: OpSession, started: int | None) -> bool:
        """Ask the policies whether the application opens; True where a sign-in would help.

        Raises ``AccessDenied`` with the reasons where it would not, or has not.
        """
        decision = decide_opening(self.means, self.decisions, session, client.id)
        if decision.allowed:
            return False
        if decision.step_up is not None and started is None:
            return True
        asked = opening_of(own_actor(session), client.id)
        raise opening_refused(self.decisions, asked, decision)

    def _must_sign_in(
        self,
        client: Client,
        request: AuthorizationRequest,
        session: OpSession,
        started: int | None,
    ) -> bool:
        """Tell whether this session is too weak, too old or another person's.

        Where somebody signed in for this very request and it still is, asking again would
        never end: the application is told.
        """
        other = request.hint is not None and self._subject(client, request.hint) != (
            self.issuer.subject(client, session.account_id)
        )
        if started is None or session.auth_time < started:
            fresh_enough = fresh(session.auth_time, request.max_age, self.means.now)
            return (
                other
                or "login" in request.prompt
                or session.level < request.level
                or not fresh_enough
            )
        if session.level < request.level:
            msg = f"the sign-in reached {session.acr} and no more"
            raise UnmetAuthentication(msg)
        if other:
            msg = "another person signed in than id_token_hint names"
            raise LoginRequired(msg)
        age = None if request.max_age is None else max(request.max_age, LEAST_AGE_SECONDS)
        return not fresh(session.auth_time, age, self.means.now)

    def _subject(self, client: Client, hint: str) -> str:
        """Return whom an ID token of this client names; an expired one will do."""
        try:
            claims = signed_claims(hint, self.issuer.ring.keys_for(hint, "JWT"))
        except TokenRefused as error:
            msg = "id_token_hint is no ID token of ours"
            raise InvalidRequest(msg) from error
        if claims.get("aud") != client.id:
            msg = "id_token_hint is another application's"
            raise InvalidRequest(msg)
        return str(claims.get("sub"))

    def _sign_in(self, request: AuthorizationRequest, asked: _Asked) -> AuthorizeAnswer:
        if "none" in request.prompt:
            msg = "nobody is signed in, or not strongly or freshly enough"
            raise LoginRequired(msg)
        content = {
            "parameters": dict(asked.parameters),
            "pushed": asked.pushed,
            "started": self.means.now,
            "level": request.level,
        }
        lifetime = self.means.options.lifetimes.transaction
        reference = write_reference(self.means, _PURPOSE, content, lifetime)
        return AuthorizeAnswer("sign_in", transaction=reference)

    def _refusal(self, target: str, state: str | None, error: OAuthRefused) -> AuthorizeAnswer:
        location = answer_location(
            target,
            {
                "error": error.oauth_error,
                "error_description": error.detail,
                "state": state,
                "iss": self.means.options.issuer,
            },
        )
        return AuthorizeAnswer("application", location)

    def _grant(
        self, client: Client, request: AuthorizationRequest, session: OpSession
    ) -> AuthorizeAnswer:
        code = encode(self.means.random(32))
        stored = Code(
            digest=hashlib.sha256(code.encode()).digest(),
            org_id=session.org_id,
            client_id=client.id,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            scopes=request.scopes,
            nonce=request.nonce,
            session_id=session.id,
            expires_at=self.means.now + self.means.options.lifetimes.code,
            dpop_jkt=request.dpop_jkt,
        )
        actor = own_actor(session, client.id)

        def work(tx: Transaction) -> None:
            self.means.stores.grants.add_code(tx, stored)
            self.means.stores.sessions.touch(tx, session.id)
            details = {"scope": " ".join(sorted(request.scopes))}
            tx.record(Act("iam.authorize", actor, f"client:{client.id}", details=details))

        self.means.parts.transactions.run(work)
        location = answer_location(
            request.redirect_uri,
            {"code": code, "state": request.state, "iss": self.means.options.issuer},
        )
        return AuthorizeAnswer("application", location)
