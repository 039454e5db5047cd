"""A time-stamp authority in memory; its signatures are real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kms.models.seal_registry import IssuedCertificate
from kms.service.authority import Authority
from kms.service.time_stamps import TimeStampAuthority
from tests.fakes.parts import Fakes, fakes
from tests.fakes.sealing import FakeSealingKeys


class MemoryCertificates:
    """The certificates of the built-in CA, in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], IssuedCertificate] = {}

    def insert(self, transaction: Any, certificate: IssuedCertificate) -> bool:
        place = certificate.kind, certificate.key_name
        return self.kept.setdefault(place, certificate) is certificate

    def find(self, transaction: Any, kind: str, key_name: str) -> IssuedCertificate | None:
        return self.kept.get((kind, key_name))

    def get(self, transaction: Any, certificate_id: str) -> IssuedCertificate | None:
        return next((each for each in self.kept.values() if each.id == certificate_id), None)

    def revoke(self, transaction: Any, certificate_id: str, reason: str = "") -> bool:
        found = self.get(transaction, certificate_id)
        if found is None or found.revoked_at is not None:
            return False
        self.kept[found.kind, found.key_name] = replace(found, revoked_at=transaction.now)
        return True

    def revoked(self, transaction: Any) -> list[IssuedCertificate]:
        return [each for each in self.kept.values() if each.revoked_at is not None]


class MemoryAnchorFile:
    """The published roots, in memory."""

    def __init__(self) -> None:
        self.roots: tuple[bytes, ...] = ()

    def write(self, *certificates: bytes) -> None:
        self.roots = certificates

    def read(self) -> bytes | None:
        return b"".join(self.roots) or None


@dataclass
class StampingSite:
    """One process of an authority."""

    fakes: Fakes = field(default_factory=lambda: fakes(Path("/nonexistent")))
    keys: FakeSealingKeys = field(default_factory=FakeSealingKeys)
    certificates: MemoryCertificates = field(default_factory=MemoryCertificates)
    anchor_file: MemoryAnchorFile = field(default_factory=MemoryAnchorFile)

    def __post_init__(self) -> None:
        self.authority = Authority(self.fakes.parts, self.keys, self.certificates, self.anchor_file)
        self.stamps = TimeStampAuthority(self.authority)

    def stamper(self, kind: str = "document_time_stamper") -> IssuedCertificate:
        """The certificate of the authority's key."""
        return next(each for each in self.certificates.kept.values() if each.kind == kind)

    def revoke(self, kind: str = "document_time_stamper") -> None:
        """End the certificate of the authority's key."""
        self.fakes.transactions.run(
            lambda transaction: self.certificates.revoke(transaction, self.stamper(kind).id)
        )
