"""Alerts, rules and runs as JSON: the same for the command line and over HTTP."""

from __future__ import annotations

from typing import Any

from detectors.models.alerts import Alert, Evaluation, ListedRule, Reason, RunResult, Unscanned
from detectors.models.rule_folders import FolderPolicy, FolderReport, RuleFolder
from detectors.service.triage.alerts import AlertWithLines
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def alert_json(alert: Alert) -> dict[str, Any]:
    """Return an alert with times as RFC 3339."""
    return {
        "id": alert.id,
        "kind": alert.kind,
        "rule_id": alert.rule_id,
        "rule_version": alert.rule_version,
        "title": alert.title,
        "severity": alert.severity,
        "status": alert.status,
        "raised_at": to_rfc3339(alert.raised_at),
        "first_at": to_rfc3339(alert.first_at),
        "last_at": to_rfc3339(alert.last_at),
        "group": list(alert.group),
        "subjects": dict(alert.subjects),
        "reasons": [reason_json(reason) for reason in alert.reasons],
        "event_ids": list(alert.event_ids),
        "event_count": alert.event_count,
        "tags": list(alert.tags),
        "custom": dict(alert.custom),
        "superseded": list(alert.superseded),
        "closed_at": rfc3339_or_none(alert.closed_at),
        "closed_by": alert.closed_by,
        "close_reason": alert.close_reason,
        "version": alert.version,
        "suppressed_by": alert.suppressed_by,
        "assignee": alert.assignee,
        "acknowledged_at": rfc3339_or_none(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "reopened_at": rfc3339_or_none(alert.reopened_at),
    }


def reason_json(reason: Reason) -> dict[str, str]:
    """Return a question that an alert answers."""
    return {"condition": reason.condition, "expected": reason.expected, "seen": reason.seen}


def shown_alert_json(shown: AlertWithLines) -> dict[str, Any]:
    """Return an alert with the raw lines of its events."""
    lines = [
        {
            "event_id": stored.event.id,
            "seq": stored.seq,
            "source": stored.event.source,
            "at": to_rfc3339(stored.event.at),
            "raw": stored.event.raw.decode("utf-8", "backslashreplace"),
        }
        for stored in shown.events
    ]
    return {**alert_json(shown.alert), "lines": lines}


def rule_json(rule: ListedRule) -> dict[str, Any]:
    """Return a rule as it is listed."""
    header = rule.header
    decided = rule.decided
    return {
        "id": header.id,
        "title": header.title,
        "severity": header.severity,
        "status": header.status,
        "enabled": rule.enabled,
        "decided_by": decided.changed_by if decided else None,
        "decided_at": to_rfc3339(decided.changed_at) if decided else None,
        "version": header.version,
        "description": header.description,
        "author": header.author,
        "logsource": str(header.logsource),
        "tags": list(header.tags),
        "references": list(header.references),
        "falsepositives": list(header.falsepositives),
        "custom": dict(header.custom),
        "path": header.path,
    }


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return which version of which rule saw which events."""
    return {
        "rule_id": evaluation.detector,
        "rule_version": evaluation.version,
        "first_seq": evaluation.first_seq,
        "last_seq": evaluation.last_seq,
        "events": evaluation.events,
        "hits": evaluation.hits,
        "at": to_rfc3339(evaluation.at),
    }


def unscanned_json(unscanned: Unscanned) -> dict[str, Any]:
    """Return what an enabled rule has not seen."""
    return {
        "rule_id": unscanned.detector,
        "rule_version": unscanned.version,
        "title": unscanned.title,
        "first_seq": unscanned.first_seq,
        "last_seq": unscanned.last_seq,
        "problems": list(unscanned.problems),
    }


def run_json(result: RunResult) -> dict[str, Any]:
    """Return what a run found."""
    return {
        "alerts": [alert_json(alert) for alert in result.alerts],
        "evaluated": {"rules": result.rules, "events": result.events},
        "new": result.new,
    }


def folder_json(folder: RuleFolder) -> dict[str, Any]:
    """Return an imported rule folder as it is listed."""
    return {
        "name": folder.name,
        "licence": folder.licence,
        "origin": folder.origin,
        "sha256": folder.digest,
        "files": folder.files,
        "bytes": folder.size,
        "statuses": list(folder.policy.statuses),
        "levels": list(folder.policy.levels),
        "imported_by": folder.imported_by,
        "imported_at": to_rfc3339(folder.imported_at),
    }


def folder_report_json(report: FolderReport, wanted: FolderPolicy) -> dict[str, Any]:
    """Return what an import brought, and how much of it ``wanted`` would switch on."""
    return {
        **folder_json(report.folder),
        "rules": report.rules,
        "refused": [
            {"path": each.path, "line": each.line, "what": each.what} for each in report.problems
        ],
        "counts": [
            {"status": status, "level": level, "rules": count}
            for (status, level), count in sorted(report.counts.items())
        ],
        "would_enable": {
            "statuses": list(wanted.statuses),
            "levels": list(wanted.levels),
            "rules": report.chosen(wanted),
        },
    }
