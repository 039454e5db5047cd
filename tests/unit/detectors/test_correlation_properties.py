"""Every type of correlation equals the slow, obvious way; the order of arrival never matters."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.correlation.episodes import episodes_of, settled
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.parser import read_correlation
from detectors.models.correlation import Match
from detectors.models.rules import RuleHeader
from secops.kernel.clock import SECOND
from tests.fakes.correlation_reference import Asked, Found, Seen, reference

HEADER = RuleHeader("c", "c", "low", "stable", "v", "c.yml")
WATERMARK = 45
EVENTS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("uvwxyz")), max_size=14, unique=True
)
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")
NUMBERS = st.sampled_from(["0", "-1", "1.5", "2", "0.1", "0.2", "10", "-0.25"])
EXPRESSIONS = (
    "a and b",
    "a or b and c",
    "(a or b) and c",
    "a and not b",
    "a and not (b or c)",
    "not a and b",
    "a and b or not c",
    "not not a and b",
    "not (a and b)",
    "c and a",
)


def correlation(asked: Asked, **more: object) -> Correlation:
    section = {
        "type": asked.type,
        "rules": list(asked.rules),
        "timespan": f"{asked.timespan}s",
        **more,
    }
    if asked.condition is not None:
        section["condition"] = asked.condition
    if asked.learning:
        section["learning"] = f"{asked.learning}s"
    return read_correlation(section, HEADER)


def ours(asked: Asked, seen: list[Seen], watermark: int = WATERMARK) -> set[Found]:
    read = correlation(asked)
    by_place = {(each.at, each.event): each for each in seen}
    matches = [
        Match(
            ("g",),
            each.at * SECOND,
            each.event,
            sum(1 << n for n, rule in enumerate(read.rules) if rule in each.rules),
            each.value or None,
        )
        for each in seen
    ]
    random.Random(7).shuffle(matches)  # noqa: S311 - any order will do
    return {
        (
            (episode.first_at // SECOND, episode.last_at // SECOND),
            frozenset(by_place[m.at // SECOND, m.event_id] for m in episode.matches),
        )
        for episode in episodes_of(read, matches, watermark * SECOND)
    }


def agree(asked: Asked, seen: list[Seen]) -> None:
    assert ours(asked, seen) == reference(asked, seen, WATERMARK)


def plain(places: list[tuple[int, str]]) -> list[Seen]:
    return [Seen(at, event) for at, event in places]


@st.composite
def bounds(draw: st.DrawFn, numbers: st.SearchStrategy[object]) -> dict[str, object]:
    if draw(st.booleans()):
        return {draw(st.sampled_from(OPERATORS)): draw(numbers)}
    low, high = draw(numbers), draw(numbers)
    return {
        draw(st.sampled_from(("gt", "gte"))): min(low, high, key=lambda n: float(str(n))),
        draw(st.sampled_from(("lt", "lte"))): max(low, high, key=lambda n: float(str(n))),
    }


def asked_or_refused(asked: Asked, seen: list[Seen]) -> None:
    """Compare; conditions that can never hold are refused, and the slow way agrees."""
    try:
        correlation(asked)
    except ValueError:
        assert reference(asked, seen, WATERMARK) == set()
        return
    agree(asked, seen)


@given(EVENTS, st.integers(1, 15), bounds(st.integers(0, 5)))
def test_event_count(
    places: list[tuple[int, str]], span: int, condition: dict[str, object]
) -> None:
    asked_or_refused(Asked("event_count", ("a",), span, condition), plain(places))


@given(EVENTS, st.integers(1, 15), bounds(st.integers(0, 4)), st.data())
def test_value_count(
    places: list[tuple[int, str]], span: int, condition: dict[str, object], data: st.DataObject
) -> None:
    values = st.sampled_from([("p",), ("q",), ("r",), ("p", "q")])
    seen = [replace(each, value=data.draw(values)) for each in plain(places)]
    asked_or_refused(Asked("value_count", ("a",), span, {**condition, "field": "f"}), seen)


@st.composite
def numeric(draw: st.DrawFn, kind: str) -> Asked:
    condition = {**draw(bounds(NUMBERS)), "field": "f"}
    if kind == "value_percentile":
        condition["percentile"] = draw(st.sampled_from([1, 25, 50, 75, 95, 99.9, "33.3"]))
    return Asked(kind, ("a",), draw(st.integers(1, 15)), condition)


@pytest.mark.parametrize("kind", ["value_sum", "value_avg", "value_median", "value_percentile"])
@given(EVENTS, st.data())
def test_numbers(kind: str, places: list[tuple[int, str]], data: st.DataObject) -> None:
    values = st.lists(NUMBERS, min_size=1, max_size=3).map(tuple)
    seen = [replace(each, value=data.draw(values)) for each in plain(places)]
    asked_or_refused(data.draw(numeric(kind)), seen)


RULES = st.frozensets(st.sampled_from("abc"), min_size=1)


@given(EVENTS, st.integers(1, 15), st.one_of(st.none(), bounds(st.integers(0, 4))), st.data())
def test_temporal(
    places: list[tuple[int, str]],
    span: int,
    condition: dict[str, object] | None,
    data: st.DataObject,
) -> None:
    seen = [replace(each, rules=data.draw(RULES)) for each in plain(places)]
    asked_or_refused(Asked("temporal", ("a", "b", "c"), span, condition), seen)


@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered"])
@given(
    st.sampled_from(EXPRESSIONS),
    EVENTS.map(lambda places: places[:6]),
    st.integers(1, 15),
    st.data(),
)
def test_text_conditions(
    kind: str, condition: str, places: list[tuple[int, str]], span: int, data: st.DataObject
) -> None:
    words = set(condition.replace("(", " ").replace(")", " ").split())
    named = sorted(words & set("abc"))
    rules = st.frozensets(st.sampled_from(named), min_size=1)
    seen = [replace(each, rules=data.draw(rules)) for each in plain(places)]
    agree(Asked(kind, tuple(named), span, condition), seen)


@given(
    EVENTS.map(lambda places: places[:8]),
    st.integers(1, 15),
    st.sampled_from([("a", "b"), ("a", "b", "c"), ("a", "b", "a"), ("a", "a"), ("b",)]),
    st.data(),
)
def test_temporal_ordered(
    places: list[tuple[int, str]], span: int, rules: tuple[str, ...], data: st.DataObject
) -> None:
    some = st.frozensets(st.sampled_from(sorted(set(rules))), min_size=1)
    seen = [replace(each, rules=data.draw(some)) for each in plain(places)]
    agree(Asked("temporal_ordered", rules, span), seen)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("uvwx")), max_size=6, unique=True),
    st.data(),
)
def test_events_at_one_instant_take_one_place_each(
    places: list[tuple[int, str]], data: st.DataObject
) -> None:
    seen = [replace(each, rules=data.draw(RULES)) for each in plain(places)]
    agree(Asked("temporal_ordered", ("a", "b", "c"), 2), seen)


@given(EVENTS, st.integers(1, 15))
def test_absence(places: list[tuple[int, str]], span: int) -> None:
    agree(Asked("absence", ("a",), span), plain(places))


@given(EVENTS, st.integers(1, 15), st.integers(0, 20), st.data())
def test_first_seen(
    places: list[tuple[int, str]], span: int, learning: int, data: st.DataObject
) -> None:
    values = st.sampled_from([("p",), ("q",), ("p", "q")])
    seen = [replace(each, value=data.draw(values)) for each in plain(places)]
    agree(Asked("first_seen", ("a",), span, {"field": "f"}, learning), seen)


@pytest.mark.parametrize("kind", ["value_sum", "value_median", "first_seen"])
def test_what_has_no_value_measures_nothing(kind: str) -> None:
    condition = {"field": "f"} if kind == "first_seen" else {"gte": 0, "field": "f"}
    nothing = [Match((), n, f"e{n}") for n in range(3)]
    assert episodes_of(correlation(Asked(kind, ("a",), 5, condition)), nothing) == []


def test_without_a_watermark_nothing_is_over() -> None:
    asked = correlation(Asked("event_count", ("a",), 5, {"lt": 2}))
    assert episodes_of(asked, [Match((), 1, "e")]) == []
    assert episodes_of(correlation(Asked("absence", ("a",), 5)), [], 9) == []
    assert settled(asked, [], None).open_from is None
    assert settled(asked, [Match((), 1, "e")], None).open_from == 1


def test_many_equal_events_of_one_instant_cost_no_more_than_there_are_places() -> None:
    asked = correlation(Asked("temporal_ordered", ("a", "b"), 5))
    tied = [Match((), 7, f"e{n:05d}", 0b01) for n in range(20_000)]
    assert episodes_of(asked, tied) == []
    (found,) = episodes_of(asked, [*tied, Match((), 7, "last", 0b10)])
    assert found.count == 20_001
