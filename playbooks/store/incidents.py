"""Incidents and the alerts that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from playbooks.errors import AlertLinked, IncidentNotFound
from playbooks.models import AlertLink, Incident
from playbooks.ports import IncidentFilter
from playbooks.store.rows import change_one, fields_of, newest_page, to_json
from playbooks.store.tables import filings, incident_alerts, incidents
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

MAX_CLOCKED: Final = 1_000


def _values(incident: Incident) -> dict[str, Any]:
    return {**asdict(incident), "subjects": to_json(dict(incident.subjects))}


def _changed(incident: Incident) -> dict[str, Any]:
    """Return what a change writes; who acknowledged it first is entered by the timeline."""
    once = ("acknowledged_at", "acknowledged_by")
    return {name: value for name, value in _values(incident).items() if name not in once}


def _incident(row: Any) -> Incident:
    return Incident(**fields_of(row, "subjects"))


class Incidents:
    """Implements ``playbooks.ports.IncidentStore``."""

    def add(self, transaction: Transaction, incident: Incident) -> None:
        """Store a new incident."""
        transaction.execute(incidents.insert().values(**_values(incident)))

    def get(self, transaction: Transaction, org_id: str, incident_id: str) -> Incident:
        """Return it; raise ``IncidentNotFound``."""
        row = transaction.execute(
            incidents.select().where(incidents.c.id == incident_id, incidents.c.org_id == org_id)
        ).first()
        if row is None:
            msg = f"no incident {incident_id[:60]}"
            raise IncidentNotFound(msg)
        return _incident(row)

    def change(self, transaction: Transaction, incident: Incident) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        change_one(
            transaction,
            incidents.update()
            .where(
                incidents.c.id == incident.id,
                incidents.c.org_id == incident.org_id,
                incidents.c.version == incident.version - 1,
            )
            .values(**_changed(incident)),
            f"{incident.id} changed since it was read",
        )

    def list(
        self, transaction: Transaction, wanted: IncidentFilter, page: PageRequest
    ) -> Page[Incident]:
        """Return incidents, newest first."""
        statement = incidents.select().where(incidents.c.org_id == wanted.org_id)
        if wanted.state == "open":
            statement = statement.where(incidents.c.state != "closed")
        elif wanted.state:
            statement = statement.where(incidents.c.state == wanted.state)
        if not wanted.drills:
            statement = statement.where(incidents.c.drill.is_(False))
        columns = (incidents.c.opened_at, incidents.c.id)
        return newest_page(transaction, statement, columns, page, read=_incident)

    def count_open(self, transaction: Transaction, org_id: str) -> int:
        """Return how many incidents are open, without drills."""
        here = (
            incidents.c.org_id == org_id,
            incidents.c.state != "closed",
            incidents.c.drill.is_(False),
        )
        statement = sa.select(sa.func.count()).select_from(incidents).where(*here)
        return int(transaction.execute(statement).scalar_one())

    def clocked(self, transaction: Transaction, since: int) -> Sequence[Incident]:
        """Return incidents of all organisations whose clocks may run, at most 1,000.

        Closing an incident ends no duty: those handled after ``since`` stay until their
        closing report is filed. What is ordinary stays while something declared is owed.
        """
        filed = sa.select(filings.c.incident_id).where(
            filings.c.duty == "closing_report", filings.c.filed_at.is_not(None)
        )
        declared = sa.select(filings.c.incident_id).where(filings.c.filed_at.is_(None))
        owed = sa.and_(incidents.c.handled_at > since, incidents.c.id.not_in(filed))
        rows = transaction.execute(
            incidents.select()
            .where(
                sa.or_(incidents.c.state != "closed", owed),
                sa.or_(incidents.c.reporting_level != "ordinary", incidents.c.id.in_(declared)),
            )
            .order_by(incidents.c.opened_at.desc())
            .limit(MAX_CLOCKED)
        )
        return [_incident(row) for row in rows]

    def link(self, transaction: Transaction, link: AlertLink) -> None:
        """Tie an alert to an incident; raise ``AlertLinked`` if it has one."""
        known = self.incident_of(transaction, link.org_id, link.alert_id)
        if known is None:
            try:
                transaction.execute(incident_alerts.insert().values(**asdict(link)))
            except IntegrityError as error:
                msg = f"{link.alert_id} was linked meanwhile"
                raise AlertLinked(msg) from error
            return
        msg = f"{link.alert_id} belongs to {known}"
        raise AlertLinked(msg, incident_id=known)

    def links(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[AlertLink]:
        """Return its alerts, oldest first."""
        rows = transaction.execute(
            incident_alerts.select()
            .where(incident_alerts.c.incident_id == incident_id, incident_alerts.c.org_id == org_id)
            .order_by(incident_alerts.c.created_at, incident_alerts.c.alert_id)
        )
        return [AlertLink(**fields_of(row)) for row in rows]

    def incident_of(self, transaction: Transaction, org_id: str, alert_id: str) -> str | None:
        """Return the incident an alert belongs to."""
        found = transaction.execute(
            sa.select(incident_alerts.c.incident_id).where(
                incident_alerts.c.org_id == org_id, incident_alerts.c.alert_id == alert_id
            )
        ).scalar()
        return None if found is None else str(found)
