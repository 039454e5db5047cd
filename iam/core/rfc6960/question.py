"""The question to a responder, and where a certificate says that its responder is.

RFC 6960 §4.1; the nonce is RFC 9654's. Which hash names the issuer is no matter of trust: the
answer is compared with what we computed. SHA-1 is what every responder knows (RFC 5019
§2.1.1); for an SM2 issuer it is SM3, which a Chinese CA's responder is bound to know.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from secops.crypto.certificates import Certificate
from secops.crypto.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Element,
    children,
    encode,
    encode_sequence,
    read_bits,
    read_oid,
    read_whole,
)
from secops.crypto.errors import MalformedEncoding
from secops.crypto.hashes import sm3

SHA1: Final = "1.3.14.3.2.26"
SM3: Final = "1.2.156.10197.1.401"
NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
NONCE_BYTES: Final = 32
_ENCODED: Final = {
    SHA1: bytes.fromhex("2b0e03021a"),
    SM3: bytes.fromhex("2a811ccf55018311"),
    NONCE: bytes.fromhex("2b0601050507300102"),
}
_ACCESS: Final = "1.3.6.1.5.5.7.1.1"
_OCSP: Final = "1.3.6.1.5.5.7.48.1"
_URI: Final = 0x86
_EXTENSIONS: Final = 0xA2
_NULL: Final = b"\x05\x00"
_MAX_ADDRESS: Final = 1_024


@dataclass(frozen=True, slots=True)
class CertificateId:
    """Which certificate is meant: its issuer by two hashes, and its serial number."""

    hash_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class OcspQuestion:
    """What is asked, about a certificate of ``issuer``; ``nonce`` is of this question alone."""

    wanted: CertificateId
    issuer: Certificate
    nonce: bytes


def ask_about(subject: Certificate, issuer: Certificate, nonce: bytes) -> OcspQuestion:
    """Return the question whether ``subject``, which ``issuer`` issued, was revoked."""
    oid = SM3 if issuer.key_algorithm == "sm2" else SHA1
    named = CertificateId(
        oid, digest(oid, issuer.subject), digest(oid, key_bits(issuer)), subject.serial
    )
    return OcspQuestion(named, issuer, nonce)


def key_bits(certificate: Certificate) -> bytes:
    """Return the public key's bits without the algorithm: what key hashes are of."""
    _, bits = children(read_whole(certificate.spki, SEQUENCE).content)
    return read_bits(bits)


def digest(oid: str, content: bytes) -> bytes:
    """Return the hash of ``content``."""
    if oid == SM3:
        return sm3(content)
    return hashlib.sha1(content, usedforsecurity=False).digest()


def encoded_question(asked: OcspQuestion) -> bytes:
    """Return the OCSPRequest."""
    wanted, serial = asked.wanted, asked.wanted.serial
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    named = encode_sequence(
        encode_sequence(encode(OID, _ENCODED[wanted.hash_oid]), _NULL),
        encode(OCTET_STRING, wanted.name_hash),
        encode(OCTET_STRING, wanted.key_hash),
        encode(INTEGER, number),
    )
    once = encode_sequence(
        encode(OID, _ENCODED[NONCE]), encode(OCTET_STRING, encode(OCTET_STRING, asked.nonce))
    )
    requests = encode_sequence(encode_sequence(named))
    return encode_sequence(
        encode_sequence(requests, encode(_EXTENSIONS, encode_sequence(once))),
    )


def responder_of(certificate: Certificate) -> str:
    """Return the http address of the responder that ``certificate`` names, "" if none.

    Authority information access (RFC 5280 §4.2.2.1). Its issuer signed it: only to be read
    from a certificate whose chain was verified.
    """
    value = certificate.extensions.get(_ACCESS)
    if value is None:
        return ""
    try:
        found = [_address(each) for each in children(read_whole(value, SEQUENCE).content)]
    except (MalformedEncoding, ValueError):
        return ""
    return next((address for address in found if address), "")


def _address(description: Element) -> str:
    parts = list(children(description.content))
    if len(parts) != 2 or read_oid(parts[0]) != _OCSP or parts[1].tag != _URI:  # noqa: PLR2004
        return ""
    text = parts[1].content.decode("ascii")
    fits = len(text) <= _MAX_ADDRESS and text.startswith(("http://", "https://"))
    return text if fits else ""
