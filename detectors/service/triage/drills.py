"""The door for drills: alerts that are marked from their beginning and count nowhere.

They carry no subjects, so that they say nothing of anybody's risk; lists and counts of real
alerts leave them out (``alert_queries.conditions_of``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.alert_ids import alert_id
from detectors.models.alerts import DRILL, Alert, AlertFilter, Reason
from detectors.models.rules import Severity
from detectors.ports import AlertStore
from secops.kernel.actors import system_actor
from secops.kernel.events import AlertRaised
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ACTOR: Final = system_actor("detectors-drills")
_ENDED: Final = "drill ended"


@dataclass(frozen=True, slots=True)
class DrillOrder:
    """One alert of a drill: its place in the plan keeps it from being raised twice."""

    org_id: str
    drill_id: str
    number: int
    title: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class DrillAlertService:
    """Raises, lists and ends the alerts of drills; the response plane decides who may."""

    _parts: Parts
    _store: AlertStore

    def raise_drill_alert(self, order: DrillOrder) -> str:
        """Raise one alert, once; return its id."""
        rule = f"{DRILL}{order.drill_id}"
        group = (order.org_id, str(order.number))
        now = self._parts.clock.now()
        alert = Alert(
            id=alert_id(rule, group, ""),
            org_id=order.org_id,
            kind="drill",
            rule_id=rule,
            rule_version="1",
            title=order.title,
            severity=order.severity,
            raised_at=now,
            first_at=now,
            last_at=now,
            group=group,
            subjects={},
            reasons=(Reason("drill", order.drill_id, order.drill_id),),
            event_ids=(),
            event_count=0,
        )

        def work(tx: Transaction) -> str:
            if self._store.create(tx, alert, ()):
                details = {"rule": rule, "severity": order.severity, "drill": True}
                act = Act("detectors.raise_alert", _ACTOR, f"alert:{alert.id}", details=details)
                tx.record(act)
                tx.announce(AlertRaised(order.org_id, alert.id, rule, order.severity, {}))
            return alert.id

        return self._parts.transactions.run(work)

    def alerts_of_drill(self, org_id: str, drill_id: str) -> Sequence[Alert]:
        """Return the drill's alerts, in the order of the plan."""
        found = self._parts.transactions.read(lambda tx: self._all(tx, org_id, drill_id))
        return sorted(found, key=lambda alert: int(alert.group[1]))

    def end_drill(self, org_id: str, drill_id: str) -> int:
        """Close the drill's open alerts; return how many were."""

        def work(tx: Transaction) -> int:
            ended = 0
            for alert in self._all(tx, org_id, drill_id):
                if alert.status == "open" and self._store.close(tx, alert.id, _ACTOR.id, _ENDED):
                    details = {"reason": _ENDED, "drill": True}
                    target = f"alert:{alert.id}"
                    tx.record(Act("detectors.close_alert", _ACTOR, target, details=details))
                    ended += 1
            return ended

        return self._parts.transactions.run(work)

    def _all(self, tx: Transaction, org_id: str, drill_id: str) -> Sequence[Alert]:
        wanted = AlertFilter(rule_id=f"{DRILL}{drill_id}")
        return self._store.page(tx, org_id, wanted, PageRequest(MAX_LIMIT))[:MAX_LIMIT]
