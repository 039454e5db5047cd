"""Read and prove a certificate revocation list (RFC 5280 §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import BIT_STRING, CONTEXT_0, GENERALIZED_TIME, SEQUENCE, UTC_TIME
from secops.crypto import sm2
from secops.crypto.certificates import Certificate
from secops.crypto.errors import InvalidKey, InvalidSignature

_KNOWN: Final = frozenset({"2.5.29.20", "2.5.29.35"})


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature was proved: ``revoked`` maps serials to instants."""

    issuer: bytes
    this_update: int
    next_update: int
    revoked: Mapping[int, int]


def verify_revocation_list(encoded: bytes, issuers: Sequence[Certificate]) -> RevocationList:
    """Return the list in DER ``encoded``, signed with SM2 by one of ``issuers``.

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
    if values.oid(algorithm.sequence("signatureAlgorithm", 1)[0], "algorithm") != sm2.SIGNATURE_OID:
        algorithm.refuse("the list is not signed with SM2")
    issuer = fields[2].expect(SEQUENCE, "issuer").raw
    _require_signed(root, issuer, issuers, values.bits(signature.expect(BIT_STRING, "s"), "s"))
    return RevocationList(
        issuer=issuer,
        this_update=_time(fields[3]),
        next_update=_time(fields[4]),
        revoked=_revoked(fields[5:]),
    )


def _require_signed(
    root: Element, issuer: bytes, issuers: Sequence[Certificate], signature: bytes
) -> None:
    for candidate in issuers:
        if candidate.subject != issuer or not candidate.allows("cRLSign"):
            continue
        try:
            sm2.PublicKey(candidate.spki).verify(signature, root.children[0].raw)
        except (InvalidSignature, InvalidKey):
            continue
        return
    root.refuse("none of the trust anchors signed the list")


def _revoked(fields: Sequence[Element]) -> Mapping[int, int]:
    revoked: dict[int, int] = {}
    for field in fields:
        if field.tag == CONTEXT_0:
            if len(field.children) != 1:
                field.refuse("crlExtensions is not one SEQUENCE")
            _check_extensions(field.children[0])
            continue
        for entry in field.sequence("revokedCertificates"):
            parts = entry.sequence("revokedCertificate", 2, 3)
            if len(parts) == 3:  # noqa: PLR2004 - crlEntryExtensions
                _check_extensions(parts[2])
            revoked[values.integer(parts[0], "serial")] = _time(parts[1])
    return revoked


def _check_extensions(field: Element) -> None:
    for extension in field.sequence("extensions"):
        parts = extension.sequence("extension", 2, 3)
        oid = values.oid(parts[0], "extnID")
        critical = len(parts) == 3 and values.boolean(parts[1], "critical")  # noqa: PLR2004
        if critical and oid not in _KNOWN:
            extension.refuse(f"unknown critical extension {oid}")


def _time(element: Element) -> int:
    if element.tag not in (UTC_TIME, GENERALIZED_TIME):
        element.refuse("no time")
    return values.time(element, "time")
