"""Alerts for the response plane: what an incident needs to know of one."""

from __future__ import annotations

import hashlib
from typing import Final

from detectors.service import DetectorsServices
from playbooks.models.incidents import AlertSummary

SILENT: Final = "source_silent"


class DetectorAlerts:
    """Implements ``playbooks.ports.Alerts``."""

    def __init__(self, detectors: DetectorsServices) -> None:
        self._detectors = detectors

    def get_alert(self, org_id: str, alert_id: str) -> AlertSummary | None:
        """Return the alert if ``org_id`` may see it, with the hashes of its raw lines."""
        found = self._detectors.alerts.find_alert(org_id, alert_id)
        if found is None:
            return None
        alert = found.alert
        return AlertSummary(
            id=alert.id,
            org_id=alert.org_id,
            title=alert.title,
            rule_id=alert.rule_id,
            severity=alert.severity,
            created_at=alert.raised_at,
            first_event_at=alert.first_at,
            subjects=alert.subjects,
            evidence={
                line.event.id: hashlib.sha256(line.event.raw).hexdigest() for line in found.events
            },
            incident_class=alert.custom.get("gbt20986", ""),
            kind=SILENT if alert.group[:1] == (SILENT,) else alert.kind,
        )
