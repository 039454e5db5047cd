"""What detection needs: rules, what people decided, alerts, and how far each detector is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from detectors.models.alerts import (
    Alert,
    AlertFilter,
    Evaluation,
    RuleState,
)
from detectors.models.queue import AlertOrder, Deadline
from detectors.models.rules import RuleFile, Severity
from detectors.models.triage import Hint
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


class RuleSource(Protocol):
    """Where the rules lie that this instance runs."""

    def rule_files(self) -> Sequence[RuleFile]:
        """Return every rule file, by path."""
        ...


class AlertWriter(Protocol):
    """Writes alerts; an alert is created once, whoever finds it how often."""

    def create(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> bool:
        """Store ``alert`` with the ``subjects`` that carry its risk; False if it is known."""
        ...

    def create_many(
        self, tx: Transaction, written: Sequence[tuple[Alert, Sequence[str]]]
    ) -> frozenset[str]:
        """Store the alerts whose ids are not known; of one id the first. Return their ids."""
        ...

    def change(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> None:
        """Store an alert's new extent, status and subjects."""
        ...

    def change_many(self, tx: Transaction, written: Sequence[tuple[Alert, Sequence[str]]]) -> None:
        """Store new extents, statuses and subjects in their order, each as a next version."""
        ...

    def close(self, tx: Transaction, alert_id: str, closed_by: str, reason: str) -> bool:
        """Close an open alert; False if it is not open (any more)."""
        ...


class RiskNoter(Protocol):
    """Reads what alerts say of the risk of subjects, and keeps what was told of it."""

    def hints_of(
        self, tx: Transaction, subjects: Sequence[str]
    ) -> Mapping[str, tuple[Sequence[Hint], float]]:
        """Return what open alerts say of each of ``subjects``, and how critical it is."""
        ...

    def note_risks(
        self, tx: Transaction, org_id: str, told: Mapping[str, tuple[int, str]]
    ) -> frozenset[str]:
        """Store what risk subjects now have and why; return those that had another."""
        ...


class AlertStore(AlertWriter, RiskNoter, Protocol):
    """Keeps alerts."""

    def found(self, tx: Transaction, alert_ids: Sequence[str]) -> Mapping[str, Alert]:
        """Return those of ``alert_ids`` that are stored, by id."""
        ...

    def get(self, tx: Transaction, alert_id: str) -> Alert:
        """Return it; raise ``AlertNotFound``."""
        ...

    def known(self, tx: Transaction, alert_ids: Sequence[str]) -> frozenset[str]:
        """Return which of ``alert_ids`` are stored."""
        ...

    def single_events(
        self, tx: Transaction, rule_ids: Collection[str], first: int, last: int
    ) -> Sequence[tuple[str, str, str]]:
        """Return (rule, alert id, event id) of plain rules' alerts of one event in that time."""
        ...

    def page(
        self,
        tx: Transaction,
        org_id: str,
        wanted: AlertFilter,
        page: PageRequest,
        order: AlertOrder = "newest",
    ) -> Sequence[Alert]:
        """Return at most ``page.limit + 1`` alerts, behind ``page.after`` in ``order``."""
        ...

    def decided(self, tx: Transaction, org_id: str) -> Mapping[Severity, Deadline]:
        """Return what an organisation decided on deadlines, by severity."""
        ...

    def overlapping(
        self, tx: Transaction, rule_id: str, group: Sequence[str], window: tuple[int, int]
    ) -> Sequence[Alert]:
        """Return a group's alerts that share an instant with ``window``, oldest raised first."""
        ...

    def standing_at(
        self, tx: Transaction, rule_id: str, places: Sequence[tuple[Sequence[str], int]]
    ) -> Sequence[Alert]:
        """Return alerts of groups that begin and end at an instant of ``places``, oldest first."""
        ...


class DetectorStore(Protocol):
    """Keeps what is switched on, how far each detector is, and what it has seen."""

    def rule_states(self, tx: Transaction, org_id: str) -> Mapping[str, RuleState]:
        """Return what people decided, by rule id."""
        ...

    def set_rule_state(self, tx: Transaction, org_id: str, rule_id: str, state: RuleState) -> None:
        """Store a decision."""
        ...

    def evaluations(self, tx: Transaction, page: PageRequest) -> Sequence[Evaluation]:
        """Return at most ``page.limit + 1`` evaluations, newest first."""
        ...
