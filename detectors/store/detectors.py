"""Rules' states and evaluations in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from detectors.models.alerts import Evaluation, RuleState
from detectors.store.tables import evaluations, rule_states
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class DatabaseDetectors:
    """What people decided of rules, and which version saw which events."""

    def rule_states(self, tx: Transaction, org_id: str) -> Mapping[str, RuleState]:
        """Return what people decided, by rule id."""
        rows = tx.execute(sa.select(rule_states).where(rule_states.c.org_id == org_id))
        return {row.rule_id: RuleState(row.enabled, row.changed_by, row.changed_at) for row in rows}

    def set_rule_state(self, tx: Transaction, org_id: str, rule_id: str, state: RuleState) -> None:
        """Store a decision."""
        key = (rule_states.c.rule_id == rule_id, rule_states.c.org_id == org_id)
        values = {
            "enabled": state.enabled,
            "changed_by": state.changed_by,
            "changed_at": state.changed_at,
        }
        if tx.execute(rule_states.update().where(*key).values(**values)).rowcount == 0:
            tx.execute(rule_states.insert().values(rule_id=rule_id, org_id=org_id, **values))

    def evaluations(self, tx: Transaction, page: PageRequest) -> Sequence[Evaluation]:
        """Return at most ``page.limit + 1`` evaluations, by detector, version and range."""
        key = sa.tuple_(evaluations.c.detector, evaluations.c.version, evaluations.c.first_seq)
        query = sa.select(evaluations)
        if (after := page.key(str, str, int)) is not None:
            query = query.where(key > sa.tuple_(*(sa.literal(part) for part in after)))
        query = query.order_by(
            evaluations.c.detector, evaluations.c.version, evaluations.c.first_seq
        )
        rows = tx.execute(query.limit(page.limit + 1))
        return [
            Evaluation(
                row.detector,
                row.version,
                row.first_seq,
                row.last_seq,
                row.events,
                row.hits,
                row.at,
            )
            for row in rows
        ]
