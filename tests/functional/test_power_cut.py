"""A simulated power cut at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from secops.adapters.spine import COMMAND_FILE_BYTES, SpineOptions, open_spine
from tests.fakes.access import FakeAccess
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.fakes.randomness import FakeRandomness
from tests.services.power_cut import Disk, Operation, Unavailable, build_shim, read_trace

pytestmark = pytest.mark.service

ACTS = 60
CUTS = 200 if os.environ.get("SECOPS_DEEP") else 30  # noqa: TID251 - test profile


@dataclass(frozen=True, slots=True)
class Traced:
    """A home before a process wrote to it, and what the process did."""

    base: Path
    home: Path
    operations: list[Operation]


def traced(folder: Path, kind: str) -> Traced:
    try:
        shim = build_shim(folder)
    except Unavailable as missing:
        pytest.skip(str(missing))
    home, trace = folder / "home", folder / "trace"
    home.mkdir()
    database_spine(home).close()
    for name in ("secops.db-wal", "secops.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copytree(home, folder / "base")
    environment = {
        **os.environ,  # noqa: TID251 - the child's
        "LD_PRELOAD": str(shim),
        "POWER_ROOT": str(home),
        "POWER_TRACE": str(trace),
    }
    command = [sys.executable, "-m", "tests.services.power_cut.worker", str(home), str(ACTS), kind]
    subprocess.run(command, env=environment, check=True, timeout=120)
    return Traced(folder / "base", home, list(read_trace(trace)))


def acknowledged(operations: list[Operation], home: Path) -> set[str]:
    acks = str(home / "acks")
    return {
        operation.data.decode().strip()
        for operation in operations
        if operation.kind == "w" and operation.path == acks
    }


def survived(home: Path) -> set[str]:
    """Return the acts that a process which opens ``home`` now would sequence."""
    spine = open_spine(
        SpineOptions(home=home, role="test", journal_bytes=COMMAND_FILE_BYTES),
        clock=FakeClock(),
        randomness=FakeRandomness(),
        access=FakeAccess(),
    )
    try:
        with spine.read_engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
        found: set[str] = set()
        for door in spine.doors.names():
            position = 0
            while records := (batch := spine.doors.read_after(door, position, 1_000)).records:
                found |= {orjson.loads(each)["target"].removeprefix("x:") for each in records}
                position = batch.position
        return found
    finally:
        spine.close()


def lost_by_cuts(seen: Traced, folder: Path, cuts: int) -> tuple[int, int]:
    """Return how many acknowledged acts ``cuts`` power cuts lose, and in how many of them."""
    dice = random.Random(20_261_123)  # noqa: S311 - it must repeat
    moments = sorted(dice.sample(range(1, len(seen.operations)), cuts))
    disk, done, lost, cases = Disk(seen.home, seen.base), 0, 0, 0
    for number, moment in enumerate(moments):
        for operation in seen.operations[done:moment]:
            disk.run(operation)
        done = moment
        after = folder / f"cut-{number}"
        disk.cut(dice, after)
        missing = acknowledged(seen.operations[:moment], seen.home) - survived(after)
        lost += len(missing)
        cases += bool(missing)
        shutil.rmtree(after)
    return lost, cases


def test_nothing_acknowledged_is_lost_by_a_power_cut(tmp_path: Path) -> None:
    seen = traced(tmp_path, "real")
    lost, _ = lost_by_cuts(seen, tmp_path, CUTS)
    told = len(acknowledged(seen.operations, seen.home))
    print(f"{CUTS} cuts in {len(seen.operations)} operations, {told} acknowledged, {lost} lost")
    assert told == 4 * ACTS
    assert lost == 0


def test_the_control_that_answers_first_loses(tmp_path: Path) -> None:
    lost, cases = lost_by_cuts(traced(tmp_path, "control"), tmp_path, 20)
    print(f"control: {lost} lost in {cases} of 20 cuts")
    assert lost > 0
