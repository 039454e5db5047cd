"""Values of collectors: bundles that operators carry from hosts, what was read in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from audits.models.evidence import Fact
from audits.models.systems import AssetKind

SectionState = Literal["ok", "cut", "failed", "missing", "denied"]
SECTION_STATES: Final[tuple[SectionState, ...]] = ("ok", "cut", "failed", "missing", "denied")
FAMILIES: Final[Mapping[AssetKind, str]] = {
    "host": "host",
    "network": "host",
    "security": "host",
    "key": "host",
    "database": "pg",
    "middleware": "nginx",
}
"""The family of facts (the beginning of their kind) that tells of an asset of each kind."""
COLLECTION: Final = "collection"
"""The end of the kind of fact that tells of the bundle itself: its age, what was not read."""
MAX_BUNDLE_BYTES: Final = 16 << 20
"""Bytes of a bundle as it is sent, maybe compressed by gzip."""
FRESH_DAYS: Final = 30
"""Policy: a baseline is renewed within so many days (facts of L3-MMS1-27)."""
VALID_DAYS: Final = 90
"""Policy: what was seen on a host longer ago than this is no evidence of how it is now."""


@dataclass(frozen=True, slots=True)
class Section:
    """One command's output or one file, as the script met it.

    Of a section that is neither ``ok`` nor ``cut``, ``text`` is the reason.
    """

    name: str
    state: SectionState
    exit_code: int
    text: str

    @property
    def is_read(self) -> bool:
        """Whether the text is what was asked for."""
        return self.state in ("ok", "cut")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose lengths and digests hold. ``meta`` is what the script says of its run.

    ``finished`` is the host's own clock (UTC seconds); it is a claim.
    """

    sections: Mapping[str, Section]
    meta: Mapping[str, str]
    collector: int
    host: str
    finished: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one collector found: facts of one ``kind``, and what it could not read.

    ``sections`` are the names of what it looked at.
    """

    kind: str
    facts: Mapping[str, Fact]
    unread: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBundle:
    """A bundle as imported for one asset.

    ``digest`` names the raw bytes among the blobs. ``collected_at`` is the host's word,
    never after ``imported_at``. ``kinds`` are the kinds of facts it gave, ``unread`` what
    could not be read, one line each.
    """

    id: str
    org_id: str
    system_id: str
    asset_id: str
    asset_name: str
    host: str
    digest: str
    size: int
    collector: int
    collected_at: int
    imported_at: int
    imported_by: str
    account_id: str
    as_root: bool
    sections: int
    kinds: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFacts:
    """The newest facts of one kind about one asset.

    ``digest`` names the evidence (canonical JSON) among the blobs, ``raw`` the bundle there.
    """

    org_id: str
    system_id: str
    asset_id: str
    kind: str
    bundle_id: str
    collected_at: int
    collector: int
    sections: tuple[str, ...]
    facts: Mapping[str, Fact]
    raw: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCollection:
    """How an asset stands: its newest bundle, None where there is none yet."""

    asset_id: str
    name: str
    kind: AssetKind
    address: str
    newest: ImportedBundle | None
    age_days: int | None
