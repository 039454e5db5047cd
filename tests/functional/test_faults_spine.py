"""Faults of the spine: kill -9, disk full, dead schedulers. Each has a control that fails."""

from __future__ import annotations

import collections
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from audits.plane import open_ledger_files
from secops.adapters.backup.service import Place, back_up, restore
from secops.adapters.database.engine import database_url, make_engine
from secops.adapters.database.tables import tasks
from secops.adapters.spine import Spine
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from secops.kernel.jobs import Task
from secops.migrations import upgrade
from tests.fakes.signer_file import FileSigner
from tests.functional.sequencer_process import sequencer_of
from tests.functional.spine_process import (
    Acknowledged,
    Killed,
    evaluate_windows,
    kill_round,
    open_process,
    sequence,
    write,
)
from tests.services.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

pytestmark = pytest.mark.service
ROOT = Path(__file__).resolve().parents[2]


def make_home(home: Path, url: str | None = None) -> None:
    engine = make_engine(database_url(home, url))
    upgrade(engine)
    engine.dispose()
    FileSigner.make(home / "signer")


def targets(records: Any, action: bytes) -> list[str]:
    """Return the ids of the records of one action."""
    found = (orjson.loads(record) for record in records if action in record)
    return [one["target"].partition(":")[2] for one in found]


def at_the_doors(spine: Spine) -> list[bytes]:
    """Return everything that stands at the doors; for homes without a sequencer."""
    records: list[bytes] = []
    for door in spine.doors.names():
        position = 0
        while (found := spine.doors.read_after(door, position, 10_000)).records:
            records += found.records
            position = found.position
    return records


def states(spine: Spine) -> set[str]:
    statement = select(tasks.c.id).where(tasks.c.kind == "state")
    return set(spine.transactions.read(lambda tx: tx.execute(statement).scalars().all()))


@dataclass(frozen=True, slots=True)
class Outcome:
    acked: set[str]
    recorded: list[str]
    changed: list[str]
    states: set[str]

    def report(self, name: str, rounds: int) -> None:
        known = {*self.recorded, *self.changed}
        print(
            f"{name}: {rounds} kills, {len(self.acked)} acknowledged,"
            f" {len(self.acked - known)} lost, {len(self.states ^ set(self.changed))} states"
            f" without or against their record"
        )

    @property
    def lost(self) -> set[str]:
        return self.acked - {*self.recorded, *self.changed}


def outcome(acked: set[str], records: list[bytes], spine: Spine) -> Outcome:
    hot, changed = targets(records, b"test.hot"), targets(records, b"test.state")
    return Outcome(acked, hot, changed, states(spine))


def sequenced(spine: Spine, home: Path) -> list[bytes]:
    """Bring the rest into the ledger, and return all its records."""
    sequencer = sequencer_of(spine, home)
    time.sleep(0.6)  # a killed sequencer's lease runs out
    while sequencer.tick():
        pass
    sequencer.drain()
    store = sequencer._parts.store
    assert sequencer.health().damaged_doors == {}
    records = [one.entry.record for one in store.entries(0, 1 << 30)]
    store.close()
    return records


def check_kills(home: Path, rounds: int) -> None:
    make_home(home)
    chance = random.Random(1)  # noqa: S311 - when to kill
    acked: set[str] = set()
    for _ in range(rounds):
        acked |= kill_round(home, chance, None)
    spine = open_process(home, "check")
    found = outcome(acked, sequenced(spine, home), spine)
    spine.close()
    found.report("kill -9, SQLite, journals and sequencer", rounds)
    assert len(found.acked) > rounds
    assert found.lost == set()
    assert sorted(found.states) == sorted(found.changed)
    assert len(set(found.recorded)) == len(found.recorded)
    verdict = open_ledger_files(home).verify_ledger()
    assert verdict.valid, verdict


def test_killed_forty_times_no_acknowledged_act_is_lost_and_roots_match(tmp_path: Path) -> None:
    check_kills(tmp_path, 40)


@pytest.mark.deep
def test_killed_a_thousand_times_no_acknowledged_act_is_lost(tmp_path: Path) -> None:
    check_kills(tmp_path, 1_000)


@pytest.mark.postgresql
def test_killed_over_postgresql_state_and_record_agree(tmp_path: Path, postgresql_url: str) -> None:
    chance, acked = random.Random(2), set[str]()  # noqa: S311 - when to kill
    rounds = 10
    for _ in range(rounds):
        acked |= kill_round(tmp_path, chance, postgresql_url, sequenced=False)
    spine = open_process(tmp_path, "check", postgresql_url)
    found = outcome(acked, at_the_doors(spine), spine)
    spine.close()
    found.report("kill -9, PostgreSQL and journals", rounds)
    assert found.lost == set()
    assert sorted(found.states) == sorted(found.changed)


def test_control_answering_before_the_commit_loses_acts(tmp_path: Path) -> None:
    make_home(tmp_path)
    chance, acked = random.Random(3), set[str]()  # noqa: S311 - when to kill
    for _ in range(5):
        acked |= kill_round(tmp_path, chance, None, answer_first=True, sequenced=False)
    spine = open_process(tmp_path, "check")
    found = outcome(acked, at_the_doors(spine), spine)
    spine.close()
    found.report("control, answer first", 5)
    assert len(found.lost) > 0


def ledger_facts(home: Path, url: str) -> dict[str, Any]:
    files = open_ledger_files(home, url)
    verdict = files.verify_ledger()
    files.close()
    roots = {"sha256": verdict.sha256_root.hex(), "sm3": verdict.sm3_root.hex()}
    return {"valid": verdict.valid, "entries": verdict.entries, **roots}


