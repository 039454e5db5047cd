"""The sequencer: brings both doors into the one global order, exactly once.

One process works at a time, under a lease; each of its writes carries the lease's fence and
the size it expects, so a process that lost its lease without noticing writes nothing. The
leaves and the doors' new positions are one transaction: a crash repeats or loses none.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.c2sp import NoteKey
from audits.core.checkpoints import Roots, keys_of, sign_checkpoint, verify_checkpoint
from audits.core.entries import instant_of, parse_record, row_of
from audits.core.rfc6962 import SHA256, SM3, frontier_subtrees
from audits.core.rfc6962.tree import fold
from audits.core.thinning import superfluous
from audits.core.twin_trees import TwinTrees
from audits.errors import (
    DoorDamaged,
    LeaseLost,
    LedgerDamaged,
    NoteRejected,
    SignerLocked,
)
from audits.models import (
    Addition,
    AuditsOptions,
    Checkpoint,
    CheckpointKeys,
    DoorBatch,
    LedgerHead,
    LedgerHealth,
    StoredSubtree,
)
from audits.ports import CheckpointSigner, Doors, LedgerStore, SignatureVerifier, VkeyFile
from audits.service.ledger.signatures import check_of
from secops.kernel.actors import system_actor
from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable
from secops.kernel.leases import Lease, Leases
from secops.kernel.trail import Act, Trail

LEASE_NAME: Final = "audits.sequencer"
LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
FORGET_SECONDS: Final = 30.0
MAX_BATCH: Final = 1_000
ACTOR: Final = system_actor("sequencer")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerParts:
    """What the sequencer works with. ``owner`` names this process in the lease."""

    owner: str
    store: LedgerStore
    doors: Doors
    signer: CheckpointSigner
    verifier: SignatureVerifier
    vkey_file: VkeyFile
    clock: Clock
    leases: Leases
    trail: Trail
    options: AuditsOptions


@dataclass(slots=True)
class _State:
    """What is remembered between ticks; all of it can be read from the store again."""

    head: LedgerHead
    trees: TwinTrees
    last: Checkpoint | None
    lineage_checked: bool = False


class Sequencer:
    """Drains the doors, grows both trees, signs checkpoints."""

    def __init__(self, parts: SequencerParts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._lease: Lease | None = None
        self._renewed = 0.0
        self._state: _State | None = None
        self._signed_at = float("-inf")
        self._waiting_since: int | None = None
        self._written_vkeys: list[str] = []
        self._forgotten: dict[str, tuple[int, float]] = {}
        self._damaged_doors: dict[str, str] = {}
        self._damage: str | None = None

    def tick(self) -> bool:
        """Sequence one batch and sign if it is time; True when more waits.

        Does nothing while another process holds the lease.
        """
        with self._lock:
            return self._run(final=False)

    def drain(self, max_batches: int = 1_000) -> None:
        """Sequence what waits and sign: for a command that ends.

        Leaves the work to another process if that one holds the lease.
        """
        with self._lock:
            for _ in range(max_batches):
                if not self._run(final=True):
                    break
            self._give_lease_back()

    def thin_checkpoints(self) -> bool:
        """Drop old checkpoints that later ones vouch for; one per ten minutes stays.

        Not a leaf: no entry, no root and no kept checkpoint loses its proof by it.
        """
        store = self._parts.store
        store.drop_checkpoints(superfluous(store.checkpoints(), self._parts.clock.now()))
        return False

    def health(self) -> LedgerHealth:
        """Return how this process's sequencer fares."""
        last = self._parts.store.last_checkpoint()
        return LedgerHealth(
            size=self._parts.store.head().size,
            checkpointed=last.size if last else 0,
            waiting_since=self._waiting_since,
            damaged_doors=dict(self._damaged_doors),
            damage=self._damage,
        )

    def _run(self, *, final: bool) -> bool:
        try:
            lease = self._hold_lease()
            if lease is None:
                return False
            state = self._load(lease)
            more = self._sequence(state, lease.fence)
            ending = final and not more
            signed = self._is_due(state, final=ending) and self._sign(state, lease.fence)
            if signed or (ending and self._is_vouched(state)):
                self._forget(state, patience=0 if ending else FORGET_SECONDS)
        except LeaseLost:
            self._state = self._lease = None
            return False
        except LedgerDamaged as error:
            self._state = None
            self._report_damage(error.detail)
            return False
        self._damage = None
        return more

    # the lease

    def _hold_lease(self) -> Lease | None:
        now = self._parts.clock.monotonic()
        if self._lease is not None and now - self._renewed < RENEW_SECONDS:
            return self._lease
        if self._lease is not None:
            self._lease = self._parts.leases.renew(self._lease, LEASE_SECONDS)
        if self._lease is None:
            self._state = None
            self._lease = self._parts.leases.acquire(LEASE_NAME, self._parts.owner, LEASE_SECONDS)
        self._renewed = now
        return self._lease

    def _give_lease_back(self) -> None:
        if self._lease is not None:
            self._parts.leases.release(self._lease)
        self._lease = self._state = None

    # the trees

    def _load(self, lease: Lease) -> _State:
        if self._state is not None:
            return self._state
        store = self._parts.store
        head = store.head()
        if lease.fence < head.fence:
            # door positions of a younger database would skip records of this one
            msg = "the main database is older than the ledger: restore both from one backup"
            raise LedgerDamaged(msg)
        subtrees = frontier_subtrees(head.size)
        sha256, sm3 = store.tree.hashes("sha256", subtrees), store.tree.hashes("sm3", subtrees)
        trees = TwinTrees(
            head.size, [sha256[one] for one in subtrees], [sm3[one] for one in subtrees]
        )
        self._state = _State(head, trees, store.last_checkpoint())
        return self._state

    def _sequence(self, state: _State, fence: int) -> bool:
        batches = list(self._read_doors())
        if not batches:
            return False
        first = state.trees.size
        entries, rows, subtrees = [], [], list[StoredSubtree]()
        try:
            for record, fields in _merge(batches):
                entry, completed = state.trees.append(record)
                entries.append(entry)
                subtrees += completed
                rows.append(row_of(entry.index, fields))
            positions = {batch.door: batch.position for batch in batches}
            addition = Addition(first, entries, rows, subtrees, positions)
            self._parts.store.append(addition, fence)
        except BaseException:
            self._state = None  # the trees in memory may be ahead of the stored ones
            raise
        return sum(len(batch.records) for batch in batches) >= MAX_BATCH

    def _read_doors(self) -> Iterator[DoorBatch]:
        positions = {one.door: one.position for one in self._parts.store.positions()}
        room = MAX_BATCH
        for door in self._parts.doors.names():
            position = positions.get(door, 0)
            try:
                batch = self._parts.doors.read_after(door, position, room)
            except DoorDamaged as error:
                self._report_door(door, error.detail)
                continue
            self._damaged_doors.pop(door, None)
            if batch.position != position:
                yield batch
                room -= len(batch.records)
            if room <= 0:
                return

    # checkpoints

    def _is_due(self, state: _State, *, final: bool) -> bool:
        unsigned = state.trees.size - (state.last.size if state.last else 0)
        if not unsigned:
            return False
        waited = self._parts.clock.monotonic() - self._signed_at
        options = self._parts.options
        return (
            final or unsigned >= options.checkpoint_records or waited >= options.checkpoint_seconds
        )

    def _sign(self, state: _State, fence: int) -> bool:
        signer = self._parts.signer
        try:
            versions = signer.keys()
            self._check_lineage(state, versions)
            keys = keys_of(state.head, versions[0])
            checkpoint = sign_checkpoint(
                state.head,
                Roots(state.trees.size, *state.trees.roots()),
                self._parts.clock.now(),
                keys=keys,
                sign=(signer.sign_ed25519, signer.sign_sm2),
            )
            # a key rotated meanwhile, or a faulty signer, must not leave a bad checkpoint
            verify_checkpoint(state.head, checkpoint, keys, check_of(self._parts.verifier))
        except (SignerLocked, NoteRejected) as error:
            self._report_waiting(error.detail)
            return False
        vkeys = [key.vkey for key in keys]
        self._parts.store.save_checkpoint(checkpoint, vkeys, fence)
        if vkeys != self._written_vkeys:
            self._parts.vkey_file.write(self._parts.store.vkeys())
            self._written_vkeys = vkeys
        state.last, state.lineage_checked = checkpoint, True
        self._signed_at = self._parts.clock.monotonic()
        self._waiting_since = None
        return True

    def _is_vouched(self, state: _State) -> bool:
        """Tell whether our keys signed the last checkpoint; raise ``LedgerDamaged`` if others did.

        Nobody can tell while the pool is locked.
        """
        if state.last is not None and not state.lineage_checked:
            try:
                self._check_lineage(state, self._parts.signer.keys())
            except SignerLocked:
                return False
        return state.lineage_checked

    def _check_lineage(self, state: _State, versions: Sequence[CheckpointKeys]) -> None:
        """Refuse to sign a tree that does not extend the last one that our keys signed.

        Otherwise the next checkpoint would launder whatever was changed in the store since.
        The keys come from the key pool, not from the ledger.
        """
        if state.lineage_checked or state.last is None:
            return
        last = state.last
        keys: list[NoteKey] = [key for public in versions for key in keys_of(state.head, public)]
        try:
            verify_checkpoint(state.head, last, keys, check_of(self._parts.verifier))
        except NoteRejected as error:
            msg = f"the last checkpoint (size {last.size}): {error.detail}"
            raise LedgerDamaged(msg) from error
        if last.size > state.trees.size:
            msg = f"the last checkpoint has {last.size} entries, the ledger {state.trees.size}"
            raise LedgerDamaged(msg)
        if self._stored_roots(last.size) != (last.sha256_root, last.sm3_root):
            msg = f"the stored trees do not lead to the checkpoint of size {last.size}"
            raise LedgerDamaged(msg)
        state.lineage_checked = True

    def _stored_roots(self, size: int) -> tuple[bytes, bytes]:
        subtrees = frontier_subtrees(size)
        tree = self._parts.store.tree
        left, right = tree.hashes("sha256", subtrees), tree.hashes("sm3", subtrees)
        return (
            fold(SHA256, [left[one] for one in subtrees]),
            fold(SM3, [right[one] for one in subtrees]),
        )

    def _forget(self, state: _State, patience: float) -> None:
        """Let the doors drop what the last checkpoint covers, once it is known to be ours.

        A door that stays where it was is asked again after ``patience`` seconds: its process may
        have ended.
        """
        size = state.last.size if state.last else 0
        now = self._parts.clock.monotonic()
        for one in self._parts.store.positions():
            position, asked = self._forgotten.get(one.door, (-1, now))
            if one.size > size or (position == one.position and now - asked < patience):
                continue
            if self._parts.doors.forget(one.door, one.position):
                self._parts.store.forget_door(one.door)
                self._forgotten.pop(one.door, None)
            else:
                self._forgotten[one.door] = (one.position, now)

    # reports: each is one leaf when the state begins, not one per tick

    def _report_waiting(self, why: str) -> None:
        if self._waiting_since is None:
            self._waiting_since = self._parts.clock.now()
            self._record("audits.sign_checkpoint", "ledger:checkpoint", why)

    def _report_door(self, door: str, why: str) -> None:
        if self._damaged_doors.get(door) != why:
            self._damaged_doors[door] = why
            self._record("audits.sequence_door", f"door:{door}", why)

    def _report_damage(self, why: str) -> None:
        if self._damage != why:
            self._damage = why
            self._record("audits.sequence_ledger", "ledger:entries", why)

    def _record(self, action: str, target: str, why: str) -> None:
        with contextlib.suppress(AuditUnavailable):  # health() says it too
            act = Act(action, ACTOR, target, "failed", {"why": why})
            self._parts.trail.append([act])


def _merge(batches: list[DoorBatch]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield the records and their fields by time, each door's own order kept.

    The last door wins a tie: what the emergency journal brought in through the database
    stands before what was granted after it.
    """
    parsed = [
        [(record, parse_record(record)) for record in batch.records] for batch in reversed(batches)
    ]
    return heapq.merge(*parsed, key=lambda pair: instant_of(pair[1]))
