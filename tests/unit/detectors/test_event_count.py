"""event_count is exact: equal to trying every window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.correlation.event_count import Match, episodes

matches = st.lists(st.builds(Match, st.integers(0, 40), st.sampled_from("abcdef")), max_size=25)


def brute_force(found: list[Match], timespan: int, least: int) -> list[set[Match]]:
    """Try every window, then join those that share a match."""
    distinct = set(found)
    windows = [{m for m in distinct if end.at - timespan <= m.at <= end.at} for end in distinct]
    groups: list[set[Match]] = []
    for window in (w for w in windows if len(w) >= least):
        touching = [group for group in groups if group & window]
        groups = [group for group in groups if not group & window]
        groups.append(window.union(*touching))
    return groups


@given(matches, st.integers(0, 12), st.integers(1, 5))
def test_episodes_are_those_of_trying_every_window(
    found: list[Match], timespan: int, least: int
) -> None:
    ours = episodes(found, timespan, least)
    assert sorted(sorted(group) for group in brute_force(found, timespan, least)) == [
        list(episode.matches) for episode in ours
    ]


@given(matches, st.integers(0, 12), st.integers(1, 5), st.randoms())
def test_the_order_of_arrival_does_not_matter(
    found: list[Match], timespan: int, least: int, random: object
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert episodes(shuffled, timespan, least) == episodes(found, timespan, least)


def test_both_ends_of_a_window_count_and_tumbling_windows_would_miss_it() -> None:
    (episode,) = episodes([Match(55, "a"), Match(60, "b"), Match(65, "c")], 10, 3)
    assert (episode.first_at, episode.last_at, episode.first_event) == (55, 65, "a")
    assert episodes([Match(55, "a"), Match(60, "b"), Match(66, "c")], 10, 3) == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_event_given_twice_counts_once(count: int) -> None:
    assert episodes([Match(1, "a")] * count, 10, 2) == []
