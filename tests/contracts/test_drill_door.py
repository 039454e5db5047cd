"""The door for drills: each alert once, marked, seen by its drill alone, closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from detectors.service import DetectorsServices
from detectors.service.triage.drills import DrillAlertService
from detectors.store.alerts import DatabaseAlerts
from playbooks.core.drill import MARK
from playbooks.models.drills import DrillAlert
from playbooks.ports.drills import DrillDoor
from secops.bridges.drills import DetectorDrills
from tests.fakes.access import FakeAccess
from tests.fakes.alert_summaries import FakeAlerts
from tests.fakes.clock import FakeClock
from tests.fakes.drills import FakeDrillDoor
from tests.fakes.parts import database_spine


@dataclass
class OnlyDrills:
    drills: DrillAlertService


@pytest.fixture(params=["fake", "detectors"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DrillDoor]:
    clock = FakeClock()
    if request.param == "fake":
        yield FakeDrillDoor(clock, FakeAlerts())
        return
    spine = database_spine(tmp_path, clock=clock, access=FakeAccess())
    services = OnlyDrills(DrillAlertService(spine.parts, DatabaseAlerts()))
    yield DetectorDrills(cast("DetectorsServices", services))
    spine.close()


def test_a_drills_alerts_come_in_once_and_end_with_it(door: DrillDoor) -> None:
    plan = [DrillAlert("爆破", "high"), DrillAlert("后门", "critical")]
    first = [door.inject("org_a", "drl_1", n, alert) for n, alert in enumerate(plan)]
    again = [door.inject("org_a", "drl_1", n, alert) for n, alert in enumerate(plan)]
    assert first == again
    found = door.alerts_of("org_a", "drl_1")
    assert [(one.id, one.title, one.severity, one.status) for one in found] == [
        (first[0], f"{MARK}爆破", "high", "open"),
        (first[1], f"{MARK}后门", "critical", "open"),
    ]
    assert door.alerts_of("org_b", "drl_1") == []
    assert door.alerts_of("org_a", "drl_2") == []
    assert door.end("org_b", "drl_1") == 0
    assert door.end("org_a", "drl_1") == 2
    assert door.end("org_a", "drl_1") == 0
    assert [one.status for one in door.alerts_of("org_a", "drl_1")] == ["closed", "closed"]
