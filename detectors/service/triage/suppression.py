"""Suppression without loss: quiet alerts are stored and counted, and lifting raises them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from detectors.core.subjects import risk_subjects
from detectors.errors import BadSuppression, SuppressionNotFound
from detectors.models.alerts import Alert
from detectors.models.triage import SuppressedGroup, Suppression
from detectors.ports import AlertStore, SuppressionStore
from detectors.service.rules.rules import RuleService
from detectors.service.triage.effects import Effects
from detectors.service.triage.risks import publish_risk
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.events import AlertRaised
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_READ, ALERT_SUPPRESS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ANY_RULE: Final = "*"
SAMPLE: Final = 5
MAX_DAYS: Final = 366
MAX_WINDOW: Final = 31 * DAY
_MAX_TEXT: Final = 500
_AT_ONCE: Final = 200
_KINDS: Final = frozenset({"rule", "correlation", "anomaly"})
"""Health alerts are never suppressed."""
_SUBJECTS: Final = frozenset(
    {
        "user.id",
        "user.name",
        "user.target.name",
        "source.ip",
        "host.name",
        "session.id",
        "client.id",
    }
)
_ACTOR: Final = system_actor("detectors")


@dataclass(frozen=True, slots=True)
class SuppressionWish:
    """What somebody asks for: ``window`` in seconds of event time, ``days`` from now."""

    rule_id: str
    by: tuple[str, ...]
    window: int
    owner: str
    reason: str
    days: int


@dataclass(frozen=True, slots=True)
class Suppressor:
    """Keeps new alerts quiet inside a step's transaction."""

    store: SuppressionStore
    alerts: AlertStore

    def quiet(self, tx: Transaction, effects: Effects) -> Effects:
        """Store the alerts that a suppression covers as quiet; return the other effects."""
        active = self.store.active(tx) if effects.created else ()
        if not active:
            return effects
        loud, counts = [], dict[str, int]()
        for alert in effects.created:
            covering = self._covering(tx, alert, active)
            if covering is None:
                loud.append(alert)
                continue
            counts[covering.id] = counts.get(covering.id, 0) + 1
        for suppression_id, count in counts.items():
            details = {"alerts": count}
            about = f"suppression:{suppression_id}"
            tx.record(Act("detectors.suppress_alerts", _ACTOR, about, details=details))
        return replace(effects, created=loud)

    def _covering(
        self, tx: Transaction, alert: Alert, active: Sequence[Suppression]
    ) -> Suppression | None:
        """Store ``alert`` as quiet under the first suppression that covers it, if any."""
        if alert.kind not in _KINDS or self.alerts.known(tx, [alert.id]):
            return None
        for each in active:
            key = key_of(each, alert)
            if key is None:
                continue
            near = (alert.first_at - each.window, alert.first_at + each.window)
            group = self.store.leader(tx, each.id, key, near)
            if group is None:
                first = SuppressedGroup(
                    each.id, alert.id, key, alert.first_at, 0, (), alert.last_at
                )
                self.store.put_group(tx, alert.org_id, first)
                continue
            sample = (*group.sample, alert.id)[:SAMPLE]
            last_at = max(group.last_at, alert.last_at)
            more = replace(group, count=group.count + 1, sample=sample, last_at=last_at)
            quiet = replace(alert, status="suppressed")
            self.alerts.create(tx, quiet, risk_subjects(alert.subjects))
            self.store.hush(tx, alert.id, each.id)
            self.store.put_group(tx, alert.org_id, more)
            return each
        return None


def key_of(suppression: Suppression, alert: Alert) -> str | None:
    """Return the alert's key under a suppression; None if it does not concern it."""
    if suppression.rule_id not in (ANY_RULE, alert.rule_id) or suppression.org_id != alert.org_id:
        return None
    values = [alert.subjects.get(name) for name in suppression.by]
    if None in values:
        return None
    return orjson.dumps([alert.rule_id, *values]).decode()


