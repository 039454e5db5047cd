"""Organisations, legal persons and the mandates under which agents act for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.gb32100.credit_code import canonical_credit_code
from iam.errors import IdentityInvalid, InvalidRequest
from iam.models.accounts import LegalPerson, Mandate, Organisation
from iam.service.means import Means
from iam.service.sign_on.sessions import find_account, refuse_own, same_organisation
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.permissions.iam import (
    LEGAL_PERSON_CREATE,
    MANDATE_GRANT,
    ORGANISATION_CREATE,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class NewMandate:
    """Who may act for whom, in what, from when to when (UTC microseconds)."""

    legal_person_id: str
    agent: str
    scope: str
    starts_at: int
    ends_at: int


def _check_name(name: str) -> str:
    text = name.strip()
    if not 1 <= len(text) <= MAX_NAME:
        msg = f"a name has 1 to {MAX_NAME} characters"
        raise IdentityInvalid(msg)
    return text


@dataclass(frozen=True, slots=True)
class BodyService:
    """What can be done with organisations and legal persons."""

    means: Means

    def create_organisation(self, actor: Actor, name: str) -> Organisation:
        """Register an organisation under the caller's own."""
        self.means.parts.access.require(actor, ORGANISATION_CREATE, "organisation:*")
        organisation = Organisation(
            self.means.parts.ids.new("org"), _check_name(name), actor.org_id, self.means.now
        )

        def work(tx: Transaction) -> None:
            self.means.stores.persons.add_organisation(tx, organisation)
            tx.record(Act("iam.create_organisation", actor, f"organisation:{organisation.id}"))

        self.means.parts.transactions.run(work)
        return organisation

    def create_legal_person(self, actor: Actor, credit_code: str, name: str) -> LegalPerson:
        """Register a legal person by its credit code; raise ``IdentityInvalid``."""
        self.means.parts.access.require(actor, LEGAL_PERSON_CREATE, "legal_person:*")
        legal = LegalPerson(
            id=self.means.parts.ids.new("leg"),
            org_id=actor.org_id,
            credit_code=canonical_credit_code(credit_code),
            name=_check_name(name),
            created_at=self.means.now,
        )

        def work(tx: Transaction) -> None:
            self.means.stores.persons.add_legal_person(tx, legal)
            tx.record(Act("iam.create_legal_person", actor, f"legal_person:{legal.id}"))

        self.means.parts.transactions.run(work)
        return legal

    def grant_mandate(self, actor: Actor, new: NewMandate) -> Mandate:
        """Record that an agent may act for a legal person; never oneself."""
        self.means.parts.access.require(actor, MANDATE_GRANT, "mandate:*")
        if not self.means.now < new.ends_at or not new.starts_at < new.ends_at:
            msg = "a mandate ends in the future and after it starts"
            raise InvalidRequest(msg)
        mandate_id = self.means.parts.ids.new("man")

        def work(tx: Transaction) -> Mandate:
            agent = same_organisation(actor, find_account(self.means, tx, new.agent))
            refuse_own(actor, agent.id)
            mandate = Mandate(
                id=mandate_id,
                org_id=actor.org_id,
                legal_person_id=new.legal_person_id,
                agent_id=agent.id,
                scope=_check_name(new.scope),
                starts_at=new.starts_at,
                ends_at=new.ends_at,
                granted_by=actor.id,
            )
            self.means.stores.persons.add_mandate(tx, mandate)
            details = {"agent": agent.id, "legal_person": new.legal_person_id}
            tx.record(Act("iam.grant_mandate", actor, f"mandate:{mandate_id}", details=details))
            return mandate

        return self.means.parts.transactions.run(work)

    def revoke_mandate(self, actor: Actor, mandate_id: str) -> None:
        """End a mandate; raise ``NotFound`` if none of this id is alive."""
        self.means.parts.access.require(actor, MANDATE_GRANT, f"mandate:{mandate_id}")

        def work(tx: Transaction) -> None:
            if not self.means.stores.persons.revoke_mandate(tx, mandate_id):
                msg = "there is no such mandate"
                raise NotFound(msg)
            tx.record(Act("iam.revoke_mandate", actor, f"mandate:{mandate_id}"))

        self.means.parts.transactions.run(work)

    def own_mandates(self, actor: Actor) -> Sequence[Mandate]:
        """Return what the caller may act under now."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.persons.mandates_of(tx, actor.id))
