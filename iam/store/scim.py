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


class ScimUsers:
    """The table ``iam_scim_users``."""

    def add(self, tx: Transaction, row: ScimRow) -> None:
        """Store a new one."""
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

    def change(self, tx: Transaction, row: ScimRow, version: int) -> bool:
        """Store it in place of ``version``; False if another one is there, or none."""
        column = scim_users.c
        changed = tx.execute(
            scim_users.update()
            .where(
                column.account_id == row.id,
                column.org_id == row.org_id,
                column.version == version,
                column.deleted_at.is_(None),
            )
            .values(sealed_content=row.content, version=row.version, changed_at=row.changed_at)
        )
        return bool(changed.rowcount == 1)

    def get(self, tx: Transaction, org_id: str, identifier: str) -> ScimRow | None:
        """Return it unless it was deleted."""
        column = scim_users.c
        alive = (column.org_id == org_id, column.deleted_at.is_(None))
        query = sa.select(scim_users).where(column.account_id == identifier, *alive)
        row = tx.execute(query).first()
        return None if row is None else _user(row)

    def all(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return the organisation's by id."""
        column = scim_users.c
        query = sa.select(scim_users).where(column.org_id == org_id, column.deleted_at.is_(None))
        rows = tx.execute(query.order_by(column.account_id).limit(limit)).all()
        return [_user(row) for row in rows]

    def remove(self, tx: Transaction, identifier: str, version: int) -> bool:
        """Leave nothing of ``version`` but a tombstone; False if another one is there."""
        column = scim_users.c
        buried = tx.execute(
            scim_users.update()
            .where(
                column.account_id == identifier,
                column.version == version,
                column.deleted_at.is_(None),
            )
            .values(deleted_at=tx.now, sealed_content=b"")
        )
        return bool(buried.rowcount == 1)

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


class ScimGroups:
    """The table ``iam_scim_groups``."""

    def add(self, tx: Transaction, row: ScimRow) -> None:
        """Store a new one."""
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

    def change(self, tx: Transaction, row: ScimRow, version: int) -> bool:
        """Store it in place of ``version``; False if another one is there, or none."""
        column = scim_groups.c
        changed = tx.execute(
            scim_groups.update()
            .where(column.id == row.id, column.org_id == row.org_id, column.version == version)
            .values(content=row.content.decode(), version=row.version, changed_at=row.changed_at)
        )
        return bool(changed.rowcount == 1)

    def get(self, tx: Transaction, org_id: str, identifier: str) -> ScimRow | None:
        """Return it."""
        column = scim_groups.c
        query = sa.select(scim_groups).where(column.id == identifier, column.org_id == org_id)
        row = tx.execute(query).first()
        return None if row is None else _group(row)

    def all(self, tx: Transaction, org_id: str, limit: int) -> Sequence[ScimRow]:
        """Return the organisation's by id."""
        query = sa.select(scim_groups).where(scim_groups.c.org_id == org_id)
        rows = tx.execute(query.order_by(scim_groups.c.id).limit(limit)).all()
        return [_group(row) for row in rows]

    def remove(self, tx: Transaction, identifier: str, version: int) -> bool:
        """Remove ``version``; False if another one is there, or none."""
        column = scim_groups.c
        which = (column.id == identifier, column.version == version)
        return bool(tx.execute(scim_groups.delete().where(*which)).rowcount == 1)
