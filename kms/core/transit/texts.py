"""Ciphertexts, signatures and HMACs as Transit writes them: ``vault:v<N>:<text>``."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, Literal

from secops.crypto import signatures
from secops.crypto.errors import MalformedEncoding
from secops.kernel.errors import Invalid

Marshaling = Literal["asn1", "jws", "raw"]

_TEXT: Final = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/=_-]*)")
MAX_INPUT: Final = 32 << 20


def decode_base64(text: object, what: str) -> bytes:
    """Return standard Base64 ``text`` decoded; only its one canonical form is accepted."""
    if not isinstance(text, str):
        msg = f"{what} is Base64 text"
        raise Invalid(msg)
    try:
        # binascii is stricter and faster than base64.b64decode
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        msg = f"{what} is not Base64"
        raise Invalid(msg) from error


def encode_base64(data: bytes) -> str:
    """Return ``data`` in standard Base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def write_text(version: int, payload: str) -> str:
    """Return ``payload`` marked with the key ``version`` that made it."""
    return f"vault:v{version}:{payload}"


def read_text(text: object, what: str) -> tuple[int, str]:
    """Return the key version and the payload of ``vault:v<N>:…``; raise ``Invalid``."""
    found = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        msg = f"{what} is not of the form vault:v1:…"
        raise Invalid(msg)
    return int(found[1]), found[2]


def marshal_signature(algorithm: str, signature: bytes, marshaling: Marshaling) -> str:
    """Return ``signature`` (DER for SM2 and ECDSA) as ``asn1``, ``jws`` or ``raw`` text.

    asn1 is Base64 of DER; jws unpadded Base64url of r ‖ s; raw Base64 of r ‖ s.
    """
    if marshaling == "asn1":
        return encode_base64(signature)
    raw = signatures.to_raw(algorithm, signature)
    if marshaling == "raw":
        return encode_base64(raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unmarshal_signature(algorithm: str, payload: str, marshaling: Marshaling) -> bytes:
    """Return the signature (DER for SM2 and ECDSA) in ``payload``; raise ``Invalid``."""
    if marshaling == "asn1":
        return decode_base64(payload, "signature")
    if marshaling == "jws":
        if "=" in payload or "+" in payload or "/" in payload:
            msg = "a jws signature is unpadded Base64url"
            raise Invalid(msg)
        payload = payload.replace("-", "+").replace("_", "/") + "=" * (-len(payload) % 4)
    try:
        return signatures.from_raw(algorithm, decode_base64(payload, "signature"))
    except MalformedEncoding as error:
        raise Invalid(error.detail) from error
