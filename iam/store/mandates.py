"""Legal persons, the mandates of their agents, and for whom a session acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.accounts import LegalPerson, Mandate
from iam.store.organisations import within
from iam.store.tables import acting, legal_persons, mandates
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _mandate(row: Any) -> Mandate:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    fields["services"] = tuple(orjson.loads(row.services))
    fields["seals"] = tuple(orjson.loads(row.seals))
    if row.signature is not None:
        fields["signature"] = bytes(row.signature)
    return Mandate(**fields)


class LegalPersons:
    """Legal persons in the table ``iam_legal_persons``."""

    def add(self, tx: Transaction, legal: LegalPerson) -> None:
        """Store it; raise ``NameTaken`` if the credit code is known."""
        try:
            tx.execute(legal_persons.insert().values(**asdict(legal)))
        except IntegrityError as error:
            msg = "a legal person with this credit code is registered"
            raise NameTaken(msg) from error

    def get(self, tx: Transaction, legal_id: str) -> LegalPerson:
        """Return it; raise ``NotFound``."""
        row = tx.execute(sa.select(legal_persons).where(legal_persons.c.id == legal_id)).first()
        if row is None:
            msg = "there is no such legal person"
            raise NotFound(msg)
        return LegalPerson(**row._mapping)  # noqa: SLF001

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[LegalPerson]:
        """Return legal persons of the organisation and those below it, by id."""
        column = legal_persons.c
        query = sa.select(legal_persons).where(within(column.org_id, org_id))
        if (after := request.key(str)) is not None:
            query = query.where(column.id > after[0])
        rows = tx.execute(query.order_by(column.id).limit(request.limit + 1))
        found = [LegalPerson(**row._mapping) for row in rows]  # noqa: SLF001
        return page_of(found, request.limit, [(each.id,) for each in found])

    def represented_by(self, tx: Transaction, account_id: str) -> Sequence[LegalPerson]:
        """Return the legal persons whose legal representative the account is."""
        column = legal_persons.c
        query = sa.select(legal_persons).where(column.representative_id == account_id)
        return [LegalPerson(**row._mapping) for row in tx.execute(query.order_by(column.id))]  # noqa: SLF001

    def set_representative(self, tx: Transaction, legal_id: str, account_id: str) -> None:
        """Name its legal representative."""
        tx.execute(
            legal_persons.update()
            .where(legal_persons.c.id == legal_id)
            .values(representative_id=account_id)
        )


class Mandates:
    """Mandates in the table ``iam_mandates``, and for whom sessions act."""

    def unended(self, tx: Transaction, legal_id: str) -> Sequence[Mandate]:
        """Return mandates of a legal person that hold now or will, by id."""
        column = mandates.c
        rows = tx.execute(
            sa.select(mandates)
            .where(
                column.legal_person_id == legal_id,
                column.revoked_at.is_(None),
                column.ends_at > tx.now,
            )
            .order_by(column.id)
        )
        return [_mandate(row) for row in rows]

    def add(self, tx: Transaction, mandate: Mandate) -> None:
        """Store it; raise ``NotFound`` where legal person or agent is unknown."""
        fields = asdict(mandate)
        fields["services"] = orjson.dumps(mandate.services).decode()
        fields["seals"] = orjson.dumps(mandate.seals).decode()
        try:
            tx.execute(mandates.insert().values(**fields))
        except IntegrityError as error:
            msg = "the legal person or the agent is unknown"
            raise NotFound(msg) from error

    def get(self, tx: Transaction, mandate_id: str) -> Mandate:
        """Return it, alive or not; raise ``NotFound``."""
        row = tx.execute(sa.select(mandates).where(mandates.c.id == mandate_id)).first()
        if row is None:
            msg = "there is no such mandate"
            raise NotFound(msg)
        return _mandate(row)

    def revoke(self, tx: Transaction, mandate_id: str) -> bool:
        """End it; False if it had ended."""
        ended = tx.execute(
            mandates.update()
            .where(mandates.c.id == mandate_id, mandates.c.revoked_at.is_(None))
            .values(revoked_at=tx.now)
        )
        tx.execute(acting.delete().where(acting.c.mandate_id == mandate_id))
        return bool(ended.rowcount == 1)

    def alive(self, tx: Transaction, **of: str) -> Sequence[Mandate]:
        """Return mandates that hold now of ``agent_id=…`` or ``legal_person_id=…``."""
        column = mandates.c
        chosen = [column[name] == value for name, value in of.items()]
        rows = tx.execute(
            sa.select(mandates)
            .where(
                *chosen,
                column.revoked_at.is_(None),
                column.starts_at <= tx.now,
                column.ends_at > tx.now,
            )
            .order_by(column.id)
        )
        return [_mandate(row) for row in rows]

    def act(self, tx: Transaction, session_id: str, mandate: Mandate | None) -> None:
        """Let a session act under ``mandate`` from now on, or for itself again."""
        tx.execute(acting.delete().where(acting.c.session_id == session_id))
        if mandate is not None:
            tx.execute(
                acting.insert().values(
                    session_id=session_id,
                    org_id=mandate.org_id,
                    mandate_id=mandate.id,
                    chosen_at=tx.now,
                )
            )

    def acting(self, tx: Transaction, session_id: str) -> str | None:
        """Return the id of the mandate a session acts under."""
        query = sa.select(acting.c.mandate_id).where(acting.c.session_id == session_id)
        found = tx.execute(query).scalar()
        return None if found is None else str(found)
