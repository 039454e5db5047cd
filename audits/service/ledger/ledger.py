"""Use cases over the ledger for people: list, show, prove, verify."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from audits.core.entries import parse_record, row_of
from audits.errors import EntryNotFound, NotCheckpointed
from audits.models import (
    Checkpoint,
    Entry,
    EntryFilter,
    EntryRow,
    LedgerVerdict,
    StoredEntry,
)
from audits.ports import TileSink
from audits.ports.ledger import LedgerStore, Tree
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.sequencer import Sequencer
from secops.kernel.access import AccessControl
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import TooMany
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.audits import READ_LEDGER, REBUILD_LEDGER_ROWS, VERIFY_LEDGER
from secops.kernel.trail import Act, Outcome, Trail

RESOURCE: Final = "ledger:entries"
_REBUILD_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class LedgerService:
    """The ledger under the rules of access. Reading and verifying are recorded as acts."""

    store: LedgerStore
    files: LedgerFiles
    sequencer: Sequencer
    access: AccessControl
    trail: Trail
    _verifying: threading.Lock = field(default_factory=threading.Lock)

    def list_entries(self, actor: Actor, page: PageRequest, wanted: EntryFilter) -> Page[EntryRow]:
        """Return entries, newest first; others' organisations only for the root organisation."""
        self.access.require(actor, READ_LEDGER, RESOURCE)
        if actor.org_id != ROOT_ORG:
            wanted = replace(wanted, org_id=actor.org_id)
        after = page.key(int)
        rows = self.store.search(wanted, page.limit + 1, after[0] if after else None)
        return page_of(rows, page.limit, [(row.index,) for row in rows])

    def get_entry(self, actor: Actor, reference: str) -> StoredEntry:
        """Return the entry with this index or SHA-256 leaf hash; raise ``EntryNotFound``."""
        self.access.require(actor, READ_LEDGER, RESOURCE)
        found = self.files.find_entry(reference)
        row = row_of(found.entry.index, parse_record(found.entry.record))
        if actor.org_id not in (ROOT_ORG, row.org_id):
            msg = f"no entry {reference[:80]!r}"
            raise EntryNotFound(msg)
        return StoredEntry(found.entry, row)

    def prove_entry(self, actor: Actor, reference: str, tree: Tree = "sha256") -> str:
        """Return the tlog-proof of an entry that the actor may read."""
        index = self.get_entry(actor, reference).entry.index
        return self.files.prove_entry(str(index), tree)

    def prove_growth(
        self, actor: Actor, old_size: int, new_size: int | None = None, tree: Tree = "sha256"
    ) -> Sequence[bytes]:
        """Return the consistency proof between two sizes, up to the newest checkpoint's.

        Raises ``NotCheckpointed`` while there is none, ``EntryNotFound`` for sizes beyond it.
        """
        self.access.require(actor, READ_LEDGER, RESOURCE)
        checkpoint = self.files.latest_checkpoint()
        if checkpoint is None:
            raise NotCheckpointed
        return self.files.prove_growth(
            old_size, checkpoint.size if new_size is None else new_size, tree
        )

    def verify_ledger(self, actor: Actor) -> LedgerVerdict:
        """Recompute the ledger; the verdict itself becomes an entry.

        One at a time in a process: raises ``TooMany`` while another one runs.
        """
        self.access.require(actor, VERIFY_LEDGER, RESOURCE)
        if not self._verifying.acquire(blocking=False):
            msg = "the ledger is being verified already"
            raise TooMany(msg)
        try:
            verdict = self.files.verify_ledger()
        finally:
            self._verifying.release()
        details = {
            "entries": verdict.entries,
            "sha256_root": verdict.sha256_root.hex(),
            "sm3_root": verdict.sm3_root.hex(),
            "first_bad": None if verdict.first_bad is None else verdict.first_bad.what,
        }
        outcome: Outcome = "done" if verdict.valid else "failed"
        self.trail.append([Act("audits.verify_ledger", actor, RESOURCE, outcome, details)])
        return verdict

    def latest_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint with the cosignatures that it has; it is public."""
        return self.files.served.newest()

    def read_tile(self, path: str, tree: Tree = "sha256") -> bytes:
        """Return a tile of hashes; they are public, for they tell nothing of the records."""
        if path.startswith("entries"):
            msg = "entry bundles are not public"
            raise EntryNotFound(msg)
        return self.files.read_tile(path, tree)

    def read_bundle(self, actor: Actor, path: str) -> bytes:
        """Return an entry bundle (``000.p/5``) to a reader of all organisations' entries."""
        self.access.require(actor, READ_LEDGER, RESOURCE)
        if actor.org_id != ROOT_ORG:
            msg = "entry bundles hold all organisations' entries"
            raise EntryNotFound(msg)
        return self.files.read_tile(f"entries/{path}")

    def export_tiles(self, actor: Actor, sink: TileSink) -> Checkpoint:
        """Write the whole ledger as tiles, for verifiers elsewhere; raise ``NotCheckpointed``."""
        self.access.require(actor, READ_LEDGER, RESOURCE)
        if actor.org_id != ROOT_ORG:
            msg = "the tiles hold all organisations' entries"
            raise EntryNotFound(msg)
        checkpoint = self.files.export_tiles(sink)
        details = {"size": checkpoint.size, "sha256_root": checkpoint.sha256_root.hex()}
        self.trail.append([Act("audits.export_tiles", actor, RESOURCE, details=details)])
        return checkpoint

    def rebuild_rows(self, actor: Actor) -> int:
        """Make the search rows anew from the records; return how many."""
        self.access.require(actor, REBUILD_LEDGER_ROWS, RESOURCE)
        size = self.store.head().size
        for first in range(0, size, _REBUILD_BATCH):
            batch = self.store.entries(first, min(_REBUILD_BATCH, size - first))
            self.store.replace_rows(_rows([one.entry for one in batch]))
        self.store.drop_rows_from(size)
        self.trail.append([Act("audits.rebuild_rows", actor, RESOURCE, details={"rows": size})])
        return size


def _rows(entries: Sequence[Entry]) -> list[EntryRow]:
    return [row_of(entry.index, parse_record(entry.record)) for entry in entries]
