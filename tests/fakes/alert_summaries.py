"""Alerts as the playbooks plane sees them."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.models import AlertSummary
from secops.kernel.actors import Actor
from tests.fakes.clock import START


class FakeAlerts:
    def __init__(self, *alerts: AlertSummary) -> None:
        self.kept = {alert.id: alert for alert in alerts}

    def get_alert(self, org_id: str, alert_id: str) -> AlertSummary | None:
        alert = self.kept.get(alert_id)
        return alert if alert is not None and alert.org_id == org_id else None

    def alerts_since(self, actor: Actor, since: int, limit: int) -> Sequence[AlertSummary]:
        mine = [one for one in self.kept.values() if one.org_id == actor.org_id]
        return [one for one in mine if one.created_at >= since][:limit]


def alert(alert_id: str = "alr_1", **values: str) -> AlertSummary:
    """Return an alert about zhang.san and an address of the documentation range."""
    return AlertSummary(
        id=alert_id,
        org_id=values.get("org_id", "org_root"),
        title=values.get("title", "SSH 暴力破解"),
        rule_id="rule-ssh-brute-force",
        severity=values.get("severity", "high"),
        created_at=START,
        first_event_at=START,
        subjects={"account": "zhang.san", "address": "192.0.2.7"},
        evidence={"e1": "00" * 32, "e2": "11" * 32},
        incident_class=values.get("incident_class", "NACRED"),
    )
