"""The inbox: notifications as the product itself shows them, and overdue clocks."""

from __future__ import annotations

import hashlib
from typing import Final

from playbooks.core.reporting import clocks_of
from playbooks.models import Incident, Notification
from playbooks.models.incidents import Clock
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import HOUR
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import NOTIFICATION_READ
from secops.kernel.transactions import Transaction

CLOCKS: Final = system_actor("playbooks-clocks")
WARN_BEFORE: Final = HOUR


class InboxService:
    """Shows notifications and adds the warnings of statutory clocks."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def list_notifications(self, actor: Actor, page: PageRequest) -> Page[Notification]:
        """Return what was sent in the caller's organisation, newest first."""
        self._s.parts.access.require(actor, NOTIFICATION_READ, "notification:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.runs.notifications(tx, actor.org_id, page)
        )

    def warn_of_clocks(self) -> int:
        """Warn once of each statutory clock within an hour of its end, and once after it."""
        now = self._s.parts.clock.now()
        rule, kind = self._s.library.reporting_rule(), self._s.options.operator_kind
        open_ones = self._s.parts.transactions.read(self._s.stores.incidents.running)
        count = 0
        for incident in open_ones:
            for clock in clocks_of(rule, kind, incident, now):
                if clock.due_at is not None and now > clock.due_at - WARN_BEFORE:
                    count += self._warn(incident, clock)
        return count

    def _warn(self, incident: Incident, clock: Clock) -> bool:
        stage = "overdue" if clock.overdue else "due"
        seed = f"{incident.id} {clock.name} {clock.due_at} {stage}".encode()
        key = hashlib.sha256(seed).hexdigest()
        word = "已超时" if clock.overdue else "即将到期"
        text = f"{clock.name} → {'、'.join(clock.to)}({clock.source})"

        def seen(tx: Transaction) -> bool:
            return self._s.stores.runs.is_notified(tx, key)

        if self._s.parts.transactions.read(seen):
            return False

        def work(tx: Transaction) -> bool:
            notification = Notification(
                id=notification_id,
                org_id=incident.org_id,
                incident_id=incident.id,
                channel="inbox",
                kind="inbox",
                title=f"法定时限{word}:{incident.title}"[:200],
                text=text,
                key=key,
                at=tx.now,
            )
            added = self._s.stores.runs.notify(tx, notification)
            if added:
                place = (incident.org_id, incident.id)
                self._s.tell(tx, CLOCKS, place, "clock", f"法定时限{word}:{text}")
            return added

        notification_id = self._s.parts.ids.new("ntf")
        return self._s.parts.transactions.run(work)
