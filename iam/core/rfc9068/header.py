"""JOSE headers written once per key: a token is read only under a header of ours."""

from __future__ import annotations

from typing import Final, Literal

import orjson

from iam.core.base64url import encode

TokenType = Literal["at+jwt", "JWT", "logout+jwt", "identity+jwt"]
ALGORITHM: Final = "ES256"


def encoded_header(key_id: str, token_type: TokenType) -> str:
    """Return the first segment of every token of this type under this key."""
    header = {"alg": ALGORITHM, "kid": key_id, "typ": token_type}
    return encode(orjson.dumps(header))
