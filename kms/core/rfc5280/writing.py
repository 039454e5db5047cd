"""TBSCertificate and TBSCertList for SM2 and P-256 keys, and what they become when signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from kms.core.rfc5280.names import AlternativeNames
from kms.core.rfc5280.profiles import PROFILES, Profile
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.certificates import KEY_USAGES
from secops.crypto.der import children, encode, read_bits, read_whole
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import SIGNATURE_OID
from secops.kernel.clock import SECOND

KeyAlgorithm = Literal["sm2", "ecdsa-p256"]
SubjectAlgorithm = Literal["sm2", "ecdsa-p256", "rsa-3072"]
"""Of keys in the pool that get certificates; those of issuers are ``KeyAlgorithm``."""

SIGNATURES: Final[dict[KeyAlgorithm, str]] = {
    "sm2": SIGNATURE_OID,
    "ecdsa-p256": "1.2.840.10045.4.3.2",
}

_COUNTRY: Final = "2.5.4.6"
_GENERALIZED_FROM: Final = 2050  # RFC 5280 §4.1.2.5
_IDENTIFIER_BYTES: Final = 20
_OCSP: Final = "1.3.6.1.5.5.7.48.1"
_CA_ISSUERS: Final = "1.3.6.1.5.5.7.48.2"
_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
_MAIL_TAG: Final = 0x81
_HOST_TAG: Final = 0x82
_URI_TAG: Final = 0x86
_ADDRESS_TAG: Final = 0x87


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name. ``unit`` marks what the certificate is good for, "" says nothing."""

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
        country = _relative(_COUNTRY, encode(elements.PRINTABLE_STRING, b"CN"))
        stated = (_relative(oid, der.utf8(text)) for oid, text in parts if text)
        return der.sequence(country, *stated)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a reader finds what it needs of the issuer: URLs, "" where there is none."""

    revocation_list: str = ""
    ocsp: str = ""
    issuer: str = ""


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
    names: AlternativeNames = field(default_factory=AlternativeNames)
    places: Places = field(default_factory=Places)


def certificate_to_sign(content: CertificateContent) -> bytes:
    """Return the TBSCertificate, version 3."""
    return der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(content.serial),
        algorithm_identifier(content.algorithm),
        content.issuer,
        der.sequence(_time(content.not_before), _time(content.not_after)),
        content.subject,
        content.spki,
        der.explicit(3, der.sequence(*_extensions(content))),
    )


def certificate(tbs: bytes, signature: bytes, algorithm: KeyAlgorithm = "sm2") -> bytes:
    """Return the Certificate of ``tbs`` with the issuer's DER ``signature``."""
    return der.sequence(tbs, algorithm_identifier(algorithm), der.bits(signature))


@dataclass(frozen=True, slots=True)
class RevocationListContent:
    """A CRL: ``revoked`` are (serial, instant) pairs; ``number`` grows with each list.

    ``reasons`` are CRLReason codes by serial (RFC 5280 §5.3.1); 0, unspecified, is not written.
    """

    issuer: bytes
    issuer_spki: bytes
    number: int
    this_update: int
    next_update: int
    revoked: Sequence[tuple[int, int]]
    reasons: Mapping[int, int] = field(default_factory=dict)
    algorithm: KeyAlgorithm = "sm2"


def revocation_list_to_sign(content: RevocationListContent) -> bytes:
    """Return the TBSCertList, version 2."""
    entries = [
        der.sequence(der.integer(serial), _time(instant), *_reason(content.reasons.get(serial, 0)))
        for serial, instant in content.revoked
    ]
    extensions = der.sequence(
        _authority_key(content.issuer_spki),
        _extension("2.5.29.20", der.integer(content.number)),
    )
    return der.sequence(
        der.integer(1),
        algorithm_identifier(content.algorithm),
        content.issuer,
        _time(content.this_update),
        _time(content.next_update),
        *([der.sequence(*entries)] if entries else []),
        der.explicit(0, extensions),
    )


def revocation_list(tbs: bytes, signature: bytes, algorithm: KeyAlgorithm = "sm2") -> bytes:
    """Return the CertificateList of ``tbs`` with the issuer's DER ``signature``."""
    return certificate(tbs, signature, algorithm)


