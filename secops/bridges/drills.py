"""The detectors' door for the drills of the response plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from detectors.models.rules import Severity
from detectors.service import DetectorsServices
from detectors.service.triage.drills import DrillOrder
from playbooks.core.drill import marked
from playbooks.models.drills import DrillAlert, InjectedAlert


class DetectorDrills:
    """Implements ``playbooks.ports.drills.DrillDoor``: titles are marked here, for all pages."""

    def __init__(self, detectors: DetectorsServices) -> None:
        self._drills = detectors.drills

    def inject(self, org_id: str, drill_id: str, number: int, alert: DrillAlert) -> str:
        """Raise the ``number``-th alert of a drill, once, and return its id."""
        severity = cast("Severity", alert.severity)
        order = DrillOrder(org_id, drill_id, number, marked(alert.title), severity)
        return self._drills.raise_drill_alert(order)

    def alerts_of(self, org_id: str, drill_id: str) -> Sequence[InjectedAlert]:
        """Return the drill's alerts, in the order of the plan."""
        return [
            InjectedAlert(
                id=alert.id,
                title=alert.title,
                severity=alert.severity,
                status=alert.status,
                raised_at=alert.raised_at,
                acknowledged_at=alert.acknowledged_at,
                closed_at=alert.closed_at,
            )
            for alert in self._drills.alerts_of_drill(org_id, drill_id)
        ]

    def end(self, org_id: str, drill_id: str) -> int:
        """Close those that are open; return how many were."""
        return self._drills.end_drill(org_id, drill_id)
