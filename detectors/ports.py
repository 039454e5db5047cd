"""What the detectors plane needs from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.models.alerts import (
    Alert,
    AlertFilter,
    Cursor,
    Evaluation,
    GroupMatch,
    RuleState,
    StoredMatch,
)
from detectors.models.logs import FileView, LogSource, SegmentCheck, TailPiece, TailPosition
from detectors.models.rules import RuleFile
from secops.kernel.logs import Aggregation, Batch, Bucket, LogEvent, Query
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class RuleCache(Protocol):
    """Keeps compiled rules between runs; losing it costs time, nothing else."""

    def load(self) -> bytes | None:
        """Return what was saved last, None if there is nothing readable."""
        ...

    def save(self, content: bytes) -> None:
        """Replace it; where it can't be written nothing happens."""
        ...


class QueryEvaluator(Protocol):
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


class RuleSource(Protocol):
    """Where the rules lie that this instance runs."""

    def rule_files(self) -> Sequence[RuleFile]:
        """Return every rule file, by path."""
        ...


class AlertStore(Protocol):
    """Keeps alerts; an alert is created once, whoever finds it how often."""

    def create(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> bool:
        """Store ``alert`` with the ``subjects`` that carry its risk; False if it is known."""
        ...

    def change(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> None:
        """Store an alert's new extent, status and subjects."""
        ...

    def get(self, tx: Transaction, alert_id: str) -> Alert:
        """Return it; raise ``AlertNotFound``."""
        ...

    def known(self, tx: Transaction, alert_ids: Sequence[str]) -> frozenset[str]:
        """Return which of ``alert_ids`` are stored."""
        ...

    def page(
        self, tx: Transaction, org_id: str, wanted: AlertFilter, page: PageRequest
    ) -> Sequence[Alert]:
        """Return at most ``page.limit + 1`` alerts, newest event first."""
        ...

    def overlapping(
        self, tx: Transaction, rule_id: str, group: Sequence[str], window: tuple[int, int]
    ) -> Sequence[Alert]:
        """Return a group's alerts that share an instant with ``window``, oldest raised first."""
        ...

    def close(self, tx: Transaction, alert_id: str, closed_by: str, reason: str) -> bool:
        """Close an open alert; False if it is not open (any more)."""
        ...

    def risk_of(self, tx: Transaction, subject: str) -> int:
        """Return the greatest risk that open alerts say of ``subject``, 0 without any."""
        ...


class DetectorStore(Protocol):
    """Keeps what is switched on, how far each detector is, and what it has seen."""

    def rule_states(self, tx: Transaction, org_id: str) -> Mapping[str, RuleState]:
        """Return what people decided, by rule id."""
        ...

    def set_rule_state(self, tx: Transaction, org_id: str, rule_id: str, state: RuleState) -> None:
        """Store a decision."""
        ...

    def cursors(self, tx: Transaction) -> Mapping[tuple[str, str], int]:
        """Return every detector's next seq, by (detector, version)."""
        ...

    def advance(self, tx: Transaction, cursor: Cursor, next_seq: int, fence: int) -> bool:
        """Move ``cursor`` if it stands where it was read and no newer fence wrote; else False."""
        ...

    def record_evaluation(self, tx: Transaction, evaluation: Evaluation) -> None:
        """Add what was seen; a range that continues the last one extends it."""
        ...

    def evaluations(self, tx: Transaction, page: PageRequest) -> Sequence[Evaluation]:
        """Return at most ``page.limit + 1`` evaluations, newest first."""
        ...

    def add_matches(
        self, tx: Transaction, cursor: Cursor, org_id: str, matches: Sequence[GroupMatch]
    ) -> None:
        """Add events that count for groups of a correlation; known ones change nothing."""
        ...

    def matches(
        self, tx: Transaction, detector: tuple[str, str], group: str, window: tuple[int, int]
    ) -> Sequence[StoredMatch]:
        """Return a group's matches in ``window`` (both ends included), by time."""
        ...

    def drop_matches(self, tx: Transaction, before: int) -> int:
        """Forget matches older than ``before``; return how many."""
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

    def remove(self, transaction: Transaction, org_id: str, name: str) -> bool:
        """Forget it; False if there is none of that name."""
        ...

    def find(self, transaction: Transaction, org_id: str, name: str) -> LogSource | None:
        """Return it, or None."""
        ...

    def list(self, transaction: Transaction, org_id: str | None) -> Sequence[LogSource]:
        """Return those of an organisation (None: of all), by name."""
        ...


class OwnActs(Protocol):
    """The ledger's records, which the platform watches like any other log; audits fills it."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        """Return at most ``count`` leaf records from index ``first`` on, in order."""
        ...


class NoActs:
    """Where there is no ledger to watch."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class DetectorsPorts:
    """What other planes provide."""

    acts: OwnActs = field(default_factory=NoActs)
