"""Evidence of incidents and who holds it. Instants are UTC microseconds, digests hex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from secops.kernel.catalogue import Text

EvidenceKind = Literal["file", "extract"]
EVIDENCE_KINDS: Final[dict[EvidenceKind, Text]] = {
    "file": Text("文件", "File"),
    "extract": Text("日志摘录", "Log extract"),
}
MAX_EVIDENCE_BYTES: Final = 16 << 20
MAX_EVIDENCE_ITEMS: Final = 200
MAX_INCIDENT_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What is to be kept. ``source`` says where it comes from.

    ``key`` is an idempotency key: the same content kept twice under it is one item.
    """

    incident_id: str
    name: str
    content: bytes
    kind: EvidenceKind = "file"
    source: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An item of evidence. The content lies encrypted in ``blob``; the digests are its own.

    ``holder`` has it now (``holder_is_person`` False: the product itself); ``links`` is the
    length of its chain of custody, ``head`` the digest of the last link.
    """

    id: str
    incident_id: str
    org_id: str
    name: str
    kind: EvidenceKind
    source: str
    size: int
    sha256: str
    sm3: str
    kept_by: str
    kept_at: int
    key: str
    holder: str
    holder_is_person: bool
    links: int
    head: str
    blob: str


@dataclass(frozen=True, slots=True)
class CustodySignature:
    """An SM2 signature (DER, hex) and the id of its key."""

    kid: str
    value: str
    algorithm: str = "sm2-sm3"


@dataclass(frozen=True, slots=True)
class CustodyLink:
    """One link of a chain of custody: its record as signed, and the digest of both."""

    evidence_id: str
    seq: int
    org_id: str
    incident_id: str
    record: Mapping[str, Any]
    signature: CustodySignature
    digest: str


@dataclass(frozen=True, slots=True)
class CustodyOffer:
    """A hand-over that waits for its receiver; at most one for an item."""

    evidence_id: str
    org_id: str
    incident_id: str
    giver: str
    receiver: str
    receiver_name: str
    reason: str
    offered_at: int


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A chain whose links were all verified: holding one is the proof."""

    evidence_id: str
    holder: str
    links: int
    head: str
    sha256: str
    sm3: str
    size: int
