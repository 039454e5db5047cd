"""Service tickets: given to a browser, consumed by the service's first question about them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from iam.core.base64url import encode
from iam.core.cas30.answers import FailureCode, Told, wants_json, write_answer
from iam.core.cas30.services import MAX_URL, read_ticket, write_ticket
from iam.core.rfc6749.authorize import answer_location
from iam.errors import RedirectRefused, TokenRefused
from iam.models.cas import CasAnswer, CasLogin, CasService, CasTicket
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import SessionService, require_opening
from iam.service.zero_trust.decisions import DecisionService
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.permissions.iam import CLIENT_READ
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

LIFETIME: Final = 30 * SECOND
_PURPOSE: Final = "cas"
_TRUE: Final = frozenset({"true", "1", "yes", "on"})


def ticket_text(means: Means, ticket_id: str) -> str:
    """Return a ticket's text, the same whenever it is asked for."""
    return write_ticket(ticket_id, means.keys.mac("cas-ticket", ticket_id.encode()))


@dataclass(frozen=True, slots=True)
class CasTickets:
    """Login and validation of the CAS protocol."""

    means: Means
    sessions: SessionService
    decisions: DecisionService

    def log_in(self, parameters: Mapping[str, str], cookie: str) -> CasLogin:
        """Return where the browser goes (CAS 3.0 §2.1, §2.2).

        Only to an exactly registered service: ``RedirectRefused`` otherwise. Raises
        ``AccessDenied`` by policy.
        """
        url = parameters.get("service", "")
        if not url:
            return CasLogin("service", "/")
        service = self._registered(url)
        renew = parameters.get("renew", "").lower() in _TRUE
        session = self.sessions.by_cookie(cookie)
        began = self._began(parameters.get("since", ""), service)
        fresh = session is not None and began is not None and session.auth_time >= began
        by_post = parameters.get("method", "").upper() == "POST"
        if session is not None and (fresh or not renew):
            ticket = self._grant(service, session, fresh=fresh)
            if by_post:
                return CasLogin("post", service.url, ticket)
            return CasLogin("service", answer_location(service.url, {"ticket": ticket}))
        if parameters.get("gateway", "").lower() in _TRUE and not renew:
            return CasLogin("service", url)
        return CasLogin("sign_in", self._sign_in(service, renew=renew, by_post=by_post))

    def validate(self, parameters: Mapping[str, str], *, attributes: bool) -> CasAnswer:
        """Return the answer to a service's question; the ticket is consumed whatever it is."""
        return _written(parameters, self._answer(parameters, attributes=attributes))

    @staticmethod
    def refuse(parameters: Mapping[str, str], code: FailureCode, why: str) -> CasAnswer:
        """Return a refusal in the protocol's form, for what is no question or can't be judged."""
        return _written(parameters, Told(code, why))

    def _answer(self, parameters: Mapping[str, str], *, attributes: bool) -> Told:
        ticket, url = parameters.get("ticket", ""), parameters.get("service", "")
        if not ticket or not url:
            return Told("INVALID_REQUEST", "ticket and service are both needed")
        if "pgtUrl" in parameters:
            return Told("UNAUTHORIZED_SERVICE_PROXY", "proxy tickets are not given")
        if not ticket.startswith("ST-"):
            return Told("INVALID_TICKET_SPEC", "only service tickets are validated")
        read = read_ticket(ticket)
        if read is None or not hmac.compare_digest(ticket, ticket_text(self.means, read[0])):
            return Told("INVALID_TICKET", "the ticket is not one of ours")
        renew = parameters.get("renew", "").lower() in _TRUE
        run = self.means.parts.transactions.run
        return run(lambda tx: self._validate(tx, read[0], (url, renew), attributes=attributes))

    def list_services(self, actor: Actor) -> Sequence[CasService]:
        """Return the organisation's services by name."""
        self.means.parts.access.require(actor, CLIENT_READ, "cas:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.cas.services(tx, actor.org_id))

    def _registered(self, url: str) -> CasService:
        found = None
        if len(url) <= MAX_URL:
            read = self.means.parts.transactions.read
            found = read(lambda tx: self.means.stores.cas.service_at(tx, url))
        if found is None or found.disabled:
            msg = "the service is not registered"
            raise RedirectRefused(msg)
        return found

    def _began(self, since: str, service: CasService) -> int | None:
        """Return when the sign-in was asked for, by our own signed word."""
        if not since:
            return None
        try:
            content = read_reference(self.means, _PURPOSE, since)
        except TokenRefused:
            return None
        return int(content["began"]) if content["service"] == service.id else None

    def _sign_in(self, service: CasService, *, renew: bool, by_post: bool) -> str:
        content = {"service": service.id, "began": self.means.now}
        lifetime = self.means.options.lifetimes.transaction
        since = write_reference(self.means, _PURPOSE, content, lifetime)
        back = {"service": service.url, "since": since} | ({"renew": "true"} if renew else {})
        back |= {"method": "POST"} if by_post else {}
        asked = {"next": f"/cas/login?{urlencode(back)}"} | ({"fresh": "1"} if renew else {})
        return f"/signin?{urlencode(asked)}"

    def _grant(self, service: CasService, session: OpSession, *, fresh: bool) -> str:
        means = self.means
        require_opening(means, self.decisions, session, f"cas:{service.id}")
        ticket = CasTicket(
            id=means.random(16).hex(),
            org_id=session.org_id,
            service_id=service.id,
            session_id=session.id,
            account_id=session.account_id,
            fresh=fresh,
            created_at=means.now,
            expires_at=means.now + LIFETIME,
        )

        def work(tx: Transaction) -> None:
            means.stores.cas.add_ticket(tx, ticket)
            means.stores.sessions.touch(tx, session.id)
            tx.record(Act("iam.issue_ticket", _holder(ticket), f"cas:{service.id}"))

        means.parts.transactions.run(work)
        return ticket_text(means, ticket.id)

    def _validate(
        self, tx: Transaction, ticket_id: str, asked: tuple[str, bool], *, attributes: bool
    ) -> Told:
        ticket = self.means.stores.cas.use_ticket(tx, ticket_id)
        if ticket is None:
            return Told("INVALID_TICKET", "the ticket is unknown or was used before")
        service = self.means.stores.cas.service(tx, ticket.service_id)
        code, why = self._judge(tx, ticket, service, asked)
        outcome: Outcome = "done" if code is None else "refused"
        details = {} if code is None else {"code": code}
        target = f"cas:{ticket.service_id}"
        tx.record(Act("iam.validate_ticket", _holder(ticket), target, outcome, details))
        if code is not None or service is None:
            return Told(code or "INVALID_TICKET", why)
        user = self._user(tx, ticket, service)
        known = self._attributes(tx, ticket, service) if attributes else None
        return Told(user=user, attributes=known)

    def _judge(
        self,
        tx: Transaction,
        ticket: CasTicket,
        service: CasService | None,
        asked: tuple[str, bool],
    ) -> tuple[FailureCode | None, str]:
        url, renew = asked
        if service is None or service.disabled or service.url != url:
            return "INVALID_SERVICE", "the ticket was given to another service"
        if ticket.expires_at <= tx.now:
            return "INVALID_TICKET", "the ticket has expired"
        if renew and not ticket.fresh:
            return "INVALID_TICKET", "the person did not sign in for this ticket"
        session = self.means.stores.sessions.get(tx, ticket.session_id)
        if session is None or not self.sessions.usable(session):
            return "INVALID_TICKET", "the session has ended"
        return None, ""

    def _user(self, tx: Transaction, ticket: CasTicket, service: CasService) -> str:
        if not service.pairwise:
            return self.means.stores.accounts.get(tx, ticket.account_id).name
        whole = f"cas:{service.id}|{ticket.account_id}".encode()
        return encode(self.means.keys.mac("subject", whole)[:16])

    def _attributes(
        self, tx: Transaction, ticket: CasTicket, service: CasService
    ) -> dict[str, tuple[str, ...]]:
        """Return what the protocol names (§2.5.7) and what the service is registered for."""
        stores = self.means.stores
        session = stores.sessions.get(tx, ticket.session_id)
        told: dict[str, tuple[str, ...]] = {
            "authenticationDate": (to_rfc3339(session.auth_time if session else tx.now),),
            "longTermAuthenticationRequestTokenUsed": ("false",),
            "isFromNewLogin": ("true" if ticket.fresh else "false",),
        }
        levels = stores.upstream_links.levels_of(tx, ticket.account_id)
        code = stores.upstream_links.credit_code_of(tx, ticket.account_id)
        known: dict[str, Sequence[str]] = {
            "acr": (session.acr,) if session else (),
            "amr": session.amr if session else (),
            "credit_code": (code,) if code else (),
            "org": (ticket.org_id,),
            "real_name_level": [f"{one.scheme}:{one.level}" for one in levels[:1]],
            "roles": sorted(stores.roles.of_subject(tx, ticket.account_id)),
        }
        return told | {name: tuple(known[name]) for name in service.attributes}


def _written(parameters: Mapping[str, str], told: Told) -> CasAnswer:
    as_json = wants_json(parameters)
    return CasAnswer(write_answer(told, as_json=as_json), as_json)


def _holder(ticket: CasTicket) -> Actor:
    return Actor(
        kind="account",
        id=ticket.account_id,
        org_id=ticket.org_id,
        name=ticket.account_id,
        session_id=ticket.session_id,
    )
