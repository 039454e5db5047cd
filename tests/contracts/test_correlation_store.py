"""What correlations keep comes back as it was, over SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from detectors.models.correlation import (
    Began,
    CorrelationCounts,
    GroupState,
    Known,
    Match,
    Notes,
    Sighted,
    Uncounted,
)
from detectors.ports import CorrelationStore
from detectors.store.correlations import DatabaseCorrelations
from secops.adapters.spine import Spine

KEY = ("c", "v1")
GROUP = ("ann", "web")
MATCHES = [
    Match(GROUP, 5, "e1", 0b101, ("p", "q")),
    Match(GROUP, 7, "e2", 1 << 150),
    Match(("bob", "web"), 5, "e1"),
]


@pytest.fixture
def store() -> CorrelationStore:
    return DatabaseCorrelations()


def write(spine: Spine, store: CorrelationStore, notes: Notes) -> bool:
    return spine.transactions.run(lambda tx: store.write(tx, "org_root", notes))


def test_a_match_counts_once_and_comes_back_whole(spine: Spine, store: CorrelationStore) -> None:
    read = spine.transactions.read
    assert write(spine, store, Notes(KEY, added=[*MATCHES, MATCHES[0]])) is True
    assert write(spine, store, Notes(KEY, added=MATCHES)) is True
    assert read(lambda tx: store.matches(tx, KEY, GROUP, (5, 7))) == MATCHES[:2]
    assert read(lambda tx: store.matches(tx, KEY, GROUP, (6, 7))) == MATCHES[1:2]
    assert read(lambda tx: store.matches(tx, ("c", "v2"), GROUP, (0, 9))) == []
    assert read(lambda tx: store.matches_before(tx, KEY, GROUP, 7, 1)) == MATCHES[1:2]
    assert read(lambda tx: store.matches_before(tx, KEY, GROUP, 6, 9)) == MATCHES[:1]
    assert read(lambda tx: store.first_matches(tx, KEY, GROUP, (0, 9), 1)) == (MATCHES[:1], 2)
    write(spine, store, Notes(KEY, removed=[MATCHES[0]]))
    assert read(lambda tx: store.matches(tx, KEY, GROUP, (0, 9))) == MATCHES[1:2]
    assert spine.transactions.run(lambda tx: store.forget(tx, 6)) == 1
    assert read(lambda tx: store.matches(tx, KEY, ("bob", "web"), (0, 9))) == []


def test_a_groups_state_changes_only_from_what_was_read(
    spine: Spine, store: CorrelationStore
) -> None:
    read = spine.transactions.read
    fresh = GroupState(GROUP, 5, 15, 4)
    assert write(spine, store, Notes(KEY, states={GROUP: fresh})) is True
    assert write(spine, store, Notes(KEY, states={GROUP: fresh})) is False, "there already"
    (seen,) = read(lambda tx: store.states(tx, KEY, [GROUP, ("nobody",)])).values()
    assert seen == GroupState(GROUP, 5, 15, 4, revision=1)
    later = GroupState(GROUP, 5, None, 15, revision=1)
    changed = Notes(KEY, states={GROUP: later}, added=[MATCHES[0]])
    assert write(spine, store, changed) is True
    assert write(spine, store, changed) is False, "another process was there first"


def test_groups_are_due_by_time(spine: Spine, store: CorrelationStore) -> None:
    begins = {"a": 3, "b": 1, "c": 2}
    groups = {(n,): GroupState((n,), at, at + 10, at - 1) for n, at in begins.items()}
    write(spine, store, Notes(KEY, states=groups))

    def due(before: int, limit: int = 9) -> list[str]:
        found = spine.transactions.read(lambda tx: store.due(tx, KEY, before, limit))
        return [state.group[0] for state in found]

    assert due(11) == []
    assert due(13) == ["b", "c"]
    assert due(99) == ["b", "c", "a"]
    assert due(99, 2) == ["b", "c"]
    done = {("b",): GroupState(("b",), 1, None, 11, revision=1)}
    write(spine, store, Notes(KEY, states=done))
    assert due(99) == ["c", "a"]
    assert spine.transactions.run(lambda tx: store.forget(tx, 12)) == 1, "open groups stay"


def test_sightings_are_replaced_and_forgotten(spine: Spine, store: CorrelationStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    old, new = (Sighted(GROUP, ("p",), at, f"e{at}", at + 5) for at in (10, 5))
    other = Sighted(GROUP, ("q",), 12, "e12", 40)
    write(spine, store, Notes(KEY, sighted=[old, other]))
    write(spine, store, Notes(KEY, forgotten=[old], sighted=[new]))
    shown = [(GROUP, ("p",)), (GROUP, ("nothing",)), (("bob", "web"), ("p",))]
    assert read(lambda tx: store.sightings(tx, KEY, shown)) == {shown[0]: [new]}
    assert read(lambda tx: store.sightings(tx, ("c", "v2"), shown)) == {}
    young = {(GROUP, ("q",)): [other]}
    assert read(lambda tx: store.sightings(tx, KEY, Began(GROUP, 6, 12))) == young
    assert run(lambda tx: store.forget(tx, 0, {KEY: 40})) == 1
    assert read(lambda tx: store.sightings(tx, KEY, Began(GROUP, 0, 99))) == young


def test_inner_episodes_are_found_by_their_time(spine: Spine, store: CorrelationStore) -> None:
    episode = Known("alr_1", 10, 20, 15, "e1", 3)
    grown = Known("alr_1", 10, 30, 15, "e1", 5)

    def inner(window: tuple[int, int]) -> list[Known]:
        return list(spine.transactions.read(lambda tx: store.inner(tx, KEY, GROUP, window)))

    write(spine, store, Notes(KEY, inner=[(GROUP, episode)]))
    assert (inner((20, 99)), inner((21, 99)), inner((0, 9))) == ([episode], [], [])
    write(spine, store, Notes(KEY, dropped=[(GROUP, "alr_1")], inner=[(GROUP, grown)]))
    assert inner((21, 99)) == [grown]
    write(spine, store, Notes(KEY, dropped=[(GROUP, "alr_1")]))
    assert inner((0, 99)) == []


def test_what_did_not_count_adds_up(spine: Spine, store: CorrelationStore) -> None:
    for late in (2, 3):
        write(spine, store, Notes(KEY, uncounted=Uncounted(1, 2, 0), late=late))
    write(spine, store, Notes(("b", "v"), uncounted=Uncounted(0, 0, 1)))
    assert spine.transactions.read(store.counts) == [
        CorrelationCounts("b", "v", Uncounted(0, 0, 1), 0),
        CorrelationCounts("c", "v1", Uncounted(2, 4, 0), 5),
    ]
