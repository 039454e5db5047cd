"""Correlations that refer to correlations: an episode is a match of the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detectors.core.alert_ids import alert_id
from detectors.core.correlation.episodes import episodes_of
from detectors.core.correlation.grouping import Grouper, Hit, RuleKeys
from detectors.core.correlation.model import Correlation
from detectors.models.correlation import Episode, Match, Uncounted


def keys_of(correlation: Correlation) -> RuleKeys:
    """Return under which names others refer to ``correlation``."""
    return frozenset({correlation.header.id, correlation.header.name}) - {""}


def episode_id(correlation: Correlation, episode: Episode) -> str:
    """Return the id of an episode as first written; a silence of nothing is named by time."""
    first = episode.first_event or f"from {episode.first_at}"
    return alert_id(correlation.header.id, episode.group, first)


def episode_hit(correlation: Correlation, episode: Episode, identifier: str) -> Hit:
    """Return an inner episode as what the next correlation counts.

    It is an event at its first fire, with the key fields of its group.
    """
    fields = dict(zip(correlation.group_by, episode.group, strict=True))
    return Hit(episode.fired_at, identifier, (keys_of(correlation),), fields)


def chained_episodes(
    chain: Sequence[Correlation],
    hits: Iterable[Hit],
    watermark: int | None = None,
    since: int | None = None,
) -> tuple[list[Episode], Uncounted]:
    """Return the episodes of the last of ``chain``, whose inner correlations stand before it.

    ``watermark`` and ``since`` are those of ``episodes_of``. Also says what did not count.
    """
    everything = list(hits)
    uncounted = Uncounted()
    found: list[Episode] = []
    for correlation in chain:
        grouper = Grouper(correlation)
        matches: list[Match] = []
        for hit in everything:
            mine, lost = grouper.matches_of(hit)
            matches.extend(mine)
            uncounted += lost
        found = episodes_of(correlation, matches, watermark, since=since)
        everything += [
            episode_hit(correlation, each, episode_id(correlation, each)) for each in found
        ]
    return found, uncounted
