"""The queue in the database: pages, counts and groups of alerts.

Open alerts are walked in an index that holds all that is asked of them: a hundred thousand take
some hundredths of a second, whatever stands closed beside them. Of all others the newest are
counted, and who reads it is told that there are more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.alerts import Alert, AlertFilter, AlertStatus
from detectors.models.queue import (
    MANY,
    AlertGroup,
    AlertNews,
    AlertOrder,
    Combination,
    GroupKey,
)
from detectors.models.rules import SEVERITIES
from detectors.store.alert_queries import (
    Condition,
    conditions_of,
    due_at,
    greatest_revision,
    is_drill,
    newer_than,
    older_than,
    over_index,
    over_waiting,
)
from detectors.store.alert_rows import alerts_of
from detectors.store.tables import alert_subjects, alerts
from detectors.store.tables.detection import WAITING_SUBJECTS
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

COUNTED: Final = 10_000
"""The newest alerts that are not open, of which counts and groups are made."""
_RANK: Final = sa.case(
    *((alerts.c.severity == severity, n) for n, severity in enumerate(SEVERITIES)), else_=0
)


class AlertPages:
    """Pages of alerts in any order; beyond the open ones, in time's."""

    def page(
        self,
        tx: Transaction,
        org_id: str,
        wanted: AlertFilter,
        page: PageRequest,
        order: AlertOrder = "newest",
    ) -> Sequence[Alert]:
        """Return at most ``page.limit + 1`` alerts, behind ``page.after`` in ``order``."""
        keys, ordering, behind = _ORDERS[order](org_id, page)
        query = sa.select(alerts.c.id, *keys).where(*conditions_of(org_id, wanted), *behind)
        query = over_index(tx, query.order_by(*ordering).limit(page.limit + 1), wanted)
        ids = [row.id for row in tx.execute(query)]
        found = alerts_of(tx, ids)
        return [found[each] for each in ids]


