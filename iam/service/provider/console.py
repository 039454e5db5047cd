"""The console as a relying party of our own provider, without a socket to ourselves."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iam.core.base64url import encode
from iam.core.rfc6749.authorize import answer_location
from iam.core.rfc7636.pkce import challenge_of
from iam.errors import InvalidGrant, TokenRefused
from iam.models.options import CONSOLE_CLIENT
from iam.models.sessions import ConsoleSession, ConsoleStart
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.grants import CodeExchange, GrantService
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import hang

_PURPOSE: Final = "console"


def local_path(path: str) -> str:
    """Return ``path`` if it leads nowhere but to us, else ``/`` (open redirects)."""
    plain = all(" " < char <= "~" for char in path) and "\\" not in path
    if plain and path.startswith("/") and not path.startswith("//") and len(path) <= 1_000:  # noqa: PLR2004 - a path of ours
        return path
    return "/"


@dataclass(frozen=True, slots=True)
class ConsoleService:
    """Signs people into the console."""

    means: Means
    directory: ClientDirectory
    grants: GrantService

    def start(self, return_to: str = "/", *, fresh: bool = False) -> ConsoleStart:
        """Return where the browser goes to sign in, and the cookie it keeps meanwhile.

        ``fresh`` has the person prove who they are again, session or not.
        """
        state = encode(self.means.random(16))
        verifier = encode(self.means.random(32))
        cookie = write_reference(
            self.means,
            _PURPOSE,
            {"state": state, "verifier": verifier, "return_to": local_path(return_to)},
            self.means.options.lifetimes.transaction,
        )
        location = answer_location(
            "/oauth2/authorize",
            {
                "response_type": "code",
                "client_id": CONSOLE_CLIENT,
                "redirect_uri": self._redirect_uri,
                "scope": "openid",
                "state": state,
                "code_challenge": challenge_of(verifier),
                "code_challenge_method": "S256",
                "prompt": "login" if fresh else None,
            },
        )
        return ConsoleStart(location, cookie)

    def complete(self, cookie: str, query: Mapping[str, str]) -> ConsoleSession:
        """Turn the callback into the console's session.

        ``cookie`` binds the answer to the browser that asked (login CSRF); ``iss`` tells
        that it is ours (RFC 9207). Raises ``TokenRefused`` or ``InvalidGrant``.
        """
        begun = read_reference(self.means, _PURPOSE, cookie)
        if not hmac.compare_digest(query.get("state", "").encode(), begun["state"].encode()):
            msg = "the answer belongs to another sign-in"
            raise TokenRefused(msg)
        if query.get("iss") != self.means.options.issuer:
            msg = "the answer comes from another provider"
            raise TokenRefused(msg)
        if "code" not in query:
            msg = f"sign-in was refused: {query.get('error', 'no code')[:64]}"
            raise InvalidGrant(msg)
        secret, session_id = self._open(query["code"], begun["verifier"])
        return ConsoleSession(secret, begun["return_to"], session_id)

    def console_session(self, code: str, verifier: str) -> str:
        """Redeem the console's code; return the cookie value of its session."""
        return self._open(code, verifier)[0]

    def _open(self, code: str, verifier: str) -> tuple[str, str]:
        client = self.directory.find(CONSOLE_CLIENT)
        if client is None:
            msg = "the console is not registered"
            raise InvalidGrant(msg)
        exchange = CodeExchange(code, self._redirect_uri, verifier)
        redeemed, _, _ = self.grants.redeem(client, exchange)
        session_id = redeemed.session.id
        return hang(self.means, session_id, CONSOLE_CLIENT), session_id

    @property
    def _redirect_uri(self) -> str:
        return f"{self.means.options.issuer}{self.means.options.console_callback}"

    def cookie_name(self, name: str) -> str:
        """Return ``__Host-name`` under TLS, the plain name on loopback."""
        return f"__Host-{name}" if self.means.options.secure else name

    def cookie_header(self, name: str, value: str, *, max_age: int | None = None) -> str:
        """Return a Set-Cookie value: HttpOnly, Lax, whole site, Secure under TLS.

        An empty ``value`` removes the cookie.
        """
        parts = [f"{self.cookie_name(name)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.means.options.secure:
            parts.append("Secure")
        if not value:
            parts.append("Max-Age=0")
        elif max_age is not None:
            parts.append(f"Max-Age={max_age}")
        return "; ".join(parts)
