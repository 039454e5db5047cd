"""What a drill's plan may hold, its hash, and the report of what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from playbooks.models.drills import DrillAlert, DrillPlan, DrillView
from playbooks.models.incidents import SEVERITIES
from secops.kernel.canonical import canonical
from secops.kernel.clock import SECOND, rfc3339_or_none, to_rfc3339

MAX_ALERTS: Final = 50
MAX_ACCOUNTS: Final = 20
MAX_TITLE: Final = 150
MAX_SCENARIO: Final = 4_000
MARK: Final = "【演练 DRILL】"
"""Stands before the title of all that belongs to a drill, in both languages at once."""


def plan_hash(plan: DrillPlan) -> str:
    """Return the SHA-256 (hex) of the plan in RFC 8785 form."""
    return hashlib.sha256(canonical(asdict(plan))).hexdigest()


def check_plan(plan: DrillPlan) -> str:
    """Return what is wrong with a plan, or ""."""
    if not 0 < len(plan.title.strip()) <= MAX_TITLE or len(plan.scenario) > MAX_SCENARIO:
        return f"a title of 1 to {MAX_TITLE} characters, a scenario of at most {MAX_SCENARIO}"
    if not 0 < len(plan.alerts) <= MAX_ALERTS or len(plan.accounts) > MAX_ACCOUNTS:
        return f"1 to {MAX_ALERTS} alerts and at most {MAX_ACCOUNTS} accounts"
    for alert in plan.alerts:
        problem = _check_alert(alert)
        if problem:
            return problem
    return ""


def _check_alert(alert: DrillAlert) -> str:
    if not 0 < len(alert.title.strip()) <= MAX_TITLE:
        return f"an alert has a title of 1 to {MAX_TITLE} characters"
    if alert.severity not in SEVERITIES:
        return f"a severity is one of {', '.join(SEVERITIES)}"
    return ""


def marked(title: str) -> str:
    """Return a title that says it belongs to a drill, once."""
    return title if title.startswith(MARK) else f"{MARK}{title}"


def drill_report(view: DrillView) -> dict[str, Any]:
    """Return the report: plan, record, how soon each alert was taken up, findings.

    ``seconds_to_acknowledge`` is of the alerts that were taken up; None where none was.
    """
    drill = view.drill
    waits = [
        (one.acknowledged_at - one.raised_at) // SECOND
        for one in view.alerts
        if one.acknowledged_at is not None
    ]
    return {
        "drill": True,
        "mark": MARK,
        "id": drill.id,
        "title": marked(drill.plan.title),
        "scenario": drill.plan.scenario,
        "plan_sha256": drill.plan_sha256,
        "state": drill.state,
        "planned_by": drill.planned_by,
        "approved_by": drill.approved_by,
        "started_at": rfc3339_or_none(drill.started_at),
        "ended_at": rfc3339_or_none(drill.ended_at),
        "alerts": [
            {
                "id": one.id,
                "title": one.title,
                "severity": one.severity,
                "status": one.status,
                "raised_at": to_rfc3339(one.raised_at),
                "acknowledged_at": rfc3339_or_none(one.acknowledged_at),
                "closed_at": rfc3339_or_none(one.closed_at),
            }
            for one in view.alerts
        ],
        "acknowledged": len(waits),
        "seconds_to_acknowledge": int(median(waits)) if waits else None,
        "incidents": list(view.incidents),
        "timeline": [
            {
                "at": to_rfc3339(note.at),
                "by": note.actor_id,
                "kind": note.kind,
                "text": note.text,
                "subject": note.subject,
            }
            for note in view.notes
        ],
        "findings": [note.text for note in view.notes if note.kind == "finding"],
    }
