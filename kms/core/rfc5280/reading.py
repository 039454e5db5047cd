"""Read and prove a certificate revocation list (RFC 5280 §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.extensions import read_extension
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import BIT_STRING, CONTEXT_0, GENERALIZED_TIME, SEQUENCE, UTC_TIME
from secops.crypto.certificates import Certificate, verify_signature_of
from secops.crypto.errors import InvalidKey, InvalidSignature

_NUMBER: Final = "2.5.29.20"
_KNOWN: Final = frozenset({_NUMBER, "2.5.29.35"})
_MAX_NUMBER: Final = 20  # bytes, RFC 5280 §5.2.3


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature was proved: ``revoked`` maps serials to instants.

    ``number`` grows with each list of an issuer; None where it says none.
    """

    issuer: bytes
    this_update: int
    next_update: int
    revoked: Mapping[int, int]
    number: int | None = None


def verify_revocation_list(encoded: bytes, issuers: Sequence[Certificate]) -> RevocationList:
    """Return the list in DER ``encoded``, signed by one of ``issuers``.

    Raises ``DerError`` for a malformed list, an unknown critical extension, or a list
    that none of them signed or may sign (cRLSign).
    """
    root = read_der(encoded)
    tbs, algorithm, signature = root.sequence("CertificateList", 3)
    fields = list(tbs.sequence("tbsCertList"))
    if fields and values.integer(fields[0], "version") != 1:
        fields[0].refuse("only version 2 lists are read")
    if len(fields) < 5 or fields[1].raw != algorithm.raw:  # noqa: PLR2004 - to nextUpdate
        root.refuse("not a revocation list, or its two algorithms differ")
    issuer = fields[2].expect(SEQUENCE, "issuer").raw
    _require_signed(root, issuer, issuers, values.bits(signature.expect(BIT_STRING, "s"), "s"))
    revoked, number = _revoked(fields[5:])
    return RevocationList(issuer, _time(fields[3]), _time(fields[4]), revoked, number)


def _require_signed(
    root: Element, issuer: bytes, issuers: Sequence[Certificate], signature: bytes
) -> None:
    kind = root.children[1].sequence("signatureAlgorithm", 1, 2)[0]
    algorithm = values.oid(kind, "algorithm")
    for candidate in issuers:
        if candidate.subject != issuer or not candidate.allows("cRLSign"):
            continue
        try:
            verify_signature_of(candidate, algorithm, signature, root.children[0].raw)
        except (InvalidSignature, InvalidKey):
            continue
        return
    root.refuse("none of the trust anchors signed the list")


def _revoked(fields: Sequence[Element]) -> tuple[Mapping[int, int], int | None]:
    revoked: dict[int, int] = {}
    number = None
    for field in fields:
        if field.tag == CONTEXT_0:
            number = _check_extensions(field.only("crlExtensions is not one SEQUENCE"))
            continue
        for entry in field.sequence("revokedCertificates"):
            parts = entry.sequence("revokedCertificate", 2, 3)
            if len(parts) == 3:  # noqa: PLR2004 - crlEntryExtensions
                _check_extensions(parts[2])
            revoked[values.integer(parts[0], "serial")] = _time(parts[1])
    return revoked, number


def _check_extensions(field: Element) -> int | None:
    """Return the list's number; raise ``DerError`` for what is critical and unknown."""
    number = None
    for extension in field.sequence("extensions"):
        oid, critical, holder = read_extension(extension)
        if critical and oid not in _KNOWN:
            extension.refuse(f"unknown critical extension {oid}")
        if oid == _NUMBER:
            value = read_der(values.octets(holder, "extnValue"))
            number = values.integer(value, "cRLNumber")
            if number < 0 or len(value.content) > _MAX_NUMBER:
                extension.refuse("the list's number is negative or too long")
    return number


def _time(element: Element) -> int:
    if element.tag not in (UTC_TIME, GENERALIZED_TIME):
        element.refuse("no time")
    return values.time(element, "time")
