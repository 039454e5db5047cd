"""Timelines of incidents: lines are added, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from playbooks.models import TimelineEntry
from playbooks.store.rows import fields_of, next_seq, to_json
from playbooks.store.tables import incident_timeline, incidents
from secops.kernel.transactions import Transaction

MAX_TIMELINE: Final = 2_000


class Timelines:
    """Implements ``playbooks.ports.TimelineStore``."""

    def acknowledge(self, transaction: Transaction, place: tuple[str, str], who: str) -> None:
        """Enter who, a human being, did something in the incident first; later ones change nothing.

        ``place`` is organisation and id.
        """
        transaction.execute(
            incidents.update()
            .where(
                incidents.c.org_id == place[0],
                incidents.c.id == place[1],
                incidents.c.acknowledged_at.is_(None),
            )
            .values(acknowledged_at=transaction.now, acknowledged_by=who)
        )

    def append(self, transaction: Transaction, entry: TimelineEntry) -> None:
        """Add the next line; ``entry.seq`` is given here."""
        column = incident_timeline.c
        seq = next_seq(transaction, column.seq, column.incident_id == entry.incident_id)
        values = {**asdict(entry), "seq": seq, "details": to_json(dict(entry.details))}
        transaction.execute(incident_timeline.insert().values(**values))

    def of(
        self, transaction: Transaction, org_id: str, incident_id: str, kind: str = ""
    ) -> Sequence[TimelineEntry]:
        """Return its history, oldest first: the last ``MAX_TIMELINE`` lines, "" for any kind."""
        column = incident_timeline.c
        found = incident_timeline.select().where(
            column.incident_id == incident_id, column.org_id == org_id
        )
        if kind:
            found = found.where(column.kind == kind)
        rows = transaction.execute(found.order_by(column.seq.desc()).limit(MAX_TIMELINE)).all()
        return [TimelineEntry(**fields_of(row, "details")) for row in reversed(rows)]
