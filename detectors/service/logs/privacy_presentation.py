"""Graded data as JSON, for API and command line alike."""

from __future__ import annotations

from typing import Any

from detectors.models.privacy import DataClass, SourcePolicy, Trace, TraceRow
from secops.kernel.clock import to_rfc3339


def class_json(data_class: DataClass) -> dict[str, Any]:
    """Return a class of data."""
    return {
        "id": data_class.id,
        "title": {"zh": data_class.title.zh, "en": data_class.title.en},
        "grade": data_class.grade,
        "masked_by_default": data_class.masked,
        "names_a_subject": data_class.subject,
        "source": data_class.source,
    }


def policy_json(policy: SourcePolicy) -> dict[str, Any]:
    """Return what is done with graded data in a source."""
    return {
        "source": policy.source,
        "grade": policy.grade,
        "masked": list(policy.masked),
        "keeps_originals": policy.keeps_originals,
        "changed_at": to_rfc3339(policy.changed_at),
        "changed_by": policy.changed_by,
    }


def trace_json(trace: Trace) -> dict[str, Any]:
    """Return who touched a subject."""
    return {
        "items": [row_json(row) for row in trace.rows],
        "events": trace.events,
        "classes": list(trace.classes),
        "complete": trace.complete,
    }


def row_json(row: TraceRow) -> dict[str, Any]:
    """Return one line of a trace."""
    return {
        "who": row.who,
        "source": row.source,
        "action": row.action,
        "target": row.target,
        "outcome": row.outcome,
        "count": row.count,
        "first_at": to_rfc3339(row.first_at),
        "last_at": to_rfc3339(row.last_at),
        "event_ids": list(row.event_ids),
        "ledger_entries": list(row.entries),
    }
