"""A reader of followed files killed at any point: every line is an event once."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from detectors.adapters.tails import LocalTails
from detectors.models import DetectorsOptions
from detectors.models.logs import LogSource
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SystemClock
from secops.kernel.logs import And, Window
from tests.fakes.parts import database_spine

ROUNDS = 12


def follow(home: Path, log: Path, *, killed_at: str = "") -> int:
    """Read all that is new in a process of its own; it kills itself at ``killed_at``."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        spine = database_spine(home, clock=SystemClock())
        plane = install(spine.parts, DetectorsPorts(), DetectorsOptions())
        assert isinstance(plane.services, DetectorsServices)
        original = LocalTails.advance

        def advance(self: LocalTails, *given: object) -> None:
            if killed_at == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            original(self, *given)  # type: ignore[arg-type]
            if killed_at == "after":
                os.kill(os.getpid(), signal.SIGKILL)

        LocalTails.advance = advance  # type: ignore[method-assign]
        source = LogSource("auth", ROOT_ORG, "syslog", "UTC", path=str(log), follow=True)
        while plane.services.follower.tail_file(source):
            pass
        spine.close()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the parent learns it from the exit code
        os._exit(70)


def test_a_reader_killed_between_storing_and_checkpoint_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    home, log = tmp_path / "home", tmp_path / "auth.log"
    home.mkdir()
    dice = random.Random(45)  # noqa: S311 - a test's dice
    written: list[str] = []
    for number in range(ROUNDS):
        at = f"17:{number:02d}:23"
        lines = [f"Nov 22 {at} gw app: line {dice.randrange(9)}" for _ in range(25)]
        written += lines
        with log.open("a") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        code = follow(home, log, killed_at=dice.choice(("before", "after", "")))
        assert code in (0, -signal.SIGKILL)
        if number % 4 == 3:
            log.rename(tmp_path / f"auth.log.{ROUNDS - number}")
            log.touch()
    assert follow(home, log) == 0

    spine = database_spine(home, clock=SystemClock())
    plane = install(spine.parts, DetectorsPorts(), DetectorsOptions())
    assert isinstance(plane.services, DetectorsServices)
    found = plane.services.logs.store.search(And(()), Window(), 10_000)
    stored = sorted(each.event.raw.decode() for each in found)
    spine.close()
    print(f"{len(written)} lines, {len(set(written))} different, {len(stored)} events")
    assert stored == sorted(written)


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
