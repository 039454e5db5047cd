"""What was asked to be destroyed, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import insert, select

from kms.models.keys import Destruction
from kms.store.rows import fields_of, newest_first
from kms.store.tables.keys import kms_key_destructions
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_TABLE: Final = kms_key_destructions
_ONE: Final = PageRequest(0)
"""A page is read with one more than asked for."""


class SqlDestructionStore:
    """Requests to destroy keys; their approvals lie with the kernel's."""

    def insert(self, transaction: Transaction, destruction: Destruction) -> None:
        """Store a new request."""
        transaction.execute(insert(_TABLE).values(**asdict(destruction)))

    def find(
        self, transaction: Transaction, org_id: str, destruction_id: str
    ) -> Destruction | None:
        """Return the request."""
        statement = select(_TABLE).where(_TABLE.c.org_id == org_id, _TABLE.c.id == destruction_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else Destruction(**fields_of(row))

    def latest(self, transaction: Transaction, key_id: str) -> Destruction | None:
        """Return the newest request about a key."""
        statement = select(_TABLE).where(_TABLE.c.key_id == key_id)
        newest = newest_first(statement, _TABLE, "requested_at", _ONE)
        row = transaction.execute(newest).one_or_none()
        return None if row is None else Destruction(**fields_of(row))

    def page(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Destruction]:
        """Return requests, newest first, one more than asked for."""
        statement = select(_TABLE).where(_TABLE.c.org_id == org_id)
        newest = newest_first(statement, _TABLE, "requested_at", request)
        return [Destruction(**fields_of(row)) for row in transaction.execute(newest)]
