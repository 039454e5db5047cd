"""Ticks: APScheduler keeps the time, leases choose the process, jobs know the work.

A job that is still running is not started again, missed ticks become one, and a process
that lost its lease does not begin another tick. What a tick may do twice after a crash is
the job's own business: claim and effect are one transaction there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from secops.kernel.clock import Clock
from secops.kernel.jobs import Job
from secops.kernel.leases import Lease, Leases

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

LEASE_SECONDS: Final = 15.0
_RENEW_AT: Final = 0.5
"""Share of the lease's time after which it is renewed."""
LONGEST_RUN: Final = 10.0
"""Seconds that a job with more to do keeps its thread before it waits for its next tick."""


@dataclass(frozen=True, slots=True)
class JobHealth:
    """How a job fares in this process; ``last_error`` is empty after a good tick."""

    ticks: int = 0
    failures: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """A dead process's work waits ``lease_seconds`` at most; ``on_error`` hears of failures."""

    lease_seconds: float = LEASE_SECONDS
    on_error: Callable[[str, Exception], None] = lambda _name, _error: None


@dataclass(frozen=True, slots=True)
class _Held:
    lease: Lease
    taken_at: float


class Scheduler:
    """Runs ``jobs`` whose leases this process, ``owner``, can get."""

    def __init__(
        self,
        jobs: Sequence[Job],
        leases: Leases,
        *,
        owner: str,
        clock: Clock,
        options: SchedulerOptions | None = None,
    ) -> None:
        names = [job.name for job in jobs]
        if len(set(names)) != len(names):
            msg = "two jobs of one name would share a lease"
            raise ValueError(msg)
        self._jobs = tuple(jobs)
        self._leases = leases
        self._owner = owner
        self._clock = clock
        self._lease_seconds = (options or SchedulerOptions()).lease_seconds
        self._on_error = (options or SchedulerOptions()).on_error
        self._held: dict[str, _Held] = {}
        self._health = dict.fromkeys(names, JobHealth())
        self._stopping = threading.Event()
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin to tick, in threads of this process."""
        # only here: neither commands nor gateways tick
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415
        from apscheduler.triggers.interval import IntervalTrigger  # noqa: PLC0415

        # its warnings about ticks that had to wait are what coalescing is for
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(len(self._jobs), 1))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        for job in self._jobs:
            trigger = IntervalTrigger(seconds=job.every_seconds, timezone="UTC")
            scheduler.add_job(self.run_due, trigger, args=(job,), id=job.name, name=job.name)
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """Let running ticks end, give the leases back."""
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
        for name, held in list(self._held.items()):
            try:
                self._leases.release(held.lease)
            except Exception as error:  # noqa: BLE001 - it will run out by itself
                self._on_error(name, error)
        self._held.clear()

    def health(self) -> dict[str, JobHealth]:
        """Return how each job fares in this process."""
        return dict(self._health)

    def run_due(self, job: Job) -> bool:
        """Run ``job`` as long as more waits, if this process may; tell whether it ran."""
        deadline = self._clock.monotonic() + LONGEST_RUN
        ran = False
        try:
            while not self._stopping.is_set() and self._may_run(job.name):
                ran = True
                more = job.tick()
                self._note(job.name, None)
                if not more or self._clock.monotonic() > deadline:
                    break
        except Exception as error:  # noqa: BLE001 - a job's defect must not end its schedule
            self._note(job.name, error)
            self._on_error(job.name, error)
        return ran

    def _may_run(self, name: str) -> bool:
        """Take or keep the lease; count its time from before it was asked for."""
        asked_at = self._clock.monotonic()
        held = self._held.get(name)
        if held is not None:
            age = asked_at - held.taken_at
            if age < self._lease_seconds * _RENEW_AT:
                return True
            lease = self._leases.renew(held.lease, self._lease_seconds)
        else:
            lease = None
        if lease is None:
            self._held.pop(name, None)
            lease = self._leases.acquire(name, self._owner, self._lease_seconds)
        if lease is None:
            return False
        self._held[name] = _Held(lease, asked_at)
        return True

    def _note(self, name: str, error: Exception | None) -> None:
        health = self._health[name]
        if error is None:
            self._health[name] = JobHealth(health.ticks + 1, health.failures, "")
        else:
            self._health[name] = JobHealth(
                health.ticks + 1, health.failures + 1, type(error).__name__
            )
