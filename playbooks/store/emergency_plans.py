"""Emergency plans and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from playbooks.errors.custody import PlanNotFound
from playbooks.models.emergency_plans import EmergencyPlan, PlanTask
from playbooks.store.rows import change_one, fields_of, insert_once, newest_page, to_json
from playbooks.store.tables import emergency_plans
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_JSON: Final = ("classes", "playbooks", "tasks")


def _values(plan: EmergencyPlan) -> dict[str, Any]:
    values = asdict(plan)
    return {name: to_json(value) if name in _JSON else value for name, value in values.items()}


def _plan(row: Any) -> EmergencyPlan:
    values = fields_of(row, *_JSON)
    return EmergencyPlan(
        **{
            **values,
            "classes": tuple(values["classes"]),
            "playbooks": tuple(values["playbooks"]),
            "tasks": tuple(PlanTask(**task) for task in values["tasks"]),
        }
    )


class EmergencyPlans:
    """Implements ``playbooks.ports.emergency_plans.EmergencyPlanStore``."""

    def add(self, transaction: Transaction, plan: EmergencyPlan) -> None:
        """Store a new version; raise ``ChangedMeanwhile`` if there is one of that number."""
        insert_once(
            transaction,
            emergency_plans,
            _values(plan),
            f"version {plan.version} was written meanwhile",
        )

    def get(
        self, transaction: Transaction, org_id: str, plan_id: str, version: int | None
    ) -> EmergencyPlan:
        """Return a version, None for the newest; raise ``PlanNotFound``."""
        columns = emergency_plans.c
        found = emergency_plans.select().where(columns.id == plan_id, columns.org_id == org_id)
        if version is not None:
            found = found.where(columns.version == version)
        row = transaction.execute(found.order_by(columns.version.desc()).limit(1)).first()
        if row is None:
            msg = f"no plan {plan_id[:60]}"
            raise PlanNotFound(msg)
        return _plan(row)

    def change(self, transaction: Transaction, plan: EmergencyPlan) -> None:
        """Store it if revision - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        columns = emergency_plans.c
        change_one(
            transaction,
            emergency_plans.update()
            .where(
                columns.id == plan.id,
                columns.version == plan.version,
                columns.org_id == plan.org_id,
                columns.revision == plan.revision - 1,
            )
            .values(**_values(plan)),
            f"{plan.id} version {plan.version} changed since it was read",
        )

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[EmergencyPlan]:
        """Return all versions, the last written first."""
        columns = emergency_plans.c
        statement = emergency_plans.select().where(columns.org_id == org_id)
        return newest_page(
            transaction, statement, (columns.written_at, columns.id), page, read=_plan
        )

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many plans an organisation has, each with all its versions as one."""
        columns = emergency_plans.c
        ids = sa.select(sa.func.count(columns.id.distinct())).where(columns.org_id == org_id)
        return int(transaction.execute(ids).scalar_one())

    def in_force(self, transaction: Transaction, org_id: str) -> Sequence[EmergencyPlan]:
        """Return the plans in force."""
        columns = emergency_plans.c
        rows = transaction.execute(
            emergency_plans.select()
            .where(columns.org_id == org_id, columns.state == "in_force")
            .order_by(columns.title, columns.id)
        )
        return [_plan(row) for row in rows]
