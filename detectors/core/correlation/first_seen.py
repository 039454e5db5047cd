"""first_seen: a value that a group has not shown for the length of its memory.

Sightings of one value that follow each other within the memory are one *run*; only what
begins a run can be new. A group whose first sighting of all is younger than the learning
period learns, and fires nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detectors.core.correlation.model import Correlation
from detectors.models.correlation import Episode, Match, Sighted


def joined_runs(runs: Iterable[Sighted], memory: int) -> list[Sighted]:
    """Join runs of one value that follow each other within ``memory`` microseconds.

    A single sighting is a run of its own. The answer does not depend on their order.
    """
    found: list[Sighted] = []
    for run in sorted(runs, key=lambda each: each.start):
        if found and run.first_at - found[-1].last_at <= memory:
            before = found.pop()
            last_at = max(before.last_at, run.last_at)
            run = Sighted(run.group, run.value, *before.start, last_at)  # noqa: PLW2901
        found.append(run)
    return found


def sighting(match: Match) -> Sighted | None:
    """Return ``match`` as a run of its own; None if it shows no value."""
    if match.value is None:
        return None
    return Sighted(match.group, match.value, match.at, match.event_id, match.at)


def is_learned(correlation: Correlation, run: Sighted, begun_at: int) -> bool:
    """Tell whether a run may fire in a group that was first seen at ``begun_at``."""
    return run.first_at - begun_at >= correlation.learning


def run_as_episode(run: Sighted) -> Episode:
    """Return what begins ``run`` as an episode."""
    first = Match(run.group, run.first_at, run.first_event, 1, run.value)
    at = run.first_at
    return Episode(run.group, at, at, at, " / ".join(run.value), (first,), 1)


def new_values(correlation: Correlation, matches: Sequence[Match]) -> list[Episode]:
    """Return what was new in one group, of all its matches."""
    by_value: dict[tuple[str, ...], list[Sighted]] = {}
    for run in filter(None, map(sighting, matches)):
        by_value.setdefault(run.value, []).append(run)
    runs = [run for seen in by_value.values() for run in joined_runs(seen, correlation.timespan)]
    begun_at = min((run.first_at for run in runs), default=0)
    runs.sort(key=lambda each: each.start)
    return [run_as_episode(run) for run in runs if is_learned(correlation, run, begun_at)]
