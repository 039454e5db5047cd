"""first_seen over what a step brought: everything stored about it is read in a few statements.

A run of sightings that only got longer says nothing new: who began it, and whether its group
had learnt by then, stand as they were judged. So of most events only the sighting is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.correlation.first_seen import (
    is_learned,
    joined_runs,
    run_as_episode,
    sighting,
)
from detectors.core.correlation.reconcile import Change, reconcile
from detectors.models.correlation import (
    Began,
    Episode,
    Group,
    GroupState,
    Known,
    Match,
    Shown,
    Sighted,
)
from detectors.service.correlation.correlation_nodes import GroupChange, Node
from secops.kernel.transactions import Transaction

FOREVER: Final = 1 << 62


@dataclass(slots=True)
class _Group:
    """One group's runs that are judged, those that only got longer, and the stored ones gone."""

    runs: list[Sighted] = field(default_factory=list)
    longer: list[Sighted] = field(default_factory=list)
    gone: dict[tuple[str, ...], list[Sighted]] = field(default_factory=dict)

    def take(
        self, value: tuple[str, ...], before: Sequence[Sighted], joined: Sequence[Sighted]
    ) -> None:
        """Note that a value's runs were ``before`` and are ``joined``."""
        gone = [run for run in before if run not in joined]
        if gone:
            self.gone[value] = gone
        for run in joined:
            if run not in before:
                covered = self.covered(run)[1:]
                grown = len(covered) == 1 and covered[0].start == run.start
                (self.longer if grown else self.runs).append(run)

    def covered(self, run: Sighted) -> list[Sighted]:
        """Return ``run`` and the stored runs of its value that it takes in."""
        gone = self.gone.get(run.value, ())
        return [run, *(each for each in gone if run.first_at <= each.first_at <= run.last_at)]


def new_values(tx: Transaction, node: Node) -> Iterator[GroupChange]:
    """Join new sightings with the runs they touch; what begins a run may be new."""
    touched = node.touched()
    node.load_states(tx, touched)
    groups = {group: _Group() for group in touched}
    _join(tx, node, groups)
    begun = {group: _begun(tx, node, groups[group], matches) for group, matches in touched.items()}
    written = _written(tx, node, groups)
    for group, found in groups.items():
        for run in sorted(found.runs, key=lambda each: each.start):
            fires = is_learned(node.correlation, run, begun[group])
            episodes = [run_as_episode(run)] if fires else []
            mine = (written.get((group, each.start), ()) for each in found.covered(run))
            known = {one.id: one for some in mine for one in some}
            for change in _judged(node, episodes, list(known.values())):
                yield group, change
    node.notes.added.clear()  # the runs hold all that is needed


def _join(tx: Transaction, node: Node, groups: Mapping[Group, _Group]) -> None:
    """Join what came with what is stored, and note what is to be written of it."""
    fresh: dict[Shown, list[Sighted]] = {}
    for run in filter(None, map(sighting, node.notes.added)):
        fresh.setdefault((run.group, run.value), []).append(run)
    stored = node.store.sightings(tx, node.key, fresh)
    for (group, value), mine in fresh.items():
        before = stored.get((group, value), ())
        joined = joined_runs([*before, *mine], node.correlation.timespan)
        groups[group].take(value, before, joined)
    for found in groups.values():
        node.notes.sighted += [*found.runs, *found.longer]
        node.notes.forgotten += [run for runs in found.gone.values() for run in runs]


def _begun(tx: Transaction, node: Node, found: _Group, matches: Sequence[Match]) -> int:
    """Return since when a group is known; keep it where that is news."""
    group = matches[0].group
    state = node.states.get(group)
    first = min(match.at for match in matches)
    if state is None:
        node.put(GroupState(group, first, None, FOREVER))
        return first
    if first >= state.begins_at:
        return state.begins_at
    # a group that is older than was thought has learnt earlier: look at its past again
    until = state.begins_at + node.correlation.learning
    young = node.store.sightings(tx, node.key, Began(group, first, until))
    found.runs += found.longer
    there = {*found.runs, *(run for runs in found.gone.values() for run in runs)}
    found.runs += [run for runs in young.values() for run in runs if run not in there]
    node.put(GroupState(group, first, None, FOREVER, state.revision))
    return first


def _written(
    tx: Transaction, node: Node, groups: Mapping[Group, _Group]
) -> dict[tuple[Group, tuple[int, str]], list[Known]]:
    """Return what was written of the runs that are judged, by group and where it begins."""
    places = {
        (group, each.first_at)
        for group, found in groups.items()
        for run in found.runs
        for each in found.covered(run)
    }
    written: dict[tuple[Group, tuple[int, str]], list[Known]] = {}
    for group, known in node.book.known_at(tx, places):
        written.setdefault((group, (known.first_at, known.first_event)), []).append(known)
    return written


def _judged(node: Node, found: Sequence[Episode], known: Sequence[Known]) -> Iterator[Change]:
    """As ``reconcile``, where all of ``known`` are about the one that was found."""
    if not found or not known:
        yield from reconcile(found, known, node.name)
        return
    (episode,) = found
    oldest, *others = known
    if others or not oldest.live or oldest.first_event != episode.first_event:
        yield Change("extend", oldest, episode, tuple(others))
    yield from (Change("supersede", other) for other in others if other.live)
