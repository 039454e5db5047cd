"""How many acts become durable in a second, through either door, with this machine's disk.

Each process is a real one (spawned, so that it shares nothing), and each caller waits for
its own answer, as a request would.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final, Literal

from secops.adapters.disk import sync_seconds
from secops.adapters.spine import SpineOptions, open_spine
from secops.kernel.access import LateAccessControl
from secops.kernel.actors import Actor
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from secops.kernel.trail import Act

Door = Literal["journal", "database"]

PROCESSES: Final = 2
CALLERS: Final = 32
SECONDS: Final = 3.0
_START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class BenchLoad:
    """``callers`` in each of ``processes``, for ``seconds``, through ``door``."""

    door: Door = "journal"
    processes: int = PROCESSES
    callers: int = CALLERS
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Acknowledged acts, the wall time they took, and CPU seconds of all processes."""

    acknowledged: int
    wall_seconds: float
    cpu_seconds: float


def ledger_figures(home: Path, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return the figures of ``secops bench ledger``; ``home`` is a migrated, empty one."""
    sync = sync_seconds(home)
    figures = []
    for door, name in (("journal", "hot acts"), ("database", "units of work with a leaf")):
        load = BenchLoad("journal" if door == "journal" else "database", seconds=seconds)
        result = measure_appends(home, load)
        figures.append(
            {
                "name": f"acknowledged {name}",
                "value": round(result.acknowledged / result.wall_seconds),
                "unit": "1/s",
                "per_cpu_second": round(result.acknowledged / result.cpu_seconds),
                "circumstances": (
                    f"{load.processes} processes x {load.callers} callers,"
                    f" {result.wall_seconds:.1f} s, fdatasync p50 {sync * 1000:.2f} ms"
                ),
            }
        )
    return figures


def measure_appends(home: Path, load: BenchLoad) -> BenchResult:
    """Run ``load`` on ``home`` and return what was acknowledged."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(load.processes)
    results = context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(home, load, barrier, results))
        for _ in range(load.processes)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    count = sum(result.acknowledged for result in found)
    wall = max(result.wall_seconds for result in found)
    return BenchResult(count, wall, sum(result.cpu_seconds for result in found))


def _work(home: Path, load: BenchLoad, barrier: Barrier, results: Any) -> None:
    spine = open_spine(
        SpineOptions(home=home, role="bench"),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=LateAccessControl(),
    )
    spine.start()
    act = Act(
        "iam.issue_token",
        Actor("client", "cli_bench", "org_bench", "bench", session_id="ses_bench"),
        "client:cli_bench",
        details={"jti": "0" * 32, "scope": "seal.verify", "key_version": 3},
    )

    def through_journal() -> None:
        spine.journal.append([act])

    def through_database() -> None:
        spine.transactions.run(lambda tx: tx.record(act))

    one = through_journal if load.door == "journal" else through_database
    one()  # files and threads are there before the clock starts
    barrier.wait(_START_SECONDS)
    results.put(_run_callers(one, load))
    spine.close()


def _run_callers(one: Callable[[], None], load: BenchLoad) -> BenchResult:
    counts = [0] * load.callers
    begun, cpu = time.perf_counter(), time.process_time()
    until = begun + load.seconds

    def call(index: int) -> None:
        while time.perf_counter() < until:
            one()
            counts[index] += 1

    threads = [threading.Thread(target=call, args=(index,)) for index in range(load.callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begun
    return BenchResult(sum(counts), wall, time.process_time() - cpu)
