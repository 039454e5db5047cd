"""Passkeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from iam.errors import PasskeyKnown
from iam.models.factors import Passkey
from iam.store.tables import passkeys
from secops.kernel.transactions import Transaction


class Passkeys:
    """Passkeys in the table ``iam_passkeys``."""

    def add(self, tx: Transaction, passkey: Passkey) -> None:
        """Store it; raise ``PasskeyKnown`` if its id is somebody's already."""
        if self.get(tx, passkey.credential_id) is not None:
            raise PasskeyKnown
        tx.execute(
            passkeys.insert().values(
                credential_id=passkey.credential_id,
                org_id=passkey.org_id,
                account_id=passkey.account_id,
                name=passkey.name,
                public_key=passkey.public_key,
                sign_count=passkey.sign_count,
                model=passkey.model,
                attested=passkey.attested,
                synced=passkey.synced,
                transports=" ".join(passkey.transports),
                created_at=passkey.created_at,
            )
        )

    def get(self, tx: Transaction, credential_id: bytes) -> Passkey | None:
        """Return it."""
        query = sa.select(passkeys).where(passkeys.c.credential_id == credential_id)
        row = tx.execute(query).first()
        return None if row is None else _passkey(row)

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Passkey]:
        """Return the account's passkeys, oldest first."""
        rows = tx.execute(
            sa.select(passkeys)
            .where(passkeys.c.account_id == account_id)
            .order_by(passkeys.c.created_at, passkeys.c.credential_id)
        ).all()
        return [_passkey(row) for row in rows]

    def use(self, tx: Transaction, credential_id: bytes, sign_count: int) -> bool:
        """Note a use; False if it is suspended or its counter did not go on.

        A counter that is 0 on both sides is none (WebAuthn §6.1.1).
        """
        column = passkeys.c
        used = tx.execute(
            passkeys.update()
            .where(
                column.credential_id == credential_id,
                column.suspended_at.is_(None),
                sa.or_(
                    column.sign_count < sign_count,
                    sa.and_(column.sign_count == 0, sa.literal(sign_count == 0)),
                ),
            )
            .values(sign_count=sign_count, last_used_at=tx.now)
        )
        return bool(used.rowcount == 1)

    def suspend(self, tx: Transaction, credential_id: bytes) -> bool:
        """Let it prove nothing any more; False if it did not already."""
        done = tx.execute(
            passkeys.update()
            .where(passkeys.c.credential_id == credential_id, passkeys.c.suspended_at.is_(None))
            .values(suspended_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def rename(self, tx: Transaction, account_id: str, credential_id: bytes, name: str) -> bool:
        """Rename the account's passkey; False if it has none such."""
        done = tx.execute(
            passkeys.update()
            .where(passkeys.c.credential_id == credential_id, passkeys.c.account_id == account_id)
            .values(name=name)
        )
        return bool(done.rowcount == 1)

    def remove(self, tx: Transaction, account_id: str, credential_id: bytes) -> bool:
        """Remove the account's passkey; False if it has none such."""
        done = tx.execute(
            passkeys.delete().where(
                passkeys.c.credential_id == credential_id, passkeys.c.account_id == account_id
            )
        )
        return bool(done.rowcount == 1)


def _passkey(row: Any) -> Passkey:
    return Passkey(
        credential_id=bytes(row.credential_id),
        org_id=row.org_id,
        account_id=row.account_id,
        name=row.name,
        public_key=bytes(row.public_key),
        sign_count=row.sign_count,
        model=row.model,
        attested=bool(row.attested),
        synced=bool(row.synced),
        transports=tuple(row.transports.split()),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        suspended_at=row.suspended_at,
    )
