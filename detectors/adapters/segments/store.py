"""The log store on segments: kernel.logs' port over the writer and the files it leaves."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.adapters.segments import fingerprints
from detectors.adapters.segments.manifest import Manifest, Part, Segment
from detectors.adapters.segments.parts import ROWS_OF_GROUP
from detectors.adapters.segments.pruning import PartSearch
from detectors.adapters.segments.reader import (
    PartFile,
    batch_of,
    events_at,
    places_of,
    rows_in,
)
from detectors.adapters.segments.spool import Spool
from detectors.adapters.segments.together import read_together
from detectors.adapters.segments.writer import Writer
from detectors.errors import LogStoreUnavailable, SegmentDamaged
from detectors.models.logs import StoredPiece
from detectors.ports import QueryEvaluator
from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.logs import (
    Aggregation,
    AppendResult,
    Batch,
    Bucket,
    LogEvent,
    Query,
    SourceSummary,
    StoredEvent,
    Window,
)

T = TypeVar("T")
Place = tuple[int, int, int, int]
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.01
_TRIES: Final = 5
_GROUPS: Final = 4


class SegmentStore:
    """Keeps events in Parquet segments under ``folder``."""

    def __init__(
        self, folder: Path, writer: Writer, spool: Spool, evaluator: QueryEvaluator
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._spool = spool
        self._evaluator = evaluator
        self._parts_search = PartSearch(folder, evaluator)
        self._manifest = Manifest(folder)

    def append(self, events: Sequence[LogEvent]) -> AppendResult:
        """Store what is new, by id, durably; seqs follow the order given.

        Where another process writes, the events are spooled and its receipt is awaited, at
        most 30 s; ``LogStoreUnavailable`` then says that they are safe and will be stored.
        """
        with self._writer.lock(wait=False) as held:
            if held:
                return self._store(events)
        number = self._spool.offer(events, waits=True)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            result = self._spool.receipt(number)
            if result is not None:
                return result
            time.sleep(_PAUSE)
            self._writer.drain()
        msg = "the segment writer gives no receipt; the events are in the spool"
        raise LogStoreUnavailable(msg)

    def scan(
        self,
        first_seq: int,
        last_seq: int | None = None,
        anchor: Anchor = ANYTHING,  # noqa: ARG002 - columns are read whole
    ) -> Iterator[Batch]:
        """Yield all rows with first_seq <= seq <= last_seq in ingest order, by segments.

        The files of a segment are read whole whatever ``anchor`` says.
        """
        following = first_seq
        while True:
            batch, following = self._again(lambda at=following: self._batch_from(at, last_seq))  # type: ignore[misc]
            if batch is None:
                return
            if len(batch):
                yield batch

    def pieces(self, first_seq: int, last_seq: int) -> Iterator[StoredPiece]:
        """Yield what holds the rows with first_seq <= seq <= last_seq, by segments in order."""
        for segment in self._manifest.read().ordered():
            if segment.last_seq < first_seq or segment.first_seq > last_seq:
                continue
            near = [p for p in segment.parts if p.last_seq >= first_seq and p.first_seq <= last_seq]
            span = (max(first_seq, segment.first_seq), min(last_seq, segment.last_seq))
            groups = [(part, some) for part in near for some in _groups_of(part)]
            for number, (part, some) in enumerate(groups, 1):
                last = span[1] if number == len(groups) else None
                yield StoredPiece(part.file, some, *span, last, rows_in(some, part.rows))

    def read_pieces(self, pieces: Sequence[StoredPiece]) -> Batch:
        """Return the rows of ``pieces`` as one batch; raise ``OSError`` where a file is gone."""
        return read_together(self._folder, pieces)

    def search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None = None
    ) -> Sequence[StoredEvent]:
        """Return matches, newest first, older than ``before`` = (time, seq)."""
        return self._again(lambda: self._search(query, window, limit, before))

    def get(self, event_ids: Sequence[str]) -> Sequence[StoredEvent]:
        """Return the events with these ids that are stored, in the order asked."""
        return self._again(lambda: self._get(event_ids))

    def aggregate(self, query: Query, window: Window, by: Aggregation) -> Sequence[Bucket]:
        """Return counts, greatest first (by time: ascending)."""
        return self._again(lambda: self._aggregate(query, window, by))

    def sources(self) -> Sequence[SourceSummary]:
        """Return what is stored of each source, by name."""
        found: dict[str, SourceSummary] = {}
        for part in self._parts():
            for name, count in part.sources.items():
                old = found.get(name)
                found[name] = SourceSummary(
                    name,
                    count.events + (old.events if old else 0),
                    min(count.first_at, old.first_at if old else count.first_at),
                    max(count.last_at, old.last_at if old else count.last_at),
                    max(count.last_ingested, old.last_ingested if old else 0),
                )
        return [found[name] for name in sorted(found)]

    def last_seq(self) -> int:
        """Return the greatest seq given, 0 when there is none."""
        return self._manifest.read().last_seq

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop days all of whose events were ingested before ``instant``; return how many."""
        with self._writer.lock(wait=True):
            dropped = self._writer.drop_before(instant, held)
            self._writer.close_pending()
            return dropped

    def _store(self, events: Sequence[LogEvent]) -> AppendResult:
        while not self._spool.is_empty():  # what was offered first is stored first
            self._writer.store_waiting()
        (result,) = self._writer.store([events])
        self._writer.compact(1)
        self._writer.close_pending()
        return result

    def _parts(self) -> list[Part]:
        return [part for s in self._manifest.read().ordered() for part in s.parts]

    def _again(self, read: Callable[[], T]) -> T:
        """Run ``read``; a file that compaction took away meanwhile means: look again."""
        for attempt in range(_TRIES):
            try:
                return read()
            except FileNotFoundError as error:
                if attempt == _TRIES - 1:
                    msg = f"{error.filename} is missing"
                    raise SegmentDamaged(msg) from error
            except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
                msg = str(error)[:200]
                raise SegmentDamaged(msg) from error
        raise AssertionError

    def _batch_from(self, first: int, last: int | None) -> tuple[Batch | None, int]:
        for segment in self._manifest.read().ordered():
            if segment.last_seq >= first and (last is None or segment.first_seq <= last):
                near = [self._near(part, first, last) for part in segment.parts]
                parts = [part for part in near if part is not None]
                if parts:
                    return batch_of(parts, first, last), segment.last_seq + 1
        return None, first

    def _near(self, part: Part, first: int, last: int | None) -> PartFile | None:
        """Return the row groups of ``part`` that hold rows of the range; None for no row."""
        path = self._folder / part.file
        if first <= part.first_seq and (last is None or part.last_seq <= last):
            return PartFile(path)
        seqs = PartFile(path).seqs()
        low = int(np.searchsorted(seqs, first))
        high = len(seqs) if last is None else int(np.searchsorted(seqs, last, side="right"))
        if low >= high:
            return None
        return PartFile(path, range(low // ROWS_OF_GROUP, (high - 1) // ROWS_OF_GROUP + 1))

    def _search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None
    ) -> list[StoredEvent]:
        near = self._parts_search.window(query, window)
        parts = sorted(self._within(near), key=lambda part: part.last_at, reverse=True)
        best: list[Place] = []
        for number, part in enumerate(parts):
            if len(best) >= limit and (not best or part.last_at < best[0][0]):
                break
            if before is not None and part.first_at > before[0]:
                continue
            for place in self._places(part, query, window, before):
                if len(best) < limit:
                    heapq.heappush(best, (*place[:2], number, place[2]))
                elif best and place[:2] > best[0][:2]:
                    heapq.heapreplace(best, (*place[:2], number, place[2]))
        return self._fetch(sorted(best, reverse=True), parts)

    def _places(
        self, part: Part, query: Query, window: Window, before: tuple[int, int] | None
    ) -> Iterator[tuple[int, int, int]]:
        found = self._parts_search.find(part, query, window)
        if found is None:
            return iter(())
        times = np.frombuffer(found.batch.times, dtype=np.int64)
        seqs = np.frombuffer(found.batch.seqs, dtype=np.int64)
        mask = found.mask
        if before is not None:
            mask = mask & ((times < before[0]) | ((times == before[0]) & (seqs < before[1])))
        rows = np.flatnonzero(mask)
        places = places_of(found.file, rows)
        return zip(times[rows].tolist(), seqs[rows].tolist(), places.tolist(), strict=True)

    def _fetch(self, places: Sequence[Place], parts: Sequence[Part]) -> list[StoredEvent]:
        wanted: dict[int, list[int]] = {}
        for _, _, number, row in places:
            wanted.setdefault(number, []).append(row)
        found: dict[int, StoredEvent] = {}
        for number, rows in wanted.items():
            file = PartFile(self._folder / parts[number].file)
            found |= {stored.seq: stored for stored in events_at(file, rows)}
        return [found[seq] for _, seq, _, _ in places]

    def _get(self, event_ids: Sequence[str]) -> list[StoredEvent]:
        ids = [i for i in event_ids if _is_id(i)]
        if not ids:
            return []
        wanted = fingerprints.fingerprints_of(ids)
        found: dict[str, StoredEvent] = {}
        for segment in self._manifest.read().segments.values():
            hits = fingerprints.candidates(fingerprints.load(self._folder / segment.ids), wanted)
            seqs = np.array(sorted({seq for _, seq in hits}), dtype=np.int64)
            for stored in self._at(segment, seqs):
                found.setdefault(stored.event.id, stored)
        return [found[i] for i in ids if i in found]

    def _at(self, segment: Segment, seqs: NDArray[np.int64]) -> Iterator[StoredEvent]:
        for part in segment.parts:
            near = seqs[(seqs >= part.first_seq) & (seqs <= part.last_seq)]
            if not len(near):
                continue
            file = PartFile(self._folder / part.file)
            rows = np.flatnonzero(np.isin(file.seqs(), near)).tolist()
            yield from events_at(file, rows) if rows else ()

    def _aggregate(self, query: Query, window: Window, by: Aggregation) -> list[Bucket]:
        counts: Counter[tuple[Any, ...]] = Counter()
        for part in self._within(self._parts_search.window(query, window)):
            found = self._parts_search.find(part, query, window)
            if found is not None:
                counts += self._evaluator.count_rows(found.batch, found.mask, by)
        return self._evaluator.buckets_of(counts, by)

    def _within(self, window: Window) -> list[Part]:
        return [
            part
            for part in self._parts()
            if (window.since is None or part.last_at >= window.since)
            and (window.until is None or part.first_at < window.until)
        ]


def _groups_of(part: Part) -> Iterator[tuple[int, ...]]:
    """Yield the row groups of ``part``, few enough at once that all their columns fit in memory."""
    count = -(-part.rows // ROWS_OF_GROUP)
    for start in range(0, count, _GROUPS):
        yield tuple(range(start, min(count, start + _GROUPS)))


def _is_id(text: str) -> bool:
    return len(text) == len("0" * 64) and all(digit in "0123456789abcdef" for digit in text)
