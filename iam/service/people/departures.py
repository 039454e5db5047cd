"""Leavers: one act ends employment and everything that hung on it, at once or on a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from iam.errors import InvalidRequest
from iam.models.accounts import Account, Departure
from iam.service.means import Means
from iam.service.people.accounts import check_service_dates
from iam.service.people.roles import end_with_roles
from iam.service.persons import same_person
from iam.service.protection.account_locks import lock_account
from iam.service.reach import reached_account, require_reach
from iam.service.sign_on.acting import epoch_id
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import ACCOUNT_CREATE, ACCOUNT_READ, DEPARTURE_ORDER
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_AHEAD: Final = 366 * DAY
_SCHEDULER: Final = system_actor("iam.departures")
_OVER: Final = "the service account's end has come"


def close_account(
    means: Means, tx: Transaction, account: Account, reason: str, successor_id: str | None = None
) -> dict[str, int]:
    """Close an account for good, with all that hung on it; return how much that was.

    Roles, sessions, mandates and factors end; service accounts go to the successor. Raises
    ``LastHolder`` or ``BreakGlassKept``.
    """
    stores, revocations = means.stores, means.parts.revocations
    roles = end_with_roles(means, tx, account, reason)
    mandates = stores.mandates.alive(tx, agent_id=account.id)
    for mandate in mandates:
        stores.mandates.revoke(tx, mandate.id)
        revocations.revoke(tx, "token", epoch_id(mandate.id))
    handed = stores.departures.hand_over(tx, account.id, successor_id)
    stores.credentials.clear(tx, account.id)
    stores.message_addresses.clear(tx, account.id)
    stores.accounts.set_state(tx, account.id, "closed")
    revocations.revoke(tx, "account", account.id)
    return {
        "roles_ended": roles,
        "mandates_ended": len(mandates),
        "service_accounts_handed_over": handed,
    }


@dataclass(frozen=True, slots=True)
class DepartureService:
    """Lets people go, and looks after service accounts, which outlive them."""

    means: Means

    def order_departure(
        self,
        actor: Actor,
        account: str,
        reason: str,
        *,
        due_at: int | None = None,
        successor: str | None = None,
    ) -> Departure:
        """Let somebody go now, or on a day within a year; the successor gets service accounts.

        Ends posts, roles, mandates and sessions, and closes the account: refused for oneself
        and for the last holder of an administrator's role (``LastHolder``).
        """
        self.means.parts.access.require(actor, DEPARTURE_ORDER, "account:*")
        if not reason.strip():
            msg = "a reason is needed"
            raise InvalidRequest(msg)
        departure_id, due = self.means.parts.ids.new("dep"), due_at or self.means.now
        if due > self.means.now + MAX_AHEAD:
            msg = "a departure is ordered at most a year ahead"
            raise InvalidRequest(msg)

        def work(tx: Transaction) -> Departure:
            found = self._leaver(tx, actor, account)
            departure = Departure(
                id=departure_id,
                org_id=found.org_id,
                account_id=found.id,
                successor_id=self._successor(tx, actor, found, successor),
                reason=reason.strip()[:500],
                due_at=due,
                ordered_by=actor.id,
                ordered_at=tx.now,
            )
            self.means.stores.departures.add(tx, departure)
            details = {"due_at": due, "successor": departure.successor_id}
            tx.record(Act("iam.order_departure", actor, f"account:{found.id}", details=details))
            if due <= tx.now:
                self._carry_out(tx, actor, departure)
            return self.means.stores.departures.get(tx, departure_id)

        return self.means.parts.transactions.run(work)

    def cancel_departure(self, actor: Actor, departure_id: str) -> None:
        """Take back what is not due yet; raise ``Conflict`` if it has happened."""
        self.means.parts.access.require(actor, DEPARTURE_ORDER, f"departure:{departure_id}")

        def work(tx: Transaction) -> None:
            departure = self.means.stores.departures.get(tx, departure_id)
            require_reach(self.means, tx, actor, departure.org_id, "departure")
            if not self.means.stores.departures.finish(tx, departure_id, "cancelled"):
                msg = "it has been carried out or cancelled"
                raise Conflict(msg)
            target = f"account:{departure.account_id}"
            tx.record(Act("iam.cancel_departure", actor, target))

        self.means.parts.transactions.run(work)

    def list_departures(self, actor: Actor, request: PageRequest) -> Page[Departure]:
        """Return the departures within reach, newest first."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "departure:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.departures.page(tx, actor.org_id, request))

    def carry_out_due(self, limit: int = 50) -> int:
        """Carry out what is due, each in a unit of work of its own; return how many.

        One that can't be carried out (the last administrator) stays due and is tried again.
        """
        read = self.means.parts.transactions.read
        due = read(lambda tx: self.means.stores.departures.due(tx, limit))
        done = 0
        for departure in due:
            try:
                self.means.parts.transactions.run(self._ending(departure))
            except Conflict:
                continue
            done += 1
        return done

    def set_service_account(
        self, actor: Actor, account: str, owner: str, *, review_at: int, expires_at: int
    ) -> Account:
        """Name who answers for a service account, and until when it was reviewed."""
        self.means.parts.access.require(actor, ACCOUNT_CREATE, "account:*")
        check_service_dates(self.means.now, review_at, expires_at)

        def work(tx: Transaction) -> Account:
            found = reached_account(self.means, tx, actor, account)
            owning = reached_account(self.means, tx, actor, owner)
            if found.kind != "service" or owning.kind == "service" or owning.state != "active":
                msg = "a service account is owned by a person whose account is active"
                raise InvalidRequest(msg)
            dates = (review_at, expires_at)
            self.means.stores.accounts.set_service(tx, found.id, owning.id, dates)
            details = {"owner": owning.id, "review_at": review_at, "expires_at": expires_at}
            tx.record(Act("iam.set_service_account", actor, f"account:{found.id}", details=details))
            return self.means.stores.accounts.get(tx, found.id)

        return self.means.parts.transactions.run(work)

    def lock_expired(self, limit: int = 50) -> int:
        """Lock service accounts whose end has come; return how many."""
        read = self.means.parts.transactions.read
        over = read(lambda tx: self.means.stores.departures.expired_services(tx, limit))
        for account_id in over:
            lock_account(self.means, _SCHEDULER, account_id, {"reason": _OVER}, pending=True)
        return len(over)

    def _ending(self, departure: Departure) -> Callable[[Transaction], None]:
        return lambda tx: self._carry_out(tx, _SCHEDULER, departure)

    def _carry_out(self, tx: Transaction, actor: Actor, departure: Departure) -> None:
        if not self.means.stores.departures.finish(tx, departure.id, "done"):
            return
        account = self.means.stores.accounts.get(tx, departure.account_id)
        posts = self.means.stores.departures.end_services(tx, account.person_id or "")
        ended = close_account(self.means, tx, account, "left", departure.successor_id)
        details = {
            "departure": departure.id,
            "posts_ended": posts,
            **ended,
            "successor": departure.successor_id,
        }
        tx.record(Act("iam.leave", actor, f"account:{account.id}", details=details))

    def _leaver(self, tx: Transaction, actor: Actor, account: str) -> Account:
        found = reached_account(self.means, tx, actor, account)
        if same_person(self.means, tx, actor.id, found.id):
            msg = "nobody lets themselves go"
            raise InvalidRequest(msg)
        if found.state == "closed" or found.kind == "service":
            msg = "people with an open account leave; a service account is locked"
            raise InvalidRequest(msg)
        return found

    def _successor(
        self, tx: Transaction, actor: Actor, leaver: Account, successor: str | None
    ) -> str | None:
        if not successor:
            return None
        found = reached_account(self.means, tx, actor, successor)
        if found.state != "active" or found.kind == "service" or found.id == leaver.id:
            msg = "the successor is another person whose account is active"
            raise NotFound(msg)
        return found.id
