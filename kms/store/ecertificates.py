"""E-certificates, their templates, numbers and batches in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update

from kms.models.ecertificates import (
    Batch,
    BatchRow,
    ECertificate,
    ECertificateState,
    ECertificateTemplate,
    Layout,
    LayoutItem,
    RowState,
    TemplateField,
    TemplateState,
    TemplateWish,
)
from kms.store.rows import fields_of, newest_first
from kms.store.tables.ecertificates import (
    kms_ecertificate_batches,
    kms_ecertificate_rows,
    kms_ecertificate_serials,
    kms_ecertificate_templates,
    kms_ecertificates,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

MAX_OPEN = 100
"""Batches that are looked at before one that can go on."""


class SqlTemplateStore:
    """Templates and serial numbers."""

    def insert_template(self, transaction: Transaction, template: ECertificateTemplate) -> None:
        """Store it."""
        values = asdict(template) | {
            "wish": orjson.dumps(asdict(template.wish)).decode(),
            "type_code": template.wish.type_code,
        }
        transaction.execute(insert(kms_ecertificate_templates).values(**values))

    def template(
        self, transaction: Transaction, org_id: str, template_id: str
    ) -> ECertificateTemplate | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_ecertificate_templates
        statement = select(table).where(table.c.id == template_id, table.c.org_id == org_id)
        return _template_or_none(transaction.execute(statement).one_or_none())

    def templates(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[ECertificateTemplate]:
        """Return a page, newest first, one more than asked for."""
        table = kms_ecertificate_templates
        statement = select(table).where(table.c.org_id == org_id)
        statement = newest_first(statement, table, "created_at", request)
        return [_template(row) for row in transaction.execute(statement)]

    def last_version(self, transaction: Transaction, org_id: str, type_code: str) -> int:
        """Return the highest version of the type's templates, 0 for none."""
        table = kms_ecertificate_templates
        statement = select(func.max(table.c.version)).where(
            table.c.org_id == org_id, table.c.type_code == type_code
        )
        return int(transaction.execute(statement).scalar_one() or 0)

    def active(
        self, transaction: Transaction, org_id: str, type_code: str
    ) -> ECertificateTemplate | None:
        """Return the type's template that issues."""
        table = kms_ecertificate_templates
        statement = select(table).where(
            table.c.org_id == org_id, table.c.type_code == type_code, table.c.state == "active"
        )
        return _template_or_none(transaction.execute(statement).one_or_none())

    def change_template(
        self,
        transaction: Transaction,
        template_id: str,
        *,
        before: TemplateState,
        after: TemplateState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        table = kms_ecertificate_templates
        statement = (
            update(table)
            .where(table.c.id == template_id, table.c.state == before)
            .values(state=after, state_reason=reason, state_at=transaction.now)
        )
        return bool(transaction.execute(statement).rowcount)

    def take_serials(
        self, transaction: Transaction, org_id: str, codes: tuple[str, str], count: int
    ) -> int:
        """Return the first of ``count`` serial numbers of (type, authority) never given out."""
        table = kms_ecertificate_serials
        mine = (table.c.type_code == codes[0], table.c.authority_code == codes[1])
        step = update(table).where(*mine).values(last=table.c.last + count)
        if not transaction.execute(step).rowcount:
            # writers follow one another, so nothing comes between the look and the insert
            values = {"type_code": codes[0], "authority_code": codes[1], "org_id": org_id}
            transaction.execute(insert(table).values(**values, last=count))
        last = transaction.execute(select(table.c.last).where(*mine)).scalar_one()
        return int(last) - count + 1


class SqlECertificateStore:
    """What was issued."""

    def insert_ecertificate(self, transaction: Transaction, issued: ECertificate) -> bool:
        """Store it; False if the number, with this version, is taken."""
        table = kms_ecertificates
        # writers follow one another, so nothing comes between the look and the insert
        statement = select(table.c.id).where(
            table.c.type_code == issued.type_code,
            table.c.authority_code == issued.authority_code,
            table.c.number == issued.number,
            table.c.version == issued.version,
        )
        if transaction.execute(statement).first() is not None:
            return False
        transaction.execute(insert(table).values(**asdict(issued)))
        return True

    def ecertificate(
        self, transaction: Transaction, org_id: str, ecertificate_id: str
    ) -> ECertificate | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_ecertificates
        return _one(transaction, table.c.id == ecertificate_id, table.c.org_id == org_id)

    def ecertificates(
        self,
        transaction: Transaction,
        org_id: str,
        request: PageRequest,
        filters: Mapping[str, str],
    ) -> Sequence[ECertificate]:
        """Return a page, newest first; ``filters`` are columns and what they must be."""
        table = kms_ecertificates
        wanted = [table.c[name] == value for name, value in filters.items()]
        statement = select(table).where(table.c.org_id == org_id, *wanted)
        statement = newest_first(statement, table, "issued_at", request)
        return [_ecertificate(row) for row in transaction.execute(statement)]

    def by_token(self, transaction: Transaction, token_hash: str) -> ECertificate | None:
        """Return the one whose link has the token with this SHA-256."""
        return _one(transaction, kms_ecertificates.c.token_hash == token_hash)

    def by_digest(self, transaction: Transaction, digest: str) -> ECertificate | None:
        """Return the one whose file has this SM3."""
        return _one(transaction, kms_ecertificates.c.digest == digest)

    def replacement(self, transaction: Transaction, ecertificate_id: str) -> str | None:
        """Return the id of what took its place."""
        table = kms_ecertificates
        statement = select(table.c.id).where(table.c.replaces == ecertificate_id)
        found: str | None = transaction.execute(statement).scalar_one_or_none()
        return found

    def taken_numbers(
        self, transaction: Transaction, codes: tuple[str, str], numbers: Sequence[str]
    ) -> frozenset[str]:
        """Return those of ``numbers`` that (type, authority) have an e-certificate of."""
        table = kms_ecertificates
        statement = select(table.c.number).where(
            table.c.type_code == codes[0],
            table.c.authority_code == codes[1],
            table.c.number.in_(numbers),
        )
        return frozenset(transaction.execute(statement).scalars())

    def change_ecertificate(
        self,
        transaction: Transaction,
        ecertificate_id: str,
        *,
        before: Sequence[ECertificateState],
        after: ECertificateState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        table = kms_ecertificates
        statement = (
            update(table)
            .where(table.c.id == ecertificate_id, table.c.state.in_(before))
            .values(state=after, state_reason=reason, state_at=transaction.now)
        )
        return bool(transaction.execute(statement).rowcount)


class SqlBatchStore:
    """Batches and their rows."""

    def insert_batch(
        self, transaction: Transaction, batch: Batch, rows: Sequence[BatchRow]
    ) -> None:
        """Store both."""
        values = asdict(batch) | {"is_open": int(batch.is_open)}
        transaction.execute(insert(kms_ecertificate_batches).values(**values))
        columns = [column.name for column in kms_ecertificate_rows.c]
        stored = [{name: getattr(row, name) for name in columns} for row in rows]
        transaction.execute(insert(kms_ecertificate_rows), stored)

    def batch(self, transaction: Transaction, org_id: str, batch_id: str) -> Batch | None:
        """Return it if it belongs to ``org_id``."""
        table = kms_ecertificate_batches
        statement = select(table).where(table.c.id == batch_id, table.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _batch(row)

    def batches(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Batch]:
        """Return a page, newest first, one more than asked for."""
        table = kms_ecertificate_batches
        statement = select(table).where(table.c.org_id == org_id)
        statement = newest_first(statement, table, "ordered_at", request)
        return [_batch(row) for row in transaction.execute(statement)]

    def open_batches(self, transaction: Transaction) -> Sequence[Batch]:
        """Return what is worked on, of any organisation, oldest first, at most ``MAX_OPEN``."""
        table = kms_ecertificate_batches
        statement = (
            select(table)
            .where(table.c.is_open == 1)
            .order_by(table.c.ordered_at, table.c.id)
            .limit(MAX_OPEN)
        )
        return [_batch(row) for row in transaction.execute(statement)]

    def set_open(self, transaction: Transaction, batch_id: str, *, before: bool) -> bool:
        """Open a closed batch or close an open one; False if it was not ``before``."""
        table = kms_ecertificate_batches
        statement = (
            update(table)
            .where(table.c.id == batch_id, table.c.is_open == int(before))
            .values(is_open=int(not before))
        )
        return bool(transaction.execute(statement).rowcount)

    def rows(
        self,
        transaction: Transaction,
        batch_id: str,
        state: RowState | None,
        *,
        limit: int,
        after: int = 0,
    ) -> Sequence[BatchRow]:
        """Return the first ``limit`` rows behind row ``after``, of one state or all."""
        table = kms_ecertificate_rows
        issued = kms_ecertificates
        joined = table.outerjoin(issued, issued.c.id == table.c.certificate_id)
        statement = (
            select(table, issued.c.use_id)
            .select_from(joined)
            .where(table.c.batch_id == batch_id, table.c.n > after)
        )
        if state is not None:
            statement = statement.where(table.c.state == state)
        found = transaction.execute(statement.order_by(table.c.n).limit(limit))
        return [BatchRow(**_whole(row)) for row in found]

    def finish_row(
        self,
        transaction: Transaction,
        row: BatchRow,
        *,
        certificate_id: str | None,
        error: str = "",
    ) -> bool:
        """Mark a waiting row issued or failed in one statement; False if it did not wait."""
        table = kms_ecertificate_rows
        statement = (
            update(table)
            .where(table.c.batch_id == row.batch_id, table.c.n == row.n, table.c.state == "waiting")
            .values(
                state="failed" if certificate_id is None else "issued",
                certificate_id=certificate_id,
                error=error,
            )
        )
        return bool(transaction.execute(statement).rowcount)

    def counts(self, transaction: Transaction, batch_id: str) -> Mapping[RowState, int]:
        """Return how many rows are in each state."""
        table = kms_ecertificate_rows
        statement = (
            select(table.c.state, func.count())
            .where(table.c.batch_id == batch_id)
            .group_by(table.c.state)
        )
        found: dict[RowState, int] = dict.fromkeys(("waiting", "issued", "failed"), 0)
        return found | {state: int(count) for state, count in transaction.execute(statement)}


def _one(transaction: Transaction, *conditions: Any) -> ECertificate | None:
    row = transaction.execute(select(kms_ecertificates).where(*conditions)).one_or_none()
    return None if row is None else _ecertificate(row)


def _ecertificate(row: Any) -> ECertificate:
    return ECertificate(**_whole(row))


def _whole(row: Any) -> dict[str, Any]:
    fields = fields_of(row)
    return {**fields, "sealed": bytes(fields["sealed"])}


def _batch(row: Any) -> Batch:
    fields = fields_of(row)
    return Batch(**{**fields, "is_open": bool(fields["is_open"])})


def _template_or_none(row: Any) -> ECertificateTemplate | None:
    return None if row is None else _template(row)


def _template(row: Any) -> ECertificateTemplate:
    fields = fields_of(row)
    del fields["type_code"]
    stored = orjson.loads(fields["wish"])
    layout = stored["layout"]
    items = tuple(LayoutItem(**item) for item in layout["items"])
    wish = TemplateWish(
        **{
            **stored,
            "fields": tuple(
                TemplateField(**{**field, "choices": tuple(field["choices"])})
                for field in stored["fields"]
            ),
            "layout": Layout(**{**layout, "items": items}),
        }
    )
    return ECertificateTemplate(**{**fields, "wish": wish})
