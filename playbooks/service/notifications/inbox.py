"""The inbox: notifications as the product itself shows them, and overdue clocks."""

from __future__ import annotations

import hashlib
from typing import Final, cast

from playbooks.core.notifications.inbox import inbox_message
from playbooks.core.reporting import WARN_DAYS, warning_of
from playbooks.models import Incident, Notification
from playbooks.models.filings import DUTIES, Duty
from playbooks.models.incidents import Clock
from playbooks.models.notifications import HouseEvent
from playbooks.service.notifications.heralds import Herald
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import NOTIFICATION_READ
from secops.kernel.transactions import Transaction

CLOCKS: Final = system_actor("playbooks-clocks")
CLOCKED_FOR: Final = 2 * WARN_DAYS * DAY
"""How long a closed incident is looked at: 30 days to report, 30 days of warnings after."""


class InboxService:
    """Shows notifications and adds the warnings of statutory clocks."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._herald = Herald(surroundings)

    def list_notifications(self, actor: Actor, page: PageRequest) -> Page[Notification]:
        """Return what was sent in the caller's organisation, newest first."""
        self._s.parts.access.require(actor, NOTIFICATION_READ, "notification:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.runs.notifications(tx, actor.org_id, page)
        )

    def warn_of_clocks(self) -> int:
        """Warn of each statutory clock, once at each stage, until its report is filed."""
        now = self._s.parts.clock.now()

        def work(tx: Transaction) -> list[tuple[Incident, Clock]]:
            return [
                (incident, clock)
                for incident in self._s.stores.incidents.clocked(tx, now - CLOCKED_FOR)
                for clock in self._s.clocks_of(tx, incident, now)
            ]

        found = self._s.parts.transactions.read(work)
        return sum(self._warn(incident, clock, now) for incident, clock in found)

    def _warn(self, incident: Incident, clock: Clock, now: int) -> bool:
        warning = warning_of(clock, now)
        if warning is None:
            return False
        stage, words = warning
        seed = f"{incident.id} {clock.name} {clock.due_at} {stage}".encode()
        key = hashlib.sha256(seed).hexdigest()
        drill = "(演练)" if incident.drill else ""
        word = words.zh
        name = DUTIES[cast("Duty", clock.name)].zh
        text = f"{name} → {'、'.join(clock.to)}({clock.source})"

        def seen(tx: Transaction) -> bool:
            return self._s.stores.runs.is_notified(tx, key)

        if self._s.parts.transactions.read(seen):
            return False

        def work(tx: Transaction) -> bool:
            place = (incident.org_id, incident.id)
            told = (f"{drill}法定时限{word}:{incident.title}", text)
            notification = inbox_message(notification_id, place, told, key=key, at=tx.now)
            added = self._s.stores.runs.notify(tx, notification)
            if added:
                self._herald.tell(tx, _clock_event(incident, clock, key, tx.now))
                self._s.tell(tx, CLOCKS, place, "clock", f"法定时限{word}:{text}")
            return added

        notification_id = self._s.parts.ids.new("ntf")
        return self._s.parts.transactions.run(work)


def _clock_event(incident: Incident, clock: Clock, key: str, now: int) -> HouseEvent:
    """Return the event of a warning; a clock that is over, or nearly, waits for no morning."""
    return HouseEvent(
        org_id=incident.org_id,
        kind="clock",
        key=key,
        subject=f"incident:{incident.id}",
        severity="critical",
        name=DUTIES[cast("Duty", clock.name)].zh,
        path=f"/incidents/{incident.id}",
        at=now,
        drill=incident.drill,
    )
