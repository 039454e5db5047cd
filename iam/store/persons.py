"""Natural persons and where they serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import RoleConflict
from iam.models.accounts import CivilService, Person
from iam.store.roles import drop_empty_side, take_side
from iam.store.tables import accounts, civil_services, persons, role_grants
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transaction

_CHUNK: Final = 500


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
    """Persons in the table ``iam_persons``."""

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

    def services_of(self, tx: Transaction, person_id: str) -> Sequence[CivilService]:
        """Return where a person serves or served, newest first."""
        column = civil_services.c
        rows = tx.execute(
            sa.select(civil_services)
            .where(column.person_id == person_id)
            .order_by(column.started_at.desc(), column.organisation)
        )
        return [CivilService(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def known_keys(self, tx: Transaction, keys: Sequence[bytes]) -> frozenset[bytes]:
        """Return which of ``keys`` belong to persons that are known."""
        found: set[bytes] = set()
        for start in range(0, len(keys), _CHUNK):
            part = list(keys[start : start + _CHUNK])
            found.update(
                bytes(key)
                for key in tx.execute(
                    sa.select(persons.c.key).where(persons.c.key.in_(part))
                ).scalars()
            )
        return frozenset(found)
