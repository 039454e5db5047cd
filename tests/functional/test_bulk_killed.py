"""kill -9 at the edges of a bulk action's parts: each alert is written once, none is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from detectors.core.bulk_roots import extended_root
from detectors.models import DetectorsOptions
from detectors.models.alerts import AlertFilter
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.triage import bulk_runner
from detectors.service.triage.bulk_actions import token_of
from detectors.store.alerts import DatabaseAlerts
from detectors.store.tables import alert_versions
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.contracts.test_detector_stores import ALERT
from tests.fakes.detection_house import ANALYST
from tests.fakes.parts import database_spine
from tests.unit.detectors.test_alert_queue import People

ALERTS = 5
ALL = PageRequest(200)
WORKER = """
import os, pathlib, signal, sys
from detectors.service.triage import bulk_runner
from detectors.store.bulk_actions import DatabaseBulkActions
from tests.fakes.parts import database_spine
from tests.functional.test_bulk_killed import opened

moment, number = sys.argv[2], int(sys.argv[3])
bulk_runner.CHUNK = bulk_runner.TOLD = 2
saved = 0
save = DatabaseBulkActions.save

def dying_save(self, tx, action, before):
    global saved
    done = save(self, tx, action, before)
    saved += 1
    if moment == "before" and saved == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

DatabaseBulkActions.save = dying_save
services = opened(database_spine(pathlib.Path(sys.argv[1])))
while services.bulk_runner.tick():
    if moment == "after" and saved == number:
        os.kill(os.getpid(), signal.SIGKILL)
"""
EVERY_EDGE = [(moment, number) for moment in ("before", "after") for number in range(1, 9)]


def opened(spine: Spine) -> DetectorsServices:
    plane = install(spine.parts, DetectorsPorts(roles=People()), DetectorsOptions())
    return cast("DetectorsServices", plane.services)


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path)
    yield made
    made.close()


def die(home: Path, moment: str, number: int) -> int:
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(home), moment, str(number)], check=False, timeout=120
    ).returncode


def check(
    spine: Spine, home: Path, edges: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> int:
    """Close all alerts in processes that die at ``edges``; return how many died."""
    monkeypatch.setattr(bulk_runner, "CHUNK", 2)
    services = opened(spine)

    def put(tx: Any) -> None:
        for n in range(ALERTS):
            alert = replace(ALERT, id=f"alr_{n}", last_at=100 + n)
            DatabaseAlerts().create(tx, alert, ("account:ann", f"account:a{n}"))

    spine.transactions.run(put)
    bulk = services.bulk_actions
    preview = bulk.preview_bulk_close(ANALYST, AlertFilter(), "noise")
    bulk.order_bulk_action(ANALYST, preview.id, token_of(preview))
    died = [die(home, moment, number) for moment, number in edges].count(-9)
    while services.bulk_runner.tick():
        pass
    done = bulk.show_bulk_action(ANALYST, preview.id)
    items = bulk.list_bulk_items(ANALYST, preview.id, None, ALL).items
    assert (done.state, done.place, done.written, done.told) == ("done", ALERTS, ALERTS, 6)
    assert [item.place for item in items] == list(range(1, ALERTS + 1))
    assert len({item.alert_id for item in items}) == ALERTS
    assert done.root == extended_root("", [(item.alert_id, item.version) for item in items])
    with spine.engine.connect() as connection:
        counted = sa.select(sa.func.count()).select_from(alert_versions)
        assert connection.execute(counted).scalar_one() == 2 * ALERTS
    closed = services.alerts.list_alerts(ANALYST, AlertFilter(status="closed"), ALL).items
    assert {alert.version for alert in closed} == {2}
    return died


def test_a_part_is_written_whole_or_not_at_all(
    spine: Spine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(spine, tmp_path, [("before", 2), ("after", 2)], monkeypatch) == 2


@pytest.mark.deep
@pytest.mark.parametrize(("moment", "number"), EVERY_EDGE)
def test_a_bulk_action_survives_a_kill_at_every_edge(
    spine: Spine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, number: int
) -> None:
    assert check(spine, tmp_path, [(moment, number)], monkeypatch) <= 1
