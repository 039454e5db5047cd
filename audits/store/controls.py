"""How items stood over time, and which assessments are made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert, select, update

from audits.models.assessments import ControlChange, ControlState, Schedule
from audits.store.rows import (
    change_one,
    count_rows,
    fields_of,
    insert_once,
    newest_page,
    row_of,
)
from audits.store.tables.assessments import (
    assessment_schedules,
    control_changes,
    control_states,
)
from secops.kernel.catalogue import Text
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseControls:
    """Implements ``audits.ports.Controls``."""

    def states(
        self, tx: Transaction, org_id: str, of: tuple[str, str, int]
    ) -> Sequence[ControlState]:
        """Return how the items of (system, standard, level) stood."""
        table = control_states
        rows = tx.execute(
            select(table).where(
                table.c.org_id == org_id,
                table.c.system_id == of[0],
                table.c.standard == of[1],
                table.c.level == of[2],
            )
        )
        return [_state(row) for row in rows]

    def gaps(self, tx: Transaction, org_id: str) -> Sequence[ControlState]:
        """Return the items of an organisation that stand worse than they did."""
        table = control_states
        rows = tx.execute(
            select(table)
            .where(table.c.org_id == org_id, table.c.drifted_from.is_not(None))
            .order_by(table.c.system_id, table.c.standard, table.c.level, table.c.item_id)
        )
        return [_state(row) for row in rows]

    def watched(self, tx: Transaction) -> Sequence[tuple[str, str, str, int]]:
        """Return (organisation, system, standard, level) of all that was ever looked at."""
        table = control_states
        columns = (table.c.org_id, table.c.system_id, table.c.standard, table.c.level)
        rows = tx.execute(select(*columns).distinct().order_by(*columns))
        return [(row.org_id, row.system_id, row.standard, row.level) for row in rows]

    def put(self, tx: Transaction, states: Sequence[ControlState]) -> None:
        """Store how items of one (organisation, system, standard, level) stand now."""
        if not states:
            return
        table, one = control_states, states[0]
        tx.execute(
            delete(table).where(
                table.c.org_id == one.org_id,
                table.c.system_id == one.system_id,
                table.c.standard == one.standard,
                table.c.level == one.level,
                table.c.item_id.in_([state.item_id for state in states]),
            )
        )
        tx.execute(insert(table), [_row(state) for state in states])

    def add_changes(self, tx: Transaction, changes: Sequence[ControlChange]) -> None:
        """Add to the items' histories."""
        if changes:
            tx.execute(insert(control_changes), [_row(change) for change in changes])

    def history(
        self, tx: Transaction, org_id: str, of: tuple[str, str, str], page: PageRequest
    ) -> Page[ControlChange]:
        """Return the changes of (system, standard, item), newest first."""
        table = control_changes
        statement = select(table).where(
            table.c.org_id == org_id,
            table.c.system_id == of[0],
            table.c.standard == of[1],
            table.c.item_id == of[2],
        )
        return newest_page(tx, statement, [table.c.at, table.c.id], page, read=_change)


class DatabaseSchedules:
    """Implements ``audits.ports.Schedules``."""

    def add(self, tx: Transaction, schedule: Schedule) -> None:
        """Store a schedule; raise ``ChangedMeanwhile`` if there is one for the same."""
        insert_once(
            tx,
            assessment_schedules,
            asdict(schedule),
            "this system is scheduled already under the standard and level",
        )

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many schedules an organisation has."""
        table = assessment_schedules
        return count_rows(tx, table, table.c.org_id == org_id)

    def get(self, tx: Transaction, org_id: str, schedule_id: str) -> Schedule:
        """Return a schedule; raise ``NotFound``."""
        row = row_of(tx, assessment_schedules, org_id, schedule_id)
        if row is None:
            raise NotFound(f"there is no schedule {schedule_id}")
        return Schedule(**fields_of(row))

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Schedule]:
        """Return an organisation's schedules, newest first."""
        table = assessment_schedules
        statement = select(table).where(table.c.org_id == org_id)
        return newest_page(
            tx, statement, [table.c.id], request, read=lambda row: Schedule(**fields_of(row))
        )

    def change(self, tx: Transaction, schedule: Schedule) -> Schedule:
        """Store what was changed; raise ``ChangedMeanwhile`` if it is not as it was read."""
        table, after = assessment_schedules, replace(schedule, version=schedule.version + 1)
        change_one(
            tx,
            update(table)
            .where(table.c.id == schedule.id, table.c.version == schedule.version)
            .values(**asdict(after)),
            f"the schedule {schedule.id} was changed",
        )
        return after

    def remove(self, tx: Transaction, schedule: Schedule) -> None:
        """Drop a schedule as it was read; raise ``ChangedMeanwhile`` otherwise."""
        table = assessment_schedules
        change_one(
            tx,
            delete(table).where(
                table.c.org_id == schedule.org_id,
                table.c.id == schedule.id,
                table.c.version == schedule.version,
            ),
            f"the schedule {schedule.id} was changed",
        )

    def due(self, tx: Transaction, now: int) -> Schedule | None:
        """Return the schedule that has been due for longest, of any organisation."""
        table = assessment_schedules
        row = tx.execute(
            select(table).where(table.c.next_at <= now).order_by(table.c.next_at).limit(1)
        ).first()
        return None if row is None else Schedule(**fields_of(row))


def _row(value: ControlState | ControlChange) -> dict[str, Any]:
    values = asdict(value)
    reason = values.pop("reason")
    return {**values, "reason_zh": reason["zh"], "reason_en": reason["en"]}


def _text(fields: dict[str, Any]) -> dict[str, Any]:
    reason = Text(fields.pop("reason_zh"), fields.pop("reason_en"))
    return {**fields, "reason": reason}


def _state(row: Any) -> ControlState:
    return ControlState(**_text(fields_of(row)))


def _change(row: Any) -> ControlChange:
    return ControlChange(**_text(fields_of(row)))
