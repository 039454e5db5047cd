"""Alerts for the response plane: what an incident needs to know of one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from detectors.models.alerts import Alert, AlertFilter
from detectors.service import DetectorsServices
from playbooks.models.incidents import AlertSummary
from secops.kernel.actors import Actor
from secops.kernel.pages import MAX_LIMIT, PageRequest, decode_cursor

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
        found: list[AlertSummary] = []
        page = PageRequest(MAX_LIMIT)
        while len(found) < limit:
            listed = self._detectors.alerts.list_alerts(actor, AlertFilter(since=since), page)
            found += [_summary(one) for one in listed.items if one.org_id == actor.org_id]
            if listed.next is None:
                break
            page = PageRequest(MAX_LIMIT, decode_cursor(listed.next))
        return found[:limit]


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
