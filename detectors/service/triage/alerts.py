"""Triage: see alerts with their lines, and close them with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.core.alert_deadlines import deadlines_of, sort_key
from detectors.core.subjects import risk_subjects
from detectors.errors import AlertNotFound, AlertNotOpen
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.queue import AlertOrder
from detectors.ports import AlertStore
from detectors.service.triage.effects import announce_risks
from detectors.service.triage.filters import settled
from detectors.service.triage.handling import visible_alert
from detectors.service.triage.queue import check_order
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogStore, StoredEvent
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_REASON = 1_000


def checked_reason(reason: str) -> str:
    """Return why alerts are closed; raise ``Invalid`` without one, or for a treatise."""
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        msg = f"closing an alert needs a reason of at most {MAX_REASON} characters"
        raise Invalid(msg)
    return reason


@dataclass(frozen=True, slots=True)
class AlertWithLines:
    """An alert and those of its events that are still stored, in event order."""

    alert: Alert
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class AlertService:
    """Use cases on alerts."""

    _parts: Parts
    _logs: LogStore
    _store: AlertStore

    def list_alerts(
        self,
        actor: Actor,
        wanted: AlertFilter,
        page: PageRequest,
        *,
        order: AlertOrder = "newest",
    ) -> Page[Alert]:
        """Return alerts, newest event first or in another ``order``.

        Raises ``Invalid`` where others than open ones are to be sorted by more than time.
        """
        check_order(wanted, order)
        self._parts.access.require(actor, ALERT_READ)

        def read(tx: Transaction) -> Page[Alert]:
            asked = settled(wanted, actor, tx.now)
            rows = self._store.page(tx, actor.org_id, asked, page, order)
            deadlines = deadlines_of(self._store.decided(tx, actor.org_id))
            return page_of(rows, page.limit, [sort_key(row, order, deadlines) for row in rows])

        return self._parts.transactions.read(read)

    def show_alert(self, actor: Actor, alert_id: str) -> AlertWithLines:
        """Return an alert with its raw lines; raise ``AlertNotFound``."""
        self._parts.access.require(actor, ALERT_READ, f"alert:{alert_id}")
        alert = self._parts.transactions.read(
            lambda tx: visible_alert(self._store, tx, actor, alert_id)
        )
        events = sorted(self._logs.get(alert.event_ids), key=lambda e: (e.event.at, e.seq))
        return AlertWithLines(alert, tuple(events))

    def close_alert(self, actor: Actor, alert_id: str, reason: str) -> Alert:
        """Close an open alert; its subjects' risk falls to what others still say of them.

        Raises ``AlertNotFound``, ``AlertNotOpen``, ``Invalid`` without a reason.
        """
        reason = checked_reason(reason)
        self._parts.access.require(actor, ALERT_CLOSE, f"alert:{alert_id}")

        def work(tx: Transaction) -> Alert:
            alert = visible_alert(self._store, tx, actor, alert_id)
            if not self._store.close(tx, alert_id, actor.id, reason):
                raise AlertNotOpen
            details = {"rule": alert.rule_id, "reason": reason}
            tx.record(Act("detectors.close_alert", actor, f"alert:{alert_id}", details=details))
            if risk_subjects(alert.subjects):
                announce_risks(tx, self._store, alert, f"alert {alert_id} closed")
            return self._store.get(tx, alert_id)

        return self._parts.transactions.run(work)

    def find_alert(self, org_id: str, alert_id: str) -> AlertWithLines | None:
        """Return the alert of an organisation, for the response plane; no route leads here."""

        def work(tx: Transaction) -> Alert | None:
            try:
                alert = self._store.get(tx, alert_id)
            except AlertNotFound:
                return None
            return alert if alert.org_id == org_id else None

        alert = self._parts.transactions.read(work)
        if alert is None:
            return None
        return AlertWithLines(alert, tuple(self._logs.get(alert.event_ids)))
