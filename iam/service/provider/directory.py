"""Applications as the hot paths know them: read once an epoch, secrets compared in memory."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from iam.errors import InvalidClient, TokenRefused
from iam.models.clients import DEVICE_GRANT, Client, ClientCredentials
from iam.models.grants import VerifiedClaims
from iam.models.options import API_AUDIENCE, CLI_CLIENT, CONSOLE_CLIENT
from iam.service.means import Means
from secops.kernel.actors import ROOT_ORG, Actor

MAX_CACHED: Final = 10_000
_MAX_ID: Final = 128
_MAX_SECRET: Final = 256
_NOBODY: Final = bytes(32)


class ClientDirectory:
    """Finds and authenticates applications."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._cache: dict[str, tuple[int, Client]] = {}
        self._fitted: dict[bytes, bytes] = {}
        self._actors: dict[tuple[str, frozenset[str]], tuple[Client, Actor]] = {}
        self._built_in = _built_in(means.options.issuer, means.options.console_callback)

    def find(self, client_id: str) -> Client | None:
        """Return a usable application; a change reaches every process with the epoch."""
        built_in = self._built_in.get(client_id)
        if built_in is not None:
            return built_in
        epoch = self._means.parts.revocations.epoch
        cached = self._cache.get(client_id)
        if cached is not None and cached[0] == epoch:
            return cached[1]
        if len(client_id) > _MAX_ID:
            return None
        read = self._means.parts.transactions.read
        client = read(lambda tx: self._means.stores.clients.get(tx, client_id))
        if client is None or client.disabled_at is not None:
            return None
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[client_id] = (epoch, client)
        return client

    def secret_digest(self, secret: str) -> bytes:
        """Return what a secret of ours (256 random bits) is stored as."""
        return self._means.keys.mac("client-secret", secret.encode())

    def _fits(self, secret: str, expected: bytes) -> bool:
        """Tell whether ``secret`` is stored as ``expected``.

        What has fitted once is known by its SHA-256: secrets are 256 random bits, so neither
        the digest nor the time of a look-up tells anything about one.
        """
        seen = hashlib.sha256(secret.encode()).digest()
        if self._fitted.get(seen) == expected:
            return True
        fits = hmac.compare_digest(self.secret_digest(secret), expected)
        if fits:
            if len(self._fitted) >= MAX_CACHED:
                self._fitted.clear()
            self._fitted[seen] = expected
        return fits

    def authenticate(self, credentials: ClientCredentials) -> Client:
        """Return the application; raise ``InvalidClient``, alike for every reason.

        A public client gives no secret, a confidential one the right one.
        """
        client = self.find(credentials.client_id)
        expected = _NOBODY if client is None else client.secret_digest or _NOBODY
        fits = self._fits((credentials.secret or "")[:_MAX_SECRET], expected)
        if client is None or (not client.public and not fits):
            raise InvalidClient
        if client.public and credentials.secret is not None:
            raise InvalidClient
        if self._means.parts.revocations.is_revoked("client", client.id):
            raise InvalidClient
        return client

    def actor(self, client: Client, scopes: frozenset[str]) -> Actor:
        """Return ``client`` as actor: the same object while neither changes."""
        made = self._actors.get((client.id, scopes))
        if made is None or made[0] is not client:
            if len(self._actors) >= MAX_CACHED:
                self._actors.clear()
            made = self._actors[client.id, scopes] = (client, actor_of_client(client, scopes))
        return made[1]

    def actor_of(self, claims: VerifiedClaims) -> Actor:
        """Return the application of a client's own token; raise ``TokenRefused``."""
        client = self.find(claims.client_id)
        if client is None or claims.subject != client.id:
            msg = "the application is unknown or disabled"
            raise TokenRefused(msg)
        return self.actor(client, claims.scopes)

    def require_algorithm(self, claims: VerifiedClaims) -> None:
        """Raise ``TokenRefused`` unless its application's tokens are signed as this one is."""
        client = self.find(claims.client_id)
        if client is None or client.token_alg != claims.algorithm:
            msg = "the token is not signed as its application's tokens are"
            raise TokenRefused(msg)

    def unchanged(self, actor: Actor) -> bool:
        """Tell whether an application still holds what ``actor`` says; others always do.

        An account's sessions end with a change of its roles, so theirs can't be stale.
        """
        if actor.kind != "client":
            return True
        client = self.find(actor.id)
        return client is not None and client.roles == actor.roles


def actor_of_client(client: Client, scopes: frozenset[str]) -> Actor:
    """Return an application as actor."""
    return Actor(
        kind="client",
        id=client.id,
        org_id=client.org_id,
        name=client.name,
        roles=client.roles,
        client_id=client.id,
        scopes=scopes,
    )


def _built_in(issuer: str, callback: str) -> Mapping[str, Client]:
    """Return the product's own relying parties: public, PKCE, first-party, never in tables."""
    console = Client(
        id=CONSOLE_CLIENT,
        org_id=ROOT_ORG,
        name="govsecops",
        redirect_uris=(f"{issuer}{callback}",),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        audiences=(API_AUDIENCE,),
        logout_uris=(f"{issuer}/",),
        first_party=True,
        consent="none",
    )
    terminal = Client(
        id=CLI_CLIENT,
        org_id=ROOT_ORG,
        name="secops",
        redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback"),
        grants=frozenset({"authorization_code", "refresh_token", DEVICE_GRANT}),
        scopes=frozenset({"openid", "api"}),
        audiences=(API_AUDIENCE,),
        first_party=True,
        consent="none",
    )
    return {client.id: client for client in (console, terminal)}
