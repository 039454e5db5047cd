"""Alerts for the response plane: what an incident needs to know of one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from detectors.models.alerts import Alert, AlertFilter
from detectors.service import DetectorsServices
from playbooks.models.incidents import AlertSummary
from secops.kernel.actors import Actor
from secops.kernel.pages import every_item

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
        evidence = {
            line.event.id: hashlib.sha256(line.event.raw).hexdigest() for line in found.events
        }
        return replace(_summary(found.alert), evidence=evidence)

    def alerts_since(self, actor: Actor, since: int, limit: int) -> Sequence[AlertSummary]:
        """Return alerts since ``since``, newest first, with the caller's own rights."""
        alerts, wanted = self._detectors.alerts, AlertFilter(since=since)
        found = every_item(lambda page: alerts.list_alerts(actor, wanted, page))
        own = (_summary(one) for one in found if one.org_id == actor.org_id)
        return list(islice(own, limit))


def _summary(alert: Alert) -> AlertSummary:
    """Return the alert without the hashes of its lines."""
    return AlertSummary(
        id=alert.id,
        org_id=alert.org_id,
        title=alert.custom.get("title_zh") or alert.title,
        rule_id=alert.rule_id,
        severity=alert.severity,
        created_at=alert.raised_at,
        first_event_at=alert.first_at,
        subjects=alert.subjects,
        incident_class=alert.custom.get("gbt20986", ""),
        kind=SILENT if alert.group[:1] == (SILENT,) else alert.kind,
    )
