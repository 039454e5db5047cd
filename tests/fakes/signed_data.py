"""SignedData of GB/T 35275 by an encoder of its own, sound or broken, and its ASN.1."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import Any

from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import SECOND, to_rfc3339
from tests.fakes.clock import START
from tests.fakes.sealing import mint

ASN1 = """
GBT35275 DEFINITIONS EXPLICIT TAGS ::= BEGIN
ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] SignedData }
SignedData ::= SEQUENCE {
  version INTEGER, digestAlgorithms SET OF Algorithm, contentInfo Inner,
  certificates [0] IMPLICIT SET OF ANY OPTIONAL, crls [1] IMPLICIT SET OF ANY OPTIONAL,
  signerInfos SET OF SignerInfo }
Inner ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] OCTET STRING OPTIONAL }
Algorithm ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters NULL OPTIONAL }
SignerInfo ::= SEQUENCE {
  version INTEGER, issuerAndSerialNumber SEQUENCE { issuer ANY, serial INTEGER },
  digestAlgorithm Algorithm, attributes [0] IMPLICIT SET OF Attribute OPTIONAL,
  digestEncryptionAlgorithm Algorithm, encryptedDigest OCTET STRING,
  unsigned [1] IMPLICIT SET OF Attribute OPTIONAL }
Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
END
"""
SM3 = "06082a811ccf55018311"
SM2_SIGN = "06092a811ccf5501822d01"
SM2_WITH_SM3 = "06082a811ccf55018375"
DATA = "060a2a811ccf550601040201"
SIGNED_DATA = "060a2a811ccf550601040202"
PKCS7_DATA = "06092a864886f70d010701"
CONTENT_TYPE = "06092a864886f70d010903"
MESSAGE_DIGEST = "06092a864886f70d010904"
SIGNING_TIME = "06092a864886f70d010905"
NULL = b"\x05\x00"


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return DER, written here a second time so that reader and writer don't agree by chance."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes(4, "big").lstrip(b"\x00")
    return bytes([tag, 0x80 + len(size)]) + size + content


def oid(text: str) -> bytes:
    return bytes.fromhex(text)


def number(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def attribute(kind: str, *values: bytes) -> bytes:
    return tlv(0x30, oid(kind), tlv(0x31, *values))


def utc(instant: int) -> bytes:
    text = to_rfc3339(instant // SECOND * SECOND)
    return tlv(0x17, text[2:].translate(str.maketrans("", "", "-:T")).encode())


@dataclass(frozen=True)
class Style:
    """How a maker writes SignedData: A with attributes, B over the digest inside, C plain."""

    name: str = "A"
    key: PrivateKey = field(default_factory=lambda: mint().signer_key)
    certificate: bytes = field(default_factory=lambda: mint().signer)
    certificates: tuple[bytes, ...] | None = None
    outer_type: str = SIGNED_DATA
    version: int = 1
    digest_algorithm: bytes = field(default_factory=lambda: tlv(0x30, oid(SM3), NULL))
    signature_algorithm: bytes = field(default_factory=lambda: tlv(0x30, oid(SM2_SIGN), NULL))
    attributes: tuple[bytes, ...] | None = None
    signed_at: int | None = START + 2 * 24 * 3600 * SECOND
    digest: bytes | None = None
    content: bytes | None = None
    after_signature: tuple[bytes, ...] = ()
    after_certificates: tuple[bytes, ...] = ()
    serial: int | None = None
    signers: int = 1
    raw: bool = False
    unsigned: bool = False
    user_id: bytes = b"1234567812345678"

    def but(self, **changes: Any) -> Style:
        return replace(self, **changes)


def make_signed_data(style: Style, signed_file: bytes) -> bytes:
    """Return the ContentInfo of ``style`` over ``signed_file``."""
    digest = style.digest or sm3(signed_file)
    content = style.content
    if content is None and style.name == "B":
        content = digest
    if content is None and style.name == "B64":
        content = base64.b64encode(digest)
    inner = oid(PKCS7_DATA if style.name == "A" else DATA)
    held = () if content is None else (tlv(0xA0, tlv(4, content)),)
    attributes = style.attributes
    if attributes is None and style.name in ("A", "AB"):
        attributes = (
            attribute(CONTENT_TYPE, oid(DATA)),
            # in an order that DER would not keep
            *(() if style.signed_at is None else (attribute(SIGNING_TIME, utc(style.signed_at)),)),
            attribute(MESSAGE_DIGEST, tlv(4, digest)),
        )
    message = tlv(0x31, *attributes) if attributes is not None else content or signed_file
    signature = style.key.sign(message, style.user_id)
    if style.raw:
        first = signature[4 : 4 + signature[3]][-32:].rjust(32, b"\0")
        second = signature[6 + signature[3] :][-32:].rjust(32, b"\0")
        signature = first + second
    certificate = read_certificate(style.certificate)
    serial = certificate.serial if style.serial is None else style.serial
    signer = tlv(
        0x30,
        number(style.version),
        tlv(0x30, certificate.issuer, number(serial)),
        style.digest_algorithm,
        *(() if attributes is None else (tlv(0xA0, *attributes),)),
        style.signature_algorithm,
        *(() if style.unsigned else (tlv(4, signature),)),
        *style.after_signature,
    )
    listed = (style.certificate,) if style.certificates is None else style.certificates
    signed = tlv(
        0x30,
        number(style.version),
        tlv(0x31, style.digest_algorithm),
        tlv(0x30, inner, *held),
        tlv(0xA0, *listed),
        *style.after_certificates,
        tlv(0x31, *([signer] * style.signers)),
    )
    return tlv(0x30, oid(style.outer_type), tlv(0xA0, signed))
