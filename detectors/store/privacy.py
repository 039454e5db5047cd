"""Policies on graded data and sealed originals, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import delete, insert, select

from detectors.models.privacy import KeptOriginal, SourcePolicy
from detectors.store.pieces import pieces
from detectors.store.tables import originals, source_policies
from secops.kernel.transactions import Transaction

_AT_ONCE: Final = 500


class SqlPolicies:
    """Implements ``ports.PolicyStore``."""

    def put(self, tx: Transaction, policy: SourcePolicy) -> None:
        """Store a source's policy, replacing the one it has."""
        tx.execute(
            delete(source_policies).where(
                source_policies.c.org_id == policy.org_id,
                source_policies.c.source == policy.source,
            )
        )
        row = {name: getattr(policy, name) for name in source_policies.c.keys()}  # noqa: SIM118 - columns
        tx.execute(
            insert(source_policies).values(**row | {"masked": orjson.dumps(policy.masked).decode()})
        )

    def find(self, tx: Transaction, org_id: str, source: str) -> SourcePolicy | None:
        """Return a source's policy, or None."""
        chosen = select(source_policies).where(
            source_policies.c.org_id == org_id, source_policies.c.source == source
        )
        row = tx.execute(chosen).one_or_none()
        return None if row is None else _policy(row)

    def list(self, tx: Transaction, org_id: str) -> Sequence[SourcePolicy]:
        """Return an organisation's policies, by source."""
        chosen = select(source_policies).where(source_policies.c.org_id == org_id)
        return [_policy(row) for row in tx.execute(chosen.order_by(source_policies.c.source)).all()]


class SqlOriginals:
    """Implements ``ports.OriginalStore``."""

    def keep(self, tx: Transaction, originals_: Sequence[KeptOriginal]) -> None:
        """Store them; one that is there already stays."""
        for kept in pieces(originals_, _AT_ONCE):
            some = {each.event_id: each for each in kept}
            chosen = select(originals.c.event_id).where(originals.c.event_id.in_(some))
            known = {row.event_id for row in tx.execute(chosen).all()}
            rows = [_row(each) for each in some.values() if each.event_id not in known]
            if rows:
                tx.execute(insert(originals).values(rows))

    def find(self, tx: Transaction, event_id: str) -> KeptOriginal | None:
        """Return the original of an event, or None."""
        row = tx.execute(select(originals).where(originals.c.event_id == event_id)).one_or_none()
        return None if row is None else KeptOriginal(**row._mapping)  # noqa: SLF001 - SQLAlchemy's API

    def drop(self, tx: Transaction, before: int) -> int:
        """Forget those of events before ``before``; return how many."""
        return int(tx.execute(delete(originals).where(originals.c.at < before)).rowcount)


def _policy(row: Any) -> SourcePolicy:
    return SourcePolicy(**{**row._mapping, "masked": tuple(orjson.loads(row.masked))})  # noqa: SLF001 - SQLAlchemy's API


def _row(original: KeptOriginal) -> dict[str, Any]:
    return {name: getattr(original, name) for name in originals.c.keys()}  # noqa: SIM118 - columns
