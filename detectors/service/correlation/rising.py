"""Conditions that more matches can only help: the windows around what is new, and no others.

However long an episode lasts, a step reads two timespans before and after what came: windows
that end further away cannot have changed, and whether they still belong together shows in
the windows between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from detectors.core.correlation.episodes import episodes_of
from detectors.core.correlation.reconcile import reconcile
from detectors.models.correlation import Episode, Group, Known, Match
from detectors.service.correlation.correlation_nodes import GroupChange, Node
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class _Region:
    """What is looked at of one group: windows that end from ``low`` to ``high``.

    Of these, windows that end before ``changed_from`` or behind ``changed_to`` hold nothing
    new: they fire as they did.
    """

    group: Group
    low: int
    high: int
    changed_from: int
    changed_to: int
    known: Sequence[Known]


def risen(tx: Transaction, node: Node) -> Iterator[GroupChange]:
    """Yield what the matches that came to ``node``, or went, change."""
    regions = [_region(tx, node, group, touched) for group, touched in node.touched().items()]
    found = _episodes(tx, node, regions)
    whole = []
    for region in regions:
        episodes = _completed(tx, node, region, found.get(region.group, []))
        if episodes is None:
            whole.append(_widened(region))
            continue
        for change in reconcile(episodes, region.known, node.name):
            yield region.group, change
    found = _episodes(tx, node, whole)
    for region in whole:
        for change in reconcile(found.get(region.group, []), region.known, node.name):
            yield region.group, change


def _region(tx: Transaction, node: Node, group: Group, touched: Sequence[Match]) -> _Region:
    span = node.correlation.timespan
    first, last = min(m.at for m in touched), max(m.at for m in touched) + span
    low, high = first - span, last + span
    return _Region(group, low, high, first, last, node.book.known(tx, group, (low, high)))


def _widened(region: _Region) -> _Region:
    """Return a region that holds all of what was written."""
    return replace(
        region,
        low=min(region.low, *(each.first_at for each in region.known)),
        high=max(region.high, *(each.last_at for each in region.known)),
    )


def _episodes(
    tx: Transaction, node: Node, regions: Sequence[_Region]
) -> dict[Group, list[Episode]]:
    """Return what the windows of ``regions`` hold; every window is loaded whole."""
    span = node.correlation.timespan
    matches: list[Match] = []
    for region in regions:
        matches += node.matches(tx, region.group, (region.low - span, region.high))
    tested = {region.group: (region.low, region.high) for region in regions}
    found: dict[Group, list[Episode]] = {}
    for episode in episodes_of(node.correlation, matches, tested=tested):
        found.setdefault(episode.group, []).append(episode)
    return found


def _completed(
    tx: Transaction, node: Node, region: _Region, found: Sequence[Episode]
) -> list[Episode] | None:
    """Return ``found`` with what was written before and behind the region joined to it.

    A part outside belongs to the episode in which a window is that holds nothing new and
    that it overlaps: those two were joined by windows that still fire. None says that this
    can't be seen here, and everything must be looked at.
    """
    episodes = list(found)
    for known in region.known:
        if not (known.mine and known.live):
            return None
        if known.first_at < region.low:
            mine = _holding(episodes, known, lambda e: e.fired_at < region.changed_from)
            if mine is None:
                return None
            fired_at = min(known.fired_at, episodes[mine].fired_at)
            episodes[mine] = replace(episodes[mine], first_at=known.first_at, fired_at=fired_at)
        if known.last_at > region.high:
            mine = _holding(episodes, known, lambda e: e.last_at > region.changed_to)
            if mine is None:
                return None
            episodes[mine] = replace(episodes[mine], last_at=known.last_at)
    outside = [e for e in episodes if e.first_at < region.low or e.last_at > region.high]
    for episode in outside:
        window = (episode.first_at, episode.last_at)
        first, count = node.first_matches(tx, region.group, window)
        episodes[episodes.index(episode)] = replace(episode, matches=tuple(first), count=count)
    return episodes


def _holding(
    episodes: Sequence[Episode], known: Known, unchanged: Callable[[Episode], bool]
) -> int | None:
    """Return which of ``episodes`` overlaps ``known`` and has a window that holds nothing new."""
    for number, episode in enumerate(episodes):
        overlap = episode.first_at <= known.last_at and known.first_at <= episode.last_at
        if overlap and unchanged(episode):
            return number
    return None
