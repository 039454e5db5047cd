"""What the pages of rules need to know of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.models.alerts import Evaluation
from detectors.models.schedule import DetectorKey
from secops.kernel.transactions import Transaction


class RuleHistory(Protocol):
    """Reads what rules have found; it changes nothing."""

    def alerts_by_rule(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, int]:
        """Return how many alerts with events since ``since`` each rule has."""
        ...

    def alerts_by_day(self, tx: Transaction, rule_id: str, since: int) -> Mapping[int, int]:
        """Return a rule's alerts by the start (``day_start``) of the day they were raised on."""
        ...

    def evaluations_of(self, tx: Transaction, rule_id: str, limit: int) -> Sequence[Evaluation]:
        """Return a rule's evaluations, newest first."""
        ...

    def first_evaluated(self, tx: Transaction, key: DetectorKey) -> int | None:
        """Return when this version of a rule first saw events; None where it never did."""
        ...
