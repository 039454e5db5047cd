"""Drills and their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from playbooks.errors.drills import DrillUnknown
from playbooks.models.drills import Drill, DrillAlert, DrillNote, DrillPlan
from playbooks.store.rows import change_one, fields_of, newest_page, next_seq, to_json
from playbooks.store.tables import drill_notes, drills
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Drills:
    """Implements ``playbooks.ports.drills.DrillStore``."""

    def add(self, tx: Transaction, drill: Drill) -> None:
        """Store a new one."""
        tx.execute(drills.insert().values(**_values(drill)))

    def get(self, tx: Transaction, org_id: str, drill_id: str) -> Drill:
        """Return it; raise ``DrillUnknown``."""
        mine = (drills.c.id == drill_id, drills.c.org_id == org_id)
        row = tx.execute(drills.select().where(*mine)).first()
        if row is None:
            raise DrillUnknown
        return _drill(row)

    def change(self, tx: Transaction, drill: Drill) -> None:
        """Store it if the version before is stored; raise ``ChangedMeanwhile`` otherwise."""
        mine = (drills.c.id == drill.id, drills.c.org_id == drill.org_id)
        before = drills.c.version == drill.version - 1
        change_one(
            tx,
            drills.update().where(*mine, before).values(**_values(drill)),
            "the drill was changed meanwhile",
        )

    def list(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Drill]:
        """Return the organisation's drills, newest first."""
        statement = drills.select().where(drills.c.org_id == org_id)
        columns = (drills.c.planned_at, drills.c.id)
        return newest_page(tx, statement, columns, page, read=_drill)

    def note(self, tx: Transaction, note: DrillNote) -> None:
        """Add the next line to a drill's record; ``note.seq`` is given here."""
        mine = drill_notes.c.drill_id == note.drill_id
        seq = next_seq(tx, drill_notes.c.seq, mine)
        tx.execute(drill_notes.insert().values(**asdict(replace(note, seq=seq))))

    def notes(self, tx: Transaction, drill_id: str) -> Sequence[DrillNote]:
        """Return its record in order."""
        mine = drill_notes.select().where(drill_notes.c.drill_id == drill_id)
        rows = tx.execute(mine.order_by(drill_notes.c.seq))
        return [DrillNote(**fields_of(row)) for row in rows]


def _values(drill: Drill) -> dict[str, Any]:
    return {**asdict(drill), "plan": to_json(asdict(drill.plan))}


def _drill(row: Any) -> Drill:
    fields = fields_of(row, "plan")
    plan = fields["plan"]
    alerts = tuple(DrillAlert(**one) for one in plan["alerts"])
    whole = DrillPlan(plan["title"], plan["scenario"], alerts, tuple(plan["accounts"]))
    return Drill(**{**fields, "plan": whole})
