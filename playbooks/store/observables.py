"""Observables of incidents, and where else they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from playbooks.models.incident_work import Observable, Sighting
from playbooks.store.rows import fields_of, insert_once
from playbooks.store.tables import incidents, observables
from secops.kernel.transactions import Transaction

MAX_SIGHTINGS: Final = 200


class Observables:
    """Implements ``playbooks.ports.incident_work.ObservableStore``."""

    def see(self, transaction: Transaction, seen: Observable) -> bool:
        """Add an observable, or widen when a known one was seen; True if it is new."""
        columns = observables.c
        here = (
            columns.incident_id == seen.incident_id,
            columns.kind == seen.kind,
            columns.value == seen.value,
            columns.org_id == seen.org_id,
        )
        widened = transaction.execute(
            observables.update()
            .where(*here)
            .values(
                first_seen=sa.case(
                    (columns.first_seen < seen.first_seen, columns.first_seen),
                    else_=seen.first_seen,
                ),
                last_seen=sa.case(
                    (columns.last_seen > seen.last_seen, columns.last_seen), else_=seen.last_seen
                ),
            )
        )
        if widened.rowcount:
            return False
        insert_once(transaction, observables, asdict(seen))
        return True

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Observable]:
        """Return an incident's observables by kind and value."""
        columns = observables.c
        rows = transaction.execute(
            observables.select()
            .where(columns.incident_id == incident_id, columns.org_id == org_id)
            .order_by(columns.kind, columns.value)
        )
        return [Observable(**fields_of(row)) for row in rows]

    def sightings(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[Sighting]:
        """Return where else the incident's observables were seen, at most 200, newest first."""
        mine = observables.alias("mine")
        joined = sa.join(
            observables,
            mine,
            sa.and_(
                mine.c.org_id == observables.c.org_id,
                mine.c.kind == observables.c.kind,
                mine.c.value == observables.c.value,
            ),
        )
        wanted = (
            mine.c.incident_id == incident_id,
            mine.c.org_id == org_id,
            observables.c.incident_id != incident_id,
        )
        return _sightings(transaction, joined, wanted)

    def find(
        self, transaction: Transaction, org_id: str, kind: str, value: str
    ) -> Sequence[Sighting]:
        """Return the incidents that have this observable, at most 200, newest first."""
        columns = observables.c
        wanted = (columns.org_id == org_id, columns.kind == kind, columns.value == value)
        return _sightings(transaction, observables, wanted)


def _sightings(transaction: Transaction, source: Any, wanted: Sequence[Any]) -> Sequence[Sighting]:
    whole = sa.join(source, incidents, incidents.c.id == observables.c.incident_id)
    columns = observables.c
    rows = transaction.execute(
        sa.select(
            columns.kind,
            columns.value,
            columns.incident_id,
            incidents.c.title,
            incidents.c.state,
            columns.first_seen,
            columns.last_seen,
        )
        .select_from(whole)
        .where(*wanted)
        .order_by(columns.last_seen.desc(), columns.incident_id, columns.kind, columns.value)
        .limit(MAX_SIGHTINGS)
    )
    return [Sighting(**fields_of(row)) for row in rows]
