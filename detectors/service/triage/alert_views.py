"""Saved views of the queue, and until when its alerts are to be handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.alert_deadlines import deadlines_of, due_of
from detectors.errors.queue import AlertViewNotFound, TooManyViews
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.queue import (
    LONGEST_DEADLINE,
    AlertOrder,
    AlertView,
    Deadline,
    Deadlines,
    Due,
    GroupKey,
)
from detectors.models.rules import Severity
from detectors.ports import AlertDeadlineStore, AlertViewStore
from detectors.service.triage.handling import require_person
from detectors.service.triage.queue import check_order
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_DEADLINE_SET, ALERT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MOST_VIEWS: Final = 50
_LONGEST_NAME: Final = 80
_LONGEST_REASON: Final = 500


def due_alerts(deadlines: Deadlines, alerts: Sequence[Alert]) -> Sequence[Due | None]:
    """Return what each alert waits for next and until when, None for one that is not open."""
    return [due_of(alert, deadlines) for alert in alerts]


@dataclass(frozen=True, slots=True)
class AlertViewService:
    """Use cases on one's own views; a view's address may be given to anybody."""

    _parts: Parts
    _store: AlertViewStore

    def save_alert_view(
        self,
        actor: Actor,
        name: str,
        wanted: AlertFilter,
        *,
        order: AlertOrder = "newest",
        group: GroupKey | None = None,
    ) -> AlertView:
        """Keep a filter under a name, instead of one's view of that name.

        Raises ``Invalid`` without a name of at most 80 characters, ``TooManyViews``.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            msg = f"a view has a name of at most {_LONGEST_NAME} characters"
            raise Invalid(msg)
        check_order(wanted, order)
        self._parts.access.require(actor, ALERT_READ)
        require_person(actor)
        view_id = self._parts.ids.new("view")

        def work(tx: Transaction) -> AlertView:
            others = [each for each in self._store.list(tx, actor.id) if each.name != name]
            if len(others) >= MOST_VIEWS:
                raise TooManyViews
            view = AlertView(view_id, name, wanted, order, group, tx.now)
            self._store.put(tx, actor.org_id, actor.id, view)
            # a filter may name a person: the ledger has that there is a view, not what it says
            tx.record(Act("detectors.save_alert_view", actor, f"alert_view:{view_id}"))
            return view

        return self._parts.transactions.run(work)

    def list_alert_views(self, actor: Actor) -> Sequence[AlertView]:
        """Return one's own views by name."""
        self._parts.access.require(actor, ALERT_READ)
        return self._parts.transactions.read(lambda tx: self._store.list(tx, actor.id))

    def forget_alert_view(self, actor: Actor, view_id: str) -> None:
        """Drop one's own view; raise ``AlertViewNotFound``."""
        self._parts.access.require(actor, ALERT_READ)

        def work(tx: Transaction) -> None:
            if not self._store.forget(tx, actor.id, view_id):
                raise AlertViewNotFound
            tx.record(Act("detectors.forget_alert_view", actor, f"alert_view:{view_id}"))

        self._parts.transactions.run(work)


@dataclass(frozen=True, slots=True)
class AlertDeadlineService:
    """Use cases on deadlines: one's organisation's, with defaults of ours."""

    _parts: Parts
    _store: AlertDeadlineStore

    def list_alert_deadlines(self, actor: Actor) -> Deadlines:
        """Return how soon alerts of each severity are to be acknowledged and closed."""
        self._parts.access.require(actor, ALERT_READ)
        return self._parts.transactions.read(
            lambda tx: deadlines_of(self._store.decided(tx, actor.org_id))
        )

    def set_alert_deadline(
        self, actor: Actor, severity: Severity, minutes: tuple[int, int], reason: str
    ) -> Deadlines:
        """Decide within how many ``minutes`` alerts are to be acknowledged, and closed.

        It holds at once, for open alerts too. Raises ``Invalid`` without a reason, or where it
        is not 1 minute ≤ acknowledge ≤ close ≤ 90 days.
        """
        acknowledge, resolve = (each * MINUTE for each in minutes)
        if not MINUTE <= acknowledge <= resolve <= LONGEST_DEADLINE:
            msg = "the time to acknowledge is 1 minute or more, that to close as long or longer"
            raise Invalid(msg)
        if not reason.strip() or len(reason) > _LONGEST_REASON:
            msg = f"it needs a reason of at most {_LONGEST_REASON} characters"
            raise Invalid(msg)
        self._parts.access.require(actor, ALERT_DEADLINE_SET)

        def work(tx: Transaction) -> Deadlines:
            deadline = Deadline(acknowledge, resolve, actor.id)
            self._store.decide(tx, actor.org_id, severity, deadline)
            details = {
                "severity": severity,
                "acknowledge_minutes": minutes[0],
                "resolve_minutes": minutes[1],
                "reason": reason.strip(),
            }
            target = f"alert_deadline:{severity}"
            tx.record(Act("detectors.set_alert_deadline", actor, target, details=details))
            return deadlines_of(self._store.decided(tx, actor.org_id))

        return self._parts.transactions.run(work)
