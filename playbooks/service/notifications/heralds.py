"""From what happens to messages: whoever subscribed is told once, by channel or by roster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from playbooks.core.notifications.wanted import send_at, wants
from playbooks.core.notifications.wording import headline
from playbooks.errors import ChannelUnknown, IncidentNotFound
from playbooks.errors.duty import RosterUnknown
from playbooks.errors.notifications import TooManyKept
from playbooks.models import AlertSummary
from playbooks.models.duty import Escalation
from playbooks.models.notifications import EventKind, Happening, HouseEvent, Subscription
from playbooks.service.notifications.outbox import Letter, key_of, put
from playbooks.service.notifications.ways import named
from playbooks.service.surroundings import Surroundings
from secops.kernel.clock import DAY, SECOND
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.transactions import Transaction

BATCH: Final = 200
RECENT: Final = 7 * DAY
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALERT_KINDS: Final[tuple[EventKind, ...]] = ("alert", "source_silent")


def local_offset(zone: str, now: int) -> int:
    """Return what local time is ahead of UTC at ``now``, both in microseconds."""
    moment = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone))
    ahead = moment.utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds()) * SECOND


@dataclass(frozen=True, slots=True)
class Herald:
    """Tells of events. Everything is keyed by the event: telling twice changes nothing."""

    surroundings: Surroundings

    def tell(self, tx: Transaction, event: HouseEvent) -> int:
        """Store what the event's subscribers are to be told; return how many they are."""
        return sum(self._tell_one(tx, event, one) for one in self._untold(tx, event))

    def _untold(self, tx: Transaction, event: HouseEvent) -> list[Subscription]:
        """Return the subscriptions that want the event and were not told of it."""
        stores = self.surroundings.stores
        return [
            one
            for one in stores.notifications.subscriptions.to_event(tx, event)
            if wants(one, event)
            and event.at >= one.changed_at
            and stores.notifications.outgoing.find(tx, key_of(event.key, one.id)) is None
            and not stores.duty.escalations.is_known(tx, key_of(event.key, one.id))
        ]

    def alert_raised(self, delivery: Delivery) -> None:
        """Tell of an alert, or of a log source that has gone silent."""
        announcement, s = delivery.announcement, self.surroundings
        if not isinstance(announcement, AlertRaised) or not self._is_wanted(announcement.org_id):
            return
        alert = s.ports.alerts.get_alert(announcement.org_id, announcement.alert_id)
        if alert is not None:
            event = _alert_event(alert, delivery.at)
            s.parts.transactions.run(lambda tx: self.tell(tx, event))

    def look(self) -> bool:
        """Tell of what is not announced: incidents, approvals, runs. True when more waits."""
        s = self.surroundings
        kept = s.stores.notifications.happenings
        some = s.parts.transactions.read(lambda tx: kept.oldest(tx, BATCH))
        for happening in some:
            s.parts.transactions.run(partial(self._happened, happening=happening))
        for event in s.parts.transactions.read(self._waiting):
            s.parts.transactions.run(partial(self.tell, event=event))
        return len(some) == BATCH

    def _is_wanted(self, org_id: str) -> bool:
        s = self.surroundings

        def look(tx: Transaction) -> bool:
            known = s.stores.notifications.subscriptions
            return any(org_id in known.organisations(tx, kind) for kind in _ALERT_KINDS)

        return s.parts.transactions.read(look)

    def _happened(self, tx: Transaction, happening: Happening) -> None:
        s = self.surroundings
        if not s.stores.notifications.happenings.take(tx, happening):
            return
        try:
            incident = s.stores.incidents.get(tx, happening.org_id, happening.incident_id)
        except IncidentNotFound:
            return
        event = HouseEvent(
            org_id=incident.org_id,
            kind="incident",
            key=key_of("incident", happening.id),
            subject=f"incident:{incident.id}",
            severity=incident.severity,
            name=incident.title,
            path=f"/incidents/{incident.id}",
            at=happening.at,
            drill=incident.drill,
        )
        self.tell(tx, event)

    def _waiting(self, tx: Transaction) -> list[HouseEvent]:
        """Return events of approvals that wait and runs that halted, unless they were told."""
        s = self.surroundings
        known = s.stores.notifications
        found = [
            HouseEvent(
                org_id=org_id,
                kind="approval",
                key=key_of("approval", one.id),
                subject=f"approval:{one.id}",
                severity="high",
                name=one.kind,
                path="/approvals",
                at=one.requested_at,
            )
            for org_id in known.subscriptions.organisations(tx, "approval")
            for one in s.parts.approvals.pending(tx, org_id)
        ]
        found += [
            HouseEvent(
                org_id=org_id,
                kind="run_unknown",
                key=key_of("run", run_id),
                subject=f"run:{run_id}",
                severity="high",
                name=run_id,
                path=f"/runs/{run_id}",
                at=at,
            )
            for org_id in known.subscriptions.organisations(tx, "run_unknown")
            for run_id, at in known.happenings.halted_runs(tx, org_id, tx.now - RECENT)
        ]
        return [event for event in found if self._untold(tx, event)]

    def _tell_one(self, tx: Transaction, event: HouseEvent, subscription: Subscription) -> int:
        s = self.surroundings
        offset = local_offset(s.options.timezone, tx.now)
        at = send_at(subscription, event.severity, tx.now, offset)
        kind, _, target = subscription.target.partition(":")
        key = key_of(event.key, subscription.id)
        try:
            if kind == "roster":
                s.stores.duty.rosters.get(tx, event.org_id, target)
                return int(
                    s.stores.duty.escalations.open(tx, self._call(event, target, (key, at), tx.now))
                )
            to = named(s.stores.notifications.channels.get(tx, event.org_id, target))
            letter = Letter(
                org_id=event.org_id,
                key=key,
                event=event.kind,
                subject=event.subject,
                title=headline(event, to.language),
                text="",
                path=event.path,
                urgent=event.severity == "critical",
                drill=event.drill,
            )
            put(s, tx, to, letter, at)
        except (ChannelUnknown, RosterUnknown, TooManyKept):
            return 0  # the list of messages shows that ten thousand wait
        return 1

    def _call(
        self, event: HouseEvent, roster_id: str, when: tuple[str, int], now: int
    ) -> Escalation:
        """Return the escalation of an event; ``when`` is its key and when its first step is due."""
        return Escalation(
            id=self.surroundings.parts.ids.new("esc"),
            org_id=event.org_id,
            roster_id=roster_id,
            key=when[0],
            event=event.kind,
            subject=event.subject,
            title=event.name,
            severity=event.severity,
            link=event.path,
            drill=event.drill,
            step=0,
            next_at=when[1],
            state="open",
            created_at=now,
        )


def _alert_event(alert: AlertSummary, at: int) -> HouseEvent:
    return HouseEvent(
        org_id=alert.org_id,
        kind="source_silent" if alert.kind == "source_silent" else "alert",
        key=key_of("alert", alert.id, str(alert.created_at)),
        subject=f"alert:{alert.id}",
        severity=alert.severity,
        name=alert.title,
        path=f"/alerts/{alert.id}",
        at=at,
        drill=alert.kind == "drill",
    )
