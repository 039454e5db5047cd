"""What the register of risks is told of alerts: the open ones of the caller's organisation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from detectors.models.alerts import AlertFilter
from detectors.service import DetectorsServices
from secops.bridges.findings import DetectorFindings
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from tests.fakes.rectification_house import ANALYST


def found(alert_id: str, severity: str, **more: str) -> Any:
    told = {"org_id": ANALYST.org_id, "kind": "rule", "status": "open", **more}
    rule = {"rule_id": "r1", "title": "Brute force", "custom": {"title_zh": "暴力破解"}}
    return SimpleNamespace(id=alert_id, severity=severity, subjects={}, raised_at=7, **told, **rule)


ALERTS = (
    found("high", "high"),
    found("grave", "critical"),
    found("mild", "low"),
    found("closed", "critical", status="closed"),
    found("drill", "critical", kind="drill"),
    found("silence", "high", kind="health"),
    found("below", "critical", org_id="org_below"),
)


class Alerts:
    """Answers as the service does: any status where none is wanted."""

    def list_alerts(self, actor: Actor, wanted: AlertFilter, page: PageRequest) -> Page[Any]:
        assert (actor, wanted.since, page.after) == (ANALYST, 5, None)
        chosen = [
            one
            for one in ALERTS
            if one.severity == wanted.severity and wanted.status in (None, one.status)
        ]
        return Page(chosen, None)


def test_open_severe_alerts_of_ones_own_organisation_the_gravest_first() -> None:
    look = DetectorFindings(cast("DetectorsServices", SimpleNamespace(alerts=Alerts())))
    seen = look(ANALYST, 5, 10)
    assert [(one.id, one.critical, one.title) for one in seen] == [
        ("grave", True, "暴力破解"),
        ("high", False, "暴力破解"),
    ]
    assert [one.id for one in look(ANALYST, 5, 1)] == ["grave"]
