"""One correlation of a detector during one step: what is stored, and what the step changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detectors.core.correlation.chains import episode_id
from detectors.core.correlation.episodes import grouped
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.reconcile import Change
from detectors.core.detection import Detector
from detectors.models.alerts import MAX_EVIDENCE, Alert
from detectors.models.correlation import (
    Episode,
    Group,
    GroupState,
    Known,
    Match,
    NodeKey,
    Notes,
)
from detectors.ports import AlertStore, CorrelationStore
from secops.kernel.transactions import Transaction

GroupChange = tuple[Group, Change]
MAX_LOOKBACK = 10_000
"""Matches that are looked at to find where windows certainly began."""


class Book(Protocol):
    """Where a correlation's episodes were written."""

    def known(self, tx: Transaction, group: Group, window: tuple[int, int]) -> Sequence[Known]:
        """Return a group's episodes that share an instant with ``window``, oldest first."""
        ...

    def known_at(
        self, tx: Transaction, places: Iterable[tuple[Group, int]]
    ) -> Sequence[tuple[Group, Known]]:
        """Return episodes of one instant, of the groups and at the instants in ``places``."""
        ...


@dataclass(slots=True)
class AlertBook:
    """Episodes of a detector's own correlation: its alerts."""

    alerts: AlertStore
    detector: Detector
    seen: dict[str, Alert] = field(default_factory=dict)

    def known(self, tx: Transaction, group: Group, window: tuple[int, int]) -> Sequence[Known]:
        """Return alerts, also those of former versions: they keep their ids.

        What somebody closed is never taken back: it was seen as it was.
        """
        header = self.detector.header
        found = self.alerts.overlapping(tx, header.id, group, window)
        self.seen.update((alert.id, alert) for alert in found)
        return [self._known(alert) for alert in found]

    def known_at(
        self, tx: Transaction, places: Iterable[tuple[Group, int]]
    ) -> Sequence[tuple[Group, Known]]:
        """Return alerts of one instant, also those of former versions."""
        found = self.alerts.standing_at(tx, self.detector.header.id, sorted(places))
        self.seen.update((alert.id, alert) for alert in found)
        return [(tuple(alert.group), self._known(alert)) for alert in found]

    def _known(self, alert: Alert) -> Known:
        first = alert.event_ids[0] if alert.event_ids else ""
        return Known(
            id=alert.id,
            first_at=alert.first_at,
            last_at=alert.last_at,
            fired_at=alert.last_at,
            first_event=first,
            count=alert.event_count,
            live=alert.status != "revised",
            mine=alert.rule_version == self.detector.version,
            closed=alert.status == "closed",
        )


@dataclass(frozen=True, slots=True)
class InnerBook:
    """Episodes of a correlation that another one counts."""

    store: CorrelationStore
    key: NodeKey

    def known(self, tx: Transaction, group: Group, window: tuple[int, int]) -> Sequence[Known]:
        """Return inner episodes."""
        return self.store.inner(tx, self.key, group, window)

    def known_at(
        self, tx: Transaction, places: Iterable[tuple[Group, int]]
    ) -> Sequence[tuple[Group, Known]]:
        """Return inner episodes of one instant."""
        return [
            (group, each)
            for group, at in sorted(places)
            for each in self.store.inner(tx, self.key, group, (at, at))
            if each.first_at == each.last_at
        ]


@dataclass(slots=True)
class Node:
    """A correlation's stored state with the step's changes on top."""

    correlation: Correlation
    store: CorrelationStore
    notes: Notes
    book: Book
    states: dict[Group, GroupState] = field(default_factory=dict)
    more: bool = False
    _added: dict[Group, list[Match]] = field(default_factory=dict)
    _removed: dict[Group, list[Match]] = field(default_factory=dict)

    @property
    def key(self) -> NodeKey:
        """What its state is kept under."""
        return self.notes.key

    def name(self, episode: Episode) -> str:
        """Return the id of an episode that is new."""
        return episode_id(self.correlation, episode)

    def arrive(self, added: Iterable[Match], removed: Iterable[Match]) -> None:
        """Let matches come, and let others never have been."""
        for match in added:
            self.notes.added.append(match)
            self._added.setdefault(match.group, []).append(match)
        for match in removed:
            self.notes.removed.append(match)
            self._removed.setdefault(match.group, []).append(match)

    def touched(self) -> Mapping[Group, list[Match]]:
        """Return what came or went, by group."""
        groups = dict.fromkeys((*self._removed, *self._added))
        return {g: [*self._removed.get(g, ()), *self._added.get(g, ())] for g in groups}

    def matches(self, tx: Transaction, group: Group, window: tuple[int, int]) -> list[Match]:
        """Return a group's matches in ``window`` in order, as they are after the step."""
        stored = self.store.matches(tx, self.key, group, window)
        return self._after(stored, group, window)

    def first_matches(
        self, tx: Transaction, group: Group, window: tuple[int, int]
    ) -> tuple[list[Match], int]:
        """Return the first matches of a group in ``window``, and how many there are."""
        stored, count = self.store.first_matches(tx, self.key, group, window, MAX_EVIDENCE)
        low, high = window
        mine = [match for match in self._added.get(group, ()) if low <= match.at <= high]
        gone = [match for match in self._removed.get(group, ()) if low <= match.at <= high]
        fresh = self._unknown(tx, group, mine)
        less = len(gone) - len(self._unknown(tx, group, gone))
        here = self._after(stored, group, window)
        return here[:MAX_EVIDENCE], count + len(fresh) - less

    def _unknown(self, tx: Transaction, group: Group, matches: list[Match]) -> set[tuple[int, str]]:
        """Return the places of ``matches`` that are not stored."""
        places = {match.place for match in matches}
        if not places:
            return set()
        window = (min(at for at, _ in places), max(at for at, _ in places))
        return places - {match.place for match in self.store.matches(tx, self.key, group, window)}

    def before(self, tx: Transaction, group: Group, at: int) -> list[Match]:
        """Return a group's matches up to ``at``, the latest first; not all of very many."""
        stored = self.store.matches_before(tx, self.key, group, at, MAX_LOOKBACK)
        earliest = stored[-1].at if len(stored) == MAX_LOOKBACK else -(1 << 62)
        return self._after(stored, group, (earliest, at))[::-1]

    def _after(self, stored: Sequence[Match], group: Group, window: tuple[int, int]) -> list[Match]:
        gone = {match.place for match in self._removed.get(group, ())}
        mine = [match for match in stored if match.place not in gone]
        low, high = window
        mine += [match for match in self._added.get(group, ()) if low <= match.at <= high]
        return grouped(mine).get(group, [])

    def load_states(self, tx: Transaction, groups: Iterable[Group]) -> None:
        """Read the states of ``groups`` that are not here yet."""
        missing = [group for group in groups if group not in self.states]
        self.states.update(self.store.states(tx, self.key, missing))

    def put(self, state: GroupState) -> None:
        """Keep a group's new state."""
        self.states[state.group] = self.notes.states[state.group] = state


def node_key(detector: Detector, correlation: Correlation) -> NodeKey:
    """Return what a correlation's state is kept under: inner ones belong to the outer one."""
    identifier, version = detector.key
    if correlation is detector.correlation:
        return identifier, version
    return f"{identifier}/{correlation.header.id}", version


def memories_of(detectors: Iterable[Detector], before: int) -> dict[NodeKey, int]:
    """Return when runs of sightings must have ended to be forgotten with events of ``before``."""
    return {
        node_key(detector, correlation): before - correlation.timespan
        for detector in detectors
        for correlation in detector.chain
        if correlation.type == "first_seen"
    }
