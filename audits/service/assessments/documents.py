"""Assessments and reports as JSON, for every face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audits.core.documents import document_of
from audits.models.assessments import (
    Assessment,
    AssessmentSummary,
    ControlChange,
    PersonAnswer,
    Schedule,
)
from audits.service.assessments.controls import Gap
from secops.kernel.catalogue import in_both
from secops.kernel.clock import to_rfc3339


def assessment_view(assessment: Assessment) -> Mapping[str, Any]:
    """Return the document of an assessment."""
    return document_of(assessment)


def summary_view(summary: AssessmentSummary) -> dict[str, Any]:
    """Return one line of the list."""
    return {
        "id": summary.id,
        "standard": summary.standard,
        "level": summary.level,
        "system": summary.system_id,
        "made_at": to_rfc3339(summary.made_at),
        "made_by": summary.made_by,
        "judged": summary.judged,
        "applicable": summary.applicable,
        "counts": dict(summary.counts),
    }


def answer_view(answer: PersonAnswer) -> dict[str, Any]:
    """Return what a person answered."""
    return {
        "id": answer.id,
        "system": answer.system_id,
        "standard": answer.standard,
        "kind": answer.kind,
        "subject": answer.subject,
        "object": answer.object_id,
        "answers": dict(answer.values),
        "reason": answer.reason,
        "evidence": list(answer.evidence),
        "person": answer.person,
        "at": to_rfc3339(answer.at),
        "expires_at": to_rfc3339(answer.expires_at),
    }


def change_view(change: ControlChange) -> dict[str, Any]:
    """Return one entry of an item's history."""
    return {
        "id": change.id,
        "system": change.system_id,
        "standard": change.standard,
        "level": change.level,
        "item": change.item_id,
        "before": change.before,
        "after": change.after,
        "judge": change.judge,
        "at": to_rfc3339(change.at),
        "cause": change.cause,
        "reason": in_both(change.reason),
    }


def gap_view(gap: Gap) -> dict[str, Any]:
    """Return an item that stands worse than it did."""
    state = gap.state
    return {
        "system": state.system_id,
        "standard": state.standard,
        "level": state.level,
        "item": state.item_id,
        "control_point": in_both(gap.item.control_point) if gap.item else None,
        "before": state.drifted_from,
        "status": state.status,
        "severity": state.severity,
        "since": to_rfc3339(state.since),
        "reason": in_both(state.reason),
    }


def schedule_view(schedule: Schedule) -> dict[str, Any]:
    """Return an assessment that is made again."""
    return {
        "id": schedule.id,
        "system": schedule.system_id,
        "standard": schedule.standard,
        "level": schedule.level,
        "hours": schedule.hours,
        "person": schedule.person,
        "next_at": to_rfc3339(schedule.next_at),
        "last": schedule.last_id,
        "failed": schedule.failed,
    }
