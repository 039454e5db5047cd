"""The log store on Elasticsearch: kernel.logs' port over the writer and the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectors.adapters.elastic.reader import Reader
from detectors.adapters.elastic.writer import Writer
from detectors.adapters.segments.spool import Spool
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


class ElasticStore:
    """Keeps events in a cluster's indices by day."""

    def __init__(self, reader: Reader, writer: Writer, spool: Spool) -> None:
        self._reader = reader
        self._writer = writer
        self._spool = spool

    def append(self, events: Sequence[LogEvent]) -> AppendResult:
        """Store what is new, by id, durably; seqs follow the order given.

        Raises ``LogStoreUnavailable``: then nothing counts as stored, and the same events
        may be given again.
        """
        with self._writer.lease(wait=True):
            while not self._spool.is_empty():  # what was offered first is stored first
                self._writer.store_waiting()
            (result,) = self._writer.store([events])
            self._writer.close_pending()
            return result

    def scan(
        self, first_seq: int, last_seq: int | None = None, anchor: Anchor = ANYTHING
    ) -> Iterator[Batch]:
        """Yield all rows with first_seq <= seq <= last_seq in ingest order, by pages.

        Of rows for which ``anchor`` does not hold only their number is told.
        """
        newest = self.last_seq()
        last = newest if last_seq is None else min(last_seq, newest)
        return self._reader.scan(max(first_seq, 1), last, anchor)

    def search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None = None
    ) -> Sequence[StoredEvent]:
        """Return matches, newest first, older than ``before`` = (time, seq)."""
        return self._reader.search(query, window, limit, before)

    def get(self, event_ids: Sequence[str]) -> Sequence[StoredEvent]:
        """Return the events with these ids that are stored, in the order asked."""
        return self._reader.get(event_ids)

    def aggregate(self, query: Query, window: Window, by: Aggregation) -> Sequence[Bucket]:
        """Return counts, greatest first (by time: ascending)."""
        return self._reader.aggregate(query, window, by)

    def sources(self) -> Sequence[SourceSummary]:
        """Return what is stored of each source, by name."""
        return self._reader.sources()

    def last_seq(self) -> int:
        """Return the greatest seq that readers may see, 0 when there is none."""
        return self._reader.last_seq()

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop days all of whose events were ingested before ``instant``; return how many."""
        with self._writer.lease(wait=True):
            return self._writer.drop_before(instant, held)
