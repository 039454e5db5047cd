"""JOSE headers written once per key: a token is read only under a header of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from iam.core.base64url import encode
from iam.models.clients import TokenAlgorithm
from secops.crypto.signatures import PublicKey

TokenType = Literal["at+jwt", "JWT", "logout+jwt", "identity+jwt"]
TOKEN_TYPES: Final[tuple[TokenType, ...]] = ("at+jwt", "JWT", "logout+jwt", "identity+jwt")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A published key as tokens are read with it.

    The algorithm is the key's: a header is looked up whole, so no token can choose another.
    """

    algorithm: TokenAlgorithm
    public: EllipticCurvePublicKey | PublicKey


def encoded_header(key_id: str, token_type: TokenType, algorithm: TokenAlgorithm) -> str:
    """Return the first segment of every token of this type under this key."""
    header = {"alg": algorithm, "kid": key_id, "typ": token_type}
    return encode(orjson.dumps(header))