@dataclass(frozen=True, slots=True)
class SuppressionService:
    """Use cases on suppressions."""

    parts: Parts
    store: SuppressionStore
    alerts: AlertStore
    rules: RuleService

    def add_suppression(self, actor: Actor, wish: SuppressionWish) -> Suppression:
        """Keep alerts quiet that repeat one with equal keys; raise ``BadSuppression``."""
        self.parts.access.require(actor, ALERT_SUPPRESS, f"rule:{wish.rule_id}")
        _check(wish)
        if wish.rule_id != ANY_RULE:
            self.rules.show_rule(actor, wish.rule_id)
        now = self.parts.clock.now()
        found = Suppression(
            id=self.parts.ids.new("sup"),
            org_id=actor.org_id,
            rule_id=wish.rule_id,
            by=wish.by,
            window=wish.window * SECOND,
            owner=wish.owner.strip(),
            reason=wish.reason.strip(),
            created_by=actor.id,
            created_at=now,
            expires_at=now + wish.days * DAY,
        )
        details = {"rule": found.rule_id, "by": list(found.by), "reason": found.reason}

        def work(tx: Transaction) -> None:
            self.store.add(tx, found)
            about = f"suppression:{found.id}"
            tx.record(Act("detectors.add_suppression", actor, about, details=details))

        self.parts.transactions.run(work)
        return found

    def lift_suppression(self, actor: Actor, suppression_id: str, reason: str) -> int:
        """End a suppression and raise every alert that it kept quiet; return how many.

        Where that was interrupted, lifting it again raises the rest.
        """
        self.parts.access.require(actor, ALERT_SUPPRESS, f"suppression:{suppression_id}")

        def end(tx: Transaction) -> None:
            self._get(tx, actor, suppression_id)
            if not self.store.lift(tx, suppression_id, actor.id):
                return
            details = {"reason": reason[:_MAX_TEXT]}
            about = f"suppression:{suppression_id}"
            tx.record(Act("detectors.lift_suppression", actor, about, details=details))

        self.parts.transactions.run(end)
        raised = 0
        while more := self.parts.transactions.run(lambda tx: self._wake(tx, suppression_id)):
            raised += more
        return raised

    def list_suppressions(self, actor: Actor) -> Sequence[Suppression]:
        """Return the organisation's suppressions, the newest first."""
        self.parts.access.require(actor, ALERT_READ, "suppression:*")
        return self.parts.transactions.read(lambda tx: self.store.list(tx, actor.org_id))

    def show_suppression(
        self, actor: Actor, suppression_id: str
    ) -> tuple[Suppression, Sequence[SuppressedGroup]]:
        """Return a suppression with what it keeps quiet; raise ``SuppressionNotFound``."""
        self.parts.access.require(actor, ALERT_READ, f"suppression:{suppression_id}")
        return self.parts.transactions.read(
            lambda tx: (
                self._get(tx, actor, suppression_id),
                self.store.groups(tx, suppression_id),
            )
        )

    def _wake(self, tx: Transaction, suppression_id: str) -> int:
        """Raise some of the quiet alerts, as if they were found now."""
        ids = self.store.wake(tx, suppression_id, _AT_ONCE)
        for alert_id in ids:
            alert = self.alerts.get(tx, alert_id)
            details = {"rule": alert.rule_id, "version": alert.rule_version, "lifted": True}
            tx.record(Act("detectors.raise_alert", _ACTOR, f"alert:{alert_id}", details=details))
            subjects = dict(alert.subjects)
            tx.announce(
                AlertRaised(alert.org_id, alert.id, alert.rule_id, alert.severity, subjects)
            )
            for subject in risk_subjects(alert.subjects):
                publish_risk(tx, self.alerts, alert.org_id, subject, f"alert {alert_id} lifted")
        return len(ids)

    def _get(self, tx: Transaction, actor: Actor, suppression_id: str) -> Suppression:
        found = self.store.get(tx, actor.org_id, suppression_id)
        if found is None:
            raise SuppressionNotFound
        return found


def _check(wish: SuppressionWish) -> None:
    if not wish.by or not set(wish.by) <= _SUBJECTS:
        msg = f"suppress by one or several of {', '.join(sorted(_SUBJECTS))}"
        raise BadSuppression(msg)
    if not 1 <= wish.window * SECOND <= MAX_WINDOW or not 1 <= wish.days <= MAX_DAYS:
        msg = f"the window is at most {MAX_WINDOW // DAY} days, and it ends within {MAX_DAYS} days"
        raise BadSuppression(msg)
    for text in (wish.owner, wish.reason):
        if not text.strip() or len(text) > _MAX_TEXT:
            msg = f"a suppression has an owner and a reason, at most {_MAX_TEXT} characters each"
            raise BadSuppression(msg)
