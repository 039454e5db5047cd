"""Ports of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from audits.models import (
    Addition,
    Checkpoint,
    CheckpointKeys,
    DoorBatch,
    EntryFilter,
    EntryRow,
    LedgerHead,
    Position,
    StoredEntry,
    StoredSubtree,
)

Tree = Literal["sha256", "sm3"]


class Doors(Protocol):
    """Where leaf records wait: the table of units of work and each process's journals.

    A door's name is never given again; positions grow and start at 0.
    """

    def names(self) -> Sequence[str]:
        """Return the doors that exist now."""
        ...

    def read_after(self, door: str, position: int, limit: int) -> DoorBatch:
        """Return at most about ``limit`` durable records after ``position``.

        Only what was made durable is returned, in order, without a gap. Raises
        ``DoorDamaged`` if acknowledged records can't be read back.
        """
        ...

    def forget(self, door: str, position: int) -> bool:
        """Drop what stands up to ``position``; True if the door itself is gone for good."""
        ...


class CheckpointSigner(Protocol):
    """Signs checkpoints with the key pool's two ledger keys."""

    def keys(self) -> Sequence[CheckpointKeys]:
        """Return the public keys of all versions, the signing one first; raise ``SignerLocked``."""
        ...

    def sign_ed25519(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``; raise ``SignerLocked``."""
        ...

    def sign_sm2(self, message: bytes) -> bytes:
        """Return the DER signature, default user id, of ``message``; raise ``SignerLocked``."""
        ...


class SignatureVerifier(Protocol):
    """Checks a signature with a public key."""

    def verify_ed25519(self, public: bytes, message: bytes, signature: bytes, /) -> None:
        """Return if it verifies; raise otherwise. ``public`` has 32 bytes."""
        ...

    def verify_sm2(self, public: bytes, message: bytes, signature: bytes, /) -> None:
        """Return if it verifies; raise otherwise. ``public`` is 04 ‖ x ‖ y, DER signature."""
        ...


class TreeReader(Protocol):
    """Reads the stored trees. Every method may raise ``LedgerDamaged``."""

    def hashes(
        self, tree: Tree, subtrees: Sequence[tuple[int, int]]
    ) -> Mapping[tuple[int, int], bytes]:
        """Return the hashes of complete subtrees (level, index), leaves included."""
        ...

    def subtrees(self, level: int, first: int, count: int) -> Sequence[StoredSubtree]:
        """Return the subtrees of ``level`` ≥ 1 from index ``first`` on, in order."""
        ...

    def raw_entries(self, first: int, count: int) -> Sequence[Sequence[Any]]:
        """Return the entries as stored, unchecked: index, record, both hashes, then the row.

        A row has the columns of ``EntryRow``; None in all of them where there is none.
        """
        ...

    def raw_subtrees(
        self, ranges: Sequence[tuple[int, int, int]]
    ) -> Sequence[tuple[int, int, bytes, bytes]]:
        """Return (level, index, SHA-256, SM3) as stored, of each range (level, first, count).

        In the order of the ranges, which go upwards by level.
        """
        ...

    def counts(self) -> tuple[int, int, int]:
        """Return how many subtrees of level ≥ 1, rows and entries are stored, wherever."""
        ...


class LedgerReader(Protocol):
    """Reads a ledger. Every method may raise ``LedgerDamaged``."""

    @property
    def tree(self) -> TreeReader:
        """The stored trees."""
        ...

    def snapshot(self) -> AbstractContextManager[LedgerReader]:
        """Give a reader of the ledger as it is now, whatever is appended meanwhile."""
        ...

    def head(self) -> LedgerHead:
        """Return the ledger's head; raise ``LedgerMissing`` if there is none."""
        ...

    def positions(self) -> Sequence[Position]:
        """Return how far each door has been read."""
        ...

    def entries(self, first: int, count: int) -> Sequence[StoredEntry]:
        """Return the entries ``first`` to ``first + count - 1`` that exist, in order."""
        ...

    def find_leaf(self, sha256: bytes) -> int | None:
        """Return the index of the first entry whose SHA-256 leaf hash is ``sha256``."""
        ...

    def search(self, wanted: EntryFilter, limit: int, before: int | None) -> Sequence[EntryRow]:
        """Return rows, newest first, with index below ``before``."""
        ...

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield all checkpoints by growing size."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint."""
        ...

    def vkeys(self) -> Sequence[str]:
        """Return the verification keys that ever signed a checkpoint."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class LedgerStore(LedgerReader, Protocol):
    """Reads and extends a ledger."""

    def append(self, addition: Addition, fence: int) -> None:
        """Store ``addition`` in one transaction, or nothing.

        Raises ``LeaseLost`` if a greater fence has written or the size is not the expected
        one: then another process sequences.
        """
        ...

    def save_checkpoint(self, checkpoint: Checkpoint, vkeys: Sequence[str], fence: int) -> None:
        """Store ``checkpoint`` and the keys that signed it; raises as ``append``."""
        ...

    def drop_checkpoints(self, sizes: Sequence[int]) -> None:
        """Drop the checkpoints of these sizes."""
        ...

    def forget_door(self, door: str) -> None:
        """Drop the position of a door that is gone for good."""
        ...

    def replace_rows(self, rows: Sequence[EntryRow]) -> None:
        """Store the projection of some neighbouring entries anew."""
        ...

    def drop_rows_from(self, index: int) -> None:
        """Drop rows of entries that do not exist."""
        ...


class VkeyFile(Protocol):
    """The file of verification keys beside the ledger."""

    def write(self, vkeys: Sequence[str]) -> None:
        """Replace the file's lines."""
        ...


class TileSink(Protocol):
    """Where exported tiles go."""

    def put(self, path: str, content: bytes) -> None:
        """Store ``content`` under the relative ``path``."""
        ...
