"""Provisioned users and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.scim import ScimRow
from iam.store.tables import accounts, scim_groups, scim_users
from secops.kernel.transactions import Transaction


def _user(row: Any) -> ScimRow:
    return ScimRow(
        id=row.account_id,
        org_id=row.org_id,
        content=bytes(row.sealed_content),
        version=row.version,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _group(row: Any) -> ScimRow:
    return ScimRow(
        id=row.id,
        org_id=row.org_id,
        content=row.content.encode(),
        version=row.version,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


class ScimTables:
    """The tables ``iam_scim_users`` and ``iam_scim_groups``."""

    def put_user(self, tx: Transaction, row: ScimRow) -> None:
        """Store it in place of the one before."""
        tx.execute(scim_users.delete().where(scim_users.c.account_id == row.id))
        tx.execute(
            scim_users.insert().values(
                account_id=row.id,
                org_id=row.org_id,
                sealed_content=row.content,
                version=row.version,
                created_at=row.created_at,
                changed_at=row.changed_at,
            )
        )

    def user(self, tx: Transaction, org_id: str, account_id: str) -> ScimRow | None:
        """Return it unless it was deleted."""
        column = scim_users.c
        alive = (column.org_id == org_id, column.deleted_at.is_(None))
        query = sa.select(scim_users).where(column.account_id == account_id, *alive)
        row = tx.execute(query).first()
        return None if row is None else _user(row)

    def users(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return users by id."""
        column = scim_users.c
        query = sa.select(scim_users).where(column.org_id == org_id, column.deleted_at.is_(None))
        rows = tx.execute(query.order_by(column.account_id).limit(limit)).all()
        return [_user(row) for row in rows]

    def bury_user(self, tx: Transaction, account_id: str) -> None:
        """Leave nothing but a tombstone."""
        tx.execute(
            scim_users.update()
            .where(scim_users.c.account_id == account_id)
            .values(deleted_at=tx.now, sealed_content=b"")
        )

    def rename(self, tx: Transaction, account_id: str, name: str, name_key: str) -> None:
        """Give an account another name; raise ``NameTaken``."""
        same = sa.select(accounts.c.id).where(accounts.c.name_key == name_key)
        holder = tx.execute(same).scalar()
        if holder not in (None, account_id):
            msg = "another account has this name"
            raise NameTaken(msg)
        try:
            tx.execute(
                accounts.update()
                .where(accounts.c.id == account_id)
                .values(name=name, name_key=name_key)
            )
        except IntegrityError as error:
            msg = "another account has this name"
            raise NameTaken(msg) from error

    def put_group(self, tx: Transaction, row: ScimRow) -> None:
        """Store it in place of the one before."""
        self.drop_group(tx, row.id)
        tx.execute(
            scim_groups.insert().values(
                id=row.id,
                org_id=row.org_id,
                content=row.content.decode(),
                version=row.version,
                created_at=row.created_at,
                changed_at=row.changed_at,
            )
        )

    def groups(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return groups by id."""
        query = sa.select(scim_groups).where(scim_groups.c.org_id == org_id)
        rows = tx.execute(query.order_by(scim_groups.c.id).limit(limit)).all()
        return [_group(row) for row in rows]

    def drop_group(self, tx: Transaction, group_id: str) -> None:
        """Remove it."""
        tx.execute(scim_groups.delete().where(scim_groups.c.id == group_id))
