"""Persons, natural and legal, organisations and mandates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken, RoleConflict
from iam.models.accounts import (
    CivilService,
    LegalPerson,
    Mandate,
    Organisation,
    Person,
)
from iam.store.roles import drop_empty_side, take_side
from iam.store.tables import (
    accounts,
    civil_services,
    legal_persons,
    mandates,
    organisations,
    persons,
    role_grants,
)
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transaction


def _person(row: Any) -> Person:
    return Person(
        id=row.id,
        org_id=row.org_id,
        key=bytes(row.key),
        proved=row.proved,
        sealed_name=bytes(row.sealed_name),
        real_name_level=row.real_name_level,
        created_at=row.created_at,
    )


class Persons:
    """Persons and the bodies they act for."""

    def add_organisation(self, tx: Transaction, organisation: Organisation) -> None:
        """Store it; raise ``NameTaken``."""
        try:
            tx.execute(
                organisations.insert().values(
                    org_id=organisation.id,
                    name=organisation.name,
                    parent_id=organisation.parent_id,
                    created_at=organisation.created_at,
                )
            )
        except IntegrityError as error:
            msg = "another organisation has this name"
            raise NameTaken(msg) from error

    def organisations(self, tx: Transaction) -> Sequence[Organisation]:
        """Return all organisations by name."""
        rows = tx.execute(sa.select(organisations).order_by(organisations.c.name)).all()
        return [Organisation(r.org_id, r.name, r.parent_id, r.created_at) for r in rows]

    def add_person(self, tx: Transaction, person: Person) -> str:
        """Store a person, or find the one with the same key; return the id."""
        known = tx.execute(sa.select(persons.c.id).where(persons.c.key == person.key)).scalar()
        if known is not None:
            return str(known)
        tx.execute(persons.insert().values(**asdict(person)))
        return person.id

    def get_person(self, tx: Transaction, person_id: str) -> Person:
        """Return the person; raise ``NotFound``."""
        row = tx.execute(sa.select(persons).where(persons.c.id == person_id)).first()
        if row is None:
            msg = "there is no such person"
            raise NotFound(msg)
        return _person(row)

    def prove_person(self, tx: Transaction, account_id: str, person: Person) -> None:
        """Put ``person`` behind the account and its grants; raise ``RoleConflict``."""
        person_id = self.add_person(tx, person)
        grants = tx.execute(
            sa.select(role_grants).where(role_grants.c.subject_id == account_id)
        ).all()
        try:
            for grant in grants:
                take_side(tx, person.key, grant.side)
                tx.execute(
                    role_grants.update()
                    .where(role_grants.c.subject_id == account_id, role_grants.c.role == grant.role)
                    .values(person_key=person.key)
                )
                drop_empty_side(tx, grant.person_key)
        except IntegrityError as error:
            msg = "the person holds an excluding role under another account"
            raise RoleConflict(msg) from error
        tx.execute(accounts.update().where(accounts.c.id == account_id).values(person_id=person_id))

    def add_civil_service(self, tx: Transaction, service: CivilService) -> None:
        """Store where a civil servant serves."""
        same = (
            civil_services.c.person_id == service.person_id,
            civil_services.c.organisation == service.organisation,
        )
        tx.execute(civil_services.delete().where(*same))
        tx.execute(civil_services.insert().values(**asdict(service)))

    def add_legal_person(self, tx: Transaction, legal: LegalPerson) -> None:
        """Store it; raise ``NameTaken`` if the credit code is known."""
        try:
            tx.execute(legal_persons.insert().values(**asdict(legal)))
        except IntegrityError as error:
            msg = "a legal person with this credit code is registered"
            raise NameTaken(msg) from error

    def add_mandate(self, tx: Transaction, mandate: Mandate) -> None:
        """Store it; raise ``NotFound`` where legal person or agent is unknown."""
        try:
            tx.execute(mandates.insert().values(**asdict(mandate)))
        except IntegrityError as error:
            msg = "the legal person or the agent is unknown"
            raise NotFound(msg) from error

    def revoke_mandate(self, tx: Transaction, mandate_id: str) -> bool:
        """End it; False if it had ended."""
        ended = tx.execute(
            mandates.update()
            .where(mandates.c.id == mandate_id, mandates.c.revoked_at.is_(None))
            .values(revoked_at=tx.now)
        )
        return bool(ended.rowcount == 1)

    def mandates_of(self, tx: Transaction, agent_id: str) -> Sequence[Mandate]:
        """Return what the agent may act under now."""
        rows = tx.execute(
            sa.select(mandates).where(
                mandates.c.agent_id == agent_id,
                mandates.c.revoked_at.is_(None),
                mandates.c.starts_at <= tx.now,
                mandates.c.ends_at > tx.now,
            )
        ).all()
        return [Mandate(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
