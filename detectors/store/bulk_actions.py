"""Bulk actions in the database: a chunk of alerts in a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import sqlalchemy as sa

from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import (
    RUNNING,
    BulkAction,
    BulkItem,
    BulkResult,
    BulkState,
    BulkVerb,
    Selected,
)
from detectors.store.alert_queries import (
    NEXT_REVISION,
    conditions_of,
    greatest_revision,
    older_than,
    over_waiting,
)
from detectors.store.alert_writing import add_versions
from detectors.store.pieces import pieces
from detectors.store.tables import alert_subjects, alerts, bulk_actions, bulk_items, bulk_subjects
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_MANY: Final = 500
_WRITTEN: Final[Mapping[BulkVerb, tuple[str, ...]]] = {
    "close": ("status", "closed_at", "closed_by", "close_reason"),
    "acknowledge": ("acknowledged_at", "acknowledged_by"),
    "assign": ("assignee",),
    "undo": (),
}
"""The columns that a verb writes, and an undo gives back."""
_PROGRESS: Final = (
    "state",
    "count",
    "ordered_at",
    "ended_at",
    "last_at",
    "last_id",
    "place",
    "written",
    "told",
    "root",
    "ending",
    "failure",
)


class BulkSelections:
    """Reads what bulk actions are about; a chunk follows the queue's index."""

    def snapshot(self, tx: Transaction) -> int:
        """Return the greatest revision of an alert: all that is written later has a greater."""
        return greatest_revision(tx)

    def count(self, tx: Transaction, org_id: str, wanted: AlertFilter, snapshot: int) -> int:
        """Return how many alerts fit and were last written at ``snapshot`` or before."""
        fit = (*conditions_of(org_id, wanted), alerts.c.revision <= snapshot)
        query = over_waiting(sa.select(sa.func.count()).where(*fit), wanted)
        return int(tx.execute(query).scalar_one())

    def selected(self, tx: Transaction, action: BulkAction, limit: int) -> Sequence[Selected]:
        """Return the next alerts of ``action``, held until the transaction ends."""
        names = _WRITTEN[action.verb]
        columns = [alerts.c[name] for name in ("id", "version", "last_at", *names)]
        if action.undoes is None:
            fit = [*conditions_of(action.org_id, action.wanted)]
            fit.append(alerts.c.revision <= action.snapshot)
            if action.last_at is not None:
                fit.append(older_than(action.last_at, action.last_id))
            query = sa.select(*columns).where(*fit)
            query = query.order_by(alerts.c.last_at.desc(), alerts.c.id.desc())
            rows = tx.execute(query.limit(limit).with_for_update())
            return [Selected(row.id, row.version, row.last_at, _before(row, names)) for row in rows]
        item = bulk_items.c
        written = sa.select(*columns, item.before, item.version.label("written"))
        query = written.join(bulk_items, item.alert_id == alerts.c.id).where(
            item.action_id == action.undoes, item.place > action.place, item.result == "done"
        )
        rows = tx.execute(query.order_by(item.place).limit(limit).with_for_update(of=alerts))
        return [Selected(row.id, row.version, row.last_at, row.before, row.written) for row in rows]

    def undoable(self, tx: Transaction, action_id: str) -> int:
        """Return how many alerts still have the version that the action wrote."""
        item = bulk_items.c
        joined = bulk_items.join(alerts, alerts.c.id == item.alert_id)
        mine = (item.action_id == action_id, item.result == "done")
        query = sa.select(sa.func.count()).select_from(joined)
        return int(tx.execute(query.where(*mine, alerts.c.version == item.version)).scalar_one())


