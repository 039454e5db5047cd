"""temporal_ordered: chains of different events in list order, within the window.

For every place of a list of rules the latest start of a chain that ends there is kept.
Events at one instant may stand in any order, but each takes one place only: which places
they can take together is a matching between places and events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from detectors.models.correlation import Match

Chain = tuple[int, int]
"""When a chain began and when it ended."""


def chains(matches: Sequence[Match], places: Sequence[int], timespan: int) -> Iterator[Chain]:
    """Yield the chains that end at each instant, with the latest possible start.

    ``matches`` are a group's in order; ``places`` are bit masks, one for each of the ``k``
    places of the chain. O(n k), for events that share an instant O(k^3) each.
    """
    best: list[int | None] = [None] * len(places)
    for at, tied in groupby(matches, key=lambda match: match.at):
        events = _enough([match.rules for match in tied], len(places))
        found = _starts(best, at, _reaches(events, places), timespan)
        best = [_later(known, start) for known, start in zip(best, found, strict=True)]
        if found[-1] is not None:
            yield found[-1], at


def _starts(
    best: Sequence[int | None], at: int, reaches: Sequence[int], timespan: int
) -> list[int | None]:
    """Return for every place the latest start of a chain that comes to it at this instant.

    ``best`` are those of chains that ended before, ``reaches[p]`` the places that this
    instant's events can take together from ``p`` on.
    """
    found: list[int | None] = [None] * len(best)
    for first, reach in enumerate(reaches):
        start = at if first == 0 else best[first - 1]
        if start is not None and at - start <= timespan:
            for place in range(first, first + reach):
                found[place] = _later(found[place], start)
    return found


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def _enough(events: list[int], most: int) -> list[int]:
    """Leave out events that are one too many: of equals no more than ``most`` can be used."""
    if len(events) == 1:
        return events
    used: dict[int, int] = {}
    kept = []
    for rules in events:
        used[rules] = used.get(rules, 0) + 1
        if used[rules] <= most:
            kept.append(rules)
    return kept


def _reaches(events: Sequence[int], places: Sequence[int]) -> list[int]:
    """Return for every place how many places from there on the events can take together."""
    if len(events) == 1:
        return [1 if events[0] & place else 0 for place in places]
    return [_reach(events, places[first:]) for first in range(len(places))]


def _reach(events: Sequence[int], places: Sequence[int]) -> int:
    """Return how many of the first ``places`` find different events (augmenting paths)."""
    taken: dict[int, int] = {}

    def settle(place: int, tried: set[int]) -> bool:
        for number, rules in enumerate(events):
            if rules & places[place] and number not in tried:
                tried.add(number)
                if number not in taken or settle(taken[number], tried):
                    taken[number] = place
                    return True
        return False

    for place in range(len(places)):
        if not settle(place, set()):
            return place
    return len(places)
