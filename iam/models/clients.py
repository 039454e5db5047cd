"""Applications that use the provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]


@dataclass(frozen=True, slots=True)
class Client:
    """An application. ``secret_digest`` None marks a public client (PKCE alone).

    ``first_party`` applications see the account's own identifier as ``sub``, all others a
    pairwise one. ``audiences``: whom its tokens may address; the first is the default.
    """

    id: str
    org_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    audiences: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    secret_digest: bytes | None = field(default=None, repr=False)
    logout_uris: tuple[str, ...] = ()
    first_party: bool = False
    created_at: int = 0
    disabled_at: int | None = None

    @property
    def public(self) -> bool:
        """Whether it can't keep a secret."""
        return self.secret_digest is None


@dataclass(frozen=True, slots=True)
class NewClient:
    """What is needed to register an application."""

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset({"client_credentials"})
    scopes: frozenset[str] = frozenset()
    audiences: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    public: bool = False


@dataclass(frozen=True, slots=True)
class IssuedClient:
    """A registered application; ``secret`` is shown once and kept nowhere."""

    client: Client
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """How a client presented itself: its id, and its secret if it gave one."""

    client_id: str
    secret: str | None = field(repr=False)
