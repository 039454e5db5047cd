"""What the schedule needs: how far detectors are, how rules fare, where time has got to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.models.schedule import (
    Admission,
    AlertVersion,
    DetectorKey,
    Feed,
    Progress,
    RuleHealth,
    Span,
    Step,
)
from secops.kernel.transactions import Transaction


class ScheduleStore(Protocol):
    """Keeps how far each detector is; every change carries the fence of a lease."""

    def progress(self, tx: Transaction) -> Mapping[DetectorKey, Progress]:
        """Return every detector's place and gaps (the oldest first)."""
        ...

    def admit(self, tx: Transaction, admissions: Sequence[Admission], fence: int) -> bool:
        """Set detectors to the front; False if one was moved meanwhile."""
        ...

    def advance(self, tx: Transaction, step: Step, seen: Span, fence: int) -> bool:
        """Note that ``step``'s detectors saw ``seen``, the beginning of its span.

        False if one of them is elsewhere than was read, or a newer fence wrote.
        """
        ...

    def leave(self, tx: Transaction, keys: Sequence[DetectorKey], span: Span, fence: int) -> None:
        """Note that detectors could not be asked about ``span``: it is a gap of theirs."""
        ...

    def record(
        self, tx: Transaction, step: Step, seen: Span, events: int, hits: Mapping[DetectorKey, int]
    ) -> None:
        """Add to the evaluations; ranges that touch become one."""
        ...

    def watermark(self, tx: Transaction) -> int | None:
        """Return the instant up to which all was awaited, UTC microseconds."""
        ...

    def set_watermark(self, tx: Transaction, at: int, fence: int) -> bool:
        """Raise the watermark (a lower one changes nothing); False if a newer fence wrote."""
        ...


class RuleHealthStore(Protocol):
    """Keeps how rules fare: hits, failures, cost, what feeds them, which fields they saw."""

    def healths(self, tx: Transaction) -> Mapping[str, RuleHealth]:
        """Return what is known, by rule id."""
        ...

    def failures(self, tx: Transaction) -> Mapping[str, int]:
        """Return which rules could not be asked when they were asked last, and since when."""
        ...

    def note_hits(self, tx: Transaction, hits: Mapping[str, tuple[int, int]]) -> None:
        """Store the newest hit of rules: (event time, seq)."""
        ...

    def note_failures(self, tx: Transaction, failures: Mapping[str, str]) -> None:
        """Store why rules could not be asked; an empty reason says that they can again."""
        ...

    def note_cost(self, tx: Transaction, rule_id: str, nanoseconds: int, events: int) -> None:
        """Add a measurement of a rule asked alone."""
        ...

    def feeds(self, tx: Transaction) -> Sequence[Feed]:
        """Return which stored sources give events of which Sigma log sources."""
        ...

    def note_feeds(self, tx: Transaction, feeds: Sequence[Feed]) -> None:
        """Add the events of a step to what was known."""
        ...

    def seen_fields(self, tx: Transaction) -> Mapping[str, frozenset[str]]:
        """Return which fields events of each Sigma log source have had."""
        ...

    def note_fields(self, tx: Transaction, fields: Mapping[str, frozenset[str]], seq: int) -> None:
        """Add fields that were seen for the first time, at ``seq``."""
        ...


class HitStore(Protocol):
    """Keeps the events of plain rules' alerts, so that each is counted once."""

    def known_hits(
        self, tx: Transaction, hits: Mapping[str, Sequence[tuple[int, str]]]
    ) -> set[tuple[str, str]]:
        """Return which (alert id, event id) of ``hits``, (time, id) by alert, are stored."""
        ...

    def add_hits(self, tx: Transaction, org_id: str, hits: Sequence[tuple[str, str, int]]) -> None:
        """Store new (alert id, event id, time)."""
        ...

    def first_hits(
        self, tx: Transaction, alert_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[tuple[int, str]]]:
        """Return (time, id) of the first events of each alert that has some."""
        ...

    def drop_hits(self, tx: Transaction, before: int) -> int:
        """Forget hits of events older than ``before``; return how many."""
        ...

    def versions(self, tx: Transaction, alert_id: str) -> Sequence[AlertVersion]:
        """Return an alert's versions, the oldest first."""
        ...
