"""Handling alerts: take one up, acknowledge it, give it to a colleague."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.errors import AlertNotFound
from detectors.errors.queue import AlertMoved, NotAssignable
from detectors.models.alerts import Alert
from detectors.ports import AlertHandlingStore, AlertStore, RolesNow
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_CLOSE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ME: Final = "me"
"""Who asks, where an account is named."""


def require_person(actor: Actor) -> None:
    """Raise ``Forbidden`` for a program: who handles alerts is somebody who answers for it."""
    if actor.kind != "account":
        msg = "alerts are handled by a person"
        raise Forbidden(msg)


def assignee_of(roles: RolesNow, actor: Actor, name: str) -> str | None:
    """Return the id of whom ``name`` means (an id, a name, ``me``), None for an empty one.

    Raises ``NotAssignable`` for who is not of the actor's organisation, or may not handle alerts.
    """
    name = name.strip()
    if not name:
        return None
    if name == ME:
        return actor.id
    try:
        subject = roles.resolve_subject(actor.org_id, name)
    except NotFound as error:
        raise NotAssignable from error
    kind, _, account_id = subject.partition(":")
    held = roles.roles_now(account_id) if kind == "account" else None
    if held is None:
        raise NotAssignable
    if not Actor("account", account_id, actor.org_id, name, roles=held).may(ALERT_CLOSE):
        raise NotAssignable
    return account_id


def visible_alert(store: AlertStore, tx: Transaction, actor: Actor, alert_id: str) -> Alert:
    """Return the alert; raise ``AlertNotFound`` for one of another organisation, too."""
    alert = store.get(tx, alert_id)
    if actor.org_id not in (ROOT_ORG, alert.org_id):
        raise AlertNotFound
    return alert


@dataclass(frozen=True, slots=True)
class AlertHandlingService:
    """Use cases on who has an alert; only people have alerts."""

    _parts: Parts
    _alerts: AlertStore
    _store: AlertHandlingStore
    _roles: RolesNow

    def acknowledge_alert(self, actor: Actor, alert_id: str) -> Alert:
        """Say that it was seen and is looked at; the time to close it runs on.

        Raises ``AlertNotFound``, ``AlertMoved`` where it is not open, or acknowledged.
        """
        self._check(actor, alert_id)

        def work(tx: Transaction) -> Alert:
            visible_alert(self._alerts, tx, actor, alert_id)
            if not self._store.acknowledge(tx, alert_id, actor.id):
                raise AlertMoved
            tx.record(Act("detectors.acknowledge_alert", actor, f"alert:{alert_id}"))
            return self._alerts.get(tx, alert_id)

        return self._parts.transactions.run(work)

    def take_alert(self, actor: Actor, alert_id: str) -> Alert:
        """Acknowledge it and have it oneself; does nothing more where one has it already.

        Raises ``AlertNotFound``, ``AlertMoved`` where it is not open, or somebody else has it.
        """
        self._check(actor, alert_id)

        def work(tx: Transaction) -> Alert:
            alert = visible_alert(self._alerts, tx, actor, alert_id)
            if alert.status != "open" or alert.assignee not in (None, actor.id):
                raise AlertMoved
            # the transaction is the only writer, or repeated where it was not
            if alert.assignee is None and not self._store.assign(
                tx, alert_id, actor.id, alert.version
            ):
                raise AlertMoved
            if alert.acknowledged_at is None:
                self._store.acknowledge(tx, alert_id, actor.id)
            tx.record(Act("detectors.take_alert", actor, f"alert:{alert_id}"))
            return self._alerts.get(tx, alert_id)

        return self._parts.transactions.run(work)

    def assign_alert(
        self, actor: Actor, alert_id: str, assignee: str, version: int | None = None
    ) -> Alert:
        """Give it to ``assignee`` (an id, a name, ``me``; empty: nobody).

        Raises ``AlertNotFound``, ``NotAssignable``, ``AlertMoved`` where it is not open, or was
        written since its ``version``.
        """
        self._check(actor, alert_id)
        chosen = assignee_of(self._roles, actor, assignee)

        def work(tx: Transaction) -> Alert:
            visible_alert(self._alerts, tx, actor, alert_id)
            if not self._store.assign(tx, alert_id, chosen, version):
                raise AlertMoved
            details = {"assignee": chosen or ""}
            tx.record(Act("detectors.assign_alert", actor, f"alert:{alert_id}", details=details))
            return self._alerts.get(tx, alert_id)

        return self._parts.transactions.run(work)

    def _check(self, actor: Actor, alert_id: str) -> None:
        self._parts.access.require(actor, ALERT_CLOSE, f"alert:{alert_id}")
        require_person(actor)
