"""Tasks, waivers, risks and scans as JSON, for every face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from audits.core.gbt20984.table import DOUBT, EDITION, GRADES, MATRIX, THREATS, VERSION
from audits.models.rectification import (
    RECHECK_OUTCOMES,
    TASK_SOURCES,
    TASK_STATES,
    WAIVER_STATES,
    HistoryEvent,
    RectificationTask,
    Waiver,
)
from audits.models.risks import (
    FINDING_STATES,
    RISK_SOURCES,
    RISK_STATES,
    SCOPE_STATES,
    SEVERITIES,
    TREATMENTS,
    Risk,
    Scan,
    ScanFinding,
    ScanScope,
)
from audits.service.rectification.rechecks import Recheck
from audits.service.rectification.tasks import MadeTasks
from audits.service.risks.filling import Filled
from secops.kernel.catalogue import Text, in_both
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def task_document(task: RectificationTask, now: int) -> dict[str, Any]:
    """Return a task; ``overdue`` is as of ``now``."""
    return {
        **_plain(asdict(task)),
        "source_text": in_both(TASK_SOURCES[task.source]),
        "state_text": in_both(TASK_STATES[task.state]),
        "overdue": task.overdue(now),
    }


def made_document(made: MadeTasks, now: int) -> dict[str, Any]:
    """Return what became of findings."""
    return {
        "made": [task_document(task, now) for task in made.made],
        "reopened": [task_document(task, now) for task in made.reopened],
        "standing": made.standing,
    }


def recheck_document(seen: Recheck, now: int) -> dict[str, Any]:
    """Return what a re-check came to."""
    return {
        "task": task_document(seen.task, now),
        "outcome": seen.outcome,
        "outcome_text": in_both(RECHECK_OUTCOMES[seen.outcome]),
        "reason": in_both(seen.reason),
        "evidence": dict(seen.evidence),
    }


def history_document(history: Sequence[HistoryEvent]) -> list[dict[str, Any]]:
    """Return a history, oldest first."""
    return [
        {
            "seq": event.seq,
            "at": to_rfc3339(event.at),
            "actor": event.actor_name,
            "actor_id": event.actor_id,
            "deed": event.deed,
            "state": event.state,
            "note": event.note,
            "details": dict(event.details),
        }
        for event in history
    ]


def waiver_document(waiver: Waiver, now: int) -> dict[str, Any]:
    """Return a waiver in its state at ``now``."""
    state = waiver.state_at(now)
    fields = _plain(asdict(waiver))
    return {**fields, "state": state, "state_text": in_both(WAIVER_STATES[state])}


def risk_document(risk: Risk, now: int) -> dict[str, Any]:
    """Return a risk; ``proposed`` tells that no person has rated it yet."""
    return {
        **_plain(asdict(risk)),
        "source_text": in_both(RISK_SOURCES[risk.source]),
        "state_text": in_both(RISK_STATES[risk.state]),
        "threat_text": in_both(THREATS[risk.threat]),
        "treatment_text": in_both(TREATMENTS[risk.treatment]),
        "level_text": in_both(GRADES[risk.level]),
        "proposed": not risk.rated_by,
        "overdue": risk.overdue(now),
    }


def matrix_document(counts: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    """Return the table of levels with how many risks stand in each cell."""
    return {
        "edition": EDITION,
        "version": VERSION,
        "doubt": in_both(DOUBT),
        "levels": [list(row) for row in MATRIX],
        "counts": [[counts.get((a, b), 0) for b in GRADES] for a in GRADES],
    }


def filled_document(filled: Filled, now: int) -> dict[str, Any]:
    """Return what filling the register came to."""
    return {
        "added": [risk_document(risk, now) for risk in filled.added],
        "refreshed": [risk_document(risk, now) for risk in filled.refreshed],
        "left": filled.left,
    }


def scan_document(scan: Scan, doubts: Sequence[Text] = ()) -> dict[str, Any]:
    """Return a scan and what was left out of it."""
    return {**_plain(asdict(scan)), "doubts": [in_both(doubt) for doubt in doubts]}


def scope_document(scope: ScanScope) -> dict[str, Any]:
    """Return a scope of scans by its last scan, with how many findings stand in it."""
    return {
        **_plain(asdict(scope.last)),
        "standing": scope.standing,
        "state": scope.state,
        "state_text": in_both(SCOPE_STATES[scope.state]),
    }


def finding_document(finding: ScanFinding, now: int) -> dict[str, Any]:
    """Return a scanner's finding."""
    return {
        **_plain(asdict(finding)),
        "severity_text": in_both(SEVERITIES[finding.severity]),
        "state_text": in_both(FINDING_STATES[finding.state]),
        "overdue": finding.overdue(now),
    }


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with instants as RFC 3339, null where nothing happened."""
    return {
        name: rfc3339_or_none(value or None) if _is_instant(name) else value
        for name, value in fields.items()
    }


def _is_instant(name: str) -> bool:
    return name.endswith(("_at", "_until"))
