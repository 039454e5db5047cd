"""Read an OCSPRequest: strict DER, few certificates, one nonce."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.extensions import read_extension
from kms.core.rfc5280.writing import key_bits
from kms.core.x690 import DerError, Element, elements, read_der, values
from kms.models.certificates import MAX_OCSP_REQUEST
from secops.crypto.certificates import Certificate
from secops.crypto.hashes import sha256, sm3

MAX_CERTIFICATES: Final = 20
NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_MAX_NONCE: Final = 128  # RFC 9654 §2.1: up to 128; 32 is usual
_CONTEXT: Final = (0xA0, 0xA1, 0xA2)
_SINGLE_EXTENSIONS: Final = 0xA0


def _sha1(content: bytes) -> bytes:
    # names an issuer and proves nothing: RFC 5019 §2.1.1 has every client use it
    return hashlib.sha1(content, usedforsecurity=False).digest()


_HASHES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "1.3.14.3.2.26": _sha1,
    "2.16.840.1.101.3.4.2.1": sha256,
    "1.2.156.10197.1.401": sm3,
}


@dataclass(frozen=True, slots=True)
class CertificateId:
    """Which certificate is asked about; ``raw`` is the CertID as it came, to be sent back."""

    raw: bytes
    hash_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int

    def is_of(self, issuer: Certificate) -> bool:
        """Tell whether ``issuer`` is the issuer that is meant."""
        hash_ = _HASHES.get(self.hash_oid)
        if hash_ is None:
            return False
        wanted = hash_(issuer.subject), hash_(key_bits(issuer.spki))
        return (self.name_hash, self.key_hash) == wanted


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """The certificates asked about, and the nonce: its extension value as it came, or none."""

    certificates: tuple[CertificateId, ...]
    nonce: bytes | None


def read_request(encoded: bytes) -> OcspRequest:
    """Return the OCSPRequest in DER ``encoded``; raise ``DerError``.

    A requestor's name and signature are not looked at: everybody is answered alike.
    """
    if len(encoded) > MAX_OCSP_REQUEST:
        msg = f"more than {MAX_OCSP_REQUEST} bytes"
        raise DerError(msg)
    parts = read_der(encoded).sequence("OCSPRequest", 1, 2)
    fields = list(parts[0].sequence("tbsRequest"))
    if len(parts) == 2:  # noqa: PLR2004 - optionalSignature
        parts[1].expect(_CONTEXT[0], "optionalSignature")
    if fields and fields[0].tag == _CONTEXT[0]:
        # v1 is a default, so DER leaves it out, and there is no other
        fields[0].refuse("a version that is written out")
    if fields and fields[0].tag == _CONTEXT[1]:
        fields = fields[1:]
    if not 1 <= len(fields) <= 2:  # noqa: PLR2004 - requestList, requestExtensions
        parts[0].refuse("no list of requests")
    listed = fields[0].sequence("requestList")
    if not 1 <= len(listed) <= MAX_CERTIFICATES:
        fields[0].refuse(f"1 to {MAX_CERTIFICATES} certificates are asked about at once")
    nonce = _nonce(fields[1].expect(_CONTEXT[2], "requestExtensions")) if fields[1:] else None
    return OcspRequest(tuple(map(_certificate_id, listed)), nonce)


def _certificate_id(request: Element) -> CertificateId:
    parts = request.sequence("Request", 1, 2)
    if len(parts) == 2:  # noqa: PLR2004 - singleRequestExtensions
        _extensions(parts[1].expect(_SINGLE_EXTENSIONS, "singleRequestExtensions"), ())
    algorithm, name, key, serial = parts[0].sequence("CertID", 4)
    return CertificateId(
        raw=parts[0].raw,
        hash_oid=values.oid(algorithm.sequence("hashAlgorithm", 1, 2)[0], "hashAlgorithm"),
        name_hash=values.octets(name, "issuerNameHash"),
        key_hash=values.octets(key, "issuerKeyHash"),
        serial=values.integer(serial.expect(elements.INTEGER, "serialNumber"), "serialNumber"),
    )


def _nonce(wrapped: Element) -> bytes | None:
    found = _extensions(wrapped, (NONCE,))
    if not found:
        return None
    nonce = values.octets(read_der(found[0]), "nonce")
    if not 1 <= len(nonce) <= _MAX_NONCE:
        wrapped.refuse(f"a nonce has 1 to {_MAX_NONCE} bytes")
    return found[0]


def _extensions(wrapped: Element, known: Sequence[str]) -> list[bytes]:
    """Return the values of ``known`` ones; raise ``DerError`` for one that is critical and not."""
    found: list[bytes] = []
    for extension in wrapped.only("extensions are not one SEQUENCE").sequence("extensions"):
        oid, critical, holder = read_extension(extension)
        value = values.octets(holder, "extnValue")
        if oid in known:
            found.append(value)
        elif critical:
            extension.refuse(f"unknown critical extension {oid}")
    if len(found) > 1:
        wrapped.refuse("an extension is repeated")
    return found
