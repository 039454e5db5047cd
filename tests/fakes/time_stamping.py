"""Time-stamp authorities in memory, ours and an outside one; their signatures are real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kms.models.seal_registry import IssuedCertificate
from kms.models.time_stamps import TimeStampSources
from kms.ports.time_stamps import TimeStamps
from kms.service.authority import Authority
from kms.service.outside_time_stamps import OutsideTimeStamps
from kms.service.time_stamps import TimeStampAuthority
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import digest
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


URL = "https://tsa.example/tsa"
OTHER_URL = "https://sm.example/tsa"
Answer = Callable[[bytes], tuple[int, bytes]]


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


class Wire:
    """The way out: to an authority of another house, or to what a test says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        raise AssertionError(url)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        assert timeout > 0
        self.asked.append((url, headers))
        return self.answer(body)


class Believed:
    """Outside CAs of which only their time-stamps are believed."""

    def __init__(self, *anchors: Certificate) -> None:
        self._anchors = anchors

    def believed(self, transaction: Any) -> tuple[Mapping[str, tuple[Certificate, ...]], None]:
        return {"time_stamps": self._anchors}, None


class OutsideSite:
    """Our own house, and the outside authority's."""

    def __init__(self, *, believed: bool = True) -> None:
        self.own, self.theirs = StampingSite(), StampingSite()
        self.theirs.stamps.stamp("sha256", digest("sha256", b"first"))
        roots = map(read_certificate, self.theirs.anchor_file.roots) if believed else ()
        outside: Any = Believed(*roots)
        own = self.own.authority
        self.authority = Authority(
            own.parts, own.keys, own.store, own.anchor_file, own.public_url, outside
        )
        self.wire = Wire(self.honest)

    def honest(self, body: bytes) -> tuple[int, bytes]:
        return 200, self.theirs.stamps.create_time_stamp(body).content

    def stamps(self, sha2: str = URL, sm3: str = "") -> TimeStamps:
        sources = TimeStampSources(sha2, sm3)
        return OutsideTimeStamps(self.own.stamps, self.authority, self.wire, sources)
