"""What is asked next, how event time passes, and what risk is: pure, and without surprises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.risk import HALF_LIFE, REFUSING, entity_risk, weight
from detectors.core.schedule import admissions, backfill_step, live_step, unseen
from detectors.core.watermark import (
    SETTLING,
    STEP,
    SourceTime,
    SteadyTime,
    follow,
    watermark,
)
from detectors.models.schedule import Admission, Progress, Span, Step
from detectors.models.triage import Hint
from detectors.service.runs.event_time import LATENESS, SILENCE, EventTime
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.logs import SourceSummary
from tests.fakes.clock import START, FakeClock

A, B, C = ("a", "1"), ("b", "1"), ("c", "1")


def test_who_joins_stands_at_the_front_and_owes_the_past() -> None:
    places = [Progress(A, 11), Progress(B), Progress(C, 5)]
    assert admissions(places, 20, 100) == (
        Admission(B, None, 11, Span(1, 10)),
        Admission(C, 5, 11, Span(5, 10)),
    )
    assert admissions([Progress(A)], 0, 100) == (Admission(A, None, 1, None),)
    assert admissions([Progress(A)], 7, 3) == (Admission(A, None, 8, Span(1, 7)),)
    assert admissions([Progress(A, 8)], 7, 3) == ()


def test_after_an_outage_the_newest_events_come_first() -> None:
    (moved,) = admissions([Progress(A, 11)], 1_000, 100)
    assert moved == Admission(A, 11, 901, Span(11, 900))


def test_live_events_are_asked_by_all_who_stand_at_the_front() -> None:
    places = [Progress(A, 11), Progress(B, 11)]
    assert live_step(places, 10, 5) is None
    assert live_step(places, 30, 5) == Step("live", (A, B), Span(11, 15))
    assert live_step([], 30, 5) is None
    assert live_step([Progress(A)], 30, 5) is None


def test_back_fill_takes_the_oldest_and_lets_detectors_meet() -> None:
    places = [
        Progress(A, 50, (Span(1, 20), Span(30, 40))),
        Progress(B, 50, (Span(11, 20),)),
        Progress(C, 50),
    ]
    assert backfill_step(places, 100) == Step("backfill", (A,), Span(1, 10))
    assert backfill_step(places, 4) == Step("backfill", (A,), Span(1, 4))
    met = [Progress(A, 50, (Span(11, 20),)), Progress(B, 50, (Span(11, 15),))]
    assert backfill_step(met, 100) == Step("backfill", (A, B), Span(11, 15))
    assert backfill_step([Progress(C, 50, (Span(3, 9),))], 100) == Step(
        "backfill", (C,), Span(3, 9)
    )
    assert backfill_step([Progress(C, 50)], 100) is None


def test_what_was_not_seen_is_the_gaps_and_what_is_new() -> None:
    assert unseen(Progress(A, 11, (Span(2, 3),)), 12) == (Span(2, 3), Span(11, 12))
    assert unseen(Progress(A), 2) == (Span(1, 2),)
    assert unseen(Progress(A, 3), 2) == ()


@given(
    st.lists(
        st.tuples(st.sampled_from(["live", "backfill", "tick"]), st.integers(1, 9)), max_size=60
    )
)
def test_each_detector_sees_each_event_once_in_any_order_of_work(
    work: list[tuple[str, int]],
) -> None:
    seen: dict[tuple[str, str], list[int]] = {A: [], B: []}
    places = {A: Progress(A)}
    last = 0
    for turn, (_, more) in enumerate(work):
        last += more
        if turn == len(work) // 2:
            places[B] = Progress(B)
        for move in admissions(list(places.values()), last, 6):
            old = places[move.key]
            gaps = (*old.gaps, move.gap) if move.gap else old.gaps
            places[move.key] = Progress(move.key, move.next_seq, gaps)
        _do(places, seen, last)
    while any(place.gaps or (place.next_seq or 1) <= last for place in places.values()):
        _do(places, seen, last)
    for key in places:
        assert sorted(seen[key]) == list(range(1, last + 1)) or not work


def _do(
    places: dict[tuple[str, str], Progress], seen: dict[tuple[str, str], list[int]], last: int
) -> None:
    step = live_step(list(places.values()), last, 6) or backfill_step(list(places.values()), 4)
    if step is None:
        return
    for key in step.keys:
        place, span = places[key], step.span
        seen[key].extend(range(span.first, span.last + 1))
        if step.kind == "live":
            places[key] = Progress(key, span.last + 1, place.gaps)
        else:
            first, *others = place.gaps
            left = [Span(span.last + 1, first.last)] if span.last < first.last else []
            places[key] = Progress(key, place.next_seq, (*left, *others))


def test_the_watermark_is_the_slowest_live_sources_less_the_lateness() -> None:
    live, idle = SourceTime(90, 1, 5), SourceTime(10, 6, 5)
    assert watermark([live, SourceTime(80, 5, 5), idle], 100, 7) == 73
    assert watermark([live], 100, 7, before=85) == 85
    assert watermark([idle], 100, 7) == 93
    assert watermark([SourceTime(1_000, 0, 5)], 100, 7) == 93


def test_a_jump_of_the_clock_is_followed_only_once_it_lasts() -> None:
    steady = follow(None, START, 0)
    assert steady == SteadyTime(START)
    drifted = follow(steady, START + MINUTE + SECOND, MINUTE)
    assert drifted.now(MINUTE) == START + MINUTE + SECOND
    jumped = follow(steady, START + HOUR + MINUTE, MINUTE)
    assert jumped.now(MINUTE) == START + MINUTE
    still = follow(jumped, START + HOUR + 2 * MINUTE, 2 * MINUTE)
    assert still.now(2 * MINUTE) == START + 2 * MINUTE
    back = follow(still, START + 3 * MINUTE, 3 * MINUTE)
    assert (back.jumped, back.now(3 * MINUTE)) == (None, START + 3 * MINUTE)
    elsewhere = follow(jumped, START - HOUR + 2 * MINUTE, 2 * MINUTE)
    assert elsewhere.jumped_at == 2 * MINUTE
    later = MINUTE + SETTLING
    assert follow(jumped, START + HOUR + later, later).now(later) == START + HOUR + later
    assert STEP < MINUTE


def summary(name: str, last_at: int, ingested: int) -> SourceSummary:
    return SourceSummary(name, 1, last_at, last_at, ingested)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_clock_that_jumps_neither_wakes_nor_silences_a_source(jump: int) -> None:
    clock = FakeClock()
    time = EventTime(clock)
    sources = [summary("slow", START - MINUTE, START), summary("quick", START, START)]
    expected = START - MINUTE - LATENESS
    assert time.watermark(sources, {}, None) == expected
    clock.advance(60)
    clock.instant += jump
    assert time.watermark(sources, {}, expected) == expected
    clock.advance(SILENCE / SECOND)
    passed = START + MINUTE + SILENCE - LATENESS
    assert time.watermark(sources, {}, expected) == passed
    assert time.watermark(sources, {"slow": 3_600}, None) == expected


def test_a_source_that_speaks_again_is_awaited_again() -> None:
    clock = FakeClock()
    time = EventTime(clock)
    old = [summary("s", START - DAY, START - DAY)]
    assert time.watermark(old, {}, None) == START - LATENESS
    spoke = [summary("s", START - HOUR, START)]
    assert time.watermark(spoke, {}, None) == START - HOUR - LATENESS


def test_the_worked_example_of_the_risk_formula() -> None:
    hints = [Hint(70, START), Hint(40, START - HALF_LIFE)]
    assert entity_risk(hints, START) == 76
    grave = [Hint(90, START), hints[1]]
    assert (entity_risk(grave, START), entity_risk(grave, START, 2.0)) == (92, 99)
    assert weight(hints[1], START) == pytest.approx(0.2)
    assert entity_risk([], START) == 0
    assert entity_risk([Hint(40, START + DAY)], START) == 40, "the future counts as now"


def test_many_small_alerts_never_lock_an_account_out_and_one_critical_does() -> None:
    many = [Hint(70, START) for _ in range(50)]
    assert entity_risk(many, START, 4.0) == REFUSING - 1
    assert entity_risk([*many, Hint(90, START)], START) == 100
    assert entity_risk([Hint(90, START)], START + 2 * DAY) < REFUSING


@given(
    st.lists(st.tuples(st.sampled_from((20, 40, 70, 90)), st.integers(0, 100)), max_size=8),
    st.integers(0, 30),
)
def test_risk_falls_with_time_and_rises_with_every_hint(
    said: list[tuple[int, int]], days: int
) -> None:
    hints = [Hint(risk, START - age * HOUR) for risk, age in said]
    now = entity_risk(hints, START)
    assert 0 <= entity_risk(hints, START + days * DAY) <= now <= 100
    assert entity_risk([*hints, Hint(20, START)], START) >= now
    assert entity_risk(hints, START, 2.0) >= now
