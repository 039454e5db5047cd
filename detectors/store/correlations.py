"""What correlations keep, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from detectors.models.correlation import (
    Began,
    CorrelationCounts,
    Group,
    GroupState,
    Known,
    Match,
    NodeKey,
    Notes,
    Shown,
    Sighted,
    Uncounted,
)
from detectors.store.correlation_rows import (
    key_values,
    known_in,
    match_in,
    match_values,
    sighted_in,
    state_in,
    text_of,
    texts_in,
)
from detectors.store.pieces import pieces
from detectors.store.tables import (
    correlation_counts,
    correlation_groups,
    inner_episodes,
    matches,
    sightings,
)
from secops.kernel.transactions import Transaction

T = TypeVar("T")

_MANY: Final = 400
"""Places of one statement: two parameters each."""


class DatabaseCorrelations:
    """Correlations' state; a group's state changes only where it stands as it was read."""

    def matches(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int]
    ) -> Sequence[Match]:
        """Return a group's matches in ``window`` (both ends included), in order."""
        query = (
            sa.select(matches)
            .where(*_of(matches, key, group), matches.c.at.between(*window))
            .order_by(matches.c.at, matches.c.event_id)
        )
        return [match_in(row, group) for row in tx.execute(query)]

    def first_matches(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int], limit: int
    ) -> tuple[Sequence[Match], int]:
        """Return at most ``limit`` first matches in ``window``, and how many there are."""
        here = (*_of(matches, key, group), matches.c.at.between(*window))
        query = sa.select(matches).where(*here).order_by(matches.c.at, matches.c.event_id)
        count = tx.execute(sa.select(sa.func.count()).select_from(matches).where(*here)).scalar()
        return [match_in(row, group) for row in tx.execute(query.limit(limit))], int(count or 0)

    def matches_before(
        self, tx: Transaction, key: NodeKey, group: Group, at: int, limit: int
    ) -> Sequence[Match]:
        """Return at most ``limit`` matches of a group not after ``at``, the latest first."""
        query = (
            sa.select(matches)
            .where(*_of(matches, key, group), matches.c.at <= at)
            .order_by(matches.c.at.desc(), matches.c.event_id.desc())
            .limit(limit)
        )
        return [match_in(row, group) for row in tx.execute(query)]

    def states(
        self, tx: Transaction, key: NodeKey, groups: Iterable[Group]
    ) -> dict[Group, GroupState]:
        """Return the states of those of ``groups`` that have one."""
        table = correlation_groups
        query = sa.select(table).where(*_all_of(table, key))
        found = {}
        for some in pieces([text_of(group) for group in groups], _MANY):
            for row in tx.execute(query.where(table.c.group_key.in_(some))):
                found[texts_in(row.group_key)] = state_in(row)
        return found

    def due(self, tx: Transaction, key: NodeKey, before: int, limit: int) -> Sequence[GroupState]:
        """Return at most ``limit`` groups that are due before ``before``, the longest due first."""
        table = correlation_groups
        query = (
            sa.select(table)
            .where(*_all_of(table, key), table.c.due_at < before)
            .order_by(table.c.due_at, table.c.group_key)
        )
        return [state_in(row) for row in tx.execute(query.limit(limit))]

    def sightings(
        self, tx: Transaction, key: NodeKey, wanted: Iterable[Shown] | Began
    ) -> dict[Shown, Sequence[Sighted]]:
        """Return runs by value: those of the ``wanted`` values, or all that began then."""
        found: dict[Shown, list[Sighted]] = {}
        query = sa.select(sightings).where(*_all_of(sightings, key))
        for here in _sighted_where(wanted):
            for row in tx.execute(query.where(here)):
                run = sighted_in(row, texts_in(row.group_key))
                found.setdefault((run.group, run.value), []).append(run)
        return {**found}

    def inner(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int]
    ) -> Sequence[Known]:
        """Return a group's inner episodes that share an instant with ``window``."""
        table = inner_episodes
        query = (
            sa.select(table)
            .where(
                *_of(table, key, group),
                table.c.last_at >= window[0],
                table.c.first_at <= window[1],
            )
            .order_by(table.c.first_at, table.c.id)
        )
        return [known_in(row) for row in tx.execute(query)]

    def counts(self, tx: Transaction) -> Sequence[CorrelationCounts]:
        """Return what each correlation's version did not count."""
        table = correlation_counts
        query = sa.select(table).order_by(table.c.correlation, table.c.version)
        return [
            CorrelationCounts(
                row.correlation,
                row.version,
                Uncounted(row.ungrouped, row.unmeasured, row.cut),
                row.late,
            )
            for row in tx.execute(query)
        ]

    def write(self, tx: Transaction, org_id: str, notes: Notes) -> bool:
        """Write what a step changes; False if a group's state changed since it was read."""
        for state in notes.states.values():
            if not _put_state(tx, org_id, notes.key, state):
                return False
        for match in notes.removed:
            here = (matches.c.at == match.at, matches.c.event_id == match.event_id)
            tx.execute(matches.delete().where(*_of(matches, notes.key, match.group), *here))
        _put_matches(tx, org_id, notes)
        _put_sightings(tx, org_id, notes)
        _put_inner(tx, org_id, notes)
        _add_counts(tx, org_id, notes)
        return True

    def forget(
        self, tx: Transaction, before: int, memories: Mapping[NodeKey, int] | None = None
    ) -> int:
        """Drop matches, inner episodes and settled groups of before ``before``; return how many.

        ``memories`` says, by correlation, before when runs of sightings must have ended.
        """
        groups = correlation_groups
        done = [
            tx.execute(matches.delete().where(matches.c.at < before)),
            tx.execute(inner_episodes.delete().where(inner_episodes.c.last_at < before)),
            tx.execute(
                groups.delete().where(groups.c.due_at.is_(None), groups.c.settled_to < before)
            ),
        ]
        for key, ended in (memories or {}).items():
            old = sightings.c.last_at < ended
            done.append(tx.execute(sightings.delete().where(*_all_of(sightings, key), old)))
        return sum(int(each.rowcount) for each in done)


