"""SignedData (GB/T 35275-2017 §8) out of stored DER, with exactly one signer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.trust import readable_certificate
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import CONTEXT_0, OBJECT_IDENTIFIER, SEQUENCE, SET
from secops.crypto.der import encode
from secops.crypto.sm2 import SIGNATURE_OID

SIGNED_DATA: Final = "1.2.156.10197.6.1.4.2.2"
_SM3: Final = "1.2.156.10197.1.401"
_SM2_SIGNATURE: Final = frozenset({"1.2.156.10197.1.301.1", SIGNATURE_OID})
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_TIME_STAMP: Final = "1.2.840.113549.1.9.16.2.14"
_CONTEXT_1: Final = 0xA1
_VERSION: Final = 1
_NULL: Final = b"\x05\x00"
_MAX_CERTIFICATES: Final = 20


@dataclass(frozen=True, slots=True)
class SignedData:
    """One signer's SignedData. Nothing here has been verified.

    ``content`` is what it holds itself, None where it is detached. ``signed`` are the
    attributes as they were signed, None where the content was signed itself;
    ``message_digest`` and ``signed_at`` (UTC microseconds) stand in them. ``time_stamp`` is
    the token over the signature that stands beside it (RFC 3161 appendix A).
    """

    content: bytes | None
    signer_certificate: bytes
    signed: bytes | None
    message_digest: bytes | None
    signed_at: int | None
    signature: bytes
    time_stamp: bytes | None = None


def is_signed_data(value: bytes) -> bool:
    """Tell a ContentInfo from a SES_Signature: it begins with an OBJECT IDENTIFIER."""
    try:
        children = read_der(value).children
    except ValueError:
        return False
    return bool(children) and children[0].tag == OBJECT_IDENTIFIER


def read_signed_data(value: bytes) -> SignedData:
    """Return the SignedData in ``value``; raise ``DerError`` for anything but one signer."""
    kind, holder = read_der(value).sequence("ContentInfo", 2)
    if values.oid(kind, "contentType") != SIGNED_DATA:
        kind.refuse("the value is no SignedData of GB/T 35275")
    fields = list(_only(holder.expect(CONTEXT_0, "content")).sequence("SignedData", 4, 5, 6))
    _require_version(fields[0])
    for algorithm in fields[1].expect(SET, "digestAlgorithms").children:
        _require_algorithm(algorithm, frozenset({_SM3}))
    optional = {field.tag: field.children for field in fields[3:-1]}
    if [field.tag for field in fields[3:-1]] != sorted({CONTEXT_0, _CONTEXT_1} & set(optional)):
        fields[3].refuse("not certificates and revocation lists, each once")
    certificates = optional.get(CONTEXT_0, ())
    return _signer(_only(fields[-1].expect(SET, "signerInfos")), certificates, _content(fields[2]))


def _content(element: Element) -> bytes | None:
    fields = element.sequence("contentInfo", 1, 2)
    values.oid(fields[0], "inner contentType")
    if len(fields) == 1:
        return None
    return values.octets(_only(fields[1].expect(CONTEXT_0, "content")), "content")


def _signer(info: Element, certificates: Sequence[Element], content: bytes | None) -> SignedData:
    fields = list(info.sequence("SignerInfo", 5, 6, 7))
    _require_version(fields[0])
    certificate = _certificate(fields[1], certificates)
    _require_algorithm(fields[2], frozenset({_SM3}))
    attributes = fields.pop(3) if fields[3].tag == CONTEXT_0 else None
    if len(fields) not in (5, 6):  # up to encryptedDigest, and one field behind it
        info.refuse("SignerInfo has no signature, or more than belongs behind it")
    _require_algorithm(fields[3], _SM2_SIGNATURE)
    time_stamp = _time_stamp(fields[5]) if len(fields) > 5 else None  # noqa: PLR2004
    signed_at, digest, signed = None, None, None
    if attributes is not None:
        signed_at, digest = _attributes(attributes)
        # signed under the tag SET OF, in the order in which they are stored
        signed = encode(SET, attributes.content)
    return SignedData(
        content=content,
        signer_certificate=certificate,
        signed=signed,
        message_digest=digest,
        signed_at=signed_at,
        signature=values.octets(fields[4], "encryptedDigest"),
        time_stamp=time_stamp,
    )


def _time_stamp(unsigned: Element) -> bytes | None:
    """Return the token among unsigned attributes, if there is one."""
    found: bytes | None = None
    for attribute in unsigned.expect(_CONTEXT_1, "unsigned attributes").children:
        kind, held = attribute.sequence("attribute", 2)
        if values.oid(kind, "attribute type") != _TIME_STAMP:
            continue
        if found is not None:
            kind.refuse("two time-stamps of one signature")
        found = _only(held.expect(SET, "attribute values")).raw
    return found


def _attributes(element: Element) -> tuple[int | None, bytes]:
    """Return signingTime (if there is one) and messageDigest of signed attributes."""
    found: dict[str, Element] = {}
    for attribute in element.children:
        kind, held = attribute.sequence("attribute", 2)
        name = values.oid(kind, "attribute type")
        if name in found:
            kind.refuse(f"the attribute {name} is there twice")
        found[name] = held.expect(SET, "attribute values")
    for name in (_CONTENT_TYPE, _MESSAGE_DIGEST):
        if name not in found:
            element.refuse(f"the attribute {name} is missing")
    signed_at = None
    if _SIGNING_TIME in found:
        signed_at = values.time(_only(found[_SIGNING_TIME]), "signingTime")
    return signed_at, values.octets(_only(found[_MESSAGE_DIGEST]), "messageDigest")


def _certificate(identifier: Element, certificates: Sequence[Element]) -> bytes:
    """Return the one certificate of that issuer and serial number, by their stored bytes."""
    issuer, serial = identifier.sequence("issuerAndSerialNumber", 2)
    number = values.integer(serial, "serialNumber")
    if len(certificates) > _MAX_CERTIFICATES:
        identifier.refuse(f"more than {_MAX_CERTIFICATES} certificates")
    matching = []
    for element in certificates:
        certificate = readable_certificate(element.expect(SEQUENCE, "certificate").raw)
        if certificate is None:
            element.refuse("a certificate can't be read")
        if (certificate.issuer, certificate.serial) == (issuer.raw, number):
            matching.append(element.raw)
    if len(matching) != 1:
        identifier.refuse(f"{len(matching)} certificates of the signer")
    return matching[0]


def _only(element: Element) -> Element:
    if len(element.children) != 1:
        element.refuse(f"{len(element.children)} elements where one belongs")
    return element.children[0]


def _require_version(element: Element) -> None:
    if values.integer(element, "version") != _VERSION:
        element.refuse(f"the version is not {_VERSION}")


def _require_algorithm(element: Element, accepted: frozenset[str]) -> None:
    parts = element.sequence("algorithm", 1, 2)
    name = values.oid(parts[0], "algorithm")
    if name not in accepted or any(part.raw != _NULL for part in parts[1:]):
        element.refuse(f"the algorithm {name} is not accepted")
