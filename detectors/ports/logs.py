"""What logs need: their store's doors, files and followed files, registered sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.models.logs import (
    FileView,
    LogSource,
    SegmentCheck,
    SourceHealth,
    StoredPiece,
    TailPiece,
    TailPosition,
)
from secops.kernel.logs import Aggregation, Batch, Bucket, LogEvent, Query, Value, Window
from secops.kernel.transactions import Transaction


class QueryPruner(Protocol):
    """Says where a query can hold at all; ``core.query`` fills it."""

    def keys_of(self, name: str, values: Sequence[Value]) -> tuple[list[int], list[int]]:
        """Return 32-bit keys of a field's values, and for each key the value's place."""
        ...

    def presence_key(self, name: str) -> int:
        """Return the key of "the field is there"."""
        ...

    def possible_places(
        self, query: Query, look_up: Callable[[int], int], everywhere: int, sources: Collection[str]
    ) -> int:
        """Return, as bits of ``everywhere``, a superset of the places where ``query`` holds."""
        ...

    def possible_window(self, query: Query, window: Window) -> Window:
        """Return ``window`` narrowed by what ``query`` says of ``@timestamp``."""
        ...


class QueryEvaluator(QueryPruner, Protocol):
    """Answers queries on a batch; ``core.query`` fills it, so that all stores agree."""

    def matching_rows(self, query: Query, batch: Batch) -> NDArray[np.bool_]:
        """Return for each row whether ``query`` holds."""
        ...

    def count_rows(
        self, batch: Batch, mask: NDArray[np.bool_], by: Aggregation
    ) -> Counter[tuple[Any, ...]]:
        """Count the rows of ``mask`` by time and fields."""
        ...

    def buckets_of(self, counts: Counter[tuple[Any, ...]], by: Aggregation) -> list[Bucket]:
        """Return ``counts`` as ordered buckets."""
        ...


class LogIntake(Protocol):
    """The quick door into the log store: durable at once, stored by the segment writer soon."""

    def offer(self, events: Sequence[LogEvent]) -> int:
        """Make ``events`` durable (fsync) and return this process's batch number."""
        ...

    def require_room(self) -> None:
        """Raise ``SpoolFull`` where more waits than may."""
        ...

    def close(self) -> None:
        """Let go of this process's place in the spool."""
        ...


class SegmentWriter(Protocol):
    """The work on the log store that one process at a time does."""

    def drain(self) -> bool:
        """Store what was offered and compact a little; True when more waits."""
        ...


class SegmentFiles(Protocol):
    """The files of the log store, to be compared with the ledger."""

    def check_segments(self) -> Iterator[SegmentCheck]:
        """Yield each segment with the digests its files have now."""
        ...


class ClosedSegments(Protocol):
    """Learns of each closed segment; the ledger is behind it."""

    def __call__(self, name: str, details: Mapping[str, str | int]) -> None:
        """Make it known durably; raises ``AuditUnavailable`` to be asked again later."""
        ...


class LogFiles(Protocol):
    """Files with logs on this machine."""

    def find(self, paths: Sequence[str]) -> Sequence[str]:
        """Return the files that ``paths`` name; of a folder those below it, sorted."""
        ...

    def open(self, path: str) -> AbstractContextManager[FileView]:
        """Open one file; raises ``OSError``."""
        ...


class RejectSink(Protocol):
    """Takes the lines that could not be read."""

    @property
    def path(self) -> str | None:
        """Where they lie; None until there is one."""
        ...

    def write(self, record: Mapping[str, Any], raw: bytes) -> None:
        """Add one."""
        ...

    def close(self) -> None:
        """Make them durable."""
        ...


class Rejects(Protocol):
    """Keeps rejected lines in files under the home."""

    def begin(self, name: str) -> RejectSink:
        """Return a sink whose file will be called after ``name``."""
        ...


class Tails(Protocol):
    """Followed files: what is new in them, and where each stream stands, durably."""

    def read(self, source: str, path: str) -> TailPiece | None:
        """Return what is new in the file at ``path``; None if nothing is."""
        ...

    def position(self, source: str) -> TailPosition:
        """Return how far the stream was read."""
        ...

    def line_keys(self, source: str) -> Sequence[bytes]:
        """Return the keys of the lines that the stream has had and still counts."""
        ...

    def advance(self, source: str, position: TailPosition, keys: Sequence[bytes]) -> None:
        """Make the new position durable; ``keys`` are those of the lines just read."""
        ...


class LogSources(Protocol):
    """Keeps the registered log sources."""

    def add(self, transaction: Transaction, source: LogSource) -> bool:
        """Store it; False if its name is taken in its organisation."""
        ...

    def change(self, transaction: Transaction, source: LogSource) -> bool:
        """Store what is new about it; False if there is none of that name."""
        ...

    def remove(self, transaction: Transaction, org_id: str, name: str) -> bool:
        """Forget it; False if there is none of that name."""
        ...

    def find(self, transaction: Transaction, org_id: str, name: str) -> LogSource | None:
        """Return it, or None."""
        ...

    def list(self, transaction: Transaction, org_id: str | None) -> Sequence[LogSource]:
        """Return those of an organisation (None: of all), by name."""
        ...


class SourceHealths(Protocol):
    """Keeps how each source fares."""

    def add(
        self, transaction: Transaction, org_id: str, counts: Mapping[str, tuple[int, int]]
    ) -> None:
        """Add (rejected, dropped) to each source's counts."""
        ...

    def observe(self, transaction: Transaction, health: SourceHealth) -> None:
        """Store what was seen of a source; its counts stay as they are."""
        ...

    def list(self, transaction: Transaction, org_id: str | None) -> Sequence[SourceHealth]:
        """Return those of an organisation (None: of all), by source."""
        ...


class StoredPieces(Protocol):
    """Gives stored events in pieces that several processes can read at once."""

    def pieces(self, first_seq: int, last_seq: int) -> Iterator[StoredPiece]:
        """Yield what holds the rows with first_seq <= seq <= last_seq, by segments in order."""
        ...

    def read_pieces(self, pieces: Sequence[StoredPiece]) -> Batch:
        """Return the rows of ``pieces``, one after the other, as one batch.

        They are in ingest order within each piece only; its ``last_seq`` is the greatest. Raise
        ``OSError`` where a file is gone.
        """
        ...
