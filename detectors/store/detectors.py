"""Rules' states, cursors, evaluations and matches in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from detectors.models.alerts import Cursor, Evaluation, RuleState
from detectors.store.tables import cursors, evaluations, rule_states
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class DatabaseDetectors:
    """The detectors' progress; every change of a cursor is one conditional statement."""

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

    def cursors(self, tx: Transaction) -> Mapping[tuple[str, str], int]:
        """Return every detector's next seq, by (detector, version)."""
        rows = tx.execute(sa.select(cursors.c.detector, cursors.c.version, cursors.c.next_seq))
        return {(row.detector, row.version): row.next_seq for row in rows}

    def advance(self, tx: Transaction, cursor: Cursor, next_seq: int, fence: int) -> bool:
        """Move ``cursor`` if it stands where it was read and no newer fence wrote."""
        key = (cursors.c.detector == cursor.detector, cursors.c.version == cursor.version)
        values = {"next_seq": next_seq, "fence": fence, "changed_at": tx.now}
        done = tx.execute(
            cursors.update()
            .where(*key, cursors.c.next_seq == cursor.next_seq, cursors.c.fence <= fence)
            .values(**values)
        )
        if done.rowcount == 1:
            return True
        if tx.execute(sa.select(cursors.c.fence).where(*key)).first() is not None:
            return False
        tx.execute(
            cursors.insert().values(detector=cursor.detector, version=cursor.version, **values)
        )
        return True

    def record_evaluation(self, tx: Transaction, evaluation: Evaluation) -> None:
        """Add what was seen; a range that continues the last one extends it."""
        extended = tx.execute(
            evaluations.update()
            .where(
                evaluations.c.detector == evaluation.detector,
                evaluations.c.version == evaluation.version,
                evaluations.c.last_seq == evaluation.first_seq - 1,
            )
            .values(
                last_seq=evaluation.last_seq,
                events=evaluations.c.events + evaluation.events,
                hits=evaluations.c.hits + evaluation.hits,
                at=evaluation.at,
            )
        )
        if extended.rowcount == 0:
            tx.execute(
                evaluations.insert().values(
                    detector=evaluation.detector,
                    version=evaluation.version,
                    first_seq=evaluation.first_seq,
                    last_seq=evaluation.last_seq,
                    events=evaluation.events,
                    hits=evaluation.hits,
                    at=evaluation.at,
                )
            )

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
