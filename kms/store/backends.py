"""Key backends in the database: drained or not, last check, and traces of their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from kms.models.backends import BackendRecord, SlotRecord, SlotState
from kms.store.tables.backends import kms_backend_slots, kms_backends
from kms.store.tables.keys import kms_key_versions, kms_keys
from secops.kernel.transactions import Transaction


class SqlBackendStore:
    """The tables ``kms_backends`` and ``kms_backend_slots``."""

    def records(self, transaction: Transaction) -> dict[str, BackendRecord]:
        """Return all by name."""
        rows = transaction.execute(select(kms_backends))
        return {
            row.name: BackendRecord(
                name=row.name,
                draining=row.draining,
                changed_by=row.changed_by,
                changed_at=row.changed_at,
                checked_at=row.checked_at,
                failure=row.failure,
            )
            for row in rows
        }

    def put_draining(
        self, transaction: Transaction, name: str, *, draining: bool, changed_by: str
    ) -> None:
        """Say that ``name`` takes no new keys, or takes them again."""
        values = {
            "draining": draining,
            "changed_by": changed_by,
            "changed_at": transaction.now,
        }
        self._put(transaction, name, values)

    def put_check(self, transaction: Transaction, name: str, failure: str) -> None:
        """Store how a check went: an error's code, "" for well."""
        self._put(transaction, name, {"checked_at": transaction.now, "failure": failure})

    def insert_slot(self, transaction: Transaction, record: SlotRecord) -> bool:
        """Store the trace of an object to be made; False if its slot is taken."""
        table = kms_backend_slots
        if record.slot is not None:
            # writers follow one another, so nothing comes between the look and the insert
            taken = select(table.c.id).where(
                table.c.backend == record.backend, table.c.slot == record.slot
            )
            if transaction.execute(taken).one_or_none() is not None:
                return False
        transaction.execute(insert(table).values(**asdict(record)))
        return True

    def find_slot(self, transaction: Transaction, slot_id: str) -> SlotRecord | None:
        """Return one trace."""
        statement = select(kms_backend_slots).where(kms_backend_slots.c.id == slot_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _slot(row)

    def slots(self, transaction: Transaction, backend: str) -> Sequence[SlotRecord]:
        """Return all traces of a group, oldest first."""
        table = kms_backend_slots
        statement = select(table).where(table.c.backend == backend)
        return _slots(transaction, statement.order_by(table.c.started_at, table.c.id))

    def move_slot(
        self,
        transaction: Transaction,
        record: SlotRecord,
        state: SlotState,
        *,
        fingerprint: str | None = None,
    ) -> bool:
        """Put ``record`` from its state into another; False if it has moved meanwhile."""
        values: dict[str, Any] = {"state": state}
        if fingerprint is not None:
            values["fingerprint"] = fingerprint
        statement = update(kms_backend_slots).where(_still(record)).values(**values)
        return bool(transaction.execute(statement).rowcount)

    def drop_slot(self, transaction: Transaction, record: SlotRecord) -> bool:
        """Forget the trace; False if it has moved meanwhile."""
        statement = delete(kms_backend_slots).where(_still(record))
        return bool(transaction.execute(statement).rowcount)

    def overdue(self, transaction: Transaction, before: int, limit: int) -> Sequence[SlotRecord]:
        """Return intents older than ``before`` and whatever waits to be cleaned up."""
        table = kms_backend_slots
        late = and_(table.c.state == "intent", table.c.started_at < before)
        waiting = table.c.state.in_(("unknown", "destroying"))
        statement = select(table).where(or_(late, waiting)).order_by(table.c.started_at)
        return _slots(transaction, statement.limit(limit))

    def abandoned(self, transaction: Transaction, limit: int) -> Sequence[SlotRecord]:
        """Return held objects whose key version is no longer there."""
        table, versions = kms_backend_slots, kms_key_versions
        lives = exists().where(
            versions.c.key_id == table.c.key_id, versions.c.version == table.c.version
        )
        statement = select(table).where(table.c.state == "held", ~lives)
        return _slots(transaction, statement.order_by(table.c.started_at).limit(limit))

    def mix(self, transaction: Transaction) -> dict[tuple[str, str], int]:
        """Return how many versions there are by (group, key type)."""
        versions = kms_key_versions
        statement = (
            select(versions.c.backend, kms_keys.c.type, func.count())
            .join(kms_keys, kms_keys.c.id == versions.c.key_id)
            .group_by(versions.c.backend, kms_keys.c.type)
        )
        return {(row[0], row[1]): int(row[2]) for row in transaction.execute(statement)}

    def _put(self, transaction: Transaction, name: str, values: dict[str, Any]) -> None:
        statement = update(kms_backends).where(kms_backends.c.name == name).values(**values)
        if not transaction.execute(statement).rowcount:
            row = {**asdict(BackendRecord(name)), **values}
            transaction.execute(insert(kms_backends).values(**row))


def _still(record: SlotRecord) -> Any:
    table = kms_backend_slots
    return and_(table.c.id == record.id, table.c.state == record.state)


def _slots(transaction: Transaction, statement: Any) -> list[SlotRecord]:
    return [_slot(row) for row in transaction.execute(statement)]


def _slot(row: Any) -> SlotRecord:
    return SlotRecord(
        id=row.id,
        org_id=row.org_id,
        backend=row.backend,
        key_id=row.key_id,
        version=row.version,
        state=cast("SlotState", row.state),
        started_at=row.started_at,
        slot=row.slot,
        fingerprint=row.fingerprint,
    )
