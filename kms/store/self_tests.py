"""Self-tests of engines in the database: those of the last ninety days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import delete, insert, select

from kms.models.self_tests import SelfTestRecord
from kms.store.rows import newest_first
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
        statement = newest_first(select(kms_self_tests), kms_self_tests, "at", request)
        return [
            SelfTestRecord(row.id, row.at, row.process, row.passed, orjson.loads(row.defects))
            for row in transaction.execute(statement)
        ]
