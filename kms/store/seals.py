"""Seals, their applications, holders and uses, and issued certificates in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import func, insert, literal_column, select, update

from kms.models.seal_registry import (
    HolderName,
    SealApplication,
    SealHolder,
    SealRecord,
    SealState,
    SealUse,
)
from kms.store.rows import fields_of, newest_first
from kms.store.tables.seals import (
    kms_seal_applications,
    kms_seal_holders,
    kms_seal_uses,
    kms_seals,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

RECORD_COLUMNS = [column for column in kms_seals.c if column.name != "content"]
"""What a ``SealRecord`` is read from: all but the SESeal itself."""


class SqlSealStore:
    """The registry's rows."""

    def insert_application(self, transaction: Transaction, application: SealApplication) -> None:
        """Store a new ``application``."""
        holders = [asdict(holder) for holder in application.holders]
        values = {**asdict(application), "holders": orjson.dumps(holders).decode()}
        transaction.execute(insert(kms_seal_applications).values(**values))

    def application(
        self, transaction: Transaction, org_id: str, application_id: str
    ) -> SealApplication | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_seal_applications
        statement = select(table).where(table.c.id == application_id, table.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _application(row)

    def applications(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealApplication]:
        """Return a page, newest first, one more than asked for."""
        table = kms_seal_applications
        statement = select(table).where(table.c.org_id == org_id)
        statement = newest_first(statement, table, "applied_at", request)
        return [_application(row) for row in transaction.execute(statement)]

    def insert_seal(
        self,
        transaction: Transaction,
        record: SealRecord,
        content: bytes,
        *,
        holders: Sequence[SealHolder],
    ) -> bool:
        """Store a seal and mark its application made; False if it was made before."""
        table = kms_seal_applications
        claim = (
            update(table)
            .where(table.c.id == record.application_id, table.c.state == "applied")
            .values(state="made", seal_id=record.id)
        )
        if not transaction.execute(claim).rowcount:
            return False
        transaction.execute(insert(kms_seals).values(**asdict(record), content=content))
        transaction.execute(insert(kms_seal_holders), [asdict(holder) for holder in holders])
        return True

    def seal(
        self, transaction: Transaction, org_id: str, seal_id: str
    ) -> tuple[SealRecord, bytes] | None:
        """Return the seal of ``org_id`` and its SESeal."""
        statement = select(kms_seals).where(kms_seals.c.id == seal_id, kms_seals.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        if row is None:
            return None
        fields = fields_of(row)
        content = bytes(fields.pop("content"))
        return SealRecord(**fields), content

    def seals(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealRecord]:
        """Return a page, newest first, one more than asked for."""
        statement = select(*RECORD_COLUMNS).where(kms_seals.c.org_id == org_id)
        statement = newest_first(statement, kms_seals, "made_at", request)
        rows = transaction.execute(statement)
        return [SealRecord(**fields_of(row)) for row in rows]

    def holders(self, transaction: Transaction, seal_id: str) -> Sequence[SealHolder]:
        """Return who may use the seal."""
        table = kms_seal_holders
        statement = select(table).where(table.c.seal_id == seal_id).order_by(table.c.account_id)
        rows = transaction.execute(statement)
        return [SealHolder(**fields_of(row)) for row in rows]

    def change_state(
        self,
        transaction: Transaction,
        seal_id: str,
        *,
        before: Sequence[SealState],
        after: SealState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        stopped_at = None if after == "active" else transaction.now
        statement = (
            update(kms_seals)
            .where(kms_seals.c.id == seal_id, kms_seals.c.state.in_(before))
            .values(state=after, state_reason=reason, state_at=stopped_at)
        )
        return bool(transaction.execute(statement).rowcount)

    def stopped(
        self, transaction: Transaction, elsewhere: Mapping[str, int]
    ) -> Sequence[tuple[str, int]]:
        """Return (digest, since) of every seal that is suspended or revoked.

        ``elsewhere`` are identifiers that were stopped, which this table may not know.
        """
        columns = select(kms_seals.c.id, kms_seals.c.digest, kms_seals.c.state_at)
        rows = transaction.execute(columns.where(kms_seals.c.state != "active")).all()
        found = [(row.digest, row.state_at or 0) for row in rows]
        for identifier in elsewhere.keys() - {row.id for row in rows}:
            row = transaction.execute(columns.where(kms_seals.c.id == identifier)).one_or_none()
            found += [] if row is None else [(row.digest, elsewhere[identifier])]
        return found


class SqlSealUseStore:
    """The usage ledger's rows."""

    def insert_use(self, transaction: Transaction, use: SealUse) -> None:
        """Add ``use`` to the usage ledger."""
        transaction.execute(insert(kms_seal_uses).values(**asdict(use)))

    def use(self, transaction: Transaction, org_id: str, use_id: str) -> SealUse | None:
        """Return the entry if it belongs to ``org_id``."""
        table = kms_seal_uses
        statement = select(table).where(table.c.id == use_id, table.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else SealUse(**fields_of(row))

    def value_is_known(
        self, transaction: Transaction, seal_id: str, value_digest: str, *, since: int
    ) -> bool:
        """Tell whether a value of this SM3 was given out from the instant ``since`` on."""
        table = kms_seal_uses
        statement = select(table.c.id).where(
            table.c.seal_id == seal_id,
            table.c.used_at >= since,
            table.c.value_digest == value_digest,
        )
        return transaction.execute(statement.limit(1)).first() is not None

    def uses_by_day(
        self, transaction: Transaction, seal_id: str, *, first: int, day: int
    ) -> Mapping[int, int]:
        """Return uses by how many times ``day`` (microseconds) they lie behind ``first``."""
        table = kms_seal_uses
        # written out, not bound: PostgreSQL groups by the very expression that is selected
        number = (table.c.used_at - literal_column(str(first))) // literal_column(str(day))
        statement = (
            select(number.label("number"), func.count().label("uses"))
            .where(table.c.seal_id == seal_id, table.c.used_at >= first)
            .group_by(number)
        )
        return {int(row.number): int(row.uses) for row in transaction.execute(statement)}

    def uses_since(self, transaction: Transaction, seal_id: str, since: int) -> int:
        """Return how often the seal was used from ``since`` on."""
        table = kms_seal_uses
        statement = select(func.count()).where(table.c.seal_id == seal_id, table.c.used_at >= since)
        return int(transaction.execute(statement).scalar_one())

    def uses(
        self, transaction: Transaction, seal_id: str, request: PageRequest
    ) -> Sequence[SealUse]:
        """Return a page of uses, newest first, one more than asked for."""
        statement = select(kms_seal_uses).where(kms_seal_uses.c.seal_id == seal_id)
        statement = newest_first(statement, kms_seal_uses, "used_at", request)
        rows = transaction.execute(statement)
        return [SealUse(**fields_of(row)) for row in rows]


def _application(row: Any) -> SealApplication:
    fields = fields_of(row)
    holders = tuple(HolderName(**holder) for holder in orjson.loads(fields["holders"]))
    return SealApplication(**{**fields, "holders": holders})
