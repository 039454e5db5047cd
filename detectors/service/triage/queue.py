"""The queue: how many alerts a view has, its groups, and what is new since it was shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detectors.core.alert_facets import facets_of
from detectors.models.alerts import AlertFilter
from detectors.models.queue import AlertCounts, AlertGroup, AlertNews, AlertOrder, GroupKey
from detectors.ports import AlertQueueStore
from detectors.service.triage.filters import settled
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_READ
from secops.kernel.transactions import Transaction


def check_order(wanted: AlertFilter, order: AlertOrder) -> None:
    """Raise ``Invalid`` for an order that only the queue of open alerts has."""
    if wanted.status != "open" and order in ("severity", "due"):
        msg = f"only open alerts are sorted by {order}; others by time: newest, oldest"
        raise Invalid(msg)


@dataclass(frozen=True, slots=True)
class AlertQueueService:
    """Use cases on views of the queue; each sees one's own organisation."""

    _parts: Parts
    _store: AlertQueueStore

    def count_alerts(self, actor: Actor, wanted: AlertFilter) -> AlertCounts:
        """Return how many alerts fit, and how many would with another value of a facet.

        Open alerts are counted to the last; of others the newest 10,000, and ``least`` says so.
        """
        self._parts.access.require(actor, ALERT_READ)

        def read(tx: Transaction) -> AlertCounts:
            org_id, asked = actor.org_id, settled(wanted, actor, tx.now)
            found, least = self._store.combinations(tx, org_id, asked)
            total, facets = facets_of(found, asked)
            late = replace(asked, due_before=tx.now)
            firsts = {each.rule: each.sample for each in found if each.rule in facets["rule"]}
            waits = self._store.count(tx, org_id, AlertFilter(status="open"))
            return AlertCounts(
                total,
                self._store.count(tx, org_id, late) if wanted.status == "open" else 0,
                least,
                facets,
                {"open": waits, **self._store.statuses(tx, org_id)},
                self._store.snapshot(tx),
                {each.rule_id: each for each in self._store.samples(tx, list(firsts.values()))},
            )

        return self._parts.transactions.read(read)

    def group_alerts(
        self, actor: Actor, wanted: AlertFilter, by: GroupKey, page: PageRequest
    ) -> Page[AlertGroup]:
        """Return the alerts that fit by rule or by entity, the largest group first."""
        self._parts.access.require(actor, ALERT_READ)
        rows = self._parts.transactions.read(
            lambda tx: self._store.groups(
                tx, actor.org_id, settled(wanted, actor, tx.now), by, page
            )
        )
        return page_of(rows, page.limit, [(row.count, row.key) for row in rows])

    def watch_alerts(self, actor: Actor, wanted: AlertFilter, revision: int) -> AlertNews:
        """Return how many alerts fit now, and how many were written after ``revision``."""
        self._parts.access.require(actor, ALERT_READ)
        return self._parts.transactions.read(
            lambda tx: self._store.news(tx, actor.org_id, settled(wanted, actor, tx.now), revision)
        )
