"""How rules fare, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.schedule import Feed, RuleHealth
from detectors.store.pieces import pieces
from detectors.store.tables import logsource_feeds, rule_health, seen_fields
from secops.kernel.transactions import Transaction

_BLANK: Mapping[str, Any] = {"failure": "", "cost_ns": 0, "cost_events": 0}
_MANY: Final = 400
_NEWER: Final = (
    rule_health.update()
    .where(
        rule_health.c.rule_id == sa.bindparam("its"),
        sa.or_(
            rule_health.c.last_hit_at.is_(None),
            rule_health.c.last_hit_at < sa.bindparam("at"),
        ),
    )
    .values(last_hit_at=sa.bindparam("at"), last_hit_seq=sa.bindparam("seq"))
)


class DatabaseRuleHealth:
    """Hits, failures and cost of rules; what feeds them; which fields were seen."""

    def healths(self, tx: Transaction) -> Mapping[str, RuleHealth]:
        """Return what is known, by rule id."""
        return {
            row.rule_id: RuleHealth(
                row.rule_id,
                row.last_hit_at,
                row.last_hit_seq,
                row.failure,
                row.failed_at,
                row.cost_ns,
                row.cost_events,
            )
            for row in tx.execute(sa.select(rule_health))
        }

    def failures(self, tx: Transaction) -> Mapping[str, int]:
        """Return which rules could not be asked when they were asked last, and since when."""
        columns = (rule_health.c.rule_id, rule_health.c.failed_at)
        rows = tx.execute(sa.select(*columns).where(rule_health.c.failure != ""))
        return {rule_id: at or 0 for rule_id, at in rows}

    def note_hits(self, tx: Transaction, hits: Mapping[str, tuple[int, int]]) -> None:
        """Store the newest hit of rules: (event time, seq)."""
        if not hits:
            return
        self._ensure(tx, hits)
        rows = [{"its": rule_id, "at": at, "seq": seq} for rule_id, (at, seq) in hits.items()]
        tx.execute(_NEWER, rows)

    def note_failures(self, tx: Transaction, failures: Mapping[str, str]) -> None:
        """Store why rules could not be asked; an empty reason says that they can again."""
        for rule_id, why in failures.items():
            self._ensure(tx, (rule_id,))
            tx.execute(
                rule_health.update()
                .where(rule_health.c.rule_id == rule_id)
                .values(failure=why, failed_at=tx.now if why else None)
            )

    def note_cost(self, tx: Transaction, rule_id: str, nanoseconds: int, events: int) -> None:
        """Add a measurement of a rule asked alone."""
        self._ensure(tx, (rule_id,))
        tx.execute(
            rule_health.update()
            .where(rule_health.c.rule_id == rule_id)
            .values(
                cost_ns=rule_health.c.cost_ns + nanoseconds,
                cost_events=rule_health.c.cost_events + events,
            )
        )

    def feeds(self, tx: Transaction) -> Sequence[Feed]:
        """Return which stored sources give events of which Sigma log sources."""
        query = sa.select(logsource_feeds).order_by(
            logsource_feeds.c.logsource, logsource_feeds.c.source
        )
        return [Feed(r.logsource, r.source, r.events, r.last_seq) for r in tx.execute(query)]

    def note_feeds(self, tx: Transaction, feeds: Sequence[Feed]) -> None:
        """Add the events of a step to what was known."""
        for feed in feeds:
            table = logsource_feeds
            known = tx.execute(
                table.update()
                .where(table.c.logsource == feed.logsource, table.c.source == feed.source)
                .values(
                    events=table.c.events + feed.events,
                    last_seq=sa.case(
                        (table.c.last_seq < feed.last_seq, feed.last_seq), else_=table.c.last_seq
                    ),
                )
            )
            if known.rowcount == 0:
                tx.execute(
                    table.insert().values(
                        logsource=feed.logsource,
                        source=feed.source,
                        events=feed.events,
                        last_seq=feed.last_seq,
                    )
                )

    def seen_fields(self, tx: Transaction) -> Mapping[str, frozenset[str]]:
        """Return which fields events of each Sigma log source have had."""
        found: dict[str, set[str]] = {}
        for row in tx.execute(sa.select(seen_fields.c.logsource, seen_fields.c.field)):
            found.setdefault(row.logsource, set()).add(row.field)
        return {logsource: frozenset(names) for logsource, names in found.items()}

    def note_fields(self, tx: Transaction, fields: Mapping[str, frozenset[str]], seq: int) -> None:
        """Add fields that were seen for the first time, at ``seq``."""
        known = self.seen_fields(tx) if fields else {}
        rows = [
            {"logsource": logsource, "field": name, "first_seq": seq}
            for logsource, names in fields.items()
            for name in sorted(names - known.get(logsource, frozenset()))
        ]
        if rows:
            tx.execute(seen_fields.insert(), rows)

    def _ensure(self, tx: Transaction, rule_ids: Iterable[str]) -> None:
        wanted = list(rule_ids)
        known: set[str] = set()
        for some in pieces(wanted, _MANY):
            here = rule_health.c.rule_id.in_(some)
            known.update(tx.execute(sa.select(rule_health.c.rule_id).where(here)).scalars())
        fresh = [{"rule_id": each, **_BLANK} for each in wanted if each not in known]
        if fresh:
            tx.execute(rule_health.insert(), fresh)
