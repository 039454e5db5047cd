"""Mounts in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import insert, select, update

from kms.models.keys import Mount
from kms.store.tables.keys import kms_mounts
from secops.kernel.transactions import Transaction

_MOST: Final = 1_000


class SqlMountStore:
    """Mounts, each with its tag."""

    def insert(self, transaction: Transaction, mount: Mount, tag: bytes) -> bool:
        """Store a new mount; False if its path is in use."""
        # writers follow one another, so nothing comes between the look and the insert
        if self.find(transaction, mount.org_id, mount.path) is not None:
            return False
        transaction.execute(insert(kms_mounts).values(**asdict(mount), tag=tag))
        return True

    def find(self, transaction: Transaction, org_id: str, path: str) -> tuple[Mount, bytes] | None:
        """Return the mount in use under ``path`` and its tag."""
        statement = select(kms_mounts).where(
            kms_mounts.c.org_id == org_id, kms_mounts.c.path == path, kms_mounts.c.retired_at == 0
        )
        row = transaction.execute(statement).one_or_none()
        return None if row is None else (_mount(row), bytes(row.tag))

    def get(
        self, transaction: Transaction, org_id: str, mount_id: str
    ) -> tuple[Mount, bytes] | None:
        """Return the mount, in use or not, and its tag."""
        statement = select(kms_mounts).where(
            kms_mounts.c.org_id == org_id, kms_mounts.c.id == mount_id
        )
        row = transaction.execute(statement).one_or_none()
        return None if row is None else (_mount(row), bytes(row.tag))

    def in_use(
        self, transaction: Transaction, org_id: str, *, retired: bool = False
    ) -> Sequence[Mount]:
        """Return the organisation's mounts in use (or retired) by path, at most a thousand."""
        at = kms_mounts.c.retired_at
        chosen = select(kms_mounts).where(
            kms_mounts.c.org_id == org_id, at > 0 if retired else at == 0
        )
        rows = transaction.execute(chosen.order_by(kms_mounts.c.path, at).limit(_MOST))
        return [_mount(row) for row in rows]

    def change(self, transaction: Transaction, before: Mount, after: Mount, *, tag: bytes) -> bool:
        """Put ``after`` where ``before`` still stands; False if it has changed."""
        unchanged = [kms_mounts.c[name] == value for name, value in asdict(before).items()]
        statement = update(kms_mounts).where(*unchanged).values(**asdict(after), tag=tag)
        return bool(transaction.execute(statement).rowcount)


def _mount(row: Any) -> Mount:
    return Mount(row.id, row.org_id, row.path, row.description, row.created_at, row.retired_at)
