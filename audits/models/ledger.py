"""Values of the ledger. Hashes are 32 bytes; instants are UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DoorBatch:
    """Records that stand at a door, in the door's order, and the position after them."""

    door: str
    records: Sequence[bytes]
    position: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a door has been read, and the tree's size when that was stored."""

    door: str
    position: int
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf: its record and the record's leaf hash in both trees."""

    index: int
    record: bytes
    sha256: bytes
    sm3: bytes


@dataclass(frozen=True, slots=True)
class StoredSubtree:
    """A complete subtree of level ≥ 1 and its hash in both trees."""

    level: int
    index: int
    sha256: bytes
    sm3: bytes


@dataclass(frozen=True, slots=True)
class EntryRow:
    """What lists and searches need of an entry. A projection: the record is the evidence."""

    index: int
    at: int
    action: str
    actor_id: str
    org_id: str
    target: str
    outcome: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry and its row, as both are stored; the row may be missing in a damaged ledger."""

    entry: Entry
    row: EntryRow | None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted; None means any. ``action`` may end in ``*``."""

    action: str | None = None
    actor_id: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head of both trees; the notes are C2SP signed notes."""

    size: int
    at: int
    sha256_root: bytes
    sm3_root: bytes
    sha256_note: str
    sm3_note: str


@dataclass(frozen=True, slots=True)
class CheckpointKeys:
    """Public keys of the checkpoint signer: Ed25519 (32 bytes), SM2 (04 ‖ x ‖ y)."""

    ed25519: bytes
    sm2: bytes


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The ledger's size, the origin of its SHA-256 log, and the greatest fence that wrote."""

    origin: str
    size: int
    fence: int

    @property
    def sm3_origin(self) -> str:
        """The origin of the SM3 log over the same records."""
        return f"{self.origin}/sm3"


@dataclass(frozen=True, slots=True)
class Addition:
    """What one sequencing transaction adds. It holds or fails as a whole.

    ``positions`` maps each door to the position read up to.
    """

    first_index: int
    entries: Sequence[Entry]
    rows: Sequence[EntryRow]
    subtrees: Sequence[StoredSubtree]
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FirstBad:
    """The first thing that does not hold: ``what`` (entry, subtree, row, checkpoint, head…)."""

    what: str
    index: int | None
    why: str


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """The outcome of recomputing a ledger.

    ``checkpoint`` is the newest one, ``checkpoints`` how many verified, ``unsigned`` how many
    entries come after the newest. Roots are those of all entries, recomputed.
    """

    valid: bool
    entries: int
    sha256_root: bytes
    sm3_root: bytes
    checkpoint: Checkpoint | None
    first_bad: FirstBad | None
    checkpoints: int = 0
    unsigned: int = 0


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """How the sequencer fares, for ``doctor`` and the console.

    ``waiting_since`` is when the checkpoint signer was first found locked; ``damaged_doors``
    maps a door to why it can't be read; ``damage`` says why nothing is sequenced at all.
    """

    size: int
    checkpointed: int
    waiting_since: int | None = None
    damaged_doors: Mapping[str, str] = field(default_factory=dict)
    damage: str | None = None
