"""Verifying a sound ledger by chunks, which may be checked side by side.

It finds out whether anything is wrong, and everything ``Recomputation`` looks at is looked at here.
What is wrong, and where, is that one's to say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from audits.core.c2sp import NoteKey, TreeHead
from audits.core.checkpoints import verify_checkpoint
from audits.core.chunks import CHUNK, LEVEL
from audits.core.rfc6962 import SHA256, SM3, Frontier
from audits.core.rfc6962.tree import fold
from audits.errors import NoteRejected
from audits.models import Checkpoint, LedgerHead, LedgerVerdict
from audits.ports import SignatureVerifier
from audits.ports.ledger import LedgerReader
from audits.service.ledger.chunks import ChunkParts, check_chunk
from audits.service.ledger.signatures import check_of


@dataclass(frozen=True, slots=True)
class Chunk:
    """Leaves ``first`` to ``first + count - 1``; frontiers are wanted after ``sizes`` of them."""

    first: int
    count: int
    sizes: tuple[int, ...]


Parts = dict[int, ChunkParts] | None
CheckChunks = Callable[[LedgerReader, Sequence[Chunk]], Iterable[Parts]]
"""Checks chunks, in their order; None for one that is unsound."""


def check_chunks(store: LedgerReader, chunks: Sequence[Chunk]) -> Iterator[Parts]:
    """Check one chunk after the other."""
    for chunk in chunks:
        yield check_chunk(store, chunk.first, chunk.count, chunk.sizes)


@dataclass(frozen=True, slots=True)
class ChunkChecks:
    """How signatures and chunks are checked."""

    verifier: SignatureVerifier
    check: CheckChunks = check_chunks


@dataclass(slots=True)
class _Trees:
    """Both trees over whole chunks, each of which is one leaf here."""

    sha256: Frontier
    sm3: Frontier

    def roots(self, parts: ChunkParts) -> tuple[bytes, bytes]:
        """Return the roots of all chunks so far and of ``parts`` of the next."""
        return (
            fold(SHA256, [*self.sha256.parts, *parts.sha256]),
            fold(SM3, [*self.sm3.parts, *parts.sm3]),
        )


class QuickVerification:
    """One look at a ledger whose ``store`` stands still."""

    def __init__(
        self,
        store: LedgerReader,
        checks: ChunkChecks,
        keys: Sequence[NoteKey],
        kept: Sequence[TreeHead],
    ) -> None:
        self._store = store
        self._check = check_of(checks.verifier)
        self._keys = keys
        self._kept = kept
        self._chunks = checks.check

    def run(self) -> LedgerVerdict | None:
        """Return the verdict on a sound ledger, None for any other; may raise ``LedgerDamaged``."""
        head = self._store.head()
        checkpoints = list(self._store.checkpoints())
        if not self._ends_fit(head, checkpoints):
            return None
        wanted = {checkpoint.size for checkpoint in checkpoints}
        wanted |= {each.size for each in self._kept} | {head.size}
        roots = self._roots(head.size, sorted(wanted))
        if roots is None:
            return None
        if not all(self._holds(head, checkpoint, roots) for checkpoint in checkpoints):
            return None
        if not all(self._extends(head, each, roots) for each in self._kept):
            return None
        last = checkpoints[-1] if checkpoints else None
        sha256, sm3 = roots[head.size]
        return LedgerVerdict(
            valid=True,
            entries=head.size,
            sha256_root=sha256,
            sm3_root=sm3,
            checkpoint=last,
            first_bad=None,
            checkpoints=len(checkpoints),
            unsigned=head.size - (last.size if last else 0),
        )

    def _ends_fit(self, head: LedgerHead, checkpoints: Sequence[Checkpoint]) -> bool:
        signed = checkpoints[-1].size if checkpoints else 0
        return (
            self._store.tree.counts() == (head.size - head.size.bit_count(), head.size, head.size)
            and signed <= head.size
            and bool(checkpoints or not head.size)
            and all(each.size <= head.size for each in self._kept)
        )

    def _roots(self, size: int, wanted: Sequence[int]) -> dict[int, tuple[bytes, bytes]] | None:
        """Return both roots at each wanted size; None if a chunk or an inner hash is unsound."""
        trees = _Trees(Frontier(SHA256), Frontier(SM3))
        found = {0: (SHA256.empty(), SM3.empty())}
        chunks = list(chunks_of(size, wanted))
        for chunk, parts in zip(chunks, self._chunks(self._store, chunks), strict=True):
            if parts is None:
                return None
            for local in chunk.sizes:
                found[chunk.first + local] = trees.roots(parts[local])
            if chunk.count == CHUNK and not self._grow(trees, parts[CHUNK]):
                return None
        return found

    def _grow(self, trees: _Trees, parts: ChunkParts) -> bool:
        """Take up a whole chunk; False if what is stored above it differs."""
        left, right = trees.sha256.append(parts.sha256[0]), trees.sm3.append(parts.sm3[0])
        expected = [
            (LEVEL + level, index, one, other)
            for (level, index, one), (_, _, other) in zip(left, right, strict=True)
        ]
        ranges = [(level, index, 1) for level, index, _, _ in expected]
        return list(self._store.tree.raw_subtrees(ranges)) == expected

    def _holds(
        self,
        head: LedgerHead,
        checkpoint: Checkpoint,
        roots: dict[int, tuple[bytes, bytes]],
    ) -> bool:
        if (checkpoint.sha256_root, checkpoint.sm3_root) != roots[checkpoint.size]:
            return False
        try:
            verify_checkpoint(head, checkpoint, self._keys, self._check)
        except NoteRejected:
            return False
        return True

    @staticmethod
    def _extends(head: LedgerHead, kept: TreeHead, roots: dict[int, tuple[bytes, bytes]]) -> bool:
        sha256, sm3 = roots[kept.size]
        known = {head.origin: sha256, head.sm3_origin: sm3}
        return known.get(kept.origin) == kept.root


def chunks_of(size: int, wanted: Sequence[int]) -> Iterator[Chunk]:
    """Yield the chunks of ``size`` leaves, each with the ``wanted`` sizes that end in it."""
    for first in range(0, size, CHUNK):
        count = min(CHUNK, size - first)
        begin, end = bisect_right(wanted, first), bisect_right(wanted, first + count)
        inside = {each - first for each in wanted[begin:end]}
        yield Chunk(first, count, tuple(sorted(inside | ({CHUNK} if count == CHUNK else set()))))
