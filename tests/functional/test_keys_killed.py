"""Processes are killed while keys are rotated, restored and destroyed.

No key and no version that was answered is lost, and none that was destroyed comes back.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kms.errors.keys import RestoreRefused
from kms.service.key_backup import RestoreRequest
from kms.store.tables.keys import kms_key_versions
from secops.kernel.errors import SecopsError
from tests.fakes.key_pool import KEEPER, USER, KeyPool, open_key_pool
from tests.functional.key_life_process import DAYS_A_RUN, INPUT, LeapingClock

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Answered:
    """What the killed processes had said was done."""

    versions: dict[str, int] = field(default_factory=dict)
    signatures: list[tuple[str, str]] = field(default_factory=list)
    backups: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    ending: set[str] = field(default_factory=set)
    destroyed: set[str] = field(default_factory=set)

    def take(self, line: dict[str, Any]) -> None:
        name = line.get("name", "")
        match line["act"]:
            case "rotated":
                self.versions[name] = line["version"]
            case "signed":
                self.versions.setdefault(name, 1)
                self.signatures.append((name, line["signature"]))
            case "backed up":
                self.backups[name] = line["backup"]
            case "restored":
                self.copies[name] = line["of"]
            case "to be destroyed":
                self.ending.add(name)
            case "destroyed":
                self.destroyed.add(name)


def live_and_die(home: Path, run: int, chance: random.Random, answered: Answered) -> None:
    """Start a process, kill it in the middle of some act, and read what it answered."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.key_life_process", str(home), str(run)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"act": "ready"}
    acts = chance.randint(15, 45)
    killer = threading.Timer(chance.uniform(0, 0.03), process.kill)
    for number, text in enumerate(process.stdout):
        if not text.endswith("\n"):
            break  # it died while it wrote this line
        answered.take(json.loads(text))
        if number == acts:
            killer.start()
    killer.join()
    process.wait()
    process.stdout.close()
    assert process.returncode == -9


def lost_and_raised(pool: KeyPool, answered: Answered) -> tuple[list[str], list[str]]:
    """Keys that miss something answered, and keys that came back."""
    services = pool.services
    lost, raised = [], []
    living = {name for name in answered.versions if name not in answered.ending}
    for name in sorted(living):
        loaded = services.keys.get_key(KEEPER, name)
        if loaded.key.latest_version < answered.versions[name] or len(loaded.versions) < 1:
            lost.append(name)
    for name, signature in answered.signatures:
        if name in living:
            fields = {**INPUT, "signature": signature}
            if not services.transit.verify(USER, name, fields).valid:
                lost.append(name)
    for name, origin in answered.copies.items():
        versions = services.keys.get_key(KEEPER, name).versions
        if set(versions) != set(range(1, answered.versions[origin] + 1)):
            lost.append(name)
    with pool.spine.read_engine.begin() as connection:
        kept = {row.key_id for row in connection.execute(select(kms_key_versions.c.key_id))}
    for name in sorted(answered.destroyed):
        key = services.keys.get_key(KEEPER, name).key
        if key.state != "destroyed" or key.id in kept or _came_back(pool, name, answered):
            raised.append(name)
    return lost, raised


def _came_back(pool: KeyPool, name: str, answered: Answered) -> bool:
    try:
        pool.services.transit.sign(USER, name, INPUT)
    except SecopsError:
        pass
    else:
        return True
    try:
        request = RestoreRequest(answered.backups[name], f"{name}-raised")
        pool.services.key_backups.restore_key(KEEPER, request)
    except RestoreRefused:
        return False
    return True


def check(home: Path, rounds: int) -> None:
    chance = random.Random(7)  # noqa: S311 - when to kill
    answered = Answered()
    for run in range(rounds):
        live_and_die(home, run, chance, answered)
    with open_key_pool(home, clock=LeapingClock(DAYS_A_RUN * rounds)) as pool:
        # what was due when the process died is carried out by the next one
        while pool.services.key_destruction.destroy_due_keys():
            pass
        lost, raised = lost_and_raised(pool, answered)
    print(
        f"killed {rounds} times: {len(answered.versions)} keys, {len(answered.copies)} copies, "
        f"{len(answered.destroyed)} destroyed: {len(lost)} lost, {len(raised)} came back"
    )
    assert answered.versions
    assert (lost, raised) == ([], [])


@pytest.mark.service
def test_killed_processes_lose_no_key_and_raise_none(tmp_path: Path) -> None:
    check(tmp_path, 1)


@pytest.mark.service
@pytest.mark.deep
def test_a_hundred_killed_processes_lose_no_key_and_raise_none(tmp_path: Path) -> None:
    check(tmp_path, 100)
