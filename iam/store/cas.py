"""Services of the CAS server and their tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.cas import CasService, CasTicket
from iam.store.due import claim_due
from iam.store.tables import cas_services, cas_tickets
from secops.kernel.transactions import Transaction

_MOST: Final = 500


def _service(row: Any) -> CasService:
    return CasService(
        id=row.id,
        org_id=row.org_id,
        url=row.url,
        name=row.name,
        attributes=tuple(orjson.loads(row.attributes)),
        pairwise=row.pairwise,
        single_logout=row.single_logout,
        disabled=row.disabled,
        real_name_level=row.real_name_level,
    )


def _ticket(row: Any) -> CasTicket:
    return CasTicket(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


class CasTables:
    """The tables ``iam_cas_services`` and ``iam_cas_tickets``."""

    def put_service(self, tx: Transaction, service: CasService) -> None:
        """Store it in place of the one with its id; raise ``NameTaken`` for a taken address."""
        values = asdict(service) | {"attributes": orjson.dumps(service.attributes).decode()}
        same = cas_services.c.id == service.id
        try:
            if self.service(tx, service.id) is None:
                tx.execute(cas_services.insert().values(**values))
            else:
                tx.execute(cas_services.update().where(same).values(**values))
        except IntegrityError as error:
            msg = "another service has this address"
            raise NameTaken(msg) from error

    def service(self, tx: Transaction, service_id: str) -> CasService | None:
        """Return it."""
        row = tx.execute(sa.select(cas_services).where(cas_services.c.id == service_id)).first()
        return None if row is None else _service(row)

    def service_at(self, tx: Transaction, url: str) -> CasService | None:
        """Return the service with exactly this address."""
        row = tx.execute(sa.select(cas_services).where(cas_services.c.url == url)).first()
        return None if row is None else _service(row)

    def services(self, tx: Transaction, org_id: str) -> Sequence[CasService]:
        """Return an organisation's services by name, at most 500."""
        query = sa.select(cas_services).where(cas_services.c.org_id == org_id)
        query = query.order_by(cas_services.c.name, cas_services.c.id).limit(_MOST)
        return [_service(row) for row in tx.execute(query).all()]

    def add_ticket(self, tx: Transaction, ticket: CasTicket) -> None:
        """Store a new ticket."""
        tx.execute(cas_tickets.insert().values(**asdict(ticket)))

    def use_ticket(self, tx: Transaction, ticket_id: str) -> CasTicket | None:
        """Consume it by one statement: the ticket for the first, None ever after."""
        row = tx.execute(
            cas_tickets.update()
            .where(cas_tickets.c.id == ticket_id, cas_tickets.c.used_at.is_(None))
            .values(used_at=tx.now)
            .returning(*cas_tickets.c)
        ).first()
        return None if row is None else _ticket(row)

    def session_ended(self, tx: Transaction, session_id: str) -> int:
        """Have services that validated a ticket of the session told; return how many."""
        column = cas_tickets.c
        told = sa.select(cas_services.c.id).where(cas_services.c.single_logout.is_(True))
        changed = tx.execute(
            cas_tickets.update()
            .where(
                column.session_id == session_id,
                column.used_at.isnot(None),
                column.told == "none",
                column.service_id.in_(told),
            )
            .values(told="waiting", next_at=tx.now)
        )
        return int(changed.rowcount)

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[CasTicket]:
        """Take tickets whose service is to be told now; nobody else does before ``until``."""
        return [_ticket(row) for row in claim_due(tx, cas_tickets.c.told, limit, until)]

    def keep(self, tx: Transaction, ticket: CasTicket) -> None:
        """Store how telling went."""
        tx.execute(
            cas_tickets.update()
            .where(cas_tickets.c.id == ticket.id)
            .values(told=ticket.told, tries=ticket.tries, next_at=ticket.next_at)
        )

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` tickets made before ``before``; return how many."""
        column = cas_tickets.c
        old = sa.select(column.id).where(column.created_at < before).limit(limit)
        return int(tx.execute(cas_tickets.delete().where(column.id.in_(old))).rowcount)
