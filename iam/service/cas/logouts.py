"""Single logout: services that validated a ticket of an ended session are told (§2.3.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from iam.core.cas30.answers import logout_request
from iam.core.openid_logout.patience import next_pause
from iam.models.cas import CasTicket
from iam.service.cas.tickets import ticket_text
from iam.service.means import Means
from secops.kernel.actors import system_actor
from secops.kernel.clock import MINUTE, to_rfc3339
from secops.kernel.errors import SecopsError
from secops.kernel.events import Delivery, SessionRevoked
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

TIMEOUT_SECONDS: Final = 5.0
BATCH: Final = 16
AT_ONCE: Final = 8
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
_HEARD: Final = range(200, 300)
_ACTOR: Final = system_actor("cas-logout")


@dataclass(frozen=True, slots=True)
class CasLogouts:
    """Tells services, until they hear or the list of pauses is over."""

    means: Means

    def receive(self, delivery: Delivery) -> None:
        """Mark the tickets of an ended session; a repeat marks none."""
        ended = delivery.announcement
        if isinstance(ended, SessionRevoked):
            run = self.means.parts.transactions.run
            run(lambda tx: self.means.stores.cas.session_ended(tx, ended.session_id))

    def deliver(self) -> bool:
        """Send what is due; True when more may wait."""
        until = self.means.now + MINUTE
        run = self.means.parts.transactions.run
        due = run(lambda tx: self.means.stores.cas.claim(tx, BATCH, until))
        if not due:
            return False
        with ThreadPoolExecutor(min(AT_ONCE, len(due))) as pool:
            tried = list(pool.map(self._tell, due))
        run(lambda tx: self._keep(tx, tried))
        return len(due) == BATCH

    def _tell(self, ticket: CasTicket) -> CasTicket:
        """Return the ticket after one more try; never raises a ``SecopsError``."""
        tries = ticket.tries + 1
        if self._heard(ticket):
            return replace(ticket, told="delivered", tries=tries)
        pause = next_pause(tries)
        if pause is None:
            return replace(ticket, told="silent", tries=tries)
        return replace(ticket, tries=tries, next_at=self.means.now + pause)

    def _heard(self, ticket: CasTicket) -> bool:
        means = self.means
        read = means.parts.transactions.read
        service = read(lambda tx: means.stores.cas.service(tx, ticket.service_id))
        if service is None:
            return True
        text = ticket_text(means, ticket.id)
        saml = logout_request(f"LR-{ticket.id}", to_rfc3339(means.now), text)
        body = urlencode({"logoutRequest": saml}).encode()
        try:
            status, _ = means.outbound.post(service.url, body, _FORM, TIMEOUT_SECONDS)
        except SecopsError:
            return False
        return status in _HEARD

    def _keep(self, tx: Transaction, tried: list[CasTicket]) -> None:
        for ticket in tried:
            self.means.stores.cas.keep(tx, ticket)
            if ticket.told == "waiting":
                continue
            outcome = "done" if ticket.told == "delivered" else "failed"
            details = {"service": ticket.service_id, "tries": ticket.tries}
            target = f"session:{ticket.session_id}"
            tx.record(Act("iam.notify_logout", _ACTOR, target, outcome, details))  # type: ignore[arg-type] # one of the trail's two words
