"""Ticks under leases."""

from __future__ import annotations

import threading

import pytest

from secops.adapters.scheduler import JobHealth, Scheduler, SchedulerOptions
from secops.kernel.jobs import Job
from tests.fakes.clock import FakeClock
from tests.fakes.leases import FakeLeases


class Work:
    """Counts its ticks; says that more waits until ``pieces`` are done."""

    def __init__(self, pieces: int = 1) -> None:
        self.pieces = pieces
        self.ticks = 0

    def tick(self) -> bool:
        self.ticks += 1
        return self.ticks < self.pieces


def scheduler(job: Job, leases: FakeLeases, clock: FakeClock, owner: str = "me") -> Scheduler:
    return Scheduler([job], leases, owner=owner, clock=clock, options=SchedulerOptions(10))


def test_a_job_runs_until_nothing_waits() -> None:
    clock, work = FakeClock(), Work(5)
    job = Job("work", 1, work.tick)
    assert scheduler(job, FakeLeases(clock), clock).run_due(job) is True
    assert work.ticks == 5


def test_a_job_with_endless_work_lets_go_after_its_time() -> None:
    clock, work = FakeClock(), Work(1_000_000)

    def tick() -> bool:
        clock.advance(1)
        return work.tick()

    job = Job("work", 1, tick)
    scheduler(job, FakeLeases(clock), clock).run_due(job)
    assert work.ticks == 11


def test_only_the_leases_holder_works_and_its_death_hands_over() -> None:
    clock, work = FakeClock(), Work()
    leases, job = FakeLeases(clock), Job("work", 1, work.tick)
    first, second = (scheduler(job, leases, clock, owner) for owner in ("a", "b"))
    assert (first.run_due(job), second.run_due(job)) == (True, False)
    clock.advance(9)
    assert second.run_due(job) is False
    clock.advance(1)
    assert second.run_due(job) is True
    assert first.run_due(job) is False


def test_a_working_holder_renews_and_keeps_its_lease() -> None:
    clock, work = FakeClock(), Work()
    leases, job = FakeLeases(clock), Job("work", 1, work.tick)
    first, second = (scheduler(job, leases, clock, owner) for owner in ("a", "b"))
    for _ in range(10):
        assert first.run_due(job) is True
        assert second.run_due(job) is False
        clock.advance(6)


def test_stopping_gives_the_lease_back() -> None:
    clock, work = FakeClock(), Work()
    leases, job = FakeLeases(clock), Job("work", 1, work.tick)
    first, second = (scheduler(job, leases, clock, owner) for owner in ("a", "b"))
    first.run_due(job)
    first.stop()
    assert (first.run_due(job), second.run_due(job)) == (False, True)


def test_a_failing_job_is_noted_and_runs_again() -> None:
    clock, failures = FakeClock(), [ZeroDivisionError()]
    heard: list[str] = []

    def tick() -> bool:
        if failures:
            raise failures.pop()
        return False

    job = Job("work", 1, tick)
    made = Scheduler(
        [job],
        FakeLeases(clock),
        owner="me",
        clock=clock,
        options=SchedulerOptions(10, lambda name, _: heard.append(name)),
    )
    made.run_due(job)
    assert made.health() == {"work": JobHealth(1, 1, "ZeroDivisionError")}
    made.run_due(job)
    assert made.health() == {"work": JobHealth(2, 1, "")}
    assert heard == ["work"]


def test_two_jobs_of_one_name_are_refused() -> None:
    job = Job("work", 1, Work().tick)
    with pytest.raises(ValueError, match="one name"):
        Scheduler([job, job], FakeLeases(), owner="me", clock=FakeClock())


def test_a_started_scheduler_ticks_by_itself_and_never_twice_at_a_time() -> None:
    clock, thrice = FakeClock(), threading.Event()
    running, together, ticks = threading.Lock(), [], []

    def tick() -> bool:
        if not running.acquire(blocking=False):
            together.append(1)
            return False
        ticks.append(1)
        if len(ticks) >= 3:
            thrice.set()
        running.release()
        return False

    job = Job("work", 0.02, tick)
    made = scheduler(job, FakeLeases(clock), clock)
    made.start()
    assert thrice.wait(10)
    made.stop()
    assert together == []