class BulkWriting:
    """Writes chunks: alerts, versions, subjects and items."""

    def write_alerts(
        self, tx: Transaction, action: BulkAction, chosen: Sequence[Selected]
    ) -> Sequence[BulkItem]:
        """Close, acknowledge or assign them and return what was done, in their order."""
        values = {
            **_new(tx, action),
            "version": alerts.c.version + 1,
            "revision": NEXT_REVISION,
        }
        ids = [each.id for each in chosen]
        for some in pieces(ids, _MANY):
            tx.execute(alerts.update().where(alerts.c.id.in_(some)).values(**values))
        if action.verb == "close":
            _open_subjects(tx, action, ids, to=False)
        add_versions(tx, ids)
        items = [
            BulkItem(each.id, action.place + n, each.version + 1, "done", each.before)
            for n, each in enumerate(chosen, 1)
        ]
        _put_items(tx, action, items)
        return items

    def take_subjects(self, tx: Transaction, action: BulkAction, limit: int) -> Sequence[str]:
        """Return at most ``limit`` subjects whose risk has to follow, and note that it does."""
        mine = bulk_subjects.c
        query = sa.select(mine.subject).where(mine.action_id == action.id).order_by(mine.subject)
        found = list(tx.execute(query.limit(limit)).scalars())
        if found:
            # in order and each once: all up to the last are these
            told = (mine.action_id == action.id, mine.subject <= found[-1])
            tx.execute(bulk_subjects.delete().where(*told))
        return found

    def restore_alerts(
        self, tx: Transaction, action: BulkAction, chosen: Sequence[Selected]
    ) -> Sequence[BulkItem]:
        """Give those that nobody wrote since what they said before, and return what was done."""
        same = [each for each in chosen if each.version == each.written]
        if same:
            old = [_old(each) for each in same]
            names = [name for name in old[0] if name != "old_id"]
            values: dict[str, Any] = {
                name.removeprefix("old_"): sa.bindparam(name) for name in names
            }
            values |= {"version": alerts.c.version + 1, "revision": NEXT_REVISION}
            statement = alerts.update().where(alerts.c.id == sa.bindparam("old_id"))
            tx.execute(statement.values(values), old)
            ids = [each.id for each in same]
            if "old_status" in names:
                _open_subjects(tx, action, ids, to=True)
            add_versions(tx, ids)
        items = [_undone(action.place + n, each) for n, each in enumerate(chosen, 1)]
        _put_items(tx, action, items)
        return items


class DatabaseBulkActions(BulkSelections, BulkWriting):
    """The tables ``detectors_bulk_actions`` and ``detectors_bulk_items``."""

    def add(self, tx: Transaction, action: BulkAction) -> None:
        """Store it."""
        wanted = orjson.dumps(asdict(action.wanted)).decode()
        tx.execute(bulk_actions.insert().values(**{**asdict(action), "wanted": wanted}))

    def get(self, tx: Transaction, org_id: str, action_id: str) -> BulkAction | None:
        """Return it, or None."""
        here = (bulk_actions.c.id == action_id, bulk_actions.c.org_id == org_id)
        row = tx.execute(sa.select(bulk_actions).where(*here)).first()
        return None if row is None else _action(row)

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Sequence[BulkAction]:
        """Return at most ``page.limit + 1`` that were ordered, the newest first."""
        mine = bulk_actions.c
        query = sa.select(bulk_actions).where(mine.org_id == org_id, mine.state != "preview")
        if (after := page.key(int, str)) is not None:
            query = query.where(sa.tuple_(mine.created_at, mine.id) < sa.tuple_(*after))
        query = query.order_by(mine.created_at.desc(), mine.id.desc()).limit(page.limit + 1)
        return [_action(row) for row in tx.execute(query)]

    def running(self, tx: Transaction, limit: int) -> Sequence[BulkAction]:
        """Return those that run, which have waited longest first."""
        mine = bulk_actions.c
        query = sa.select(bulk_actions).where(mine.state.in_(RUNNING))
        rows = tx.execute(query.order_by(mine.ordered_at, mine.id).limit(limit))
        return [_action(row) for row in rows]

    def save(self, tx: Transaction, action: BulkAction, before: tuple[BulkState, int, int]) -> bool:
        """Store its progress; False if state, place or told are not those of ``before``."""
        mine, values = bulk_actions.c, asdict(action)
        state, place, told = before
        here = (mine.id == action.id, mine.state == state, mine.place == place, mine.told == told)
        statement = bulk_actions.update().where(*here)
        done = tx.execute(statement.values({name: values[name] for name in _PROGRESS}))
        return bool(done.rowcount == 1)

    def take_undo(self, tx: Transaction, action_id: str, undo_id: str) -> bool:
        """Note what undoes it; False if something does already."""
        here = (bulk_actions.c.id == action_id, bulk_actions.c.undone_by.is_(None))
        done = tx.execute(bulk_actions.update().where(*here).values(undone_by=undo_id))
        return bool(done.rowcount == 1)

    def forget_previews(self, tx: Transaction, org_id: str, before: int) -> None:
        """Drop previews that were made before that instant and never ordered."""
        mine = bulk_actions.c
        here = (mine.org_id == org_id, mine.state == "preview", mine.created_at < before)
        tx.execute(bulk_actions.delete().where(*here))

    def items(
        self, tx: Transaction, action_id: str, result: BulkResult | None, page: PageRequest
    ) -> Sequence[BulkItem]:
        """Return at most ``page.limit + 1`` items by place."""
        item, after = bulk_items.c, page.key(int)
        columns = (item.alert_id, item.place, item.version, item.result, item.before)
        query = sa.select(*columns).where(item.action_id == action_id)
        query = query.where(item.place > (after[0] if after else 0))
        if result is not None:
            query = query.where(item.result == result)
        rows = tx.execute(query.order_by(item.place).limit(page.limit + 1))
        return [BulkItem(*row) for row in rows]


