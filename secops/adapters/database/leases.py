"""Leases: one conditional statement each, on the database's own clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, cast, func, literal_column, or_, select

from secops.adapters.database.tables import leases
from secops.kernel.clock import SECOND
from secops.kernel.leases import LONGEST, Lease
from secops.kernel.transactions import Transaction, Transactions


def database_now(dialect: str) -> Any:
    """Return the SQL expression of now in UTC microseconds on the database's clock."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()) * SECOND, BigInteger)
    return cast(literal_column("unixepoch('subsec') * 1000000"), BigInteger)


class DatabaseLeases:
    """The kernel's ``Leases``. ``now`` gives the SQL expression of the present instant."""

    def __init__(self, transactions: Transactions, now: Callable[[], Any]) -> None:
        self._transactions = transactions
        self._now = now

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take ``name`` if it is free or has run out; None if another holds it.

        Who holds it already takes it anew, under a new fence.
        """
        if self._held_by_another(name, owner):
            return None
        return self._transactions.run(lambda tx: self._take(tx, name, owner, seconds))

    def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """Prolong ``lease``; None if it was lost."""
        now = self._now()
        statement = (
            leases.update()
            .where(*_same(lease), leases.c.until > now)
            .values(until=now + round(seconds * SECOND))
            .returning(leases.c.until)
        )
        until = self._transactions.run(lambda tx: tx.execute(statement).scalar_one_or_none())
        return None if until is None else Lease(lease.name, lease.owner, lease.fence, until)

    def release(self, lease: Lease) -> None:
        """Give it back; does nothing if it was lost."""
        statement = leases.update().where(*_same(lease)).values(until=0)
        self._transactions.run(lambda tx: tx.execute(statement))

    def _held_by_another(self, name: str, owner: str) -> bool:
        """Look first, so that who waits for a lease writes nothing meanwhile."""
        now = self._now()
        holds = leases.c.until.between(now + 1, now + round(LONGEST * SECOND))
        statement = select(leases.c.name).where(
            leases.c.name == name, leases.c.owner != owner, holds
        )
        return self._transactions.read(lambda tx: tx.execute(statement).first()) is not None

    def _take(self, tx: Transaction, name: str, owner: str, seconds: float) -> Lease | None:
        now = self._now()
        until = now + round(seconds * SECOND)
        # none is given for longer than LONGEST: one that lasts longer says that the clock went back
        impossible = leases.c.until > now + round(LONGEST * SECOND)
        free = or_(leases.c.until <= now, impossible, leases.c.owner == owner)
        statement = (
            leases.update()
            .where(leases.c.name == name, free)
            .values(owner=owner, fence=leases.c.fence + 1, until=until)
            .returning(leases.c.fence, leases.c.until)
        )
        row = tx.execute(statement).first()
        if row is None:
            if tx.execute(select(leases.c.name).where(leases.c.name == name)).first():
                return None
            insert = (
                leases.insert()
                .values(name=name, owner=owner, fence=1, until=until)
                .returning(leases.c.fence, leases.c.until)
            )
            row = tx.execute(insert).one()
        return Lease(name, owner, row.fence, row.until)


def _same(lease: Lease) -> tuple[Any, Any, Any]:
    return (
        leases.c.name == lease.name,
        leases.c.owner == lease.owner,
        leases.c.fence == lease.fence,
    )
