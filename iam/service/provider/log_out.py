"""Logout that an application asks for (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from iam.core.rfc6749.authorize import answer_location
from iam.core.rfc9068.verify import signed_claims
from iam.errors import TokenRefused
from iam.models.clients import Client
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.tokens import KeyRing
from iam.service.sign_on.sessions import SessionService


@dataclass(frozen=True, slots=True)
class LogOutAnswer:
    """``done``: go to ``location``. ``ask``: nothing happened yet, the person decides."""

    kind: Literal["done", "ask"]
    location: str = ""


@dataclass(frozen=True, slots=True)
class LogOutService:
    """Ends the browser's session on an application's word, or after asking."""

    means: Means
    directory: ClientDirectory
    ring: KeyRing
    sessions: SessionService
    parameters: tuple[str, ...] = (
        "id_token_hint",
        "client_id",
        "post_logout_redirect_uri",
        "state",
    )

    def log_out(
        self, parameters: Mapping[str, str], cookie: str, *, confirmed: bool
    ) -> LogOutAnswer:
        """End the browser's session, or say that its person must be asked.

        An ID token of this very session is proof enough (an expired one is fine, §2); without
        it a link on another page could sign people out, so then ``confirmed`` must be true:
        the request came from a page of ours. Only an exact registered address is gone to.
        """
        session = self.sessions.by_cookie(cookie)
        hinted, client_id = self._hint(parameters.get("id_token_hint", ""))
        if session is not None:
            if not confirmed and hinted != session.id:
                return LogOutAnswer("ask")
            self.sessions.sign_out(cookie)
        client = self._client(parameters.get("client_id", ""), client_id)
        target = parameters.get("post_logout_redirect_uri", "")
        if client is None or target not in client.logout_uris:
            return LogOutAnswer("done", "/signed-out")
        state = parameters.get("state")
        location = target if state is None else answer_location(target, {"state": state})
        return LogOutAnswer("done", location)

    def application(self, parameters: Mapping[str, str]) -> str:
        """Return the name of the application that asks, to show when asking; "" if unknown."""
        _, client_id = self._hint(parameters.get("id_token_hint", ""))
        client = self._client(parameters.get("client_id", ""), client_id)
        return "" if client is None else client.name

    def _client(self, named: str, hinted: str) -> Client | None:
        """Return the client; None where name and hint disagree (§2)."""
        if named and hinted and named != hinted:
            return None
        return self.directory.find(hinted or named)

    def _hint(self, token: str) -> tuple[str, str]:
        """Return session and client of an ID token of ours; ("", "") for anything else."""
        if not token:
            return "", ""
        try:
            claims = signed_claims(token, self.ring.keys_for(token, "JWT"))
        except TokenRefused:
            return "", ""
        return str(claims.get("sid", "")), str(claims.get("aud", ""))
