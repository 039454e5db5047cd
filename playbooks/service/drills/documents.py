"""Drills as documents, and plans as they are entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playbooks.core.drill import MAX_ALERTS, marked
from playbooks.errors.drills import DrillInvalid
from playbooks.models.drills import Drill, DrillAlert, DrillPlan
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def drill_document(drill: Drill) -> dict[str, Any]:
    """Return a drill with its plan."""
    return {
        "id": drill.id,
        "title": marked(drill.plan.title),
        "scenario": drill.plan.scenario,
        "alerts": [f"{one.severity}:{one.title}" for one in drill.plan.alerts],
        "accounts": list(drill.plan.accounts),
        "plan_sha256": drill.plan_sha256,
        "state": drill.state,
        "planned_by": drill.planned_by,
        "planned_at": to_rfc3339(drill.planned_at),
        "approved_by": drill.approved_by,
        "started_at": rfc3339_or_none(drill.started_at),
        "ended_at": rfc3339_or_none(drill.ended_at),
    }


def entered_plan(
    title: str, scenario: str, alerts: Sequence[str], accounts: Sequence[str]
) -> DrillPlan:
    """Return the plan that was entered: alerts as ``SEVERITY:TITLE``."""
    if len(alerts) > MAX_ALERTS:
        raise DrillInvalid("too many alerts")
    found = []
    for line in alerts:
        severity, colon, name = line.strip().partition(":")
        if not colon:
            raise DrillInvalid("an alert is SEVERITY:TITLE")
        found.append(DrillAlert(name.strip(), severity.strip()))
    return DrillPlan(title, scenario, tuple(found), tuple(accounts))