def _before(row: Any, names: Sequence[str]) -> str:
    return orjson.dumps({name: getattr(row, name) for name in names}).decode()


def _old(chosen: Selected) -> dict[str, Any]:
    before: dict[str, Any] = orjson.loads(chosen.before)
    return {"old_id": chosen.id, **{f"old_{name}": value for name, value in before.items()}}


def _new(tx: Transaction, action: BulkAction) -> dict[str, Any]:
    """Return what the action writes into each alert."""
    if action.verb == "close":
        return {
            "status": "closed",
            "closed_at": tx.now,
            "closed_by": action.ordered_by,
            "close_reason": action.reason,
        }
    if action.verb == "acknowledge":
        return {"acknowledged_at": tx.now, "acknowledged_by": action.ordered_by}
    return {"assignee": action.assignee or None}


def _open_subjects(tx: Transaction, action: BulkAction, ids: Sequence[str], *, to: bool) -> None:
    """Let the alerts count for their subjects' risk, or not; note whose risk has to follow."""
    for some in pieces(ids, _MANY):
        mine = alert_subjects.c.alert_id.in_(some)
        tx.execute(alert_subjects.update().where(mine).values(open=to))
        noted = sa.select(sa.literal(1)).where(
            bulk_subjects.c.action_id == action.id,
            bulk_subjects.c.subject == alert_subjects.c.subject,
        )
        new = sa.select(sa.literal(action.id), alert_subjects.c.subject, sa.literal(action.org_id))
        new = new.where(mine, ~noted.exists()).distinct()
        tx.execute(bulk_subjects.insert().from_select(["action_id", "subject", "org_id"], new))


def _undone(place: int, chosen: Selected) -> BulkItem:
    if chosen.version == chosen.written:
        return BulkItem(chosen.id, place, chosen.version + 1, "done", chosen.before)
    return BulkItem(chosen.id, place, chosen.version, "changed", chosen.before)


def _put_items(tx: Transaction, action: BulkAction, items: Sequence[BulkItem]) -> None:
    of = {"action_id": action.id, "org_id": action.org_id}
    tx.execute(bulk_items.insert(), [{**of, **asdict(item)} for item in items])


def _action(row: Any) -> BulkAction:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return BulkAction(**{**values, "wanted": AlertFilter(**orjson.loads(row.wanted))})
