"""Saved views and deadlines in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
import sqlalchemy as sa

from detectors.models.alerts import AlertFilter
from detectors.models.queue import AlertView, Deadline
from detectors.models.rules import Severity
from detectors.store.tables import alert_deadlines, alert_views
from secops.kernel.transactions import Transaction


class DatabaseAlertViews:
    """The table ``detectors_alert_views``."""

    def put(self, tx: Transaction, org_id: str, account_id: str, view: AlertView) -> None:
        """Store a view, instead of the account's view of that name."""
        mine = (alert_views.c.account_id == account_id, alert_views.c.name == view.name)
        tx.execute(alert_views.delete().where(*mine))
        said = {"wanted": asdict(view.wanted), "order": view.order, "group": view.group}
        row = {
            "id": view.id,
            "org_id": org_id,
            "account_id": account_id,
            "name": view.name,
            "said": orjson.dumps(said).decode(),
            "created_at": view.created_at,
        }
        tx.execute(alert_views.insert().values(**row))

    def list(self, tx: Transaction, account_id: str) -> Sequence[AlertView]:
        """Return an account's views by name."""
        query = sa.select(alert_views).where(alert_views.c.account_id == account_id)
        return [_view(row) for row in tx.execute(query.order_by(alert_views.c.name))]

    def forget(self, tx: Transaction, account_id: str, view_id: str) -> bool:
        """Drop an account's view; False where it has none of that id."""
        mine = (alert_views.c.account_id == account_id, alert_views.c.id == view_id)
        return bool(tx.execute(alert_views.delete().where(*mine)).rowcount == 1)


class DatabaseAlertDeadlines:
    """The table ``detectors_alert_deadlines``."""

    def decided(self, tx: Transaction, org_id: str) -> Mapping[Severity, Deadline]:
        """Return what was decided, by severity."""
        mine = alert_deadlines.c
        query = sa.select(alert_deadlines).where(mine.org_id == org_id)
        return {
            row.severity: Deadline(row.acknowledge, row.resolve, row.set_by, row.set_at)
            for row in tx.execute(query)
        }

    def decide(self, tx: Transaction, org_id: str, severity: Severity, deadline: Deadline) -> None:
        """Store a decision; ``set_at`` is the transaction's instant."""
        mine = alert_deadlines.c
        values = {
            "acknowledge": deadline.acknowledge,
            "resolve": deadline.resolve,
            "set_by": deadline.set_by,
            "set_at": tx.now,
        }
        here = (mine.org_id == org_id, mine.severity == severity)
        if tx.execute(alert_deadlines.update().where(*here).values(**values)).rowcount == 0:
            row = {"org_id": org_id, "severity": severity, **values}
            tx.execute(alert_deadlines.insert().values(**row))


def _view(row: Any) -> AlertView:
    said = orjson.loads(row.said)
    wanted = AlertFilter(**said["wanted"])
    return AlertView(row.id, row.name, wanted, said["order"], said["group"], row.created_at)
