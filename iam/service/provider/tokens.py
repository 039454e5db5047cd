"""Tokens are written here: keys and headers at hand, one signature, nothing else slow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from iam.core.base64url import encode
from iam.core.rfc7638.thumbprint import jwk_of, key_id_of
from iam.core.rfc9068.header import TOKEN_TYPES, TokenKey, TokenType, encoded_header
from iam.core.rfc9068.mint import compact, signing_input
from iam.errors import TokenRefused
from iam.models.clients import ES256, SM2_SM3, TokenAlgorithm
from iam.ports import SigningKey, TokenSigner
from secops.crypto import signatures
from secops.crypto.hashes import sm3
from secops.kernel.clock import Clock
from secops.kernel.errors import Conflict, Unavailable

REFRESH_SECONDS: Final = 5.0
_Headers = Mapping[TokenType, str]


class KeyRing:
    """The published keys of the pool, looked at again every five seconds.

    ``signers`` are by algorithm; ES256 is always there, SM2 in the profile ``gm``. A header
    that is not known makes it look at once, but at most once a second: an attacker with
    made-up key ids must not turn into load on the pool.
    """

    def __init__(self, signers: Mapping[TokenAlgorithm, TokenSigner], clock: Clock) -> None:
        self._signers = signers
        self._clock = clock
        self._read_at = float("-inf")
        self._signing: dict[TokenAlgorithm, tuple[str, _Headers]] = {}
        self._published: list[tuple[TokenAlgorithm, SigningKey]] = []
        self._by_header: dict[TokenType, dict[str, TokenKey]] = {}

    @property
    def algorithms(self) -> tuple[TokenAlgorithm, ...]:
        """What tokens can be signed with here."""
        return tuple(self._signers)

    def sign(
        self,
        token_type: TokenType,
        claims: Mapping[str, Any],
        algorithm: TokenAlgorithm = ES256,
    ) -> str:
        """Return a token of ``token_type`` with ``claims`` under the current key.

        Raises ``Unavailable`` where the profile has no key of ``algorithm``: a client that
        asked for SM2 never gets another signature.
        """
        signer = self._signers.get(algorithm)
        if signer is None:
            msg = f"tokens are signed with {algorithm} only under crypto_profile gm"
            raise Unavailable(msg)
        self._refresh(REFRESH_SECONDS)
        try:
            return self._sign(signer, token_type, claims, algorithm)
        except Conflict:
            # another process has rotated the key a moment ago
            self._refresh(-1.0)
            return self._sign(signer, token_type, claims, algorithm)

    def _sign(
        self,
        signer: TokenSigner,
        token_type: TokenType,
        claims: Mapping[str, Any],
        algorithm: TokenAlgorithm,
    ) -> str:
        name, headers = self._signing[algorithm]
        signed = signing_input(headers[token_type], claims)
        return compact(signed, signer.sign(name, signed))

    def keys_for(self, token: str, token_type: TokenType) -> Mapping[str, TokenKey]:
        """Return the keys by encoded header; looks for new ones if the token's is unknown."""
        self._refresh(REFRESH_SECONDS)
        if token.partition(".")[0] not in self._by_header[token_type]:
            self._refresh(1.0)
        return self._by_header[token_type]

    def renew(self, before: int) -> bool:
        """Make new keys where the newest is from before; published now, they sign later."""
        made = [signer.renew(before) for signer in self._signers.values()]
        return any(made)

    def jwks(self) -> dict[str, Any]:
        """Return the published keys as a JWK set (RFC 7517 §5)."""
        self._refresh(1.0)
        return {
            "keys": [
                {
                    **jwk_of(key.public_der),
                    "kid": key_id_of(key.public_der),
                    "use": "sig",
                    "alg": algorithm,
                }
                for algorithm, key in self._published
            ]
        }

    def _refresh(self, oldest: float) -> None:
        now = self._clock.monotonic()
        if now - self._read_at <= oldest:
            return
        signing: dict[TokenAlgorithm, tuple[str, _Headers]] = {}
        published: list[tuple[TokenAlgorithm, SigningKey]] = []
        by_header: dict[TokenType, dict[str, TokenKey]] = {kind: {} for kind in TOKEN_TYPES}
        for algorithm, signer in self._signers.items():
            keys = tuple(signer.keys())
            if not keys:
                msg = "there is no key to sign tokens with"
                raise Unavailable(msg)
            for key in keys:
                headers = _headers(key, algorithm)
                signing.setdefault(algorithm, (key.name, headers))
                public = _public_key(key.public_der, algorithm)
                for kind, header in headers.items():
                    by_header[kind][header] = public
                published.append((algorithm, key))
        self._signing = signing
        self._published = published
        self._by_header = by_header
        self._read_at = now


def _headers(key: SigningKey, algorithm: TokenAlgorithm) -> _Headers:
    key_id = key_id_of(key.public_der)
    return {kind: encoded_header(key_id, kind, algorithm) for kind in TOKEN_TYPES}


def _public_key(public_der: bytes, algorithm: TokenAlgorithm) -> TokenKey:
    if algorithm == SM2_SM3:
        return TokenKey(algorithm, signatures.public_key("sm2", public_der))
    public = load_der_public_key(public_der)
    if not isinstance(public, EllipticCurvePublicKey):
        msg = "the key for tokens is no P-256 key"
        raise Unavailable(msg)
    return TokenKey(algorithm, public)


def access_token_hash(access_token: str, algorithm: TokenAlgorithm = ES256) -> str:
    """Return ``at_hash`` by the hash of the ID token's algorithm (OIDC Core 3.1.3.6)."""
    text = access_token.encode("ascii")
    digest = sm3(text) if algorithm == SM2_SM3 else hashlib.sha256(text).digest()
    return encode(digest[:16])


def token_digest(token: str) -> bytes:
    """Return what caches know a token by; raise ``TokenRefused`` for text no token has."""
    try:
        return hashlib.sha256(token.encode("ascii")).digest()
    except UnicodeEncodeError as error:
        msg = "not a compact JWT"
        raise TokenRefused(msg) from error
