"""The projection of subjects' risk, as the detectors announce it."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from iam.store.tables import risks
from secops.kernel.transactions import Transaction


class Risks:
    """Risks in the table ``iam_risks``."""

    def put(self, tx: Transaction, subject: str, risk: int, delivery: tuple[int, int]) -> bool:
        """Store the risk unless a later delivery (id, at) already did; True if stored."""
        event_id, at = delivery
        known = tx.execute(sa.select(risks.c.event_id).where(risks.c.subject == subject)).scalar()
        if known is not None and known >= event_id:
            return False
        values = {"risk": risk, "event_id": event_id, "at": at}
        if known is None:
            tx.execute(risks.insert().values(subject=subject, **values))
        else:
            tx.execute(risks.update().where(risks.c.subject == subject).values(values))
        return True

    def all(self, tx: Transaction) -> Mapping[str, tuple[int, int]]:
        """Return every subject with a risk above 0: the risk, and when it was announced."""
        column = risks.c
        rows = tx.execute(sa.select(column.subject, column.risk, column.at).where(column.risk > 0))
        return {subject: (int(risk), int(at)) for subject, risk, at in rows}
