"""From matches to episodes: the one way in, for runs, files and checks alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.core.correlation.first_seen import new_values
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.sliding import count_runs
from detectors.core.correlation.windows import Run, absent_runs, forward_runs, rising_runs
from detectors.models.correlation import Episode, Group, Match

Matches = Iterable[Match]
Tested = Mapping[Group, tuple[int, int]]
"""By group, when the windows end that are to be looked at (both included)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What is certain of one group, and where its first window begins that is still open."""

    episodes: tuple[Episode, ...]
    open_from: int | None


def episodes_of(
    correlation: Correlation,
    matches: Matches,
    watermark: int | None = None,
    *,
    tested: Tested | None = None,
    since: int | None = None,
) -> list[Episode]:
    """Return the episodes in ``matches`` (of any groups, in any order), by time and group.

    Conditions that more matches can only help fire at once. The others, and absences, fire
    for windows that are over: all events before ``watermark`` (UTC microseconds) are known,
    None says that nothing is sure. ``tested`` restricts to windows that end there, by group.
    ``since`` is when an absence began to expect its configured groups. A match given twice
    counts once.
    """
    groups = grouped(matches)
    if correlation.type == "event_count" and correlation.rising:
        found = _counted(correlation, groups, tested)
    elif correlation.type == "first_seen":
        found = [new for mine in groups.values() for new in new_values(correlation, mine)]
    elif correlation.rising:
        found = [each for mine in groups.values() for each in _rising(correlation, mine, tested)]
    else:
        for group in correlation.expected if since is not None else ():
            groups.setdefault(group, [])
        found = [
            episode
            for group, mine in groups.items()
            for episode in settled(
                correlation, beginning(correlation, group, mine, since), watermark
            ).episodes
        ]
    return sorted(found, key=lambda each: (each.fired_at, each.group, each.first_at))


def settled(correlation: Correlation, matches: Sequence[Match], watermark: int | None) -> Settled:
    """Return what is sure of one group of a condition that does not rise.

    ``matches`` are in order and begin where a window begins.
    """
    if watermark is None:
        return Settled((), matches[0].at if matches else None)
    absent = correlation.type == "absence"
    runs, first = (absent_runs if absent else forward_runs)(correlation, matches, watermark)
    open_from = matches[first].at if first < len(matches) else None
    return Settled(tuple(_episode(matches, run, absent=absent) for run in runs), open_from)


def beginning(
    correlation: Correlation, group: Group, matches: list[Match], since: int | None
) -> list[Match]:
    """Return ``matches`` after what stands for the beginning of a configured group."""
    if since is None or group not in correlation.expected:
        return matches
    return [Match(group, since, "", 0), *(match for match in matches if match.at >= since)]


def grouped(matches: Matches) -> dict[Group, list[Match]]:
    """Return matches by group and in order; of one event's the rules are joined."""
    found: dict[Group, dict[tuple[int, str], Match]] = {}
    for match in matches:
        mine = found.setdefault(match.group, {})
        known = mine.get(match.place)
        mine[match.place] = match if known is None else _both(known, match)
    return {group: [mine[key] for key in sorted(mine)] for group, mine in found.items()}


def _both(one: Match, other: Match) -> Match:
    values = [each.value for each in (one, other) if each.value is not None]
    return replace(one, rules=one.rules | other.rules, value=min(values, default=None))


def _counted(
    correlation: Correlation, groups: Mapping[Group, Sequence[Match]], tested: Tested | None
) -> list[Episode]:
    ordered = [match for mine in groups.values() for match in mine]
    sizes = [len(mine) for mine in groups.values()]
    codes = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    times = np.fromiter((match.at for match in ordered), np.int64, len(ordered))
    bounds = correlation.bounds
    least = max(1, *(int(b.number) + (b.operator == "gt") for b in bounds))
    looked = None
    if tested is not None:
        edges = np.array([tested[group] for group in groups], np.int64).reshape(-1, 2)
        looked = (times >= edges[codes, 0]) & (times <= edges[codes, 1])
    runs = count_runs(codes, times, correlation.timespan, least, looked)
    return [
        _episode(ordered, (start, end, ordered[first - 1].at, str(end - start)))
        for start, end, first in zip(*(each.tolist() for each in runs), strict=True)
    ]


def _rising(
    correlation: Correlation, matches: Sequence[Match], tested: Tested | None
) -> list[Episode]:
    if tested is None:
        runs = rising_runs(correlation, matches)
    else:
        runs = rising_runs(correlation, matches, tested[matches[0].group])
    return [_episode(matches, run) for run in runs]


def _episode(matches: Sequence[Match], run: Run, *, absent: bool = False) -> Episode:
    start, end, fired_at, measured = run
    first, mine = matches[start], tuple(matches[start:end])
    known = tuple(match for match in mine if match.event_id)
    last_at = fired_at if absent else mine[-1].at
    return Episode(first.group, first.at, last_at, fired_at, measured, known, len(known))
