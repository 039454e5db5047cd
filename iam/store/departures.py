"""Departures, and service accounts whose time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.models.accounts import Departure
from iam.store.organisations import within
from iam.store.tables import accounts, civil_services, departures
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


class Departures:
    """Departures in the table ``iam_departures``."""

    def add(self, tx: Transaction, departure: Departure) -> None:
        """Store it; raise ``Conflict`` while another is due for the same account."""
        try:
            tx.execute(departures.insert().values(**asdict(departure)))
        except IntegrityError as error:
            msg = "a departure of this account is already due"
            raise Conflict(msg) from error

    def get(self, tx: Transaction, departure_id: str) -> Departure:
        """Return it; raise ``NotFound``."""
        row = tx.execute(sa.select(departures).where(departures.c.id == departure_id)).first()
        if row is None:
            msg = "there is no such departure"
            raise NotFound(msg)
        return Departure(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name

    def due(self, tx: Transaction, limit: int) -> Sequence[Departure]:
        """Return what should have happened by now, oldest first."""
        column = departures.c
        query = sa.select(departures).where(column.state == "due", column.due_at <= tx.now)
        rows = tx.execute(query.order_by(column.due_at, column.id).limit(limit))
        return [Departure(**row._mapping) for row in rows]  # noqa: SLF001

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Departure]:
        """Return departures of the organisation and those below it, newest first."""
        column = departures.c
        query = sa.select(departures).where(within(column.org_id, org_id))
        if (after := request.key(str)) is not None:
            query = query.where(column.id < after[0])
        rows = tx.execute(query.order_by(column.id.desc()).limit(request.limit + 1))
        found = [Departure(**row._mapping) for row in rows]  # noqa: SLF001
        return page_of(found, request.limit, [(each.id,) for each in found])

    def finish(self, tx: Transaction, departure_id: str, state: str) -> bool:
        """Move a due one to ``done`` or ``cancelled``: True once."""
        column = departures.c
        moved = tx.execute(
            departures.update()
            .where(column.id == departure_id, column.state == "due")
            .values(state=state, ended_at=tx.now)
        )
        return bool(moved.rowcount == 1)

    def end_services(self, tx: Transaction, person_id: str) -> int:
        """End every post the person holds; return how many."""
        column = civil_services.c
        ended = tx.execute(
            civil_services.update()
            .where(column.person_id == person_id, column.ended_at.is_(None))
            .values(ended_at=tx.now)
        )
        return int(ended.rowcount)

    def hand_over(self, tx: Transaction, owner_id: str, successor_id: str | None) -> int:
        """Give the service accounts of ``owner_id`` to another, or to nobody; return how many."""
        moved = tx.execute(
            accounts.update()
            .where(accounts.c.owner_id == owner_id, accounts.c.state != "closed")
            .values(owner_id=successor_id)
        )
        return int(moved.rowcount)

    def expired_services(self, tx: Transaction, limit: int) -> Sequence[str]:
        """Return the ids of service accounts that still sign in after their end."""
        column = accounts.c
        query = sa.select(column.id).where(
            column.expires_at <= tx.now, column.state.in_(("active", "pending"))
        )
        return list(tx.execute(query.order_by(column.expires_at).limit(limit)).scalars())
