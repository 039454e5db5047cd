"""What every test shares: no sockets unless marked, derandomised properties, the corpus."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import shutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.services.elasticsearch import elasticsearch, elasticsearch_cluster

__all__ = ["elasticsearch", "elasticsearch_cluster"]

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=2_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("deep" if os.environ.get("SECOPS_DEEP") else "ci")  # noqa: TID251 - test profile

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_EXIT = 90
MARKS_WITH_SOCKETS = ("network", "service", "browser", "postgresql")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the deep counts to ``make test-deep``."""
    if os.environ.get("SECOPS_DEEP"):  # noqa: TID251 - test profile
        return
    skip = pytest.mark.skip(reason="deep counts run in make test-deep")
    for item in items:
        if item.get_closest_marker("deep"):
            item.add_marker(skip)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Refuse to call a run good that leaves threads or processes behind, and name them."""
    left: list[object] = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon
    ]
    left.extend(multiprocessing.active_children())
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        sys.__stderr__.write("".join(f"\nleft running by a test: {each!r}" for each in left) + "\n")


def pytest_unconfigure() -> None:
    """End a process that cannot end by itself, and show what holds it."""
    faulthandler.dump_traceback_later(SECONDS_TO_EXIT, exit=True, file=sys.__stderr__)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections from tests that don't say they need them."""
    if any(request.node.get_closest_marker(mark) for mark in MARKS_WITH_SOCKETS):
        return

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            msg = f"a test without the mark `network` connects to {address!r}"
            raise AssertionError(msg)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def openssl_command() -> str:
    """The foreign judge of signatures and certificates; skips where it is absent."""
    found = shutil.which("openssl")
    return found or pytest.skip("no openssl command (Debian: openssl)")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files; skips where it is absent, unless it is required."""
    chosen = os.environ.get("SECOPS_CORPUS")  # noqa: TID251 - where the corpus lies
    folder = Path(chosen) if chosen else ROOT.parent / "shared"
    if (folder / "data").is_dir():
        return folder / "data"
    if os.environ.get("SECOPS_REQUIRE_CORPUS") == "1":  # noqa: TID251 - as above
        pytest.fail(f"SECOPS_REQUIRE_CORPUS=1, but there is no corpus at {folder}")
    pytest.skip(f"no corpus at {folder} (set SECOPS_CORPUS)")
