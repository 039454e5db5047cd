"""Keys of applications: registered as they are, or at an address that is looked at when needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.rfc7515.jws import JwsRefused, json_object
from iam.core.rfc7517.keys import JwkRefused, PublicJwk, read_jwks
from iam.models.clients import Client
from iam.service.means import Means
from secops.kernel.errors import SecopsError
from secops.kernel.waiting import about_to_wait

FRESH_SECONDS: Final = 600.0
LEAST_PAUSE_SECONDS: Final = 60.0
"""An unknown key id makes us look again, at most once a minute: it costs an attacker nothing."""
TIMEOUT_SECONDS: Final = 5.0
MAX_CACHED: Final = 1_000
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: tuple[PublicJwk, ...]
    tried_at: float
    read_at: float


class ClientKeys:
    """The public keys of applications that authenticate by assertions."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._registered: dict[str, tuple[PublicJwk, ...]] = {}
        self._fetched: dict[str, _Fetched] = {}
        self._lock = threading.Lock()

    def keys_of(self, client: Client, key_id: str | None) -> Sequence[PublicJwk]:
        """Return the client's keys; empty where none can be had now."""
        if client.jwks is not None:
            return self._of_registration(client.jwks)
        if client.jwks_uri is not None:
            return self._of_address(client.jwks_uri, key_id)
        return ()

    def _of_registration(self, text: str) -> tuple[PublicJwk, ...]:
        keys = self._registered.get(text)
        if keys is None:
            keys = read_jwks(json_object(text.encode()), strict=True)
            if len(self._registered) >= MAX_CACHED:
                self._registered.clear()
            self._registered[text] = keys
        return keys

    def _of_address(self, url: str, key_id: str | None) -> tuple[PublicJwk, ...]:
        known = self._fetched.get(url)
        now = self._means.parts.clock.monotonic()
        if known is not None:
            names = {name for key in known.keys for name in (key.key_id, key.thumbprint)}
            enough = now - known.read_at < FRESH_SECONDS and (key_id is None or key_id in names)
            if enough or now - known.tried_at < LEAST_PAUSE_SECONDS:
                return known.keys
        about_to_wait()  # for another's server, before anything is noted
        with self._lock:
            found_meanwhile = self._fetched.get(url)
            if found_meanwhile is not None and found_meanwhile is not known:
                return found_meanwhile.keys
            old = known or _Fetched((), now, float("-inf"))
            if len(self._fetched) >= MAX_CACHED:
                self._fetched.clear()
            # whoever comes while we look gets what was known before
            self._fetched[url] = _Fetched(old.keys, now, old.read_at)
        found = self._fetch(url)
        if found:
            self._fetched[url] = _Fetched(found, now, now)
        return found or old.keys

    def _fetch(self, url: str) -> tuple[PublicJwk, ...]:
        try:
            headers = {"accept": "application/jwk-set+json, application/json"}
            status, body = self._means.outbound.get(url, headers, TIMEOUT_SECONDS)
            return read_jwks(json_object(body), strict=False) if status == _OK else ()
        except (SecopsError, JwsRefused, JwkRefused):
            return ()
