"""Early warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from playbooks.errors.notices import WarningNotFound
from playbooks.models.early_warnings import IN_FORCE, EarlyWarning, WarningContent
from playbooks.store.rows import change_one, fields_of, newest_page, to_json
from playbooks.store.tables import early_warnings
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

MAX_IN_FORCE: Final = 100


def _values(warning: EarlyWarning) -> dict[str, Any]:
    return {
        **asdict(warning),
        "content": to_json(asdict(warning.content)),
        "ends_at": warning.content.ends_at,
        "authors": to_json(warning.authors),
        "wanted": None if warning.wanted is None else to_json(asdict(warning.wanted)),
    }


def _warning(row: Any) -> EarlyWarning:
    values = fields_of(row, "content", "authors")
    values.pop("ends_at")
    wanted = fields_of(row, "wanted")["wanted"] if row.wanted is not None else None
    return EarlyWarning(
        **{
            **values,
            "content": WarningContent(**values["content"]),
            "authors": tuple(values["authors"]),
            "wanted": None if wanted is None else WarningContent(**wanted),
        }
    )


class EarlyWarnings:
    """Implements ``playbooks.ports.notices.WarningStore``."""

    def add(self, transaction: Transaction, warning: EarlyWarning) -> None:
        """Store a new one."""
        transaction.execute(early_warnings.insert().values(**_values(warning)))

    def get(self, transaction: Transaction, org_id: str, warning_id: str) -> EarlyWarning:
        """Return it; raise ``WarningNotFound``."""
        column = early_warnings.c
        row = transaction.execute(
            early_warnings.select().where(column.id == warning_id, column.org_id == org_id)
        ).first()
        if row is None:
            msg = f"no early warning {warning_id[:60]}"
            raise WarningNotFound(msg)
        return _warning(row)

    def change(self, transaction: Transaction, warning: EarlyWarning) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        column = early_warnings.c
        change_one(
            transaction,
            early_warnings.update()
            .where(column.id == warning.id, column.version == warning.version - 1)
            .values(**_values(warning)),
            f"{warning.id} changed since it was read",
        )

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[EarlyWarning]:
        """Return an organisation's own, newest first."""
        statement = early_warnings.select().where(early_warnings.c.org_id == org_id)
        if state:
            statement = statement.where(early_warnings.c.state == state)
        columns = (early_warnings.c.drafted_at, early_warnings.c.id)
        return newest_page(transaction, statement, columns, page, read=_warning)

    def unfinished(self, transaction: Transaction, org_id: str) -> int:
        """Return how many an organisation has that were not issued yet or are in force."""
        column = early_warnings.c
        over = sa.or_(
            column.state.in_(("lifted", "withdrawn")),
            sa.and_(column.state.in_(IN_FORCE), column.ends_at < transaction.now),
        )
        counted = sa.select(sa.func.count()).where(column.org_id == org_id, sa.not_(over))
        return int(transaction.execute(counted).scalar_one())

    def in_force(
        self, transaction: Transaction, org_ids: Sequence[str], now: int
    ) -> Sequence[EarlyWarning]:
        """Return what these organisations warn of now, at most 100, the newest first."""
        column = early_warnings.c
        rows = transaction.execute(
            early_warnings.select()
            .where(column.org_id.in_(org_ids), column.state.in_(IN_FORCE), column.ends_at >= now)
            .order_by(column.issued_at.desc())
            .limit(MAX_IN_FORCE)
        )
        return [_warning(row) for row in rows]
