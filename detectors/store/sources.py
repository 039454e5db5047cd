"""Log sources in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select, update

from detectors.models.logs import LogSource, SourceHealth
from detectors.store.tables import log_sources, source_health
from secops.kernel.transactions import Transaction


class SqlLogSources:
    """Implements ``ports.LogSources``."""

    def add(self, transaction: Transaction, source: LogSource) -> bool:
        """Store it; False if its name is taken in its organisation."""
        if self.find(transaction, source.org_id, source.name) is not None:
            return False  # a race between two processes ends at the primary key
        transaction.execute(insert(log_sources).values(**asdict(source)))
        return True

    def change(self, transaction: Transaction, source: LogSource) -> bool:
        """Store what is new about it; False if there is none of that name."""
        values = asdict(source)
        org_id, name = values.pop("org_id"), values.pop("name")
        result = transaction.execute(
            update(log_sources)
            .where(log_sources.c.org_id == org_id, log_sources.c.name == name)
            .values(**values)
        )
        return bool(result.rowcount)

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


_COUNTS = frozenset({"rejected", "dropped"})


class SqlSourceHealths:
    """Implements ``ports.SourceHealths``."""

    def add(
        self, transaction: Transaction, org_id: str, counts: Mapping[str, tuple[int, int]]
    ) -> None:
        """Add (rejected, dropped) to each source's counts."""
        for source, (rejected, dropped) in counts.items():
            changed = transaction.execute(
                update(source_health)
                .where(source_health.c.org_id == org_id, source_health.c.source == source)
                .values(
                    rejected=source_health.c.rejected + rejected,
                    dropped=source_health.c.dropped + dropped,
                )
            )
            if not changed.rowcount:
                fresh = SourceHealth(org_id, source, rejected=rejected, dropped=dropped)
                transaction.execute(insert(source_health).values(**asdict(fresh)))

    def observe(self, transaction: Transaction, health: SourceHealth) -> None:
        """Store what was seen of a source; its counts stay as they are."""
        values = {name: v for name, v in asdict(health).items() if name not in _COUNTS}
        changed = transaction.execute(
            update(source_health)
            .where(source_health.c.org_id == health.org_id, source_health.c.source == health.source)
            .values(**values)
        )
        if not changed.rowcount:
            transaction.execute(insert(source_health).values(**asdict(health)))

    def list(self, transaction: Transaction, org_id: str | None) -> Sequence[SourceHealth]:
        """Return those of an organisation (None: of all), by source."""
        statement = select(source_health).order_by(source_health.c.source, source_health.c.org_id)
        if org_id is not None:
            statement = statement.where(source_health.c.org_id == org_id)
        rows = transaction.execute(statement).all()
        return [SourceHealth(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's API