class DatabaseAlertQueue:
    """Counts and groups."""

    def combinations(
        self, tx: Transaction, org_id: str, wanted: AlertFilter
    ) -> tuple[Sequence[Combination], bool]:
        """Return how many alerts have which values, whatever facet ``wanted`` chooses.

        True beside them where only the newest were counted.
        """
        unchosen = replace(
            wanted,
            severity=None,
            rule_id=wanted.rule_id if is_drill(wanted) else None,
            assignee=None,
            acknowledged=None,
            entity_kind=None,
        )
        taken = alerts.c.acknowledged_at.is_not(None).label("taken")
        names = ("severity", "rule_id", "assignee", "entity_kinds", "id")
        columns = [alerts.c[name] for name in names]
        query = _counted(tx, sa.select(*columns, taken), org_id, unchosen)
        each = query.c
        said = (each.severity, each.rule_id, each.assignee, each.entity_kinds, each.taken)
        counted = (sa.func.count().label("n"), sa.func.max(each.id).label("sample"))
        rows = tx.execute(sa.select(*said, *counted).group_by(*said)).all()
        found = [
            Combination(
                row.severity,
                row.rule_id,
                row.assignee or "",
                bool(row.taken),
                frozenset(row.entity_kinds.split()),
                row.n,
                row.sample,
            )
            for row in rows
        ]
        least = wanted.status != "open" and sum(row.n for row in rows) >= COUNTED
        return found, least

    def count(self, tx: Transaction, org_id: str, wanted: AlertFilter) -> int:
        """Return how many alerts fit; meant for open ones."""
        query = sa.select(sa.func.count()).where(*conditions_of(org_id, wanted))
        return int(tx.execute(over_waiting(query, wanted)).scalar_one())

    def samples(self, tx: Transaction, ids: Sequence[str]) -> Sequence[Alert]:
        """Return the alerts of a few ``ids``."""
        return list(alerts_of(tx, ids).values())

    def snapshot(self, tx: Transaction) -> int:
        """Return the greatest revision of an alert."""
        return greatest_revision(tx)

    def statuses(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return how many alerts have a status that is not open, ``MANY + 1`` for more."""
        others: tuple[AlertStatus, ...] = ("closed", "suppressed", "revised")
        counts: dict[str, int] = {}
        for status in others:
            mine = sa.select(alerts.c.id).where(*conditions_of(org_id, AlertFilter(status)))
            some = mine.limit(MANY + 1).subquery()
            counts[status] = int(
                tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
            )
        return counts

    def news(self, tx: Transaction, org_id: str, wanted: AlertFilter, revision: int) -> AlertNews:
        """Return how many alerts fit, and how many of them were written after ``revision``.

        It is asked every few seconds: of alerts that are not open the newest are counted.
        """
        mine = _counted(tx, sa.select(alerts.c.revision), org_id, wanted).c.revision
        changed = sa.func.sum(sa.case((mine > revision, 1), else_=0))
        query = sa.select(sa.func.count(mine), sa.func.coalesce(changed, 0))
        total, new = (int(each) for each in tx.execute(query).one())
        return AlertNews(total, new, wanted.status != "open" and total >= COUNTED)

    def groups(
        self, tx: Transaction, org_id: str, wanted: AlertFilter, by: GroupKey, page: PageRequest
    ) -> Sequence[AlertGroup]:
        """Return at most ``page.limit + 1`` groups, the largest first."""
        query, key, count = _BY[by](tx, org_id, wanted)
        if (after := page.key(int, str)) is not None:
            n, last = after
            query = query.having(sa.or_(count < n, sa.and_(count == n, key > last)))
        rows = tx.execute(query.order_by(count.desc(), key).limit(page.limit + 1)).all()
        shown = alerts_of(tx, [row.sample for row in rows if row.sample])
        return [
            AlertGroup(row.key, row.n, row.newest, SEVERITIES[row.worst], shown.get(row.sample))
            for row in rows
        ]


_Order = tuple[Sequence[Any], Sequence[Any], Sequence[Condition]]


def _newest(_org_id: str, page: PageRequest) -> _Order:
    after = page.key(int, str)
    behind = () if after is None else (older_than(*after),)
    return (), (alerts.c.last_at.desc(), alerts.c.id.desc()), behind


def _oldest(_org_id: str, page: PageRequest) -> _Order:
    after = page.key(int, str)
    behind = () if after is None else (newer_than(*after),)
    return (), (alerts.c.last_at, alerts.c.id), behind


def _worst(_org_id: str, page: PageRequest) -> _Order:
    after = page.key(int, int, str)
    ordering = (_RANK.desc(), alerts.c.last_at.desc(), alerts.c.id.desc())
    if after is None:
        return (), ordering, ()
    rank, last_at, alert_id = after
    same = sa.and_(rank == _RANK, older_than(last_at, alert_id))
    return (), ordering, (sa.or_(rank > _RANK, same),)


def _due(org_id: str, page: PageRequest) -> _Order:
    after = page.key(int, str)
    due = due_at(org_id)
    ordering = (due, alerts.c.id)
    if after is None:
        return (), ordering, ()
    at, alert_id = after
    return (), ordering, (sa.or_(due > at, sa.and_(due == at, alerts.c.id > alert_id)),)


_ORDERS: Final[Mapping[AlertOrder, Callable[[str, PageRequest], _Order]]] = {
    "newest": _newest,
    "oldest": _oldest,
    "severity": _worst,
    "due": _due,
}


def _counted(
    tx: Transaction, query: sa.Select[Any], org_id: str, wanted: AlertFilter
) -> sa.Subquery:
    """Return those of ``wanted`` that are counted: all open ones, of others the newest."""
    fit = query.where(*conditions_of(org_id, wanted))
    if wanted.status == "open":
        return over_waiting(fit, wanted).subquery()
    newest = fit.order_by(alerts.c.last_at.desc(), alerts.c.id.desc())
    return over_index(tx, newest.limit(COUNTED), wanted).subquery()


_Grouped = tuple[sa.Select[Any], sa.ColumnElement[str], sa.ColumnElement[int]]


def _by_rule(tx: Transaction, org_id: str, wanted: AlertFilter) -> _Grouped:
    columns = (alerts.c.rule_id, alerts.c.last_at, alerts.c.id, _RANK.label("rank"))
    mine = _counted(tx, sa.select(*columns), org_id, wanted).c
    key, count = mine.rule_id, sa.func.count(mine.id)
    said = _said(key, count, (mine.rank, mine.last_at), sa.func.max(mine.id))
    return said.group_by(key), key, count


def _by_entity(tx: Transaction, org_id: str, wanted: AlertFilter) -> _Grouped:
    columns = (alerts.c.last_at, alerts.c.id, _RANK.label("rank"))
    mine = _counted(tx, sa.select(*columns), org_id, wanted)
    about = alert_subjects.alias("about")
    key, count = about.c.subject, sa.func.count(mine.c.id)
    said = _said(key, count, (mine.c.rank, mine.c.last_at), sa.null())
    said = said.select_from(mine.join(about, about.c.alert_id == mine.c.id))
    if wanted.status == "open":
        said = said.where(about.c.open.is_(True))
        said = said.with_hint(about, f"INDEXED BY {WAITING_SUBJECTS}", "sqlite")
    return said.group_by(key), key, count


def _said(key: Any, count: Any, worst: tuple[Any, Any], sample: Any) -> sa.Select[Any]:
    rank, last_at = worst
    return sa.select(
        key.label("key"),
        count.label("n"),
        sa.func.max(rank).label("worst"),
        sa.func.max(last_at).label("newest"),
        sample.label("sample"),
    )


_BY: Final[Mapping[GroupKey, Callable[[Transaction, str, AlertFilter], _Grouped]]] = {
    "rule": _by_rule,
    "entity": _by_entity,
}
