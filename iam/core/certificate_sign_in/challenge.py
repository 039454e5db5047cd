"""The challenge that a UKey signs, and its answer.

Signed is the canonical JSON (RFC 8785) of {"cert", "iat", "nonce", "origin", "purpose"}: cert is
the SM3 of the certificate's DER in hex, iat UTC seconds. Purpose and origin keep a signature
made here from counting elsewhere, and one made elsewhere from counting here.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.core.certificate_sign_in.trust import MAX_ENCODED, read_given
from iam.errors import CertificateRefused
from secops.crypto import signatures
from secops.crypto.certificates import Certificate
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.hashes import sm3
from secops.crypto.options import SignatureOptions
from secops.kernel.canonical import canonical

PURPOSE: Final = "secops-sm2-login/v1"
LIFETIME_SECONDS: Final = 120
MAX_ANSWER: Final = 2 * MAX_ENCODED
_LEEWAY_SECONDS: Final = 60
_RAW: Final = 64
_OPTIONS: Final = {
    "sm2": SignatureOptions("sm3"),
    "ecdsa-p256": SignatureOptions("sha256"),
    "rsa-3072": SignatureOptions("sha256", padding="pkcs1v15"),
}


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An answer that was read and not yet judged."""

    certificate: Certificate
    iat: int
    signature: bytes


def signed_text(origin: str, nonce: str, certificate: bytes, iat: int) -> bytes:
    """Return what is signed."""
    return canonical(
        {
            "purpose": PURPOSE,
            "origin": origin,
            "nonce": nonce,
            "cert": sm3(certificate).hex(),
            "iat": iat,
        }
    )


def read_answer(text: str) -> SignedAnswer:
    """Return {"certificate", "iat", "signature"} (base64); raise ``CertificateRefused``."""
    if len(text) > MAX_ANSWER:
        raise CertificateRefused("the answer is too long")
    try:
        fields: Any = orjson.loads(text)
        certificate = base64.b64decode(fields["certificate"], validate=True)
        signature = base64.b64decode(fields["signature"], validate=True)
        iat = fields["iat"]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        msg = "the answer is not {certificate, iat, signature}"
        raise CertificateRefused(msg) from error
    if type(iat) is not int:
        raise CertificateRefused("iat is a whole number of seconds")
    return SignedAnswer(read_given(certificate), iat, signature)


def verify_answer(answer: SignedAnswer, origin: str, nonce: str, now_seconds: int) -> None:
    """Return if the certificate's key signed our challenge now; raise ``CertificateRefused``.

    SM2 with SM3 and the user id 1234567812345678; a UKey's raw r ‖ s is accepted beside DER.
    """
    if not -_LEEWAY_SECONDS <= now_seconds - answer.iat <= LIFETIME_SECONDS + _LEEWAY_SECONDS:
        raise CertificateRefused("the signature's time is not now")
    certificate = answer.certificate
    options = _OPTIONS.get(certificate.key_algorithm)
    if options is None:
        raise CertificateRefused("its key is of an algorithm that signs nobody in")
    message = signed_text(origin, nonce, certificate.der, answer.iat)
    signature = answer.signature
    try:
        if len(signature) == _RAW and certificate.key_algorithm != "rsa-3072":
            signature = signatures.from_raw(certificate.key_algorithm, signature)
        certificate.public_key().verify(signature, message, options)
    except (InvalidSignature, InvalidKey, MalformedEncoding) as error:
        raise CertificateRefused("the signature does not fit") from error
