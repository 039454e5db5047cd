"""The authorization endpoint: who asks, is somebody signed in, a code or a refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from iam.core.base64url import encode
from iam.core.rfc6749.authorize import answer_location, check_authorization, redirect_target
from iam.errors import LoginRequired, OAuthRefused, RedirectRefused
from iam.models.clients import Client
from iam.models.grants import AuthorizationRequest, Code
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import SessionService
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "authorize"
MAX_PARAMETERS: Final = 4_000
_KNOWN: Final = frozenset(
    {
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "prompt",
        "max_age",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "registration",
    }
)


@dataclass(frozen=True, slots=True)
class AuthorizeAnswer:
    """Where the browser goes: back to the ``application``, or to ``sign_in`` first.

    For ``sign_in``, ``transaction`` is the reference with which to resume afterwards.
    """

    kind: Literal["application", "sign_in"]
    location: str = ""
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class AuthorizeService:
    """Answers authorization requests."""

    means: Means
    directory: ClientDirectory
    sessions: SessionService

    def authorize(self, parameters: Mapping[str, str], cookie: str) -> AuthorizeAnswer:
        """Answer a new request; raise ``RedirectRefused`` where no redirect is safe."""
        known = {name: value for name, value in parameters.items() if name in _KNOWN}
        if sum(map(len, known.values())) > MAX_PARAMETERS:
            msg = "the request is too long"
            raise RedirectRefused(msg)
        return self._answer(known, cookie, started=None)

    def resume(self, transaction: str, cookie: str) -> AuthorizeAnswer:
        """Go on after sign-in; raise ``TokenRefused`` for a foreign or old reference."""
        content = read_reference(self.means, _PURPOSE, transaction)
        return self._answer(content["parameters"], cookie, started=content["started"])

    def client_name(self, transaction: str) -> str:
        """Return the name of the application that waits, to show on the sign-in page."""
        content = read_reference(self.means, _PURPOSE, transaction)
        client = self.directory.find(str(content["parameters"].get("client_id", "")))
        return "" if client is None else client.name

    def _answer(
        self, parameters: Mapping[str, str], cookie: str, *, started: int | None
    ) -> AuthorizeAnswer:
        client = self.directory.find(parameters.get("client_id", ""))
        if client is None or self.means.parts.revocations.is_revoked("client", client.id):
            msg = "the application is not registered"
            raise RedirectRefused(msg)
        target = redirect_target(client, parameters.get("redirect_uri"))
        try:
            request = check_authorization(parameters, client, target)
            session = self.sessions.by_cookie(cookie)
            if session is None or self._must_sign_in(request, session, started):
                return self._sign_in(request, parameters)
        except OAuthRefused as error:
            return self._refusal(target, parameters.get("state"), error)
        return self._grant(client, request, session)

    def _must_sign_in(
        self, request: AuthorizationRequest, session: OpSession, started: int | None
    ) -> bool:
        if "login" in request.prompt:
            return started is None or session.auth_time < started
        if request.max_age is None:
            return False
        return self.means.now - session.auth_time > request.max_age * SECOND

    def _sign_in(
        self, request: AuthorizationRequest, parameters: Mapping[str, str]
    ) -> AuthorizeAnswer:
        if "none" in request.prompt:
            msg = "nobody is signed in"
            raise LoginRequired(msg)
        content = {"parameters": dict(parameters), "started": self.means.now}
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
        )
        actor = Actor(
            kind="account",
            id=session.account_id,
            org_id=session.org_id,
            name=session.account_id,
            session_id=session.id,
            client_id=client.id,
        )

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
