"""What is told of an alert, replays and previews as JSON: one shape for API and command line."""

from __future__ import annotations

from typing import Any

import orjson

from detectors.models.alert_page import (
    Closings,
    EntityCard,
    ExceptionPreview,
    Explanation,
    RawLine,
    Replay,
    RuleStanding,
    Why,
)
from detectors.service.triage.presentation import alert_json, reason_json
from secops.kernel.catalogue import in_both
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def explanation_json(found: Explanation) -> dict[str, Any]:
    """Return an alert with all that is told of it; what the reader may not see is null."""
    incident = found.incident
    return {
        **alert_json(found.alert),
        "sentence": in_both(found.sentence),
        "why": [_why(each) for each in found.why],
        "counted_rules": [
            {
                "rule_id": each.rule_id,
                "title": each.title,
                "event_id": each.event_id,
                "reasons": [reason_json(reason) for reason in each.reasons],
            }
            for each in found.counted
        ],
        "lines": [_line(each) for each in found.lines],
        "lines_missing": found.missing,
        "closings": {
            "same_rule": _closings(found.same_rule),
            "same_entity": _closings(found.same_entity),
        },
        "entities": [_card(each) for each in found.cards],
        "rule": None if found.rule is None else _standing(found.rule),
        "previous": found.place.previous,
        "following": found.place.following,
        "incident": None
        if incident is None
        else {"id": incident.id, "title": incident.title, "state": in_both(incident.state)},
        "bulk_action": found.bulk_action,
    }


def replay_json(replay: Replay) -> dict[str, Any]:
    """Return what today's rule says of an alert's events."""
    return {
        "answer": replay.answer,
        "why": in_both(replay.why),
        "events": replay.events,
        "hits": replay.hits,
        "rule_version": replay.version or None,
        "same_version": replay.same_version,
        "cut": replay.cut,
    }


def preview_json(preview: ExceptionPreview) -> dict[str, Any]:
    """Return what an exception would have hidden."""
    return {
        "rule_id": preview.rule_id,
        "condition": orjson.loads(preview.condition),
        "since": to_rfc3339(preview.since),
        "alerts": preview.alerts,
        "hidden_whole": preview.hidden_whole,
        "hidden_partly": preview.hidden_partly,
        "events": preview.events,
        "hidden_events": preview.hidden_events,
        "unread": preview.unread,
        "cut": preview.cut,
        "hidden": [
            {
                "alert_id": each.alert_id,
                "title": each.title,
                "last_at": to_rfc3339(each.last_at),
                "status": each.status,
                "events": each.events,
                "hidden": each.hidden,
                "total": each.total,
                "whole": each.whole,
            }
            for each in preview.hidden
        ],
    }


def _why(why: Why) -> dict[str, Any]:
    return {
        "condition": in_both(why.condition),
        "expected": in_both(why.expected),
        "seen": in_both(why.seen),
    }


def _line(line: RawLine) -> dict[str, Any]:
    return {
        "event_id": line.event_id,
        "seq": line.seq,
        "source": line.source,
        "at": to_rfc3339(line.at),
        "raw": line.raw,
        "cut": line.cut,
        "masked": line.masked,
        "sha256": line.sha256,
        "sm3": line.sm3,
    }


def _closings(closings: Closings) -> dict[str, Any]:
    return {
        "closed": closings.closed,
        "cut": closings.cut,
        "reasons": [{"reason": reason, "alerts": count} for reason, count in closings.counts],
        "last": [
            {
                "alert_id": each.alert_id,
                "title": each.title,
                "closed_at": to_rfc3339(each.closed_at),
                "closed_by": each.closed_by,
                "reason": each.reason,
            }
            for each in closings.last
        ],
    }


def _card(card: EntityCard) -> dict[str, Any]:
    state = card.state
    acts = None
    if card.acts is not None:
        acts = [
            {
                "at": to_rfc3339(each.at),
                "source": each.source,
                "action": each.action,
                "outcome": each.outcome,
                "target": each.target,
                "event_id": each.event_id,
            }
            for each in card.acts
        ]
    return {
        "kind": state.kind,
        "id": state.id,
        "name": state.name,
        "state": in_both(state.state),
        "restricted": state.trouble,
        "facts": [{"fact": in_both(fact), "value": value} for fact, value in state.facts],
        "risk": card.risk,
        "acts": acts,
        "alerts": [
            {"id": each.id, "title": each.title, "status": each.status} for each in card.alerts
        ],
    }


def _standing(rule: RuleStanding) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "version": rule.version or None,
        "same_version": rule.same_version,
        "enabled": rule.enabled,
        "since": rfc3339_or_none(rule.since),
        "decided_at": rfc3339_or_none(rule.decided_at),
        "decided_by": rule.decided_by or None,
        "samples": rule.samples,
        "sample_failures": list(rule.failures),
        "tuning": dict(rule.tuning),
    }