def algorithm_identifier(name: KeyAlgorithm) -> bytes:
    """Return the AlgorithmIdentifier of the signatures that keys of ``name`` make."""
    return der.sequence(der.oid(SIGNATURES[name]))


def key_bits(spki: bytes) -> bytes:
    """Return the subjectPublicKey of ``spki``, without tag, length and unused bits."""
    return read_bits(list(children(read_whole(spki, elements.SEQUENCE).content))[1])


def key_identifier(spki: bytes) -> bytes:
    """Return the leftmost 160 bits of the key's SM3 (RFC 7093 §2, method 1, with SM3)."""
    return sm3(key_bits(spki))[:_IDENTIFIER_BYTES]


def _extensions(content: CertificateContent) -> tuple[bytes, ...]:
    profile = PROFILES[content.profile]
    constraints = der.sequence(der.TRUE, der.integer(0)) if profile.is_ca else der.sequence()
    purposes = der.sequence(*(der.oid(purpose) for purpose in profile.purposes))
    names = _alternative_names(content.names)
    return (
        _extension("2.5.29.19", constraints, critical=True),
        _extension("2.5.29.15", _usage(profile.usages), critical=True),
        *(
            [_extension("2.5.29.37", purposes, critical=profile.purposes_critical)]
            if profile.purposes
            else []
        ),
        _extension("2.5.29.14", der.octets(key_identifier(content.spki))),
        _authority_key(content.issuer_spki),
        *([_extension("2.5.29.17", names)] if content.names else []),
        *([_extension(_NO_CHECK, der.NULL)] if profile.no_check else []),
        *_place_extensions(content.places),
    )


def _usage(usages: Sequence[str]) -> bytes:
    """Return a KeyUsage; DER leaves out the zero bits behind the last one (X.690 §11.2.2)."""
    positions = {KEY_USAGES.index(usage) for usage in usages}
    count = max(positions) + 1
    unused = -count % 8
    value = sum(1 << (count - 1 - position) for position in positions) << unused
    content = value.to_bytes((count + unused) // 8, "big")
    return encode(elements.BIT_STRING, bytes([unused]) + content)


def _alternative_names(names: AlternativeNames) -> bytes:
    return der.sequence(
        *(encode(_HOST_TAG, host.encode("ascii")) for host in names.hosts),
        *(encode(_ADDRESS_TAG, address) for address in names.packed_addresses),
        *(encode(_MAIL_TAG, mail.encode("ascii")) for mail in names.mails),
    )


def _place_extensions(places: Places) -> tuple[bytes, ...]:
    found: list[bytes] = []
    if places.revocation_list:
        full_name = encode(0xA0, encode(0xA0, _uri(places.revocation_list)))
        found.append(_extension("2.5.29.31", der.sequence(der.sequence(full_name))))
    access = [
        der.sequence(der.oid(method), _uri(url))
        for method, url in ((_OCSP, places.ocsp), (_CA_ISSUERS, places.issuer))
        if url
    ]
    if access:
        found.append(_extension("1.3.6.1.5.5.7.1.1", der.sequence(*access)))
    return tuple(found)


def _uri(url: str) -> bytes:
    return encode(_URI_TAG, url.encode("ascii"))


def _reason(code: int) -> tuple[bytes, ...]:
    if not code:
        return ()
    return (der.sequence(_extension("2.5.29.21", encode(elements.ENUMERATED, bytes([code])))),)


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = (der.TRUE,) if critical else ()
    return der.sequence(der.oid(oid), *flag, der.octets(value))


def _authority_key(spki: bytes) -> bytes:
    return _extension("2.5.29.35", der.sequence(encode(0x80, key_identifier(spki))))


def _relative(oid: str, value: bytes) -> bytes:
    return encode(elements.SET, der.sequence(der.oid(oid), value))


def _time(instant: int) -> bytes:
    moment = datetime.fromtimestamp(instant // SECOND, UTC)
    if moment.year >= _GENERALIZED_FROM:
        return der.generalized_time(instant)
    return encode(elements.UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
