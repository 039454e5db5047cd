"""The processes behind ``serve``: the supervisor's promises, the scheduler's beginning and end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from secops.adapters.gateway import GatewayOptions, Supervisor
from secops.app import open_house
from secops.bridges.processes import run_scheduler
from secops.cli.bench.served import free_port
from tests.fakes.demo_site import make_demo_home
from tests.fakes.tiny_gateway import die_at_once, wait_for_the_end

pytestmark = pytest.mark.service
STOPS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


RESTARTS = 5


def options(port: int, address: str = "127.0.0.1") -> GatewayOptions:
    return GatewayOptions("tests.fakes.tiny_gateway:application", (address,), port, 1, 4)


def answers(port: int, path: str = "/") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_supervisor_says_when_it_serves_and_ends_with_0_when_asked() -> None:
    port = free_port()
    code = Supervisor(options(port), wait_for_the_end).run(stop, lambda: answers(port))
    assert code == 0
    assert not answers(port)


def test_a_scheduler_that_dies_is_started_again_and_the_gateway_goes_on(tmp_path: Path) -> None:
    port, starts = free_port(), tmp_path / "starts"

    def started_twice() -> bool:
        return answers(port) and starts.is_file() and starts.stat().st_size >= 2

    code = Supervisor(options(port), partial(die_at_once, starts)).run(stop, started_twice)
    assert code == 0


def test_a_gateway_that_dies_is_started_again_until_it_dies_too_often() -> None:
    port = free_port()
    deaths = 0

    def kill_it_whenever_it_serves() -> None:
        nonlocal deaths
        while deaths < RESTARTS + 1:
            if answers(port):
                deaths += 1
                answers(port, "/die")

    killer = threading.Thread(target=kill_it_whenever_it_serves)
    supervisor = Supervisor(options(port), wait_for_the_end)
    code = supervisor.run(killer.start, lambda: answers(port))
    killer.join(30)
    assert (code, deaths) == (1, RESTARTS + 1)


def test_a_gateway_that_cannot_begin_ends_the_service_with_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        announced: list[bool] = []
        supervisor = Supervisor(options(port, "203.0.113.1"), wait_for_the_end)
        code = supervisor.run(lambda: announced.append(True), lambda: False)
    assert (code, announced) == (1, [])


def test_a_scheduler_runs_every_planes_jobs_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    make_demo_home(tmp_path / "home")
    house = open_house(tmp_path / "home", "scheduler")
    before = house.audits.ledger.store.entries(0, 10_000)
    nothing = signal.getsignal(signal.SIGTERM)
    seen: list[str] = []

    def stop_once_it_runs() -> None:
        wait = threading.Event()
        while signal.getsignal(signal.SIGTERM) is nothing:
            wait.wait(0.05)
        try:
            ends = house.parts.clock.monotonic() + 60
            while not seen and house.parts.clock.monotonic() < ends:
                wait.wait(0.05)
                seen.extend(owned(tmp_path / "home"))
        finally:
            stop()

    watcher = threading.Thread(target=stop_once_it_runs)
    watcher.start()
    run_scheduler(house)
    watcher.join(30)
    assert not watcher.is_alive()
    assert seen
    again = open_house(tmp_path / "home")
    try:
        assert len(again.audits.ledger.store.entries(0, 10_000)) >= len(before)
        assert again.audits.ledger.files.verify_ledger().valid
    finally:
        again.close()


def owned(home: Path) -> list[str]:
    """Return the leases that were taken: these jobs have begun."""
    from secops.adapters.database.engine import make_engine  # noqa: PLC0415 - only here

    engine = make_engine(f"sqlite:///{home / 'secops.db'}", read_only=True)
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT name FROM leases").scalars().all()
            return [str(name) for name in found]
    finally:
        engine.dispose()
