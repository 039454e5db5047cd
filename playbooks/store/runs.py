"""Runs, their journals and notifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from playbooks.errors import ChangedMeanwhile, RunNotFound
from playbooks.models import (
    JournalEntry,
    Notification,
    Plan,
    PlannedStep,
    Run,
    TargetState,
)
from playbooks.models.runs import UNDO
from playbooks.store.rows import change_one, fields_of, from_json, newest_page, to_json
from playbooks.store.tables import notifications, run_steps, runs
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


def _step(value: dict[str, Any]) -> PlannedStep:
    targets = tuple(TargetState(**target) for target in value.pop("targets"))
    for key in ("in_args", "out_args", "late"):
        value[key] = tuple(value.get(key, ()))
    return PlannedStep(targets=targets, **value)


def _plan(text: str) -> Plan:
    value = from_json(text)
    steps = tuple(_step(step) for step in value.pop("steps"))
    return Plan(steps=steps, **value)


def _run(row: Any) -> Run:
    values = fields_of(row, "approvers")
    del values["plan_sha256"]
    approvers = tuple(values["approvers"])
    return Run(**{**values, "plan": _plan(values["plan"]), "approvers": approvers})


def _values(run: Run) -> dict[str, Any]:
    return {
        **asdict(run),
        "plan": to_json(run.plan),
        "plan_sha256": run.plan.sha256,
        "approvers": to_json(run.approvers),
    }


def _entry(row: Any) -> JournalEntry:
    values = fields_of(row, "details")
    return JournalEntry(index=values.pop("target_index"), **values)


class Runs:
    """Implements ``playbooks.ports.RunStore``."""

    def add(self, transaction: Transaction, run: Run) -> None:
        """Store a new run."""
        transaction.execute(runs.insert().values(**_values(run)))

    def get(self, transaction: Transaction, org_id: str | None, run_id: str) -> Run:
        """Return it (of any organisation for None); raise ``RunNotFound``."""
        statement = runs.select().where(runs.c.id == run_id)
        if org_id is not None:
            statement = statement.where(runs.c.org_id == org_id)
        row = transaction.execute(statement).first()
        if row is None:
            msg = f"no run {run_id[:60]}"
            raise RunNotFound(msg)
        return _run(row)

    def change(self, transaction: Transaction, run: Run, *, was: Run) -> None:
        """Store ``run`` if state and fence are still as in ``was``; raise otherwise."""
        change_one(
            transaction,
            runs.update()
            .where(runs.c.id == run.id, runs.c.state == was.state, runs.c.fence == was.fence)
            .values(**_values(run)),
            f"{run.id} is no longer {was.state}",
        )

    def list(
        self,
        transaction: Transaction,
        org_id: str,
        incident_id: str | None,
        page: PageRequest,
    ) -> Page[Run]:
        """Return runs, newest first."""
        statement = runs.select().where(runs.c.org_id == org_id)
        if incident_id is not None:
            statement = statement.where(runs.c.incident_id == incident_id)
        columns = (runs.c.created_at, runs.c.id)
        return newest_page(transaction, statement, columns, page, read=_run)

    def due(self, transaction: Transaction, now: int, limit: int) -> Sequence[str]:
        """Return the ids of runs that have work at ``now``, the longest due first."""
        rows = transaction.execute(
            sa.select(runs.c.id)
            .where(runs.c.due_at <= now)
            .order_by(runs.c.due_at, runs.c.id)
            .limit(limit)
        )
        return [row.id for row in rows]

    def journal(self, transaction: Transaction, run_id: str) -> Sequence[JournalEntry]:
        """Return its journal in order."""
        rows = transaction.execute(
            run_steps.select().where(run_steps.c.run_id == run_id).order_by(run_steps.c.seq)
        )
        return [_entry(row) for row in rows]

    def append(self, transaction: Transaction, entry: JournalEntry, *, fence: int) -> None:
        """Add to the journal while ``fence`` is the run's: a late runner writes nothing.

        The entry's ``seq`` is the place its writer believes to be the next; another writer
        who was first makes this one raise ``ChangedMeanwhile``.
        """
        mine = [runs.c.id == entry.run_id, runs.c.fence == fence]
        if entry.kind in ("intent", "decision"):  # a cancelled run begins nothing but taking back
            busy = ("running", "compensating") if UNDO in entry.path else ("running",)
            mine.append(runs.c.state.in_(busy))
        held = transaction.execute(runs.update().where(*mine).values(fence=fence))
        values = {**asdict(entry), "details": to_json(dict(entry.details))}
        values["target_index"] = values.pop("index")
        try:
            if held.rowcount == 1:
                transaction.execute(run_steps.insert().values(**values))
                return
        except IntegrityError as error:
            msg = f"{entry.run_id} went on meanwhile"
            raise ChangedMeanwhile(msg) from error
        msg = f"{entry.run_id} was cancelled, or is in another runner's hands"
        raise ChangedMeanwhile(msg)

    def is_notified(self, transaction: Transaction, key: str) -> bool:
        """Tell whether a notification with this key is kept."""
        statement = sa.select(notifications.c.id).where(notifications.c.key == key)
        return transaction.execute(statement).first() is not None

    def notify(self, transaction: Transaction, notification: Notification) -> bool:
        """Keep a notification; False if its key is there."""
        if self.is_notified(transaction, notification.key):
            return False
        transaction.execute(notifications.insert().values(**asdict(notification)))
        return True

    def notifications(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Page[Notification]:
        """Return what was sent, newest first."""
        statement = notifications.select().where(notifications.c.org_id == org_id)
        columns = (notifications.c.at, notifications.c.id)
        return newest_page(
            transaction, statement, columns, page, read=lambda row: Notification(**fields_of(row))
        )
