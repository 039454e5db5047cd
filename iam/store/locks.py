"""Locks of subjects, and who is behind a subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
import sqlalchemy as sa

from iam.models.zero_trust import Lock, LockKind
from iam.store.roles import in_force
from iam.store.tables import accounts, locks, role_grants, sessions
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _lock(row: Any) -> Lock:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    return Lock(**{**fields, "ended": orjson.loads(fields["ended"])})


class Locks:
    """Locks in the table ``iam_locks``."""

    def add(self, tx: Transaction, lock: Lock) -> None:
        """Store it."""
        tx.execute(locks.insert().values(**asdict(lock) | {"ended": _counts(lock)}))

    def get(self, tx: Transaction, lock_id: str = "", *, order_key: str = "") -> Lock | None:
        """Return it by its id, or by the playbook's order that set it; lifted or not."""
        named = locks.c.order_key == order_key if order_key else locks.c.id == lock_id
        row = tx.execute(sa.select(locks).where(named)).first()
        return None if row is None else _lock(row)

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, *, lifted: bool
    ) -> Page[Lock]:
        """Return locks, newest first: those in force, or all."""
        query = sa.select(locks).where(locks.c.org_id == org_id)
        if not lifted:
            query = query.where(locks.c.lifted_at.is_(None))
        if (after := request.key(str)) is not None:
            query = query.where(locks.c.id < after[0])
        rows = tx.execute(query.order_by(locks.c.id.desc()).limit(request.limit + 1)).all()
        found = [_lock(row) for row in rows]
        return page_of(found, request.limit, [(lock.id,) for lock in found])

    def holding(self, tx: Transaction, kind: LockKind, subject: str) -> Sequence[Lock]:
        """Return the locks in force on a subject."""
        column = locks.c
        rows = tx.execute(
            sa.select(locks).where(
                column.kind == kind, column.subject == subject, column.lifted_at.is_(None)
            )
        ).all()
        return [_lock(row) for row in rows]

    def note(self, tx: Transaction, lock: Lock) -> bool:
        """Keep what it says of its request and of what ended with it; False if it is lifted."""
        return self._change(tx, lock.id, lift_approval=lock.lift_approval, ended=_counts(lock))

    def lift(self, tx: Transaction, lock_id: str, by: str) -> bool:
        """End it; False if it had ended."""
        return self._change(tx, lock_id, lifted_at=tx.now, lifted_by=by)

    @staticmethod
    def _change(tx: Transaction, lock_id: str, **values: Any) -> bool:
        still = (locks.c.id == lock_id, locks.c.lifted_at.is_(None))
        return bool(tx.execute(locks.update().where(*still).values(**values)).rowcount == 1)

    def due(self, tx: Transaction, limit: int) -> Sequence[Lock]:
        """Return locks whose time is over, at most ``limit``."""
        column = locks.c
        query = sa.select(locks).where(column.lifted_at.is_(None), column.until <= tx.now)
        rows = tx.execute(query.order_by(column.until).limit(limit)).all()
        return [_lock(row) for row in rows]

    def accounts_behind(self, tx: Transaction, kind: LockKind, subject: str) -> Sequence[str]:
        """Return the accounts that a lock of this kind hits, by id."""
        table = accounts.c
        column = {
            "account": table.id,
            "person": table.person_id,
            "organisation": table.org_id,
        }.get(kind)
        if column is None:
            return []
        return list(tx.execute(sa.select(table.id).where(column == subject)).scalars())

    def sessions_from(self, tx: Transaction, address: str) -> Sequence[str]:
        """Return the living sessions that were opened from ``address``, by id."""
        column = sessions.c
        query = sa.select(column.id).where(
            column.address == address, column.ended_at.is_(None), column.expires_at > tx.now
        )
        return list(tx.execute(query).scalars())

    def holders(self, tx: Transaction, role: str) -> Sequence[tuple[str, str, str]]:
        """Return active accounts with ``role``: account, person and organisation."""
        table = accounts.c
        rows = tx.execute(
            sa.select(table.id, table.person_id, table.org_id)
            .select_from(accounts.join(role_grants, table.id == role_grants.c.subject_id))
            .where(role_grants.c.role == role, table.state == "active", in_force(tx.now))
        ).all()
        return [(row[0], row[1] or "", row[2]) for row in rows]


def _counts(lock: Lock) -> str:
    return orjson.dumps(dict(lock.ended)).decode()
