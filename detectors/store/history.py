"""What rules have found, read from the tables of alerts and evaluations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from detectors.models.alerts import Evaluation
from detectors.models.schedule import DetectorKey
from detectors.store.alert_queries import NO_DRILL
from detectors.store.tables import alerts, evaluations
from secops.kernel.clock import day_start
from secops.kernel.transactions import Transaction


class DatabaseRuleHistory:
    """Counts in the database; only sums leave it."""

    def alerts_by_rule(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, int]:
        """Return how many alerts with events since ``since`` each rule has."""
        query = (
            sa.select(alerts.c.rule_id, sa.func.count())
            .where(alerts.c.org_id == org_id, alerts.c.last_at >= since, NO_DRILL)
            .group_by(alerts.c.rule_id)
        )
        return {str(rule_id): int(count) for rule_id, count in tx.execute(query)}

    def alerts_by_day(self, tx: Transaction, rule_id: str, since: int) -> Mapping[int, int]:
        """Return a rule's alerts by the day they were raised on, as Beijing has it."""
        query = sa.select(alerts.c.raised_at).where(
            alerts.c.rule_id == rule_id, alerts.c.raised_at >= since
        )
        return Counter(map(day_start, tx.execute(query).scalars()))

    def evaluations_of(self, tx: Transaction, rule_id: str, limit: int) -> Sequence[Evaluation]:
        """Return a rule's evaluations, newest first."""
        table = evaluations
        query = (
            sa.select(table)
            .where(table.c.detector == rule_id)
            .order_by(table.c.last_seq.desc())
            .limit(limit)
        )
        return [
            Evaluation(
                detector=row.detector,
                version=row.version,
                first_seq=row.first_seq,
                last_seq=row.last_seq,
                events=row.events,
                hits=row.hits,
                at=row.at,
            )
            for row in tx.execute(query)
        ]

    def first_evaluated(self, tx: Transaction, key: DetectorKey) -> int | None:
        """Return when this version of a rule first saw events; None where it never did."""
        detector, version = key
        mine = (evaluations.c.detector == detector, evaluations.c.version == version)
        found = tx.execute(sa.select(sa.func.min(evaluations.c.at)).where(*mine)).scalar()
        return None if found is None else int(found)
