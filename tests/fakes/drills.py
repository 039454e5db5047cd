"""The detectors' door for drills, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playbooks.models import AlertSummary
from playbooks.models.drills import DRILL_RULE, DrillAlert, InjectedAlert
from tests.fakes.alert_summaries import FakeAlerts
from tests.fakes.clock import FakeClock


class FakeDrillDoor:
    """Keeps what was injected and lets the plane's alerts know of it."""

    def __init__(self, clock: FakeClock, alerts: FakeAlerts) -> None:
        self._clock = clock
        self._alerts = alerts
        self.kept: dict[tuple[str, str, int], InjectedAlert] = {}

    def inject(self, org_id: str, drill_id: str, number: int, alert: DrillAlert) -> str:
        now, key = self._clock.now(), (org_id, drill_id, number)
        if key not in self.kept:
            made = InjectedAlert(
                f"alr_drill_{number}", f"【演练 DRILL】{alert.title}", alert.severity, "open", now,
                None, None,
            )  # fmt: skip
            self.kept[key] = made
            self._alerts.kept[made.id] = AlertSummary(
                id=made.id,
                org_id=org_id,
                title=made.title,
                rule_id=f"{DRILL_RULE}{drill_id}",
                severity=made.severity,
                created_at=now,
                first_event_at=now,
                kind="drill",
            )
        return self.kept[key].id

    def alerts_of(self, org_id: str, drill_id: str) -> Sequence[InjectedAlert]:
        return [one for key, one in self.kept.items() if key[:2] == (org_id, drill_id)]

    def acknowledge(self, number: int) -> None:
        """Let a person take up an alert now."""
        for key, one in self.kept.items():
            if key[2] == number:
                self.kept[key] = replace(one, acknowledged_at=self._clock.now())

    def end(self, org_id: str, drill_id: str) -> int:
        ended = 0
        for key, one in self.kept.items():
            if key[:2] == (org_id, drill_id) and one.status == "open":
                self.kept[key] = replace(one, status="closed", closed_at=self._clock.now())
                ended += 1
        return ended
