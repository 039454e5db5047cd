"""Processes that tests kill: writers through both doors, a sequencer, schedulers.

They are forked from a server that has imported everything, so that a round is short.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from secops.adapters.scheduler import Scheduler, SchedulerOptions
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import AuditUnavailable, SecopsError, Unavailable
from secops.kernel.ids import SystemRandomness
from secops.kernel.jobs import Job, Task
from secops.kernel.leases import Lease
from secops.kernel.trail import Act
from tests.fakes.access import FakeAccess
from tests.functional.sequencer_process import sequencer_of

THREADS = 8
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.functional.spine_process", "audits.plane"])


def open_process(home: Path, role: str, url: str | None = None) -> Spine:
    """Return a started spine of ``home`` on real time."""
    spine = open_spine(
        SpineOptions(home=home, role=role, database_url=url, journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=FakeAccess(),
    )
    spine.start()
    return spine


def state_change(spine: Spine, identifier: str) -> None:
    """Change state and record it: a task and a leaf of the same name."""
    task = Task(identifier, "org_root", "state", "done", 1, 1, 0)
    act = Act("test.state", system_actor("test"), f"x:{identifier}")

    def work(tx: Any) -> None:
        spine.parts.tasks.create(tx, task)
        tx.record(act)

    spine.parts.transactions.run(work)


def hot_act(spine: Spine, identifier: str) -> None:
    """Append to the journal alone."""
    spine.parts.trail.append([Act("test.hot", system_actor("test"), f"x:{identifier}")])


def write(home: Path, url: str | None, pipe: Any, answer_first: bool) -> None:  # noqa: FBT001 - a child's arguments are positional
    """Write through both doors until killed; each acknowledged id goes down the pipe.

    ``answer_first`` is the control: it tells before it is durable.
    """
    spine = open_process(home, "gateway", url)

    def answer(identifier: str) -> None:
        os.write(pipe.fileno(), f"{identifier}\n".encode())  # short, so it arrives whole

    def loop(thread: int) -> None:
        for number in range(1 << 30):
            identifier = f"{os.getpid()}-{spine.owner[-10:]}-{thread}-{number}"
            if answer_first:
                answer(identifier)
            try:
                (state_change if number % 2 else hot_act)(spine, identifier)
            except (AuditUnavailable, Unavailable):
                continue
            if not answer_first:
                answer(identifier)

    threads = [threading.Thread(target=loop, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def sequence(home: Path) -> None:
    """Sequence both doors into the ledger until killed."""
    spine = open_process(home, "sequencer")
    sequencer = sequencer_of(spine, home)
    while True:
        with contextlib.suppress(SecopsError):
            sequencer.tick()
        time.sleep(0.02)


class _ShortLeases:
    """The real leases, so short that a dead holder's work goes on at once."""

    def __init__(self, spine: Spine) -> None:
        self._leases = spine.parts.leases

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        return self._leases.acquire(name, owner, seconds)

    def renew(self, lease: Lease, seconds: float) -> Lease | None:
        return self._leases.renew(lease, seconds)

    def release(self, lease: Lease) -> None:
        self._leases.release(lease)


def evaluate_windows(home: Path, total: int, one: bool) -> None:  # noqa: FBT001 - as above
    """Run a scheduler whose job does window after window up to ``total``.

    ``one`` transaction has effect and "done"; the control keeps them in two.
    """
    spine = open_process(home, "scheduler")
    parts = spine.parts

    def tick() -> bool:
        return _do_window(spine, total, in_one_transaction=one)

    scheduler = Scheduler(
        [Job("windows", 0.02, tick)],
        _ShortLeases(spine),
        owner=spine.owner,
        clock=parts.clock,
        options=SchedulerOptions(lease_seconds=0.4),
    )
    scheduler.start()
    threading.Event().wait()


def _do_window(spine: Spine, total: int, *, in_one_transaction: bool) -> bool:
    tasks, transactions = spine.parts.tasks, spine.parts.transactions

    def effect(tx: Any, number: int) -> None:
        tx.record(Act("test.window", system_actor("scheduler"), f"window:{number}"))

    def advance(tx: Any, done: int) -> None:
        task = tasks.get(tx, "cursor")
        if task.done == done:
            tasks.progress(tx, Task("cursor", "org_root", "c", "running", done + 1, total, 0))

    def both(tx: Any) -> bool:
        done = tasks.get(tx, "cursor").done
        if done >= total:
            return False
        effect(tx, done)
        advance(tx, done)
        return done + 1 < total

    if in_one_transaction:
        return transactions.run(both)
    done = transactions.read(lambda tx: tasks.get(tx, "cursor").done)
    if done < total:
        transactions.run(lambda tx: effect(tx, done))
        time.sleep(0.02)  # most kills then fall between the two
        transactions.run(lambda tx: advance(tx, done))
    return done + 1 < total


class Killed:
    """Child processes that end by SIGKILL only."""

    def __init__(self, targets: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
        self.processes = [
            SERVER.Process(target=target, args=args, daemon=True) for target, args in targets
        ]
        for process in self.processes:
            process.start()

    def kill(self) -> None:
        for process in self.processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.join()


class Acknowledged:
    """Collects, outside of the processes, the ids that were wholly acknowledged."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._first = threading.Event()
        self._reader, self.writer = SERVER.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._collect)
        self._thread.start()

    def wait_for_first(self, seconds: float) -> bool:
        return self._first.wait(seconds)

    def close(self) -> None:
        self.writer.close()
        self._thread.join()
        self._reader.close()

    def _collect(self) -> None:
        rest = b""
        while chunk := os.read(self._reader.fileno(), 1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            self.ids.update(line.decode() for line in lines)
            self._first.set()


def kill_round(home: Path, chance: random.Random, url: str | None, **how: bool) -> set[str]:
    """Let two writers and a sequencer work, kill all at a random instant; return the acked."""
    acked = Acknowledged()
    answer_first = how.get("answer_first", False)
    targets: list[Any] = [(write, (home, url, acked.writer, answer_first))] * 2
    if how.get("sequenced", True):
        targets.append((sequence, (home,)))
    killed = Killed(targets)
    started = acked.wait_for_first(20)
    time.sleep(chance.uniform(0.05, 0.25))
    killed.kill()
    acked.close()
    if not started:
        msg = "the writers acknowledged nothing within 20 s"
        raise AssertionError(msg)
    return acked.ids
