"""The sequencer is killed at random instants: every record enters the ledger exactly once."""

from __future__ import annotations

import collections
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from secops.kernel.actors import system_actor
from secops.kernel.trail import Act
from secops.migrations import upgrade
from tests.fakes.signer_file import FileSigner
from tests.functional.sequencer_process import sequencer_of, spine_of

ROOT = Path(__file__).resolve().parents[2]


def act(number: int) -> Act:
    return Act("tests.act", system_actor("tester"), "thing:x", details={"number": number})


def start(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.sequencer_process", str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def run_killed(home: Path, rounds: int) -> tuple[int, list[int], int]:
    """Append through both doors while sequencers die; return how many, what is there, kills."""
    chance = random.Random(3)  # noqa: S311 - when to kill
    FileSigner.make(home / "signer")
    spine = spine_of(home, "gateway")
    upgrade(spine.engine)
    spine.start()
    count = 0
    for _ in range(rounds):
        process = start(home)
        until = time.monotonic() + chance.uniform(0.1, 0.6)
        while time.monotonic() < until:
            numbers = [act(count + place) for place in range(5)]
            spine.parts.trail.append(numbers)
            spine.parts.transactions.run(lambda tx, number=count + 5: tx.record(act(number)))
            count += 6
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    last = sequencer_of(spine, home)
    until = time.monotonic() + 20
    while last.health().checkpointed < count and time.monotonic() < until:
        last.tick()
    store = last._parts.store
    assert last.health().damage is None
    found = [orjson.loads(one.entry.record) for one in store.entries(0, count + 1_000)]
    spine.close()
    store.close()
    return count, [one["details"]["number"] for one in found], rounds


def check(home: Path, rounds: int) -> None:
    from audits.plane import open_ledger_files  # noqa: PLC0415 - heavy

    count, numbers, kills = run_killed(home, rounds)
    times = collections.Counter(numbers)
    lost = count - len(times)
    double = sum(1 for value in times.values() if value > 1)
    print(f"sequencer killed {kills} times, {count} records: {lost} lost, {double} double")
    assert (lost, double) == (0, 0)
    with closing(open_ledger_files(home)) as files:
        verdict = files.verify_ledger()
    assert verdict.first_bad is None
    assert count == verdict.entries


@pytest.mark.service
def test_a_killed_sequencer_loses_and_doubles_nothing(tmp_path: Path):
    check(tmp_path, 10)


@pytest.mark.service
@pytest.mark.deep
def test_a_sequencer_killed_two_hundred_times_loses_and_doubles_nothing(tmp_path: Path):
    check(tmp_path, 200)
