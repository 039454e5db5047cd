"""The schedule keeps its promises over SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from detectors.models.alerts import Evaluation
from detectors.models.schedule import Admission, DetectorKey, Progress, Span, Step
from detectors.ports import ScheduleStore
from detectors.store.detectors import DatabaseDetectors
from detectors.store.schedule import DatabaseSchedule
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest

A, B = ("a", "v"), ("b", "v")


@pytest.fixture
def schedule() -> ScheduleStore:
    return DatabaseSchedule()


def admitted(spine: Spine, schedule: ScheduleStore, *keys: DetectorKey) -> None:
    moves = [Admission(key, None, 11, Span(1, 10)) for key in keys]
    assert spine.transactions.run(lambda tx: schedule.admit(tx, moves, 5)) is True


def test_a_detector_is_admitted_from_where_it_stands_only(
    spine: Spine, schedule: ScheduleStore
) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    admitted(spine, schedule, A)
    again = [Admission(A, None, 99, None)]
    assert run(lambda tx: schedule.admit(tx, again, 6)) is False
    moved = [Admission(A, 11, 31, Span(11, 30))]
    assert run(lambda tx: schedule.admit(tx, moved, 4)) is False, "a newer lease wrote"
    assert run(lambda tx: schedule.admit(tx, moved, 5)) is True
    assert run(lambda tx: schedule.admit(tx, moved, 5)) is False
    assert read(schedule.progress) == {A: Progress(A, 31, (Span(1, 10), Span(11, 30)))}


def test_live_steps_move_all_detectors_or_none(spine: Spine, schedule: ScheduleStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    admitted(spine, schedule, A, B)

    def advance(first: int, last: int, fence: int) -> bool:
        step = Step("live", (A, B), Span(first, last))
        return run(lambda tx: schedule.advance(tx, step, Span(first, last), fence))

    assert advance(11, 20, 5) is True
    assert advance(11, 20, 6) is False, "another step was there first"
    assert advance(21, 30, 4) is False, "a newer lease wrote"
    assert advance(21, 30, 5) is True
    assert {place.next_seq for place in read(schedule.progress).values()} == {31}


def test_gaps_shrink_from_their_beginning_and_go(spine: Spine, schedule: ScheduleStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    admitted(spine, schedule, A)

    def fill(first: int, last: int, fence: int = 5) -> bool:
        step = Step("backfill", (A,), Span(first, last))
        return run(lambda tx: schedule.advance(tx, step, Span(first, last), fence))

    assert fill(1, 4) is True
    assert fill(1, 4) is False
    assert fill(5, 10, fence=4) is False
    assert read(schedule.progress)[A].gaps == (Span(5, 10),)
    assert fill(5, 10) is True
    assert read(schedule.progress)[A].gaps == ()


def test_what_could_not_be_asked_is_one_growing_gap(spine: Spine, schedule: ScheduleStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    admitted(spine, schedule, A)
    for span in (Span(11, 20), Span(21, 25), Span(31, 40)):
        run(lambda tx, span=span: schedule.leave(tx, [A], span, 5))
    assert read(schedule.progress)[A].gaps == (Span(1, 25), Span(31, 40))


def test_evaluations_that_touch_are_one_range(spine: Spine, schedule: ScheduleStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read

    def record(kind: str, first: int, last: int, hits: int = 0) -> None:
        span = Span(first, last)
        step = Step(kind, (A, B), span)  # type: ignore[arg-type]
        found = {A: hits} if hits else {}
        run(lambda tx: schedule.record(tx, step, span, last - first + 1, found))

    record("live", 31, 40, hits=2)
    record("live", 41, 50)
    record("backfill", 1, 10, hits=1)
    record("backfill", 11, 30)
    found = read(lambda tx: DatabaseDetectors().evaluations(tx, PageRequest(5)))
    seen = {(e.detector, e.first_seq, e.last_seq, e.events, e.hits) for e in found}
    assert seen == {("a", 1, 50, 50, 3), ("b", 1, 50, 50, 0)}
    assert all(isinstance(each, Evaluation) for each in found)


def test_the_watermark_never_goes_back_and_obeys_the_fence(
    spine: Spine, schedule: ScheduleStore
) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert read(schedule.watermark) is None
    for at, fence, written in ((100, 5, True), (90, 5, True), (200, 4, False)):
        assert run(lambda tx, at=at, f=fence: schedule.set_watermark(tx, at, f)) is written
    assert read(schedule.watermark) == 100
