"""What can be done with a ledger's files alone: nobody is asked, no other part is opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from audits.core.c2sp import (
    NoteKey,
    Tile,
    TreeHead,
    encode_entries,
    format_proof,
    open_note,
    parse_tile,
    parse_tree_head,
    parse_vkey,
    split_note,
    tile_path,
    tile_width,
    tiles_of,
)
from audits.core.c2sp.cosignature import open_cosignatures
from audits.core.rfc6962 import SHA256, SM3, prove_consistency, prove_inclusion
from audits.errors import (
    EntryNotFound,
    LedgerDamaged,
    LedgerMissing,
    NotCheckpointed,
    NoteRejected,
)
from audits.models import Checkpoint, FirstBad, LedgerVerdict, StoredEntry
from audits.ports import SignatureVerifier, TileSink
from audits.ports.ledger import LedgerReader, Tree
from audits.service.ledger.cosigned import (
    ServedCheckpoints,
    Witnessed,
    WitnessPolicy,
    cosigned_by,
    witness_policy,
)
from audits.service.ledger.devices import DeviceComparison, compare_device
from audits.service.ledger.quick_verification import (
    CheckChunks,
    ChunkChecks,
    QuickVerification,
    check_chunks,
)
from audits.service.ledger.signatures import check_of
from audits.service.ledger.verification import Recomputation

_LEAF_HEX: Final = 64
_MAX_DIGITS: Final = 18
_HASHES: Final = {"sha256": SHA256, "sm3": SM3}


class LedgerFiles:
    """Verifies, proves and exports; needs a ledger to read and a signature check."""

    def __init__(
        self,
        store: LedgerReader,
        verifier: SignatureVerifier,
        witnessed: Witnessed | None = None,
        check: CheckChunks = check_chunks,
    ) -> None:
        self._check_chunks = check
        self._store = store
        self._verifier = verifier
        self._witnessed = witnessed
        self.served = ServedCheckpoints(store, verifier, witnessed)

    def verify_ledger(
        self,
        vkeys: Sequence[str] | None = None,
        kept_notes: Sequence[str] = (),
        witnesses: Sequence[str] = (),
        quorum: int | None = None,
    ) -> LedgerVerdict:
        """Recompute everything and return the verdict.

        ``vkeys`` are verification keys kept elsewhere (None: those in the ledger), and
        ``kept_notes`` checkpoints kept elsewhere; ``witnesses`` are keys of witnesses whose
        cosigned checkpoints, among those notes and beside the ledger, it must extend too, all
        of them; ``quorum`` of the witnesses (None: each) must have cosigned one. Raises
        ``NoteRejected`` if a kept note is not signed by the keys, ``WitnessMissing`` where too
        few witnesses cosigned, ``WitnessInvalid`` for a quorum that can't be had.
        """
        asked = bool(witnesses) or quorum is not None
        policy = witness_policy(witnesses, quorum) if asked else None
        try:
            kept = [self._open_kept(note, vkeys) for note in kept_notes]
            kept += self._open_cosigned(policy, kept_notes) if policy else []
            with self._store.snapshot() as frozen:
                return self._verify(frozen, vkeys, kept)
        except LedgerDamaged as error:
            bad = FirstBad("file", None, error.detail)
            return LedgerVerdict(
                valid=False,
                entries=0,
                sha256_root=SHA256.empty(),
                sm3_root=SM3.empty(),
                checkpoint=None,
                first_bad=bad,
            )

    def _verify(
        self, frozen: LedgerReader, vkeys: Sequence[str] | None, kept: Sequence[TreeHead]
    ) -> LedgerVerdict:
        """Look quickly whether all is well, and entry by entry for what is not."""
        with suppress(LedgerDamaged, LedgerMissing, NoteRejected):
            keys = [parse_vkey(vkey) for vkey in (frozen.vkeys() if vkeys is None else vkeys)]
            check = ChunkChecks(self._verifier, self._check_chunks)
            sound = QuickVerification(frozen, check, keys, kept).run()
            if sound is not None:
                return sound
        return Recomputation(frozen, self._verifier, vkeys=vkeys, kept=kept).run()

    def _open_cosigned(self, policy: WitnessPolicy, notes: Sequence[str]) -> list[TreeHead]:
        """Return the heads of this ledger that witnesses cosigned, in ``notes`` and beside it."""
        origin = self._store.head().origin

        def at_hand(key: NoteKey) -> list[TreeHead]:
            cosigned = (note for note in notes if self._cosigned(note, key))
            heads = [parse_tree_head(split_note(note)[0]) for note in cosigned]
            last = self._witnessed and cosigned_by(key, self._witnessed.notes, self._verifier)
            heads += [last.head] if last else []
            return [head for head in heads if head.origin == origin]

        return policy.heads(at_hand)

    def _cosigned(self, note: str, key: NoteKey) -> bool:
        return bool(open_cosignatures(note, [key], self._verifier.verify_ed25519))

    def _open_kept(self, note: str, vkeys: Sequence[str] | None) -> TreeHead:
        keys = [parse_vkey(vkey) for vkey in (self._store.vkeys() if vkeys is None else vkeys)]
        return parse_tree_head(open_note(note, keys, check_of(self._verifier)))

    def find_entry(self, reference: str) -> StoredEntry:
        """Return the entry with this index or SHA-256 leaf hash; raise ``EntryNotFound``."""
        index = self._index_of(reference)
        found = self._store.entries(index, 1) if index is not None else ()
        if not found:
            msg = f"no entry {reference[:80]!r}"
            raise EntryNotFound(msg)
        return found[0]

    def prove_entry(self, reference: str, tree: Tree = "sha256") -> str:
        """Return the tlog-proof of an entry under the newest checkpoint.

        Raises ``EntryNotFound``, or ``NotCheckpointed`` if no checkpoint covers it yet.
        """
        index = self._index_of(reference)
        checkpoint = self._store.last_checkpoint()
        if index is None or checkpoint is None or checkpoint.size <= index:
            index = self.find_entry(reference).entry.index
            msg = f"entry {index} waits for the next checkpoint"
            raise NotCheckpointed(msg)
        hashes = prove_inclusion(
            _HASHES[tree],
            index,
            checkpoint.size,
            read=lambda subtrees: self._store.tree.hashes(tree, subtrees),
        )
        return format_proof(index, hashes, note_of(checkpoint, tree))

    def prove_growth(self, old_size: int, new_size: int, tree: Tree = "sha256") -> list[bytes]:
        """Return the consistency proof between two sizes; raise ``EntryNotFound``."""
        if not 0 <= old_size <= new_size <= self._store.head().size:
            msg = f"there are no trees of {old_size} and {new_size} entries, one within the other"
            raise EntryNotFound(msg)
        return prove_consistency(
            _HASHES[tree],
            old_size,
            new_size,
            read=lambda subtrees: self._store.tree.hashes(tree, subtrees),
        )

    def latest_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint."""
        return self._store.last_checkpoint()

    def read_tile(self, path: str, tree: Tree = "sha256") -> bytes:
        """Return the tile or entry bundle at ``path``, e.g. ``0/000.p/5``.

        Raises ``MalformedProof`` for another path, ``EntryNotFound`` for a tile that the
        newest checkpoint does not cover.
        """
        tile = parse_tile(path)
        checkpoint = self._store.last_checkpoint()
        size = checkpoint.size if checkpoint else 0
        if tile.width > tile_width(tile.level, tile.index, size):
            msg = f"the tree of {size} entries has no tile {path}"
            raise EntryNotFound(msg)
        return self._tile(tile, tree)

    def export_tiles(self, sink: TileSink) -> Checkpoint:
        """Write both trees' tiles, the entries, the checkpoints and the keys; return the head.

        Raises ``NotCheckpointed`` while there is no checkpoint.
        """
        cosigned = self.served.newest_cosigned()  # first: the tiles that follow cover it
        checkpoint = self.served.newest()
        if checkpoint is None:
            raise NotCheckpointed
        for tile in tiles_of(checkpoint.size):
            sink.put(f"tile/{tile_path(tile)}", self._tile(tile, "sha256"))
            if tile.level is not None:
                sink.put(f"sm3/tile/{tile_path(tile)}", self._tile(tile, "sm3"))
        sink.put("vkeys", "".join(f"{vkey}\n" for vkey in self._store.vkeys()).encode())
        if cosigned is not None:
            sink.put("cosigned-checkpoint", cosigned.encode())
        sink.put("sm3/checkpoint", checkpoint.sm3_note.encode())
        sink.put("checkpoint", checkpoint.sha256_note.encode())  # last: it promises the rest
        return checkpoint

    def vkeys(self) -> Sequence[str]:
        """Return the verification keys that ever signed a checkpoint."""
        return self._store.vkeys()

    def compare_device(self, lines: Iterable[bytes]) -> DeviceComparison:
        """Look for each record of the second audit device in the ledger."""
        return compare_device(self._store, lines)

    def close(self) -> None:
        """Let go of the ledger."""
        self._store.close()

    def _tile(self, tile: Tile, tree: Tree) -> bytes:
        if tile.level is None:
            found = self._store.entries(tile.first, tile.width)
            if [one.entry.index for one in found] != [*range(tile.first, tile.first + tile.width)]:
                msg = f"entries from {tile.first} on are missing"
                raise LedgerDamaged(msg)
            return encode_entries([one.entry.record for one in found])
        wanted = [(tile.tree_level, tile.first + place) for place in range(tile.width)]
        hashes = self._store.tree.hashes(tree, wanted)
        return b"".join(hashes[one] for one in wanted)

    def _index_of(self, reference: str) -> int | None:
        if reference.isascii() and reference.isdigit() and len(reference) <= _MAX_DIGITS:
            return int(reference)
        try:
            leaf_hash = bytes.fromhex(reference)
        except ValueError:
            return None
        return self._store.find_leaf(leaf_hash) if len(reference) == _LEAF_HEX else None


def note_of(checkpoint: Checkpoint, tree: Tree) -> str:
    """Return the signed note of one tree."""
    return checkpoint.sha256_note if tree == "sha256" else checkpoint.sm3_note
