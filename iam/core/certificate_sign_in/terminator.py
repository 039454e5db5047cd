"""What a TLS or TLCP terminator says about the client's certificate, only when it signs it.

The header is base64url(JSON) "." base64url(HMAC-SHA-256 of the first part). The JSON is
{"v": 1, "cert": base64 DER, "iat": seconds, "nonce": 16 or more bytes in base64url, "host"}.
A bare X-SSL-Client-… is anybody's to send and is never read.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.core.base64url import decode, encode
from iam.core.certificate_sign_in.trust import MAX_ENCODED, read_given
from iam.errors import CertificateRefused
from secops.crypto.certificates import Certificate

LIFETIME_SECONDS: Final = 30
_LEAST_NONCE: Final = 16
_MOST_NONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate whose key the terminator saw used; ``nonce`` counts once."""

    certificate: Certificate
    nonce: bytes
    iat: int


def write_header(certificate: bytes, key: bytes, host: str, now_seconds: int, nonce: bytes) -> str:
    """Return the header for ``certificate`` (DER): what a terminator of our own sends."""
    fields = {
        "v": 1,
        "cert": base64.b64encode(certificate).decode(),
        "iat": now_seconds,
        "nonce": encode(nonce),
        "host": host,
    }
    body = encode(orjson.dumps(fields))
    return f"{body}.{encode(hmac.digest(key, body.encode(), 'sha256'))}"


def read_header(value: str, key: bytes, host: str, now_seconds: int) -> Presented:
    """Return what the terminator presents; raise ``CertificateRefused``."""
    body, _, mac = value.partition(".")
    try:
        if len(value) > 2 * MAX_ENCODED or not key:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        if not hmac.compare_digest(decode(mac), hmac.digest(key, body.encode(), "sha256")):
            raise ValueError  # noqa: TRY301
        fields: Any = orjson.loads(decode(body))
        nonce, iat = decode(fields["nonce"]), fields["iat"]
        encoded = base64.b64decode(fields["cert"], validate=True)
        sound = fields["v"] == 1 and fields["host"] == host and type(iat) is int
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        msg = "the terminator's header is not one that it signed"
        raise CertificateRefused(msg) from error
    if not sound or not _LEAST_NONCE <= len(nonce) <= _MOST_NONCE:
        raise CertificateRefused("the terminator's header is for another place")
    if abs(now_seconds - iat) > LIFETIME_SECONDS:
        raise CertificateRefused("the terminator's header is not of now")
    return Presented(read_given(encoded), nonce, iat)
