"""Is the log store there? An outage is one health alert, cured when it answers again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.detection import alert_id
from detectors.errors import LogStoreRefused, LogStoreUnavailable, SegmentDamaged
from detectors.models.alerts import Reason
from detectors.ports import AlertStore
from detectors.service.rules.rule_alerts import cure, health_alert, open_health
from secops.kernel.errors import SecopsError
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

EVERY_SECONDS: Final = 15.0
_PROBLEM: Final = "log_store"
_ABOUT: Final = ("secops.log_store", "1")
_TITLE: Final = "日志存储不可用 / the log store is unavailable"


@dataclass(frozen=True, slots=True)
class StoreWatch:
    """Looks at the log store; the alert stands in the database, which has its own disk."""

    parts: Parts
    logs: LogStore
    alerts: AlertStore

    def watch(self) -> bool:
        """Raise the alert if the store does not answer, close it if it does."""
        problem = self._problem()
        identifier = alert_id("health", (_PROBLEM, _ABOUT[0]), "")

        def work(tx: Transaction) -> None:
            if problem is None:
                cure(tx, self.alerts, identifier)
                return
            reasons = [Reason(problem.code, "an answer", "none")]
            open_health(tx, self.alerts, health_alert(_PROBLEM, _ABOUT, _TITLE, reasons, tx.now))

        self.parts.transactions.run(work)
        return False

    def _problem(self) -> SecopsError | None:
        try:
            self.logs.last_seq()
        except (LogStoreUnavailable, LogStoreRefused, SegmentDamaged) as error:
            return error
        return None
