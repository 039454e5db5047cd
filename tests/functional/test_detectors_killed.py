"""Two schedulers as processes, one of them killed again and again: each window once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from detectors.models import DetectorsOptions
from detectors.models.alerts import Alert, AlertFilter
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.store.tables import alerts, cursors, evaluations, gaps
from secops.adapters.database.tables import ledger_door, outbox_events
from secops.adapters.spine import Spine
from secops.kernel.clock import SystemClock
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.detection_house import ANALYST, log_events
from tests.fakes.parts import database_spine

ROOT = Path(__file__).resolve().parents[2]
STEP = 25
LEASE_SECONDS = 0.4
PATIENCE = 180.0
"""Seconds without any progress after which the schedulers count as stopped."""

pytestmark = pytest.mark.service

EXTRA = """
title: root came in after failures
status: stable
correlation:
  type: temporal_ordered
  rules: [failed_here, failed_here, root_here]
  timespan: 40s
  group-by: [source.ip]
---
title: many ports of one host
status: stable
correlation:
  type: value_count
  rules: [failed_here]
  timespan: 20s
  group-by: [host.name, source.ip]
  condition: {gte: 15, field: source.port}
---
title: failed here
name: failed_here
status: stable
logsource: {product: linux, service: sshd}
detection:
  selection: {event.action: ssh_login, event.outcome: failure}
  condition: selection
---
title: root here
name: root_here
status: stable
logsource: {product: linux, service: sshd}
detection:
  selection: {event.action: ssh_login, event.outcome: success, user.name: root}
  condition: selection
"""
"""Correlations of two more types, beside those of the product."""


def lines(count: int) -> list[str]:
    """Failures from many addresses in bursts, and a root login now and then."""
    found = []
    for n in range(count):
        stamp = f"Nov 20 {n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}"
        origin = f"from 203.0.113.{n // 40 % 200} port {1024 + n} ssh2"
        if n % 97 == 0:
            found.append(f"{stamp} web sshd[{n}]: Accepted password for root {origin}")
        else:
            found.append(f"{stamp} web sshd[{n}]: Failed password for admin {origin}")
    return found


@contextmanager
def opened(home: Path) -> Iterator[tuple[Spine, DetectorsServices]]:
    (home / "rules").mkdir(parents=True, exist_ok=True)
    (home / "rules" / "extra.yml").write_text(EXTRA)
    spine = database_spine(home, clock=SystemClock())
    try:
        options = DetectorsOptions(process="parent")
        services = install(spine.parts, DetectorsPorts(), options).services
        assert isinstance(services, DetectorsServices)
        yield spine, services
    finally:
        spine.close()


def store(services: DetectorsServices, written: list[str]) -> None:
    services.logs.store.append(log_events(written, SystemClock().now()))


def found(services: DetectorsServices) -> set[tuple[str, int, int, int]]:
    request, everything = PageRequest(200), set()
    while True:
        page = services.alerts.list_alerts(ANALYST, AlertFilter(), request)
        everything |= {(a.id, a.event_count, a.first_at, a.last_at) for a in page.items}
        if page.next is None:
            return everything
        request = PageRequest(200, decode_cursor(page.next))


def correlated(services: DetectorsServices) -> list[Alert]:
    page = services.alerts.list_alerts(ANALYST, AlertFilter(), PageRequest(200))
    return [alert for alert in page.items if alert.kind == "correlation"]


def worker(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.functional.detector_worker"]
    return subprocess.Popen([*command, str(home), str(STEP), str(LEASE_SECONDS)], cwd=ROOT)


def slowest(spine: Spine) -> int:
    """Return up to where every detector has seen all."""
    with spine.engine.connect() as connection:
        seqs = list(connection.execute(sa.select(cursors.c.next_seq)).scalars())
        left = list(connection.execute(sa.select(gaps.c.first_seq)).scalars())
    return min([*seqs, *left], default=1)


@pytest.mark.parametrize(
    ("windows", "kills"), [(30, 3), pytest.param(1_000, 40, marks=pytest.mark.deep)]
)
def test_schedulers_that_are_killed_evaluate_each_window_once(
    tmp_path: Path, windows: int, kills: int
) -> None:
    written = lines(windows * STEP)
    with opened(tmp_path / "reference") as (_, services):
        store(services, written)
        while services.runs.tick():
            pass
        expected = found(services)
        kinds = [alert.reasons[0].condition for alert in correlated(services)]
    assert len(expected) > windows // 4
    assert {"event_count", "temporal_ordered", "value_count"} <= set(kinds)
    seed = random.Random(20261122)  # noqa: S311 - a reproducible order of deaths
    home = tmp_path / "shared"
    with opened(home) as (spine, services):
        store(services, written)
        total = len(written)
        running = [worker(home), worker(home)]
        try:
            killed = _kill_until(spine, running, home, (total, kills), seed)
        finally:
            for process in running:
                process.kill()
                process.wait()
        assert found(services) == expected
        with spine.engine.connect() as connection:
            seen = [
                tuple(row)
                for row in connection.execute(
                    sa.select(evaluations.c.first_seq, evaluations.c.last_seq, evaluations.c.events)
                )
            ]
            records = list(connection.execute(sa.select(ledger_door.c.record)).scalars())
            names = list(connection.execute(sa.select(outbox_events.c.name)).scalars())
            count = connection.execute(sa.select(sa.func.count()).select_from(alerts)).scalar()
        raised = sum(b'"detectors.raise_alert"' in record for record in records)
        print(f"two schedulers, {killed} killed: {windows} windows, 0 missed, 0 double")
        assert set(seen) == {(1, total, total)}
        assert raised == names.count("alert_raised") == count == len(expected)


def _kill_until(
    spine: Spine,
    running: list[subprocess.Popen[bytes]],
    home: Path,
    goal: tuple[int, int],
    seed: random.Random,
) -> int:
    """Kill one of ``running`` whenever there was progress; return how often."""
    total, kills = goal
    killed = 0
    reached, moved = 0, time.monotonic()
    next_kill = seed.randrange(1, total // (kills + 1))
    while (at := slowest(spine)) <= total:
        if at > reached:
            reached, moved = at, time.monotonic()
        assert time.monotonic() - moved < PATIENCE, "the schedulers came to a stop"
        if killed < kills and at > next_kill:
            victim = killed % len(running)
            os.kill(running[victim].pid, signal.SIGKILL)
            running[victim].wait()
            running[victim] = worker(home)
            killed += 1
            next_kill = (killed + 1) * total // (kills + 1) - seed.randrange(total // (kills + 1))
        time.sleep(0.003)
    return killed