def _sighted_where(wanted: Iterable[Shown] | Began) -> Iterator[sa.ColumnElement[bool]]:
    columns = sightings.c
    if isinstance(wanted, Began):
        began = columns.first_at.between(wanted.since, wanted.until)
        yield sa.and_(columns.group_key == text_of(wanted.group), began)
        return
    pair = sa.tuple_(columns.group_key, columns.value)
    for some in pieces([(text_of(group), text_of(value)) for group, value in wanted], _MANY):
        yield pair.in_(some)


def _all_of(table: sa.Table, key: NodeKey) -> tuple[Any, ...]:
    return table.c.correlation == key[0], table.c.version == key[1]


def _of(table: sa.Table, key: NodeKey, group: Group) -> tuple[Any, ...]:
    return (*_all_of(table, key), table.c.group_key == text_of(group))


def _put_state(tx: Transaction, org_id: str, key: NodeKey, state: GroupState) -> bool:
    """Store a state if it is still what was read: its revision says so."""
    table = correlation_groups
    values = {
        "begins_at": state.begins_at,
        "due_at": state.due_at,
        "settled_to": state.settled_to,
        "revision": state.revision + 1,
    }
    here = _of(table, key, state.group)
    if state.revision == 0:
        if tx.execute(sa.select(table.c.revision).where(*here)).first() is not None:
            return False
        tx.execute(table.insert().values(**key_values(key, state.group), org_id=org_id, **values))
        return True
    changed = tx.execute(
        table.update().where(*here, table.c.revision == state.revision).values(**values)
    )
    return bool(changed.rowcount == 1)


def _put_matches(tx: Transaction, org_id: str, notes: Notes) -> None:
    """Add matches; of known ones (a step done before by another version of events) the rules."""
    fresh: dict[tuple[Group, int, str], Match] = {m_key(match): match for match in notes.added}
    by_group: dict[Group, list[Match]] = {}
    for match in fresh.values():
        by_group.setdefault(match.group, []).append(match)
    rows = []
    for group, mine in by_group.items():
        times = [match.at for match in mine]
        window = matches.c.at.between(min(times), max(times))
        columns = (matches.c.at, matches.c.event_id)
        here = sa.select(*columns).where(*_of(matches, notes.key, group), window)
        known = {(row.at, row.event_id) for row in tx.execute(here)}
        rows += [
            {**key_values(notes.key, group), "org_id": org_id, **match_values(match)}
            for match in mine
            if match.place not in known
        ]
    if rows:
        tx.execute(matches.insert(), rows)


def m_key(match: Match) -> tuple[Group, int, str]:
    """Return what makes a match one."""
    return match.group, match.at, match.event_id


def _put_sightings(tx: Transaction, org_id: str, notes: Notes) -> None:
    if notes.forgotten:
        gone = [
            {
                "b_group": text_of(run.group),
                "b_value": text_of(run.value),
                "b_at": run.first_at,
                "b_event": run.first_event,
            }
            for run in notes.forgotten
        ]
        tx.execute(
            sightings.delete().where(
                *_all_of(sightings, notes.key),
                sightings.c.group_key == sa.bindparam("b_group"),
                sightings.c.value == sa.bindparam("b_value"),
                sightings.c.first_at == sa.bindparam("b_at"),
                sightings.c.first_event == sa.bindparam("b_event"),
            ),
            gone,
        )
    rows = [
        {
            **key_values(notes.key, run.group),
            "value": text_of(run.value),
            "first_at": run.first_at,
            "first_event": run.first_event,
            "org_id": org_id,
            "last_at": run.last_at,
        }
        for run in notes.sighted
    ]
    if rows:
        tx.execute(sightings.insert(), rows)


def _put_inner(tx: Transaction, org_id: str, notes: Notes) -> None:
    table = inner_episodes
    gone = [*notes.dropped, *((group, each.id) for group, each in notes.inner)]
    for group, identifier in gone:
        tx.execute(table.delete().where(*_of(table, notes.key, group), table.c.id == identifier))
    rows = [
        {
            **key_values(notes.key, group),
            "id": each.id,
            "org_id": org_id,
            "first_at": each.first_at,
            "last_at": each.last_at,
            "fired_at": each.fired_at,
            "first_event": each.first_event,
            "event_count": each.count,
        }
        for group, each in notes.inner
    ]
    if rows:
        tx.execute(table.insert(), rows)


def _add_counts(tx: Transaction, org_id: str, notes: Notes) -> None:
    more = {
        "ungrouped": notes.uncounted.ungrouped,
        "unmeasured": notes.uncounted.unmeasured,
        "cut": notes.uncounted.cut,
        "late": notes.late,
    }
    if not any(more.values()):
        return
    table = correlation_counts
    sums = {name: table.c[name] + count for name, count in more.items()}
    changed = tx.execute(table.update().where(*_all_of(table, notes.key)).values(**sums))
    if not changed.rowcount:
        row = {"correlation": notes.key[0], "version": notes.key[1], "org_id": org_id, **more}
        tx.execute(table.insert().values(**row))
