"""Tokens are written here: keys and headers at hand, one signature, nothing else slow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from iam.core.base64url import encode
from iam.core.rfc7638.thumbprint import jwk_of, key_id_of
from iam.core.rfc9068.header import TokenType, encoded_header
from iam.core.rfc9068.mint import compact, signing_input
from iam.core.rfc9068.verify import header_of
from iam.errors import TokenRefused
from iam.ports import SigningKey, TokenSigner
from secops.kernel.clock import Clock
from secops.kernel.errors import Conflict, Unavailable

REFRESH_SECONDS: Final = 5.0
_TYPES: Final[tuple[TokenType, ...]] = ("at+jwt", "JWT", "logout+jwt", "identity+jwt")


class KeyRing:
    """The published keys of the pool, looked at again every five seconds.

    A header that is not known makes it look at once, but at most once a second: an attacker
    with made-up key ids must not turn into load on the pool.
    """

    def __init__(self, signer: TokenSigner, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._read_at = float("-inf")
        self._signing: tuple[str, Mapping[TokenType, str]] = ("", {})
        self._published: tuple[SigningKey, ...] = ()
        self._by_header: dict[TokenType, dict[str, EllipticCurvePublicKey]] = {}

    def sign(self, token_type: TokenType, claims: Mapping[str, Any]) -> str:
        """Return a token of ``token_type`` with ``claims`` under the current key."""
        self._refresh(REFRESH_SECONDS)
        try:
            return self._sign(token_type, claims)
        except Conflict:
            # another process has rotated the key a moment ago
            self._refresh(-1.0)
            return self._sign(token_type, claims)

    def _sign(self, token_type: TokenType, claims: Mapping[str, Any]) -> str:
        name, headers = self._signing
        signed = signing_input(headers[token_type], claims)
        return compact(signed, self._signer.sign(name, signed))

    def keys_for(self, token: str, token_type: TokenType) -> Mapping[str, EllipticCurvePublicKey]:
        """Return the keys by encoded header; looks for new ones if the token's is unknown."""
        self._refresh(REFRESH_SECONDS)
        if header_of(token) not in self._by_header[token_type]:
            self._refresh(1.0)
        return self._by_header[token_type]

    def renew(self, before: int) -> bool:
        """Make a new key if the newest is from before; it is published now and signs later."""
        return self._signer.renew(before)

    def jwks(self) -> dict[str, Any]:
        """Return the published keys as a JWK set (RFC 7517 §5)."""
        self._refresh(1.0)
        return {
            "keys": [
                {
                    **jwk_of(key.public_der),
                    "kid": key_id_of(key.public_der),
                    "use": "sig",
                    "alg": "ES256",
                }
                for key in self._published
            ]
        }

    def _refresh(self, oldest: float) -> None:
        now = self._clock.monotonic()
        if now - self._read_at <= oldest:
            return
        keys = tuple(self._signer.keys())
        if not keys:
            msg = "there is no key to sign tokens with"
            raise Unavailable(msg)
        by_header: dict[TokenType, dict[str, EllipticCurvePublicKey]] = {t: {} for t in _TYPES}
        for key in keys:
            public = load_der_public_key(key.public_der)
            if not isinstance(public, EllipticCurvePublicKey):
                msg = "the key for tokens is no P-256 key"
                raise Unavailable(msg)
            for token_type in _TYPES:
                header = encoded_header(key_id_of(key.public_der), token_type)
                by_header[token_type][header] = public
        first = key_id_of(keys[0].public_der)
        self._signing = (keys[0].name, {t: encoded_header(first, t) for t in _TYPES})
        self._published = keys
        self._by_header = by_header
        self._read_at = now


def access_token_hash(access_token: str) -> str:
    """Return ``at_hash`` (OIDC Core 3.1.3.6)."""
    return encode(hashlib.sha256(access_token.encode("ascii")).digest()[:16])


def token_digest(token: str) -> bytes:
    """Return what caches know a token by; raise ``TokenRefused`` for text no token has."""
    try:
        return hashlib.sha256(token.encode("ascii")).digest()
    except UnicodeEncodeError as error:
        msg = "not a compact JWT"
        raise TokenRefused(msg) from error
