"""Recoveries that wait, and accounts sealed for emergencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa

from iam.models.recovery import BreakGlass, Recovery, RecoveryState
from iam.store.tables import break_glass, recoveries
from secops.kernel.transactions import Transaction

_SEAL: Final = sa.text(
    "INSERT INTO iam_break_glass (account_id, org_id, sealed_at, sealed_by, second) VALUES"
    " (:account_id, :org_id, :sealed_at, :sealed_by, :second) ON CONFLICT (account_id) DO UPDATE"
    " SET sealed_at = excluded.sealed_at, sealed_by = excluded.sealed_by,"
    " second = excluded.second, tested_at = NULL,"
    " opened_at = NULL, open_until = NULL, reviewed_at = NULL, reviewed_by = NULL"
)


class Recoveries:
    """The table ``iam_recoveries``."""

    def add(self, tx: Transaction, recovery: Recovery) -> None:
        """Store it."""
        tx.execute(recoveries.insert().values(**asdict(recovery)))

    def get(self, tx: Transaction, recovery_id: str) -> Recovery | None:
        """Return it."""
        row = tx.execute(sa.select(recoveries).where(recoveries.c.id == recovery_id)).first()
        return None if row is None else Recovery(*row)

    def waiting_of(self, tx: Transaction, account_id: str) -> Sequence[Recovery]:
        """Return what waits for this account and is not over, oldest first."""
        column = recoveries.c
        waits = (column.account_id == account_id, column.state == "waiting")
        query = sa.select(recoveries).where(*waits, column.expires_at > tx.now)
        rows = tx.execute(query.order_by(column.asked_at, column.id)).all()
        return [Recovery(*row) for row in rows]

    def end(self, tx: Transaction, recovery_id: str, state: RecoveryState) -> bool:
        """Cancel or reject it; False if it ended before."""
        column = recoveries.c
        done = tx.execute(
            recoveries.update()
            .where(column.id == recovery_id, column.state == "waiting")
            .values(state=state, ended_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def carry_out(self, tx: Transaction, recovery_id: str) -> bool:
        """Take it if it waits and its time has come; False otherwise."""
        column = recoveries.c
        done = tx.execute(
            recoveries.update()
            .where(
                column.id == recovery_id,
                column.state == "waiting",
                column.not_before <= tx.now,
                column.expires_at > tx.now,
            )
            .values(state="done", ended_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def hasten(self, tx: Transaction, recovery_id: str, not_before: int, by: str) -> bool:
        """Bring it nearer; False if it does not wait, or not for longer than that."""
        column = recoveries.c
        done = tx.execute(
            recoveries.update()
            .where(
                column.id == recovery_id,
                column.state == "waiting",
                column.not_before > not_before,
            )
            .values(not_before=not_before, hastened_by=by)
        )
        return bool(done.rowcount == 1)


class BreakGlassAccounts:
    """The table ``iam_break_glass``."""

    def seal(self, tx: Transaction, sealed: BreakGlass) -> None:
        """Store it, new or anew."""
        tx.execute(_SEAL, asdict(sealed))

    def get(self, tx: Transaction, account_id: str) -> BreakGlass | None:
        """Return it."""
        query = sa.select(break_glass).where(break_glass.c.account_id == account_id)
        row = tx.execute(query).first()
        return None if row is None else BreakGlass(*row)

    def all_of(self, tx: Transaction) -> Sequence[BreakGlass]:
        """Return all of them, by account."""
        rows = tx.execute(sa.select(break_glass).order_by(break_glass.c.account_id)).all()
        return [BreakGlass(*row) for row in rows]

    def collect(self, tx: Transaction, account_id: str) -> bool:
        """Forget the second envelope: True for the first who takes it."""
        column = break_glass.c
        done = tx.execute(
            break_glass.update()
            .where(column.account_id == account_id, column.second.is_not(None))
            .values(second=None)
        )
        return bool(done.rowcount == 1)

    def remove(self, tx: Transaction, account_id: str) -> None:
        """Forget it: the account is one no more."""
        tx.execute(break_glass.delete().where(break_glass.c.account_id == account_id))

    def open(self, tx: Transaction, account_id: str, until: int) -> int | None:
        """Break its seal unless it is broken; return until when it is open, None if it is over."""
        column = break_glass.c
        row = tx.execute(
            break_glass.update()
            .where(
                column.account_id == account_id,
                sa.or_(column.open_until.is_(None), column.open_until > tx.now),
            )
            .values(
                opened_at=sa.func.coalesce(column.opened_at, tx.now),
                open_until=sa.func.coalesce(column.open_until, until),
            )
            .returning(column.open_until)
        ).first()
        return None if row is None else int(row.open_until)

    def tested(self, tx: Transaction, account_id: str) -> bool:
        """Note a test now; False if it is not sealed."""
        column = break_glass.c
        done = tx.execute(
            break_glass.update()
            .where(column.account_id == account_id, column.opened_at.is_(None))
            .values(tested_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def reviewed(self, tx: Transaction, account_id: str, by: str) -> bool:
        """Note that its use was looked into; False if it was not used, or looked into before."""
        column = break_glass.c
        used = (column.opened_at.is_not(None), column.reviewed_at.is_(None))
        done = tx.execute(
            break_glass.update()
            .where(column.account_id == account_id, *used)
            .values(reviewed_at=tx.now, reviewed_by=by)
        )
        return bool(done.rowcount == 1)
