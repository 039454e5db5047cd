"""Self-tests of engines in the database: those of the last ninety days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import delete, insert, select, tuple_

from kms.models.self_tests import SelfTestRecord
from kms.store.tables.self_tests import kms_self_tests
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_KEPT: Final = 90 * DAY


class SqlSelfTestStore:
    """One row a run and process."""

    def insert(self, transaction: Transaction, record: SelfTestRecord) -> None:
        """Store a run, and forget those older than ninety days."""
        table = kms_self_tests
        transaction.execute(delete(table).where(table.c.at < record.at - _KEPT))
        row = {
            "id": record.id,
            "org_id": ROOT_ORG,
            "at": record.at,
            "process": record.process,
            "passed": record.passed,
            "defects": orjson.dumps(dict(record.defects)).decode(),
        }
        transaction.execute(insert(table).values(**row))

    def page(self, transaction: Transaction, request: PageRequest) -> Sequence[SelfTestRecord]:
        """Return runs, newest first, one more than asked for."""
        table = kms_self_tests
        statement = select(table).order_by(table.c.at.desc(), table.c.id.desc())
        if (after := request.key(int, str)) is not None:
            statement = statement.where(tuple_(table.c.at, table.c.id) < tuple_(*after))
        rows = transaction.execute(statement.limit(request.limit + 1))
        return [
            SelfTestRecord(row.id, row.at, row.process, row.passed, orjson.loads(row.defects))
            for row in rows
        ]
