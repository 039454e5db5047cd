"""The compliance-gap detector: an alert for each control item that fell, ended when it is back.

It is told that something moved and then asks what stands open now, so that a message delivered
twice, late or out of order changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.detection import alert_id
from detectors.errors import AlertNotFound
from detectors.models.alerts import Alert, AlertFilter, Reason
from detectors.models.controls import ControlGap
from detectors.ports import AlertStore
from detectors.ports.controls import ControlChecks
from detectors.service.rules.rule_alerts import cure, listed_alerts, open_health
from secops.kernel.events import ControlStatusChanged, Delivery
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

RULE: Final = "secops.compliance_gap"
_VERSION: Final = "1"
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class ControlWatch:
    """Keeps the alerts of an organisation in line with its compliance gaps."""

    parts: Parts
    checks: ControlChecks
    alerts: AlertStore

    def status_changed(self, delivery: Delivery) -> None:
        """Handle a changed control status, however often it is delivered."""
        told = delivery.announcement
        if isinstance(told, ControlStatusChanged):
            self.follow(told.org_id)

    def follow(self, org_id: str) -> None:
        """Open an alert for each gap, end those whose gap is gone.

        One that a person closed stays closed until the item falls again.
        """
        gaps = {_alert_id(org_id, gap): gap for gap in self.checks.gaps(org_id)}

        def work(tx: Transaction) -> None:
            for gap in gaps.values():
                self._open(tx, _alert(org_id, gap))
            wanted = AlertFilter(status="open", rule_id=RULE)
            # all before the first is ended: what ends moves under the cursor
            for alert in list(listed_alerts(tx, self.alerts, org_id, wanted)):
                if alert.id not in gaps:
                    cure(tx, self.alerts, alert.id)

        self.parts.transactions.run(work)

    def _open(self, tx: Transaction, alert: Alert) -> None:
        try:
            old = self.alerts.get(tx, alert.id)
        except AlertNotFound:
            old = None
        if old is not None and old.closed_at is not None and alert.first_at <= old.closed_at:
            return
        open_health(tx, self.alerts, alert)


def _alert_id(org_id: str, gap: ControlGap) -> str:
    """Return the id of a gap's alert; two organisations may have gaps of one name."""
    return alert_id(RULE, (org_id, gap.id), "")


def _alert(org_id: str, gap: ControlGap) -> Alert:
    return Alert(
        id=_alert_id(org_id, gap),
        org_id=org_id,
        kind="control",
        rule_id=RULE,
        rule_version=_VERSION,
        title=f"{gap.title.zh} / {gap.title.en}",
        severity=gap.severity,
        raised_at=gap.since,
        first_at=gap.since,
        last_at=gap.since,
        group=("control", gap.id),
        subjects={},
        reasons=(
            Reason("status", gap.before, gap.after),
            Reason("reason", gap.standard, gap.reason.zh[:_LONGEST]),
        ),
        event_ids=(),
        event_count=0,
        custom={"link": gap.link} if gap.link else {},
    )
