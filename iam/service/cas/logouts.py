"""Single logout: services that validated a ticket of an ended session are told (§2.3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from iam.core.cas30.answers import logout_request
from iam.models.cas import CasTicket
from iam.service.cas.tickets import ticket_text
from iam.service.means import Means
from iam.service.telling import TIMEOUT_SECONDS, after_try, note_end, tell_due
from secops.kernel.actors import system_actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import SecopsError
from secops.kernel.events import Delivery, SessionRevoked
from secops.kernel.transactions import Transaction

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
        return tell_due(self.means, self.means.stores.cas.claim, self._tell, self._keep)

    def _tell(self, ticket: CasTicket) -> CasTicket:
        tries = ticket.tries + 1
        told, next_at = after_try(tries, self.means.now, heard=self._heard(ticket))
        return replace(ticket, told=told, tries=tries, next_at=next_at)

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

    def _keep(self, tx: Transaction, ticket: CasTicket) -> None:
        self.means.stores.cas.keep(tx, ticket)
        details: dict[str, object] = {"service": ticket.service_id, "tries": ticket.tries}
        note_end(tx, _ACTOR, ticket.session_id, ticket.told, details)
