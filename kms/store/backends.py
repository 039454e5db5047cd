"""Key backends in the database: drained or not, last check, and traces of their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from kms.models.backends import BackendRecord, KeyCustody, SlotRecord, SlotState
from kms.models.keys import SYSTEM_MOUNT
from kms.store.rows import fields_of
from kms.store.tables.backends import kms_backend_slots, kms_backends
from kms.store.tables.keys import kms_key_grants, kms_key_versions, kms_keys, kms_mounts
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class SqlBackendStore:
    """The table ``kms_backends``, and where keys are."""

    def records(self, transaction: Transaction) -> dict[str, BackendRecord]:
        """Return all by name."""
        rows = transaction.execute(select(kms_backends))
        return {row.name: BackendRecord(**fields_of(row)) for row in rows}

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

    def custody(
        self, transaction: Transaction, org_id: str, request: PageRequest, *, group: str = ""
    ) -> Sequence[KeyCustody]:
        """Return the organisation's keys by name, one more than asked for."""
        statement = select(kms_keys, kms_mounts.c.path).outerjoin(
            kms_mounts, kms_mounts.c.id == kms_keys.c.mount
        )
        statement = statement.where(
            kms_keys.c.org_id == org_id,
            kms_keys.c.state != "destroyed",
            kms_keys.c.mount != SYSTEM_MOUNT,
        )
        if group:
            versions = kms_key_versions
            statement = statement.where(
                exists().where(versions.c.key_id == kms_keys.c.id, versions.c.backend == group)
            )
        if (after := request.key(str, str)) is not None:
            place = tuple_(kms_keys.c.name, kms_keys.c.id)
            statement = statement.where(place > tuple_(*map(literal, after)))
        statement = statement.order_by(kms_keys.c.name, kms_keys.c.id).limit(request.limit + 1)
        rows = transaction.execute(statement).all()
        ids = [row.id for row in rows]
        places = self._places(transaction, ids)
        users = self._users(transaction, ids)
        return [_custody(row, places.get(row.id, []), users.get(row.id, 0)) for row in rows]

    def _places(self, transaction: Transaction, ids: list[str]) -> dict[str, list[Any]]:
        table = kms_key_versions
        statement = select(table.c.key_id, table.c.backend, func.max(table.c.created_at))
        statement = statement.where(table.c.key_id.in_(ids))
        found: dict[str, list[Any]] = {}
        for row in transaction.execute(statement.group_by(table.c.key_id, table.c.backend)):
            found.setdefault(row[0], []).append(row)
        return found

    def _users(self, transaction: Transaction, ids: list[str]) -> dict[str, int]:
        table = kms_key_grants
        statement = select(table.c.key_id, func.count()).where(table.c.key_id.in_(ids))
        rows = transaction.execute(statement.group_by(table.c.key_id))
        return {row[0]: int(row[1]) for row in rows}

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


class SqlSlotStore:
    """The table ``kms_backend_slots``."""

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
        return None if row is None else SlotRecord(**fields_of(row))

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


def _custody(row: Any, places: list[Any], users: int) -> KeyCustody:
    return KeyCustody(
        id=row.id,
        name=row.name,
        mount=row.path or row.mount,
        type=row.type,
        state=row.state,
        backend=row.backend,
        latest_version=row.latest_version,
        rotated_at=max((int(each[2]) for each in places), default=row.created_at),
        rotation_due_at=row.next_rotation_at or None,
        users=users,
        places=frozenset(each[1] for each in places),
    )


def _still(record: SlotRecord) -> Any:
    table = kms_backend_slots
    return and_(table.c.id == record.id, table.c.state == record.state)


def _slots(transaction: Transaction, statement: Any) -> list[SlotRecord]:
    return [SlotRecord(**fields_of(row)) for row in transaction.execute(statement)]
