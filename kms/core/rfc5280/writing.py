"""TBSCertificate and TBSCertList for SM2 and P-256 keys, and what they become when signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.der import encode
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import SIGNATURE_OID
from secops.kernel.clock import SECOND

Profile = Literal["root", "maker", "signer", "time_stamper"]
KeyAlgorithm = Literal["sm2", "ecdsa-p256"]

_SIGNATURES: Final[dict[KeyAlgorithm, str]] = {
    "sm2": SIGNATURE_OID,
    "ecdsa-p256": "1.2.840.10045.4.3.2",
}

_PRINTABLE_STRING: Final = elements.PRINTABLE_STRING
_COUNTRY: Final = "2.5.4.6"
_GENERALIZED_FROM: Final = 2050  # RFC 5280 §4.1.2.5
_IDENTIFIER_BYTES: Final = 20
_KEY_BYTES: Final = 65
_DIGITAL_SIGNATURE: Final = b"\x06\xc0"  # digitalSignature, nonRepudiation
_ISSUING: Final = b"\x01\x06"  # keyCertSign, cRLSign
_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name. ``unit`` marks what the certificate is good for."""

    organization: str
    unit: str
    common_name: str

    def to_der(self) -> bytes:
        """Return the RDNSequence C=CN, O, OU, CN."""
        parts = (
            ("2.5.4.10", self.organization),
            ("2.5.4.11", self.unit),
            ("2.5.4.3", self.common_name),
        )
        country = _relative(_COUNTRY, encode(_PRINTABLE_STRING, b"CN"))
        return der.sequence(country, *(_relative(oid, der.utf8(text)) for oid, text in parts))


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """What an issuer says.

    ``issuer`` and ``subject`` are names in DER; times UTC microseconds, cut to seconds;
    ``issuer_spki`` is the key that will sign, and it is of ``algorithm``.
    """

    profile: Profile
    serial: int
    issuer: bytes
    subject: bytes
    not_before: int
    not_after: int
    spki: bytes
    issuer_spki: bytes
    algorithm: KeyAlgorithm = "sm2"


def certificate_to_sign(content: CertificateContent) -> bytes:
    """Return the TBSCertificate, version 3."""
    return der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(content.serial),
        _algorithm(content.algorithm),
        content.issuer,
        der.sequence(_time(content.not_before), _time(content.not_after)),
        content.subject,
        content.spki,
        der.explicit(3, der.sequence(*_extensions(content))),
    )


def certificate(tbs: bytes, signature: bytes, algorithm: KeyAlgorithm = "sm2") -> bytes:
    """Return the Certificate of ``tbs`` with the issuer's DER ``signature``."""
    return der.sequence(tbs, _algorithm(algorithm), der.bits(signature))


@dataclass(frozen=True, slots=True)
class RevocationListContent:
    """A CRL: ``revoked`` are (serial, instant) pairs; ``number`` grows with each list."""

    issuer: bytes
    issuer_spki: bytes
    number: int
    this_update: int
    next_update: int
    revoked: Sequence[tuple[int, int]]


def revocation_list_to_sign(content: RevocationListContent) -> bytes:
    """Return the TBSCertList, version 2."""
    entries = [
        der.sequence(der.integer(serial), _time(instant)) for serial, instant in content.revoked
    ]
    extensions = der.sequence(
        _authority_key(content.issuer_spki),
        _extension("2.5.29.20", der.integer(content.number)),
    )
    return der.sequence(
        der.integer(1),
        der.sequence(der.oid(SIGNATURE_OID)),
        content.issuer,
        _time(content.this_update),
        _time(content.next_update),
        *([der.sequence(*entries)] if entries else []),
        der.explicit(0, extensions),
    )


def revocation_list(tbs: bytes, signature: bytes) -> bytes:
    """Return the CertificateList of ``tbs`` with the issuer's DER ``signature``."""
    return certificate(tbs, signature)


def _extensions(content: CertificateContent) -> tuple[bytes, ...]:
    root = content.profile == "root"
    constraints = der.sequence(der.TRUE, der.integer(0)) if root else der.sequence()
    usage = encode(elements.BIT_STRING, _ISSUING if root else _DIGITAL_SIGNATURE)
    identifier = der.octets(_key_identifier(content.spki))
    # RFC 3161 §2.3: one purpose, and critical
    purpose = _extension("2.5.29.37", der.sequence(der.oid(_TIME_STAMPING)), critical=True)
    return (
        _extension("2.5.29.19", constraints, critical=True),
        _extension("2.5.29.15", usage, critical=True),
        *((purpose,) if content.profile == "time_stamper" else ()),
        _extension("2.5.29.14", identifier),
        _authority_key(content.issuer_spki),
    )


def _algorithm(name: KeyAlgorithm) -> bytes:
    return der.sequence(der.oid(_SIGNATURES[name]))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = (der.TRUE,) if critical else ()
    return der.sequence(der.oid(oid), *flag, der.octets(value))


def _authority_key(spki: bytes) -> bytes:
    return _extension("2.5.29.35", der.sequence(encode(0x80, _key_identifier(spki))))


def _key_identifier(spki: bytes) -> bytes:
    """Return the leftmost 160 bits of the key's SM3 (RFC 7093 §2, method 1, with SM3)."""
    return sm3(spki[-_KEY_BYTES:])[:_IDENTIFIER_BYTES]


def _relative(oid: str, value: bytes) -> bytes:
    return encode(elements.SET, der.sequence(der.oid(oid), value))


def _time(instant: int) -> bytes:
    moment = datetime.fromtimestamp(instant // SECOND, UTC)
    if moment.year >= _GENERALIZED_FROM:
        return der.generalized_time(instant)
    return encode(elements.UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
