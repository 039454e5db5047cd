"""Limits, quotas and counters in the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, update

from kms.models.keys import SYSTEM_MOUNT
from kms.models.limits import Counter, KeyLimits, Quota
from kms.store.rows import fields_of
from kms.store.tables.keys import kms_key_versions, kms_keys
from kms.store.tables.limits import kms_key_limits, kms_quotas, kms_use_counters
from secops.kernel.transactions import Transaction


class SqlLimitStore:
    """One row of limits a key, one quota an organisation; none before the first was set."""

    def limits(self, transaction: Transaction, key_id: str) -> tuple[KeyLimits, bytes] | None:
        """Return the key's limits and their tag."""
        statement = select(kms_key_limits).where(kms_key_limits.c.key_id == key_id)
        row = transaction.execute(statement).one_or_none()
        if row is None:
            return None
        fields = _fields(row, "org_id", "tag")
        clients = tuple(orjson.loads(fields["clients"]))
        return KeyLimits(**{**fields, "clients": clients}), bytes(row.tag)

    def put_limits(
        self, transaction: Transaction, org_id: str, limits: KeyLimits, *, tag: bytes
    ) -> bool:
        """Store ``limits`` over the version before; False if another is there meanwhile."""
        clients = orjson.dumps(limits.clients).decode()
        fields = {**asdict(limits), "clients": clients, "org_id": org_id, "tag": tag}
        return _put(transaction, kms_key_limits, kms_key_limits.c.key_id, fields)

    def quota(self, transaction: Transaction, org_id: str) -> tuple[Quota, bytes] | None:
        """Return the organisation's quota and its tag."""
        statement = select(kms_quotas).where(kms_quotas.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else (Quota(**_fields(row, "tag")), bytes(row.tag))

    def put_quota(self, transaction: Transaction, quota: Quota, *, tag: bytes) -> bool:
        """Store ``quota`` over the version before; False if another is there meanwhile."""
        return _put(transaction, kms_quotas, kms_quotas.c.org_id, {**asdict(quota), "tag": tag})

    def counts(self, transaction: Transaction, org_id: str) -> tuple[int, int]:
        """Return how many keys and how many versions with material the organisation has.

        The product's own keys are nobody's.
        """
        own = (kms_keys.c.org_id == org_id, kms_keys.c.mount != SYSTEM_MOUNT)
        keys = select(func.count()).where(*own, kms_keys.c.state != "destroyed")
        joined = kms_key_versions.join(kms_keys, kms_keys.c.id == kms_key_versions.c.key_id)
        versions = select(func.count()).select_from(joined).where(*own)
        return (
            int(transaction.execute(keys).scalar_one()),
            int(transaction.execute(versions).scalar_one()),
        )

    def leased(self, transaction: Transaction, counter: Counter) -> int:
        """Return how many uses were leased so far."""
        table = kms_use_counters
        statement = select(table.c.leased).where(
            table.c.id == counter.id, table.c.period == counter.period
        )
        return int(transaction.execute(statement).scalar_one_or_none() or 0)

    def lease(self, transaction: Transaction, counter: Counter, *, cap: int, wanted: int) -> int:
        """Count up to ``wanted`` uses more without passing ``cap``; return how many they are."""
        table = kms_use_counters
        known = (table.c.id == counter.id, table.c.period == counter.period)
        # writers follow one another, so nothing comes between the look and the change
        leased = self.leased(transaction, counter)
        granted = max(0, min(wanted, cap - leased))
        if granted and leased:
            within = table.c.leased + granted <= cap
            statement = update(table).where(*known, within)
            done = transaction.execute(statement.values(leased=table.c.leased + granted)).rowcount
            return granted if done else 0
        if granted:
            older = (table.c.id == counter.id, table.c.period < counter.period)
            transaction.execute(delete(table).where(*older))
            transaction.execute(insert(table).values(**asdict(counter), leased=granted))
        return granted


def _put(transaction: Transaction, table: Any, key: Any, fields: dict[str, Any]) -> bool:
    same = key == fields[key.name]
    if fields["version"] == 1:
        # writers follow one another, so nothing comes between the look and the insert
        if transaction.execute(select(key).where(same)).one_or_none() is not None:
            return False
        transaction.execute(insert(table).values(**fields))
        return True
    before = table.c.version == fields["version"] - 1
    return bool(transaction.execute(update(table).where(same, before).values(**fields)).rowcount)


def _fields(row: Any, *left_out: str) -> dict[str, Any]:
    return {name: value for name, value in fields_of(row).items() if name not in left_out}