def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    home, back = tmp_path / "home", tmp_path / "back"
    home.mkdir()
    make_home(home)
    acked = Acknowledged()
    jobs = [(write, (home, None, acked.writer, False))] * 2
    running = Killed([*jobs, (sequence, (home,))])
    assert acked.wait_for_first(20)
    time.sleep(1.0)
    before = set(acked.ids)
    tools = {"randomness": SystemRandomness(), "facts": ledger_facts}
    report = back_up(Place(home), tmp_path / "b.tgz", clock=SystemClock(), **tools)
    running.kill()
    acked.close()
    restore(tmp_path / "b.tgz", Place(back), **tools)
    spine = open_process(back, "check")
    found = outcome(before, sequenced(spine, back), spine)
    spine.close()
    verdict = open_ledger_files(back).verify_ledger()
    print(
        f"backup under load: {len(before)} acknowledged before it, {len(found.lost)} lost,"
        f" {report.facts['entries']} entries then, {verdict.entries} after sequencing the rest"
    )
    assert report.facts["valid"] is True
    assert found.lost == set()
    assert sorted(found.states) == sorted(found.changed)
    assert len(set(found.recorded)) == len(found.recorded)
    assert verdict.valid


def run_on_small_disk(mode: str, megabytes: int = 24) -> dict[str, Any]:
    """Run the disk-full story on a tmpfs of its own, in a mount namespace of its own."""
    if os.geteuid() != 0:
        pytest.skip("a private mount namespace needs root")
    script = (
        f"mount -t tmpfs -o size={megabytes}m tmpfs /mnt &&"
        f" exec {sys.executable} -m tests.functional.disk_full /mnt {mode}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0 and ("unshare" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"no private mount namespace here: {done.stderr.strip()[:120]}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_full_disk_refuses_grants_keeps_revocation_and_recovers() -> None:
    found = run_on_small_disk("real")
    print(
        f"disk full: {found['acked']} acknowledged, {found['refused']} refused,"
        f" {found['lost']} lost, {found['without_record']} states without record"
    )
    assert found["acked"] > 0
    assert found["refused"] > 0
    expected = {
        "codes": ["audit_unavailable"],
        "lost": 0,
        "without_record": 0,
        "run_when_full": "audit_unavailable",
        "hot_when_full": "audit_unavailable",
        "restricted_here": True,
        "restricted_elsewhere": True,
        "first_after_recovery": "iam.revoke_session",
        "works_again": True,
    }
    assert {key: found[key] for key in expected} == expected


def test_control_answering_before_the_write_loses_acts_on_a_full_disk() -> None:
    found = run_on_small_disk("answer_first")
    print(f"control, disk full: {found['acked']} acknowledged, {found['lost']} lost")
    assert found["lost"] > 0


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[Spine]:
    make_home(tmp_path)
    spine = open_process(tmp_path, "check")
    yield spine
    spine.close()


def run_windows(spine: Spine, home: Path, total: int, *, one: bool) -> collections.Counter[int]:
    """Let two schedulers work, kill one after the other; return how often each window ran."""
    cursor = Task("cursor", "org_root", "c", "running", 0, total, 0)
    spine.transactions.run(lambda tx: spine.parts.tasks.create(tx, cursor))
    chance = random.Random(4)  # noqa: S311 - when to kill
    running = [Killed([(evaluate_windows, (home, total, one))]) for _ in range(2)]
    kills, until = 0, time.monotonic() + 120
    while (done := progress(spine)) < total and time.monotonic() < until:
        time.sleep(chance.uniform(0.1, 0.4))
        if kills < 9 and done:
            running.pop(0).kill()
            kills += 1
            running.append(Killed([(evaluate_windows, (home, total, one))]))
    for killed in running:
        killed.kill()
    times = collections.Counter(
        int(number) for number in targets(at_the_doors(spine), b"test.window")
    )
    missed = total - len(times)
    double = sum(count - 1 for count in times.values())
    print(f"schedulers: {total} windows, {kills} kills: {missed} missed, {double} double")
    return times


def progress(spine: Spine) -> int:
    return spine.transactions.read(lambda tx: spine.parts.tasks.get(tx, "cursor")).done


def test_with_schedulers_killed_each_window_runs_once(windows: Spine, tmp_path: Path) -> None:
    times = run_windows(windows, tmp_path, 1_000, one=True)
    assert times == collections.Counter(range(1_000))


@pytest.mark.deep
def test_with_schedulers_killed_each_of_ten_thousand_windows_runs_once(
    windows: Spine, tmp_path: Path
) -> None:
    times = run_windows(windows, tmp_path, 10_000, one=True)
    assert times == collections.Counter(range(10_000))


def test_control_effect_and_done_in_two_transactions_double_a_window(
    windows: Spine, tmp_path: Path
) -> None:
    times = run_windows(windows, tmp_path, 300, one=False)
    assert times != collections.Counter(range(300))


def test_a_revocation_reaches_every_process_within_a_second(tmp_path: Path) -> None:
    make_home(tmp_path)
    here, there = open_process(tmp_path, "here"), open_process(tmp_path, "there")
    there.revocations.is_revoked("session", "none")
    delays = []
    for number in range(50):
        name = f"s{number}"
        here.transactions.run(lambda tx, name=name: here.revocations.revoke(tx, "session", name))
        assert here.revocations.is_revoked("session", name)
        begun = time.monotonic()
        while not there.revocations.is_revoked("session", name):
            assert time.monotonic() - begun < 10.0
            time.sleep(0.002)
        delays.append(time.monotonic() - begun)
    here.close()
    there.close()
    print(f"revocation elsewhere: {len(delays)} times, slowest {max(delays) * 1000:.0f} ms")
    assert sorted(delays)[len(delays) // 2] < 1.0
