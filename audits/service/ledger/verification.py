"""Recomputing a ledger: records → leaves → subtrees → roots → signed checkpoints.

Nothing stored is trusted: stored hashes are only compared with those that were computed, and
whatever differs, is missing or is left over makes the ledger invalid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from audits.core.c2sp import NoteKey, TreeHead, parse_vkey
from audits.core.checkpoints import verify_checkpoint
from audits.core.entries import parse_record, row_of
from audits.core.twin_trees import TwinTrees
from audits.errors import LedgerDamaged, LedgerMissing, NoteRejected
from audits.models import (
    Checkpoint,
    Entry,
    FirstBad,
    LedgerHead,
    LedgerVerdict,
    StoredEntry,
    StoredSubtree,
)
from audits.ports import SignatureVerifier
from audits.ports.ledger import LedgerReader
from audits.service.ledger.signatures import check_of

_BATCH: Final = 4_096


class Recomputation:
    """One pass over a ledger."""

    def __init__(
        self,
        store: LedgerReader,
        verifier: SignatureVerifier,
        *,
        vkeys: Sequence[str] | None = None,
        kept: Sequence[TreeHead] = (),
    ) -> None:
        """Check with ``vkeys`` (None: those in the ledger) and against ``kept`` tree heads.

        ``kept`` heads were verified by the caller and come from outside this ledger.
        """
        self._store = store
        self._check = check_of(verifier)
        self._vkeys = vkeys
        # two readers may have kept different roots of one size: every one of them must hold
        self._kept: dict[tuple[str, int], set[bytes]] = {}
        for head in kept:
            self._kept.setdefault((head.origin, head.size), set()).add(head.root)
        self._trees = TwinTrees()
        self._first_bad: FirstBad | None = None
        self._last: Checkpoint | None = None
        self._verified = 0
        self._step = _BATCH

    def run(self) -> LedgerVerdict:
        """Return the verdict; never raises for what a damaged or altered ledger contains."""
        try:
            head = self._store.head()
            keys = self._keys()
            self._recompute(head, keys)
            self._check_ends(head)
        except (LedgerDamaged, LedgerMissing, NoteRejected) as error:
            self._bad("file", self._trees.size, error.detail)
        sha256, sm3 = self._trees.roots()
        size = self._trees.size
        return LedgerVerdict(
            valid=self._first_bad is None,
            entries=size,
            sha256_root=sha256,
            sm3_root=sm3,
            checkpoint=self._last,
            first_bad=self._first_bad,
            checkpoints=self._verified,
            unsigned=size - (self._last.size if self._last else 0),
        )

    def _bad(self, what: str, index: int | None, why: str) -> None:
        if self._first_bad is None:
            self._first_bad = FirstBad(what, index, why)

    def _keys(self) -> list[NoteKey]:
        vkeys = self._store.vkeys() if self._vkeys is None else self._vkeys
        return [parse_vkey(vkey) for vkey in vkeys]

    def _recompute(self, head: LedgerHead, keys: Sequence[NoteKey]) -> None:
        checkpoints = self._store.checkpoints()
        due = next(checkpoints, None)
        due = self._at_size(head, keys, due, checkpoints)
        while batch := self._read():
            first = self._trees.size
            completed: list[StoredSubtree] = []
            for stored in batch:
                if stored.entry.index != self._trees.size:
                    self._bad("entry", self._trees.size, "the entry is missing")
                    return
                completed += self._take(stored)
                due = self._at_size(head, keys, due, checkpoints)
            self._compare_subtrees(first, completed)
        if due is not None:
            why = f"the ledger has {self._trees.size} entries, a checkpoint signs {due.size}"
            self._bad("checkpoint", due.size, why)

    def _read(self) -> Sequence[StoredEntry]:
        """Return the next entries; one by one after damage, so that the verdict names it."""
        try:
            return self._store.entries(self._trees.size, self._step)
        except LedgerDamaged:
            self._step = 1
            return self._store.entries(self._trees.size, self._step)

    def _take(self, stored: StoredEntry) -> list[StoredSubtree]:
        entry, completed = self._trees.append(stored.entry.record)
        if entry != stored.entry:
            self._bad("entry", entry.index, f"the stored {_hash_that_differs(entry, stored)} hash")
        if stored.row != row_of(entry.index, parse_record(entry.record)):
            self._bad("row", entry.index, "the row differs from its record")
        return completed

    def _at_size(
        self,
        head: LedgerHead,
        keys: Sequence[NoteKey],
        due: Checkpoint | None,
        rest: Iterator[Checkpoint],
    ) -> Checkpoint | None:
        """Check what was signed or kept for the tree's present size; return the next due."""
        size = self._trees.size
        for origin, root in zip(
            (head.origin, head.sm3_origin), self._trees.roots() if self._kept else (), strict=False
        ):
            if self._kept.pop((origin, size), {root}) != {root}:
                self._bad("kept checkpoint", size, "the root differs from the one kept elsewhere")
        if due is None or due.size != size:
            return due
        if (due.sha256_root, due.sm3_root) != self._trees.roots():
            self._bad("checkpoint", size, "the recomputed root is not the signed one")
        try:
            verify_checkpoint(head, due, keys, self._check)
            self._verified += 1
        except NoteRejected as error:
            self._bad("checkpoint", size, error.detail)
        self._last = due
        return next(rest, None)

    def _compare_subtrees(self, first: int, completed: Sequence[StoredSubtree]) -> None:
        levels: dict[int, list[StoredSubtree]] = {}
        for subtree in completed:
            levels.setdefault(subtree.level, []).append(subtree)
        for level, expected in levels.items():
            stored = self._store.tree.subtrees(level, expected[0].index, len(expected))
            if list(stored) != expected:
                why = f"stored subtrees of level {level} differ from the recomputed ones"
                self._bad("subtree", first, why)

    def _check_ends(self, head: LedgerHead) -> None:
        size = self._trees.size
        if head.size != size:
            self._bad("head", head.size, f"the head says {head.size} entries, there are {size}")
        subtrees, rows, entries = self._store.tree.counts()
        if entries != size:
            self._bad("entry", None, f"{entries} entries are stored, {size} of them in a row")
        if subtrees != size - size.bit_count():
            self._bad("subtree", None, f"{subtrees} subtrees are stored for {size} entries")
        if rows != size:
            self._bad("row", None, f"{rows} rows are stored for {size} entries")
        if size and self._last is None:
            self._bad("checkpoint", None, "no signed checkpoint covers the entries")
        for origin, kept_size in self._kept:
            why = (
                f"the kept checkpoint of {origin} is of another log, or {size} entries are too few"
            )
            self._bad("kept checkpoint", kept_size, why)


def _hash_that_differs(entry: Entry, stored: StoredEntry) -> str:
    return "SHA-256" if entry.sha256 != stored.entry.sha256 else "SM3"
