"""Which windows of one group fire: sliding where more can only help, else one after another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from detectors.core.correlation.measures import Rules, gauge
from detectors.core.correlation.model import Alternative, Correlation
from detectors.core.correlation.ordered import Chain, chains
from detectors.models.correlation import Match

Run = tuple[int, int, int, str]
"""First and behind-last match, when it first fired, and what was measured then."""
_NEVER: Final = 1 << 62


def rising_runs(
    correlation: Correlation, matches: Sequence[Match], tested: tuple[int, int] = (-_NEVER, _NEVER)
) -> list[Run]:
    """Return the runs of firing windows W(i) = [t_i - T, t_i] of one group in order.

    Only windows that end within ``tested`` (both included) are looked at. O(n) steps of the
    measure; for temporal_ordered as ``chains``.
    """
    if correlation.alternatives:
        windows: Iterable[Run] = _alternatives(correlation, matches)
    else:
        windows = _measured(correlation, matches)
    low, high = tested
    return _joined(each for each in windows if low <= each[2] <= high)


def _measured(correlation: Correlation, matches: Sequence[Match]) -> Iterator[Run]:
    found = gauge(correlation, matches)
    start = end = 0
    while end < len(matches):
        at = matches[end].at
        while end < len(matches) and matches[end].at == at:
            found.measure.add(matches[end])
            end += 1
        while matches[start].at < at - correlation.timespan:
            found.measure.remove(matches[start])
            start += 1
        if found.holds():
            yield start, end, at, found.text()


def _alternatives(correlation: Correlation, matches: Sequence[Match]) -> list[Run]:
    """Return the firing windows; in order, each begins at the latest chain that ends with it."""
    if correlation.type == "temporal":
        return list(_seen_together(correlation, matches))
    times = [match.at for match in matches]
    found: dict[int, Chain] = {}
    for way in correlation.alternatives:
        places = _places(way)
        for start, at in chains(matches, places, correlation.timespan):
            found[at] = max((start, len(places)), found.get(at, (start, len(places))))
    return [
        (bisect_left(times, start), bisect_right(times, at), at, str(count))
        for at, (start, count) in sorted(found.items())
    ]


def _seen_together(correlation: Correlation, matches: Sequence[Match]) -> Iterator[Run]:
    rules = Rules()
    start = end = 0
    while end < len(matches):
        at = matches[end].at
        while end < len(matches) and matches[end].at == at:
            rules.add(matches[end])
            end += 1
        while matches[start].at < at - correlation.timespan:
            rules.remove(matches[start])
            start += 1
        if _any(correlation.alternatives, rules.seen):
            yield start, end, at, str(rules.seen.bit_count())


def _joined(windows: Iterable[Run]) -> list[Run]:
    """Join windows, by their end, that share a match."""
    runs: list[Run] = []
    for window in windows:
        run = window
        while runs and run[0] < runs[-1][1]:
            start, _, at, measured = runs.pop()
            run = (min(start, run[0]), run[1], at, measured)
        runs.append(run)
    return runs


def forward_runs(
    correlation: Correlation, matches: Sequence[Match], watermark: int
) -> tuple[list[Run], int]:
    """Return the firing ones of the windows [t_i, t_i + T], and the first match still open.

    A window begins at the first match that none before covers. It is tested when all events
    of it are known: those before ``watermark`` are. O(n) steps of the measure.
    """
    runs: list[Run] = []
    found = gauge(correlation, matches)
    start = 0
    while start < len(matches) and matches[start].at + correlation.timespan < watermark:
        closes = matches[start].at + correlation.timespan
        end = start
        while end < len(matches) and matches[end].at <= closes:
            end += 1
        window = matches[start:end]
        if correlation.alternatives:
            if _holds(correlation, window):
                runs.append((start, end, closes, str(_seen(window).bit_count())))
        else:
            for match in window:
                found.measure.add(match)
            if found.holds():
                runs.append((start, end, closes, found.text()))
            for match in window:
                found.measure.remove(match)
        start = end
    return runs, start


def _holds(correlation: Correlation, window: Sequence[Match]) -> bool:
    seen = _seen(window)
    if correlation.type == "temporal":
        return _any(correlation.alternatives, seen)
    return any(
        way.holds(seen) and (not way.required or _in_order(way, window, correlation.timespan))
        for way in correlation.alternatives
    )


def _in_order(way: Alternative, window: Sequence[Match], timespan: int) -> bool:
    return next(chains(window, _places(way), timespan), None) is not None


def _seen(window: Sequence[Match]) -> int:
    seen = 0
    for match in window:
        seen |= match.rules
    return seen


def _any(ways: Sequence[Alternative], seen: int) -> bool:
    return bool(seen) and any(way.holds(seen) for way in ways)


def _places(way: Alternative) -> list[int]:
    """Return a way's rules in list order, as masks."""
    return [1 << place for place in range(way.required.bit_length()) if way.required >> place & 1]


def absent_runs(
    correlation: Correlation, matches: Sequence[Match], watermark: int
) -> tuple[list[Run], int]:
    """Return the silences of one group longer than T, and the first match still open.

    A silence begins at a match that no other follows within T (both ends count); it is
    certain when all events up to t + T are known: those before ``watermark`` are.
    """
    runs: list[Run] = []
    for place, match in enumerate(matches):
        over = match.at + correlation.timespan
        if over >= watermark:
            return runs, place
        last = place + 1 == len(matches)
        if last or matches[place + 1].at > over:
            runs.append((place, place + 1, over, "0"))
    return runs, len(matches)
