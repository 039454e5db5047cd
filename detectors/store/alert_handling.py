"""What people do with alerts, in the database: who took them up, who has them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from detectors.store.alert_queries import NEXT_REVISION
from detectors.store.alert_writing import add_versions
from detectors.store.tables import alerts
from secops.kernel.transactions import Transaction


class DatabaseAlertHandling:
    """One conditional statement a change: of two who take the same alert up, one does."""

    def acknowledge(self, tx: Transaction, alert_id: str, by: str) -> bool:
        """Note who took an open alert up; False where it is not open, or taken up already."""
        values = {"acknowledged_at": tx.now, "acknowledged_by": by}
        return _write(tx, alert_id, [alerts.c.acknowledged_at.is_(None)], values)

    def assign(
        self, tx: Transaction, alert_id: str, assignee: str | None, version: int | None = None
    ) -> bool:
        """Give an open alert to somebody; False where it is not open, or not at ``version``."""
        same = [] if version is None else [alerts.c.version == version]
        return _write(tx, alert_id, same, {"assignee": assignee})


def _write(
    tx: Transaction,
    alert_id: str,
    conditions: list[sa.ColumnElement[bool]],
    values: dict[str, Any],
) -> bool:
    here = (alerts.c.id == alert_id, alerts.c.status == "open", *conditions)
    counted = {"version": alerts.c.version + 1, "revision": NEXT_REVISION}
    done = tx.execute(alerts.update().where(*here).values(**values, **counted))
    if done.rowcount != 1:
        return False
    add_versions(tx, [alert_id])
    return True
