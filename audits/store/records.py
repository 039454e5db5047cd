"""Records of evidence in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from audits.errors import RecordNotFound
from audits.models.records import Record, RecordFilter
from audits.models.systems import SOON_DAYS
from audits.store.rows import change_version, fields_of, newest_page, row_of, to_json
from audits.store.tables.records import records
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseRecords:
    """Implements ``audits.ports.records.Records``."""

    def add(self, tx: Transaction, record: Record) -> None:
        """Store a new record."""
        tx.execute(records.insert().values(**_values(record)))

    def change(self, tx: Transaction, record: Record) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile``."""
        change_version(tx, records, _values(record), "the record changed since it was read")

    def get(self, tx: Transaction, org_id: str, record_id: str) -> Record:
        """Return a record, withdrawn ones too; raise ``RecordNotFound``."""
        row = row_of(tx, records, org_id, record_id)
        if row is None:
            raise RecordNotFound(f"no record {record_id[:80]!r}")
        return _record(row)

    def page(
        self, tx: Transaction, org_id: str, wanted: RecordFilter, page: PageRequest
    ) -> Page[Record]:
        """Return the records that are wanted, the last uploaded first."""
        columns = records.c
        statement = records.select().where(columns.org_id == org_id, *_where(wanted, tx.now))
        return newest_page(tx, statement, (columns.uploaded_at, columns.id), page, read=_record)

    def in_scope(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Record]:
        """Return what is not withdrawn and counts for a system, the newest held first."""
        columns = records.c
        rows = tx.execute(
            records.select()
            .where(
                columns.org_id == org_id,
                columns.system_id.in_(("", system_id)),
                columns.withdrawn_at == 0,
            )
            .order_by(columns.held_at.desc(), columns.id.desc())
        )
        return [_record(row) for row in rows]

    def usage(self, tx: Transaction, org_id: str) -> tuple[int, int]:
        """Return how many records there are, withdrawn ones too, and their documents' bytes."""
        columns = records.c
        counted = sa.func.coalesce(sa.func.sum(sa.cast(columns.size, sa.BigInteger)), 0)
        row = tx.execute(sa.select(sa.func.count(), counted).where(columns.org_id == org_id)).one()
        return int(row[0]), int(row[1])


def _where(wanted: RecordFilter, now: int) -> list[Any]:
    columns = records.c
    conditions: list[Any] = []
    if wanted.kind:
        conditions.append(columns.kind == wanted.kind)
    if wanted.system_id:
        conditions.append(columns.system_id == wanted.system_id)
    if wanted.item:
        conditions.append(columns["items"].contains(to_json(wanted.item), autoescape=True))
    soon = now + SOON_DAYS * DAY
    ends: dict[str, list[Any]] = {
        "withdrawn": [columns.withdrawn_at != 0],
        "expired": [columns.expires_at.between(1, now)],
        "soon": [columns.expires_at.between(now + 1, soon)],
        "valid": [sa.or_(columns.expires_at == 0, columns.expires_at > soon)],
    }
    if wanted.state:
        conditions += ends[wanted.state]
        if wanted.state != "withdrawn":
            conditions.append(columns.withdrawn_at == 0)
    return conditions


def _values(record: Record) -> dict[str, Any]:
    return {**asdict(record), "items": to_json(record.items)}


def _record(row: Any) -> Record:
    values = fields_of(row, "items")
    return Record(**{**values, "items": tuple(values["items"])})
