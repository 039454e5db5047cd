"""What the judge knows: anchors, revocations, and certificates whose words can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kms.models.certificates import AnchorUse
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.errors import MalformedEncoding
from secops.kernel.clock import MINUTE

CLOCK_SKEW: Final = 5 * MINUTE
"""How far two clocks may be apart."""


@dataclass(frozen=True, slots=True)
class RevocationSource:
    """Which certificates were revoked, and when (UTC microseconds).

    It speaks for the certificates of ``issuers`` (their subjects' DER) only; ``revoked``
    is keyed by issuer and serial number. ``stale`` are issuers whose news should have been
    renewed, and when: what it does not say of them may have happened since.
    """

    issuers: frozenset[bytes]
    revoked: Mapping[tuple[bytes, int], int]
    stale: Mapping[bytes, int] = field(default_factory=dict)

    def joined(self, other: RevocationSource) -> RevocationSource:
        """Return what both say; of two instants for one certificate the first counts."""
        return RevocationSource(
            issuers=self.issuers | other.issuers,
            revoked=earliest(self.revoked, other.revoked),
            stale={**self.stale, **other.stale},
        )


def earliest(
    one: Mapping[tuple[bytes, int], int], other: Mapping[tuple[bytes, int], int]
) -> Mapping[tuple[bytes, int], int]:
    """Return both, each certificate with the first instant: a later list takes nothing back."""
    return {**one, **{name: min(at, one.get(name, at)) for name, at in other.items()}}


@dataclass(frozen=True, slots=True)
class Trust:
    """The judge's own knowledge. Nothing of the judged file ever gets in here.

    ``anchors`` are believed for everything, ``outside`` ones for their use alone.
    ``suspended`` maps the SM3 of a registered seal's bytes to the instant from which it
    may not be used.
    """

    now: int
    anchors: tuple[Certificate, ...] = ()
    revocations: RevocationSource | None = None
    suspended: Mapping[bytes, int] = field(default_factory=dict)
    outside: Mapping[AnchorUse, tuple[Certificate, ...]] = field(default_factory=dict)

    def anchors_for(self, use: AnchorUse) -> tuple[Certificate, ...]:
        """Return the anchors that are believed for ``use``."""
        return (*self.anchors, *self.outside.get(use, ()))


def readable_certificate(der: bytes) -> Certificate | None:
    """Return the certificate, or None unless all that a verdict shows of it can be read."""
    try:
        certificate = read_certificate(der)
        names = certificate.subject_name, certificate.issuer_name
    except MalformedEncoding:
        return None
    return certificate if all(names) else None
