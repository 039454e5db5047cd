"""Log sources in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select

from detectors.models.logs import LogSource
from detectors.store.tables import log_sources
from secops.kernel.transactions import Transaction


class SqlLogSources:
    """Implements ``ports.LogSources``."""

    def add(self, transaction: Transaction, source: LogSource) -> bool:
        """Store it; False if its name is taken in its organisation."""
        if self.find(transaction, source.org_id, source.name) is not None:
            return False  # a race between two processes ends at the primary key
        transaction.execute(insert(log_sources).values(**asdict(source)))
        return True

    def remove(self, transaction: Transaction, org_id: str, name: str) -> bool:
        """Forget it; False if there is none of that name."""
        result = transaction.execute(
            delete(log_sources).where(log_sources.c.org_id == org_id, log_sources.c.name == name)
        )
        return bool(result.rowcount)

    def find(self, transaction: Transaction, org_id: str, name: str) -> LogSource | None:
        """Return it, or None."""
        row = transaction.execute(
            select(log_sources).where(log_sources.c.org_id == org_id, log_sources.c.name == name)
        ).one_or_none()
        return None if row is None else LogSource(**row._mapping)  # noqa: SLF001 - SQLAlchemy's API

    def list(self, transaction: Transaction, org_id: str | None) -> Sequence[LogSource]:
        """Return those of an organisation (None: of all), by name."""
        statement = select(log_sources).order_by(log_sources.c.name, log_sources.c.org_id)
        if org_id is not None:
            statement = statement.where(log_sources.c.org_id == org_id)
        rows = transaction.execute(statement).all()
        return [LogSource(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's API
