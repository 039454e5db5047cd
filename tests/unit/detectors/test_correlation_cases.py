"""The conformance suite of correlations: events, and the windows that must be found."""

from __future__ import annotations

import random

import pytest

from detectors.core.correlation.chains import chained_episodes
from tests.fakes.correlation_cases import Case, all_cases

CASES = list(all_cases())
EVALUATED = [case for case in CASES if "refused" not in case.raw]
REFUSED = [case for case in CASES if "refused" in case.raw]


def test_there_are_enough_cases_and_each_says_one_thing() -> None:
    assert len(EVALUATED) >= 100
    names = [str(case) for case in CASES]
    assert sorted(set(names)) == sorted(names)
    known = {"name", "with", "events", "episodes", "watermark", "since", "refused", "uncounted"}
    assert {str(case): set(case.raw) - known for case in CASES if set(case.raw) - known} == {}


@pytest.mark.parametrize("case", EVALUATED, ids=str)
def test_episodes_are_those_of_the_case_in_any_order_of_arrival(case: Case) -> None:
    hits = case.hits
    assert case.found(hits) == case.raw["episodes"]
    assert case.found(hits[::-1]) == case.raw["episodes"]
    random.Random(3).shuffle(hits)  # noqa: S311 - any order will do
    assert case.found(hits) == case.raw["episodes"]


@pytest.mark.parametrize("case", EVALUATED, ids=str)
def test_what_does_not_count_is_named(case: Case) -> None:
    _, lost = chained_episodes(case.chain(), case.hits, case.watermark, case.since)
    expected = case.raw.get("uncounted", [0, 0, 0])
    assert [lost.ungrouped, lost.unmeasured, lost.cut] == expected


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_correlation_that_means_nothing_is_refused_with_a_reason(case: Case) -> None:
    with pytest.raises(ValueError, match=case.raw["refused"]):
        case.chain()
