"""Legal persons, and the mandates that their legal representatives grant to agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from iam.core.gb32100.credit_code import canonical_credit_code
from iam.core.mandates import check_covered, check_dates, mandate_text
from iam.errors import MandateRefused
from iam.models.accounts import Account, LegalPerson, Mandate
from iam.models.real_name import DOCUMENT
from iam.service.means import Means
from iam.service.people.organisations import check_label
from iam.service.persons import refuse_own, same_person
from iam.service.reach import reached_account, require_reach
from iam.service.sign_on.acting import ActingService, epoch_id
from iam.service.sign_on.sessions import find_account
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import LEGAL_PERSON_CREATE, MANDATE_GRANT, MANDATE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

CERTIFICATES: Final = frozenset({"sm2", "x509"})


@dataclass(frozen=True, slots=True)
class NewMandate:
    """Who may act for whom, in which services, with which seals, from when to when."""

    legal_person_id: str
    agent: str
    scope: str
    starts_at: int
    ends_at: int
    services: tuple[str, ...] = ()
    seals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MandateService:
    """What can be done with legal persons and mandates."""

    means: Means
    acting: ActingService

    def create_legal_person(
        self, actor: Actor, credit_code: str, name: str, representative: str | None = None
    ) -> LegalPerson:
        """Register a legal person by its credit code; raise ``IdentityInvalid``."""
        self.means.parts.access.require(actor, LEGAL_PERSON_CREATE, "legal_person:*")
        legal = LegalPerson(
            id=self.means.parts.ids.new("leg"),
            org_id=actor.org_id,
            credit_code=canonical_credit_code(credit_code),
            name=check_label(name),
            created_at=self.means.now,
        )

        def work(tx: Transaction) -> LegalPerson:
            named = None
            if representative is not None:
                named = self._representative(tx, actor, representative).id
            made = replace(legal, representative_id=named)
            self.means.stores.legal_persons.add(tx, made)
            details = {"representative": named}
            target = f"legal_person:{legal.id}"
            tx.record(Act("iam.create_legal_person", actor, target, details=details))
            return made

        return self.means.parts.transactions.run(work)

    def set_representative(self, actor: Actor, legal_id: str, account: str) -> None:
        """Name another legal representative; what the last one granted ends."""
        self.means.parts.access.require(actor, LEGAL_PERSON_CREATE, f"legal_person:{legal_id}")

        def work(tx: Transaction) -> None:
            legal = self._legal(tx, actor, legal_id)
            found = self._representative(tx, actor, account)
            ended = self.means.stores.mandates.unended(tx, legal_id)
            for mandate in ended if legal.representative_id != found.id else ():
                self._end(tx, mandate.id)
            self.means.stores.legal_persons.set_representative(tx, legal_id, found.id)
            details = {"before": legal.representative_id, "after": found.id}
            target = f"legal_person:{legal_id}"
            tx.record(Act("iam.set_representative", actor, target, details=details))

        self.means.parts.transactions.run(work)

    def list_legal_persons(self, actor: Actor, request: PageRequest) -> Page[LegalPerson]:
        """Return the legal persons within reach."""
        self.means.parts.access.require(actor, MANDATE_READ, "legal_person:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.legal_persons.page(tx, actor.org_id, request))

    def list_mandates(self, actor: Actor, legal_id: str) -> Sequence[Mandate]:
        """Return the mandates of a legal person that hold now or will."""
        self.means.parts.access.require(actor, MANDATE_READ, f"legal_person:{legal_id}")

        def work(tx: Transaction) -> Sequence[Mandate]:
            self._legal(tx, actor, legal_id)
            return self.means.stores.mandates.unended(tx, legal_id)

        return self.means.parts.transactions.read(work)

    def get_legal_person(self, actor: Actor, legal_id: str) -> LegalPerson:
        """Return a legal person within reach; raise ``NotFound``."""
        self.means.parts.access.require(actor, MANDATE_READ, f"legal_person:{legal_id}")
        return self.means.parts.transactions.read(lambda tx: self._legal(tx, actor, legal_id))

    def represented(self, actor: Actor) -> Sequence[tuple[LegalPerson, Sequence[Mandate]]]:
        """Return whom the caller legally represents, with the mandates that hold or will."""

        def work(tx: Transaction) -> list[tuple[LegalPerson, Sequence[Mandate]]]:
            stores = self.means.stores
            found = stores.legal_persons.represented_by(tx, actor.id)
            return [(legal, stores.mandates.unended(tx, legal.id)) for legal in found]

        return self.means.parts.transactions.read(work)

    def grant_mandate(self, actor: Actor, new: NewMandate) -> Mandate:
        """Record at the counter what the legal representative signed on paper; never oneself."""
        self.means.parts.access.require(actor, MANDATE_GRANT, "mandate:*")
        return self._grant(actor, new, own=False)

    def grant_own_mandate(self, actor: Actor, new: NewMandate) -> Mandate:
        """Grant a mandate as the legal representative in person; raise ``MandateRefused``."""
        return self._grant(actor, new, own=True)

    def revoke_mandate(self, actor: Actor, mandate_id: str) -> None:
        """End a mandate everywhere within a second: by a clerk, its granter or its agent."""

        def look(tx: Transaction) -> Mandate:
            mandate = self.means.stores.mandates.get(tx, mandate_id)
            if actor.id not in (mandate.granter_id, mandate.agent_id):
                self.means.parts.access.require(actor, MANDATE_GRANT, f"mandate:{mandate_id}")
                require_reach(self.means, tx, actor, mandate.org_id, "mandate")
            if mandate.revoked_at is not None:
                msg = "there is no such mandate"
                raise NotFound(msg)
            return mandate

        mandate = self.means.parts.transactions.read(look)
        details = {"agent": mandate.agent_id, "legal_person": mandate.legal_person_id}
        act = Act("iam.revoke_mandate", actor, f"mandate:{mandate_id}", details=details)
        self.means.parts.transactions.restrict(
            lambda tx: self.means.stores.mandates.revoke(tx, mandate_id),
            Restriction("token", epoch_id(mandate_id), act),
        )

    def own_mandates(self, actor: Actor) -> Sequence[Mandate]:
        """Return what the caller may act under now."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.mandates.alive(tx, agent_id=actor.id))

    def _grant(self, actor: Actor, new: NewMandate, *, own: bool) -> Mandate:
        check_dates(self.means.now, new.starts_at, new.ends_at)
        check_covered(new.services, new.seals)
        scope, mandate_id = check_label(new.scope), self.means.parts.ids.new("man")

        def prepare(tx: Transaction) -> tuple[Mandate, LegalPerson]:
            legal = self.means.stores.legal_persons.get(tx, new.legal_person_id)
            if own:
                agent = self._own_agent(tx, actor, legal, new.agent)
            else:
                self._legal(tx, actor, new.legal_person_id)
                agent = reached_account(self.means, tx, actor, new.agent)
                refuse_own(self.means, tx, actor, agent.id)
            self._check_granter(tx, actor, legal, agent)
            return Mandate(
                id=mandate_id,
                org_id=legal.org_id,
                legal_person_id=legal.id,
                agent_id=agent.id,
                scope=scope,
                starts_at=new.starts_at,
                ends_at=new.ends_at,
                granted_by=actor.id,
                services=new.services,
                seals=new.seals,
                granter_id=legal.representative_id,
                granted_at=self.means.now,
            ), legal

        draft, legal = self.means.parts.transactions.read(prepare)
        signature = self.acting.signer.sign_mandate(mandate_text(draft, legal))
        mandate = replace(draft, signature=signature)

        def work(tx: Transaction) -> Mandate:
            now = self.means.stores.legal_persons.get(tx, legal.id)
            if now.representative_id != mandate.granter_id:
                msg = "the legal representative has changed"
                raise MandateRefused(msg)
            self.means.stores.mandates.add(tx, mandate)
            details = {
                "agent": mandate.agent_id,
                "legal_person": legal.id,
                "granter": mandate.granter_id,
            }
            tx.record(Act("iam.grant_mandate", actor, f"mandate:{mandate_id}", details=details))
            return mandate

        return self.means.parts.transactions.run(work)

    def _own_agent(self, tx: Transaction, actor: Actor, legal: LegalPerson, agent: str) -> Account:
        if legal.representative_id != actor.id:
            # an agent included: what was granted is not passed on
            msg = "only its legal representative grants mandates of a legal person"
            raise MandateRefused(msg)
        if self.means.stores.mandates.acting(tx, actor.session_id or "") is not None:
            msg = "mandates are granted in person, not while acting for somebody"
            raise MandateRefused(msg)
        return find_account(self.means, tx, agent)

    def _check_granter(
        self, tx: Transaction, actor: Actor, legal: LegalPerson, agent: Account
    ) -> None:
        if legal.representative_id is None:
            msg = "the legal person has no legal representative yet"
            raise MandateRefused(msg)
        granter = self.means.stores.accounts.get(tx, legal.representative_id)
        if granter.state != "active" or agent.state != "active" or agent.kind == "service":
            msg = "granter and agent are persons whose accounts are active"
            raise MandateRefused(msg)
        if same_person(self.means, tx, granter.id, agent.id):
            msg = "the legal representative needs no mandate"
            raise MandateRefused(msg)
        if not self._well_known(tx, granter) and not self._by_certificate(tx, actor, granter):
            msg = f"the granter is known at a real-name level below {DOCUMENT}"
            raise MandateRefused(msg)

    def _well_known(self, tx: Transaction, granter: Account) -> bool:
        if granter.person_id is not None:
            person = self.means.stores.persons.get_person(tx, granter.person_id)
            if person.real_name_level >= DOCUMENT:
                return True
        levels = self.means.stores.upstream_links.levels_of(tx, granter.id)
        rung = self.means.schemes.rung
        return any(rung(level.scheme, level.level) >= DOCUMENT for level in levels)

    def _by_certificate(self, tx: Transaction, actor: Actor, granter: Account) -> bool:
        if actor.id != granter.id or actor.session_id is None:
            return False
        session = self.means.stores.sessions.get(tx, actor.session_id)
        return session is not None and not CERTIFICATES.isdisjoint(session.amr)

    def _representative(self, tx: Transaction, actor: Actor, account: str) -> Account:
        found = reached_account(self.means, tx, actor, account)
        refuse_own(self.means, tx, actor, found.id)
        if found.kind == "service" or found.person_id is None:
            msg = "a legal representative is a natural person"
            raise MandateRefused(msg)
        return found

    def _legal(self, tx: Transaction, actor: Actor, legal_id: str) -> LegalPerson:
        legal = self.means.stores.legal_persons.get(tx, legal_id)
        require_reach(self.means, tx, actor, legal.org_id, "legal person")
        return legal

    def _end(self, tx: Transaction, mandate_id: str) -> None:
        self.means.stores.mandates.revoke(tx, mandate_id)
        self.means.parts.revocations.revoke(tx, "token", epoch_id(mandate_id))
