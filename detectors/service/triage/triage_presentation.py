"""Rules' reports, forecasts, exceptions, suppressions and entities as JSON."""

from __future__ import annotations

from typing import Any

import orjson

from detectors.models.schedule import RuleReport
from detectors.models.triage import EntityRisk, RuleException, SuppressedGroup, Suppression
from detectors.service.rules.forecast import Forecast
from detectors.service.triage.entities import Entity
from secops.kernel.clock import SECOND, rfc3339_or_none, to_rfc3339


def report_json(report: RuleReport) -> dict[str, Any]:
    """Return how a rule fares; ``cost`` is CPU microseconds per 1,000 events."""
    return {
        "rule_id": report.rule_id,
        "rule_version": report.version,
        "title": report.title,
        "enabled": report.enabled,
        "problems": list(report.problems),
        "last_seq": report.last_seq,
        "gaps": [{"first_seq": gap.first, "last_seq": gap.last} for gap in report.gaps],
        "last_hit_at": rfc3339_or_none(report.last_hit_at),
        "failure": report.failure or None,
        "sources": list(report.sources),
        "events": report.events,
        "fields_missing": list(report.missing),
        "sources_quiet": report.quiet,
        "cost": None if report.cost is None else round(report.cost, 3),
    }


def forecast_json(forecast: Forecast) -> dict[str, Any]:
    """Return what a rule would raise."""
    found = forecast.volume
    return {
        "rule_id": forecast.rule_id,
        "title": forecast.title,
        "events": forecast.events,
        "hits": forecast.hits,
        "alerts": forecast.alerts,
        "alerts_per_day": {
            "mean": round(found.mean, 3),
            "low": round(found.low, 3),
            "high": round(found.high, 3),
        },
        "days": [{"day": to_rfc3339(day)[:10], "alerts": count} for day, count in found.days],
        "groups": [{"group": name, "alerts": count} for name, count in forecast.groups],
        "sample": [
            {
                "event_id": stored.event.id,
                "at": to_rfc3339(stored.event.at),
                "raw": stored.event.raw.decode("utf-8", "backslashreplace"),
            }
            for stored in forecast.sample
        ],
        "cost": round(forecast.cost, 3),
        "cut": forecast.cut,
        "failure": forecast.failure or None,
    }


def exception_json(exception: RuleException) -> dict[str, Any]:
    """Return an exception."""
    return {
        "id": exception.id,
        "rule_id": exception.rule_id,
        "condition": orjson.loads(exception.condition),
        "owner": exception.owner,
        "reason": exception.reason,
        "state": exception.state,
        "created_by": exception.created_by,
        "created_at": to_rfc3339(exception.created_at),
        "expires_at": to_rfc3339(exception.expires_at),
        "decided_by": exception.decided_by,
        "decided_at": rfc3339_or_none(exception.decided_at),
        "hits": exception.hits,
        "last_hit_at": rfc3339_or_none(exception.last_hit_at),
    }


def suppression_json(suppression: Suppression) -> dict[str, Any]:
    """Return a suppression."""
    return {
        "id": suppression.id,
        "rule_id": suppression.rule_id,
        "by": list(suppression.by),
        "window_seconds": suppression.window // SECOND,
        "owner": suppression.owner,
        "reason": suppression.reason,
        "state": suppression.state,
        "created_by": suppression.created_by,
        "created_at": to_rfc3339(suppression.created_at),
        "expires_at": to_rfc3339(suppression.expires_at),
        "lifted_by": suppression.lifted_by,
        "lifted_at": rfc3339_or_none(suppression.lifted_at),
    }


def group_json(group: SuppressedGroup) -> dict[str, Any]:
    """Return the alert that leads and what it keeps quiet."""
    return {
        "leader": group.leader,
        "group": orjson.loads(group.group_key),
        "count": group.count,
        "sample": list(group.sample),
        "last_at": to_rfc3339(group.last_at),
    }


def risk_json(risk: EntityRisk) -> dict[str, Any]:
    """Return the risk of an entity."""
    return {
        "entity": risk.subject,
        "risk": risk.risk,
        "at": to_rfc3339(risk.at),
        "criticality": risk.criticality,
    }


def entity_json(entity: Entity) -> dict[str, Any]:
    """Return an entity with its history and the ids of its alerts."""
    return {
        **risk_json(entity.risk),
        "history": [
            {"at": to_rfc3339(point.at), "risk": point.risk, "reason": point.reason}
            for point in entity.history
        ],
        "alerts": [alert.id for alert in entity.alerts],
    }
