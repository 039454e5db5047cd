"""Back-channel logout: every application that knows an ended session is told, until it hears.

A session's end is announced in the unit of work that ends it, whatever ended it; the
announcement becomes one notice an application, and notices are sent until they are confirmed
or the list of pauses is over. Who did not confirm is listed by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from iam.core.openid_logout.patience import HEARD
from iam.models.clients import Client
from iam.models.grants import LogoutNotice
from iam.service.means import Means
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.issuing import Issuer
from iam.service.telling import TIMEOUT_SECONDS, after_try, note_end, tell_due
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import NotFound, SecopsError
from secops.kernel.events import Delivery, SessionRevoked
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import SESSION_READ, SESSION_REVOKE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ACTOR: Final = system_actor("logout")
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "*/*"}


@dataclass(frozen=True, slots=True)
class LogoutService:
    """Tells applications, and tells people which applications did not hear."""

    means: Means
    directory: ClientDirectory
    issuer: Issuer

    def receive(self, delivery: Delivery) -> None:
        """Make the notices of an ended session; a repeat makes none."""
        ended = delivery.announcement
        if not isinstance(ended, SessionRevoked):
            return
        logouts = self.means.stores.logouts
        known = self.means.parts.transactions.read(
            lambda tx: logouts.clients_of(tx, ended.session_id)
        )
        told = [client for name in known if (client := self._partner(name)) is not None]
        if not told:
            return

        def work(tx: Transaction) -> None:
            for client in told:
                notice = LogoutNotice(
                    id=self.means.parts.ids.new("lgo"),
                    org_id=ended.org_id,
                    client_id=client.id,
                    session_id=ended.session_id,
                    account_id=ended.account_id,
                    state="waiting",
                    tries=0,
                    next_at=tx.now,
                    created_at=tx.now,
                )
                logouts.add(tx, notice)

        self.means.parts.transactions.run(work)

    def _partner(self, client_id: str) -> Client | None:
        client = self.directory.find(client_id)
        return client if client is not None and client.back_channel_uri is not None else None

    def deliver(self) -> bool:
        """Send what is due; True when more may wait."""
        return tell_due(self.means, self.means.stores.logouts.claim, self._tell, self._keep)

    def _tell(self, notice: LogoutNotice) -> LogoutNotice:
        trouble, tries = self._send(notice), notice.tries + 1
        state, next_at = after_try(tries, self.means.now, heard=not trouble)
        return replace(notice, state=state, tries=tries, next_at=next_at, trouble=trouble)

    def _send(self, notice: LogoutNotice) -> str:
        """Return what went wrong, a word that quotes nothing of the other side."""
        client = self._partner(notice.client_id)
        if client is None or client.back_channel_uri is None:
            return "unregistered"
        try:
            token = self.issuer.logout_token(client, notice.session_id, notice.account_id)
            body = urlencode({"logout_token": token}).encode()
            status, _ = self.means.outbound.post(
                client.back_channel_uri, body, _FORM, TIMEOUT_SECONDS
            )
        except SecopsError as error:
            return error.code
        return "" if status in HEARD else f"status {status}"

    def _keep(self, tx: Transaction, notice: LogoutNotice) -> None:
        self.means.stores.logouts.keep(tx, notice)
        details: dict[str, object] = {"client": notice.client_id, "tries": notice.tries}
        note_end(tx, _ACTOR, notice.session_id, notice.state, details)

    def list_silent_partners(self, actor: Actor, request: PageRequest) -> Page[LogoutNotice]:
        """Return the notices that were tried and not confirmed yet, by organisation."""
        self.means.parts.access.require(actor, SESSION_READ, "logout:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.logouts.silent(tx, actor.org_id, request))

    def retry_logout(self, actor: Actor, notice_id: str) -> None:
        """Begin anew with a notice that was given up; raise ``NotFound`` if there is none."""
        self.means.parts.access.require(actor, SESSION_REVOKE, f"logout:{notice_id}")

        def work(tx: Transaction) -> None:
            if not self.means.stores.logouts.retry(tx, actor.org_id, notice_id):
                msg = "no notice of this id was given up"
                raise NotFound(msg)
            tx.record(Act("iam.retry_logout", actor, f"logout:{notice_id}"))

        self.means.parts.transactions.run(work)
