"""The segment writer: one at a time, under a file lock.

The lock is ``flock`` on ``home/segments/writer.lock``: the files are this machine's, and the
kernel frees it the moment its holder dies, which a lease in the database does not. Order of
a commit: part files and id index (fsync), then one manifest line (fsync). What a crash
leaves behind is not in the manifest and is swept.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from detectors.adapters.segments import fingerprints
from detectors.adapters.segments.cells import decode_dictionary
from detectors.adapters.segments.manifest import (
    DayCount,
    Manifest,
    Part,
    Segment,
    SourceCount,
    State,
    as_record,
    segment_of,
)
from detectors.adapters.segments.merging import merge_tables, packed, rows_of_days, runs_to_merge
from detectors.adapters.segments.parts import parquet_of, table_of
from detectors.adapters.segments.rare import pack_rare
from detectors.adapters.segments.reader import PartFile
from detectors.adapters.segments.spool import Spool
from detectors.adapters.segments.terms import FOOTER, file_of, terms_of
from detectors.errors import LogStoreUnavailable
from detectors.ports import ClosedSegments, QueryPruner
from secops.adapters.disk import make_folder, write_durably
from secops.crypto.hashes import sha256, sm3
from secops.kernel.clock import DAY
from secops.kernel.errors import AuditUnavailable
from secops.kernel.logs import AppendResult, LogEvent, is_held

_EPOCH: Final = date(1970, 1, 1).toordinal()
_BATCHES_A_DRAIN: Final = 64
_MERGES_A_DRAIN: Final = 4


class Writer:
    """Stores, compacts and drops; every method but ``lock`` needs the lock held."""

    def __init__(
        self,
        folder: Path,
        spool: Spool,
        pruner: QueryPruner,
        *,
        closed: ClosedSegments,
        damaged: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._damaged = damaged
        self._spool = spool
        self._pruner = pruner
        self._closed = closed
        self._manifest = Manifest(folder)
        self._tables: dict[str, fingerprints.Table] = {}
        self._thread = threading.RLock()
        self._swept = False

    @contextmanager
    def lock(self, *, wait: bool) -> Iterator[bool]:
        """Hold the writer's lock; yields False at once if it is taken and ``wait`` is not."""
        make_folder(self._folder)
        if not self._thread.acquire(blocking=wait):
            yield False
            return
        try:
            descriptor = os.open(self._folder / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                flag = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
                try:
                    fcntl.flock(descriptor, flag)
                except BlockingIOError:
                    yield False
                else:
                    self._sweep_once()
                    yield True
            finally:
                os.close(descriptor)
        finally:
            self._thread.release()

    def drain(self) -> bool:
        """Store what was offered and compact a little; True when more waits.

        Takes the lock itself and does nothing where another process has it.
        """
        if self._spool.is_empty() and not self._has_work():
            return False
        with self.lock(wait=False) as held:
            if not held:
                return False
            self.store_waiting()
            self.compact(_MERGES_A_DRAIN)
            self.close_pending()
            return not self._spool.is_empty()

    def store_waiting(self) -> None:
        """Store up to 64 spooled batches as one segment; damaged ones are set aside."""
        waiting = list(self._spool.waiting(_BATCHES_A_DRAIN))
        whole = [(batch.path, batch.events) for batch in waiting if batch.events is not None]
        for batch in waiting:
            if batch.events is None:
                self._damaged(self._spool.set_aside(batch.path).name)
        results = self.store([events for _, events in whole])
        for (path, _), result in zip(whole, results, strict=True):
            self._spool.answer(path, result)

    def store(self, batches: Sequence[Sequence[LogEvent]]) -> list[AppendResult]:
        """Store what is new in ``batches`` as one segment, durably.

        Raises ``LogStoreUnavailable`` where the disk refuses: then nothing was stored.
        """
        try:
            return self._store(batches)
        except OSError as error:
            msg = f"storing a segment failed: {error.strerror}"
            raise LogStoreUnavailable(msg) from error

    def compact(self, most: int) -> None:
        """Merge up to ``most`` runs of small neighbours."""
        for run in runs_to_merge(self._manifest.read().ordered())[:most]:
            self._merge(run)

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop days all of whose events came before ``instant``, but ``held`` ones; how many."""
        state = self._manifest.read()
        newest: dict[int, int] = {}
        for segment in state.segments.values():
            for part in segment.parts:
                for day, count in part.days.items():
                    newest[int(day)] = max(newest.get(int(day), 0), count.last_ingested)
        days = {day for day, last in newest.items() if last < instant and not is_held(day, held)}
        changed = [s for s in state.ordered() if days & _days_of(s.parts).keys()]
        if changed:
            self._drop(changed, days)
        return len(days)

    def close_pending(self) -> None:
        """Tell the ledger of segments it does not have yet; what fails is tried again."""
        state = self._manifest.read()
        done = []
        try:
            for name in sorted(state.pending):
                segment = state.segments[name]
                self._closed(name, _digests(segment))
                done.append(name)
        except AuditUnavailable:
            pass  # logs are kept even while the ledger can't be written
        if done:
            self._manifest.commit({"closed": done})

    def state(self) -> State:
        """Return what is stored now."""
        return self._manifest.read()

    def _has_work(self) -> bool:
        state = self._manifest.read()
        return bool(state.pending or runs_to_merge(state.ordered()))

    def _store(self, batches: Sequence[Sequence[LogEvent]]) -> list[AppendResult]:
        state = self._manifest.read()
        known = self._known(state, [event.id for batch in batches for event in batch])
        seq = state.last_seq
        fresh: list[LogEvent] = []
        results = []
        for batch in batches:
            before = len(fresh)
            for event in batch:
                if event.id not in known:
                    known.add(event.id)
                    fresh.append(event)
            stored = len(fresh) - before
            results.append(AppendResult(stored, len(batch) - stored, seq + len(fresh)))
        if fresh:
            self._commit_events(state, fresh, seq + 1)
        return results

    def _known(self, state: State, ids: Sequence[str]) -> set[str]:
        if not ids:
            return set()
        wanted = fingerprints.fingerprints_of(ids)
        known: set[str] = set()
        for segment in state.segments.values():
            hits = fingerprints.candidates(self._table(segment), wanted)
            if hits:
                known |= self._verified(segment, [(ids[index], seq) for index, seq in hits])
        for name in self._tables.keys() - {s.ids for s in state.segments.values()}:
            del self._tables[name]
        return known

    def _table(self, segment: Segment) -> fingerprints.Table:
        table = self._tables.get(segment.ids)
        if table is None:
            table = fingerprints.load(self._folder / segment.ids)
            self._tables[segment.ids] = table
        return table

    def _verified(self, segment: Segment, hits: list[tuple[str, int]]) -> set[str]:
        """Return the ids of ``hits`` that really stand at their seqs."""
        found = set()
        for part in segment.parts:
            near = [hit for hit in hits if part.first_seq <= hit[1] <= part.last_seq]
            if not near:
                continue
            file = PartFile(self._folder / part.file)
            seqs, identifiers = file.seqs(), file.ids()
            places = np.searchsorted(seqs, np.array([seq for _, seq in near]))
            for (identifier, seq), place in zip(near, places.tolist(), strict=True):
                is_there = place < len(seqs) and seqs[place] == seq
                if is_there and identifiers[place].hex() == identifier:
                    found.add(identifier)
        return found

    def _commit_events(self, state: State, events: Sequence[LogEvent], first: int) -> None:
        """Store ``events`` as one segment; their seqs begin with ``first``."""
        bounds = (first, first + len(events) - 1)
        seqs = np.arange(first, bounds[1] + 1, dtype=np.int64)
        by_day: dict[int, list[int]] = {}
        for row, event in enumerate(events):
            by_day.setdefault(event.at // DAY, []).append(row)
        name = _name(bounds, state)
        parts = []
        for days in packed({day: len(rows) for day, rows in by_day.items()}):
            rows = sorted(row for day in days for row in by_day[day])
            table = table_of([events[row] for row in rows], seqs[rows])
            parts.append(self._write_part(name, table))
        prints = fingerprints.fingerprints_of([event.id for event in events])
        ids = self._write_ids(name, fingerprints.table_of(prints, seqs))
        self._commit([segment_of(name, parts, ids, bounds)], [], last_seq=bounds[1])

    def _merge(self, run: Sequence[Segment]) -> None:
        bounds = (run[0].first_seq, run[-1].last_seq)
        name = _name(bounds, self._manifest.read())
        olds = [part for segment in run for part in segment.parts]
        parts = []
        for days in packed(_days_of(olds)):
            tables = [self._rows(old, days) for old in olds if _days_of([old]).keys() & set(days)]
            parts.append(self._write_part(name, merge_tables(tables)))
        table = fingerprints.merge([self._table(segment) for segment in run])
        merged = segment_of(name, parts, self._write_ids(name, table), bounds)
        self._commit([merged], run)

    def _rows(self, part: Part, days: Collection[int]) -> Any:
        return rows_of_days(PartFile(self._folder / part.file).table(), days)

    def _drop(self, changed: Sequence[Segment], days: set[int]) -> None:
        state = self._manifest.read()
        kept = []
        for segment in changed:
            bounds = (segment.first_seq, segment.last_seq)
            name = _name(bounds, state)
            parts = [
                self._without(part, name, days)
                for part in segment.parts
                if _days_of([part]).keys() - days
            ]
            if parts:
                kept.append(segment_of(name, parts, segment.ids, bounds))
        self._commit(kept, changed)

    def _without(self, part: Part, name: str, days: set[int]) -> Part:
        left = _days_of([part]).keys() - days
        if len(left) == len(part.days):
            return part
        return self._write_part(name, self._rows(part, left))

    def _commit(
        self, added: Sequence[Segment], removed: Sequence[Segment], last_seq: int = 0
    ) -> None:
        change: dict[str, Any] = {"add": [as_record(segment) for segment in added]}
        if removed:
            change["remove"] = [segment.name for segment in removed]
        if last_seq:
            change["last_seq"] = last_seq
        state = self._manifest.commit(change)
        used = {part.file for s in state.segments.values() for part in s.parts}
        used |= {segment.ids for segment in state.segments.values()}
        for segment in removed:
            for file in (segment.ids, *(part.file for part in segment.parts)):
                if file not in used:
                    (self._folder / file).unlink(missing_ok=True)
                    (self._folder / file_of(file)).unlink(missing_ok=True)

    def _write_part(self, name: str, table: Any) -> Part:
        terms = terms_of(table, self._pruner)
        content = parquet_of(pack_rare(table), {FOOTER: sha256(terms).hex()} if terms else None)
        seqs = table.column("@seq").to_numpy()
        times = table.column("@at").to_numpy()
        arrived = table.column("@ingested").to_numpy()
        days, inverse = np.unique(times // DAY, return_inverse=True)
        file = f"{_day(int(days[0]))}/{name}.parquet"
        if terms:
            self._write(file_of(file), terms)
        self._write(file, content)
        counts = {
            str(day): DayCount(int((inverse == n).sum()), int(arrived[inverse == n].max()))
            for n, day in enumerate(days.tolist())
        }
        return Part(
            file=file,
            days=counts,
            rows=len(seqs),
            size=len(content),
            first_seq=int(seqs[0]),
            last_seq=int(seqs[-1]),
            first_at=int(times.min()),
            last_at=int(times.max()),
            last_ingested=int(arrived.max()),
            sha256=sha256(content).hex(),
            sm3=sm3(content).hex(),
            sources=_sources_of(table, times, arrived),
        )

    def _write_ids(self, name: str, table: fingerprints.Table) -> str:
        file = f"ids/{name}.ids"
        self._write(file, fingerprints.to_bytes(table))
        return file

    def _write(self, file: str, content: bytes) -> None:
        path = self._folder / file
        make_folder(path.parent)
        write_durably(path, content)

    def _sweep_once(self) -> None:
        """Remove what writers that died have left: files that no manifest line names."""
        if self._swept:
            return
        self._swept = True
        state = self._manifest.read()
        used = {part.file for s in state.segments.values() for part in s.parts}
        used |= {file_of(file) for file in used}
        used |= {segment.ids for segment in state.segments.values()}
        for path in self._folder.glob("*/*.*"):
            if str(path.relative_to(self._folder)) not in used:
                path.unlink(missing_ok=True)
        for path in self._folder.glob("*/.*.new"):
            path.unlink(missing_ok=True)


def _name(bounds: tuple[int, int], state: State) -> str:
    """Return a segment's name; the commit's number makes it one that never was."""
    return f"{bounds[0]:016d}-{bounds[1]:016d}-{state.commits + 1}"


def _days_of(parts: Iterable[Part]) -> dict[int, int]:
    """Return how many rows ``parts`` hold of each day."""
    rows: dict[int, int] = {}
    for part in parts:
        for day, count in part.days.items():
            rows[int(day)] = rows.get(int(day), 0) + count.rows
    return rows


def _day(number: int) -> str:
    """Return the name of a day's folder; a time of no calendar has one of its own, too."""
    known = 1 <= _EPOCH + number <= date.max.toordinal()
    return date.fromordinal(_EPOCH + number).isoformat() if known else f"day{number}"


def _digests(segment: Segment) -> dict[str, str | int]:
    return {
        "sha256": segment.sha256,
        "sm3": segment.sm3,
        "first_seq": segment.first_seq,
        "last_seq": segment.last_seq,
        "events": segment.rows,
        "files": len(segment.parts),
    }


def _sources_of(table: Any, times: Any, arrived: Any) -> dict[str, SourceCount]:
    values, codes = decode_dictionary(table.column("@source"))
    counts = {}
    for code, value in enumerate(values):
        rows = codes == code
        if rows.any():
            counts[str(value)] = SourceCount(
                int(rows.sum()),
                int(times[rows].min()),
                int(times[rows].max()),
                int(arrived[rows].max()),
            )
    return counts
