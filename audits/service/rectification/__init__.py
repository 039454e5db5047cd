"""Rectification: tasks from findings, re-checked by the same check; waivers beside verdicts."""

from __future__ import annotations

from dataclasses import dataclass

from audits.service.rectification.rechecks import RecheckService
from audits.service.rectification.tasks import TaskService
from audits.service.rectification.waivers import WaiverService
from audits.service.rectification_desk import RectificationDesk
from audits.service.risks.acceptance import AcceptanceService
from audits.service.risks.filling import FillingService
from audits.service.risks.register import RiskService
from audits.service.risks.scans import ScanService

__all__ = ["RectificationServices", "build_rectification"]


@dataclass(frozen=True, slots=True)
class RectificationServices:
    """What is done about findings and risks."""

    tasks: TaskService
    rechecks: RecheckService
    waivers: WaiverService
    risks: RiskService
    acceptance: AcceptanceService
    filling: FillingService
    scans: ScanService


def build_rectification(desk: RectificationDesk) -> RectificationServices:
    """Return the services over one desk."""
    return RectificationServices(
        tasks=TaskService(desk),
        rechecks=RecheckService(desk),
        waivers=WaiverService(desk),
        risks=RiskService(desk),
        acceptance=AcceptanceService(desk),
        filling=FillingService(desk),
        scans=ScanService(desk),
    )
