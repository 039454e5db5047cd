"""Bulk actions as JSON: the same for the command line and over HTTP."""

from __future__ import annotations

from typing import Any

import orjson

from detectors.models.bulk_actions import BulkAction, BulkItem
from detectors.service.triage.bulk_actions import token_of, undo_until
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def bulk_action_json(action: BulkAction) -> dict[str, Any]:
    """Return a bulk action with times as RFC 3339; a preview with the token that orders it."""
    wanted = action.wanted
    return {
        "id": action.id,
        "verb": action.verb,
        "state": action.state,
        "reason": action.reason,
        "wanted": {
            "status": wanted.status,
            "severity": wanted.severity,
            "since": rfc3339_or_none(wanted.since),
            "rule": wanted.rule_id,
            "subject": wanted.subject,
            "assignee": wanted.assignee,
            "kind": wanted.entity_kind,
            "acknowledged": wanted.acknowledged,
            "due_before": rfc3339_or_none(wanted.due_before),
        },
        "assignee": action.assignee,
        "snapshot": action.snapshot,
        "count": action.count,
        "place": action.place,
        "written": action.written,
        "left": action.place - action.written,
        "root": action.root,
        "failure": action.failure,
        "ordered_by": action.ordered_by,
        "created_at": to_rfc3339(action.created_at),
        "ordered_at": rfc3339_or_none(action.ordered_at),
        "ended_at": rfc3339_or_none(action.ended_at),
        "undoes": action.undoes,
        "undone_by": action.undone_by,
        "undo_until": rfc3339_or_none(undo_until(action)),
        "token": token_of(action) if action.state == "preview" else None,
    }


def bulk_item_json(item: BulkItem) -> dict[str, Any]:
    """Return one alert of a bulk action with what it said before."""
    return {
        "alert_id": item.alert_id,
        "place": item.place,
        "version": item.version,
        "result": item.result,
        "before": orjson.loads(item.before),
    }
