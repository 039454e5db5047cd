"""Judging windows that are over: what only time can decide (too few, none, nothing came)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.core.detection import Detector
from detectors.ports import AlertStore, CorrelationStore
from detectors.service.effects import Assessor, write_effects, write_notes
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction


class _Stale(Exception):
    """Another process judged the same groups: nothing of this may be kept."""


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles correlations whose conditions don't rise, and absences."""

    parts: Parts
    logs: LogStore
    alerts: AlertStore
    correlations: CorrelationStore

    def settle(self, detectors: Sequence[Detector], watermark: int) -> int:
        """Judge what is over now that all before ``watermark`` is known; return new alerts.

        Only detectors that have seen all events before ``watermark`` (UTC microseconds) may be
        given: one with a gap behind it would miss what lies there. Judging again changes
        nothing; of two processes one keeps its answer.
        """
        waiting = [d for d in detectors if any(not each.rising for each in d.chain)]
        if not waiting:
            return 0
        now = self.parts.clock.now()
        assessor = Assessor(self.parts.transactions, self.logs, self.alerts, self.correlations)
        effects = assessor.settle(waiting, watermark, now)
        if not effects.notes:
            return 0

        def work(tx: Transaction) -> int:
            if not write_notes(tx, self.correlations, effects):
                raise _Stale
            return len(write_effects(tx, self.alerts, effects))

        try:
            return self.parts.transactions.run(work)
        except _Stale:
            return 0
