"""Values of the plane as JSON documents: the same over HTTP and on the command line.

Instants are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from playbooks.models import (
    INCIDENT_STATES,
    AlertLink,
    Clock,
    Incident,
    JournalEntry,
    Notification,
    Plan,
    PlannedStep,
    Problem,
    Run,
    TimelineEntry,
)
from playbooks.models.filings import Filing
from playbooks.models.views import IncidentView, RunView
from playbooks.service.incidents.work_documents import work_document
from secops.kernel.approvals import Approval
from secops.kernel.clock import rfc3339_or_none


def incident_document(incident: Incident) -> dict[str, Any]:
    """Return an incident as it stands in lists."""
    return {
        "id": incident.id,
        "title": incident.title,
        "state": incident.state,
        "state_zh": INCIDENT_STATES[incident.state].zh,
        "severity": incident.severity,
        "category": incident.category,
        "level": incident.level,
        "reporting_level": incident.reporting_level,
        "cause": incident.cause,
        "subjects": dict(incident.subjects),
        "drill": incident.drill,
        "opened_by": incident.opened_by,
        "opened_at": rfc3339_or_none(incident.opened_at),
        "discovered_at": rfc3339_or_none(incident.discovered_at),
        "handled_at": rfc3339_or_none(incident.handled_at),
        "closed_at": rfc3339_or_none(incident.closed_at),
        "closed_reason": incident.closed_reason,
        "ending": incident.ending,
        "duplicate_of": incident.duplicate_of,
        "lessons": incident.lessons,
        "contained_at": rfc3339_or_none(incident.contained_at),
        "acknowledged_at": rfc3339_or_none(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "version": incident.version,
    }


def incident_view_document(view: IncidentView) -> dict[str, Any]:
    """Return all about an incident."""
    return {
        **incident_document(view.incident),
        "next_states": list(view.next_states),
        "alerts": [_alert(link) for link in view.alerts],
        "clocks": [_clock(clock) for clock in view.clocks],
        "timeline": [_timeline(entry) for entry in view.timeline],
        "runs": [run_view_document(run) for run in view.runs],
        **work_document(view.work),
    }


def _alert(link: AlertLink) -> dict[str, Any]:
    return {
        "alert_id": link.alert_id,
        "title": link.title,
        "rule_id": link.rule_id,
        "severity": link.severity,
        "created_at": rfc3339_or_none(link.created_at),
        "linked_at": rfc3339_or_none(link.linked_at),
        "evidence_count": link.evidence_count,
        "evidence_sha256": link.evidence_sha256,
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "name": clock.name,
        "to": list(clock.to),
        "due_at": rfc3339_or_none(clock.due_at),
        "source": clock.source,
        "overdue": clock.overdue,
        "filed_at": rfc3339_or_none(clock.filed_at),
        "late": clock.late,
        "by": clock.by,
    }


def filing_document(filing: Filing) -> dict[str, Any]:
    """Return what was declared or filed."""
    return {
        "incident_id": filing.incident_id,
        "duty": filing.duty,
        "declared_by": filing.declared_by,
        "declared_at": rfc3339_or_none(filing.declared_at),
        "filed_at": rfc3339_or_none(filing.filed_at),
        "filed_by": filing.filed_by,
        "filed_to": filing.filed_to,
        "reference": filing.reference,
    }


def _timeline(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "at": rfc3339_or_none(entry.at),
        "actor": entry.actor_id,
        "kind": entry.kind,
        "text": entry.text,
        "details": dict(entry.details),
    }


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan: each step with its targets as they are and as they would be."""
    return {
        "playbook_id": plan.playbook_id,
        "playbook_modified": plan.playbook_modified,
        "content_hash": plan.content_hash,
        "incident_id": plan.incident_id,
        "variables": dict(plan.variables),
        "needs_approval": plan.needs_approval,
        "approvers": plan.approvers,
        "expires_s": plan.expires_s,
        "sha256": plan.sha256,
        "sm3": plan.sm3,
        "first": plan.first,
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: PlannedStep) -> dict[str, Any]:
    return {
        "path": step.path,
        "name": step.name,
        "action": step.action,
        "args": dict(step.args),
        "targets": [asdict(target) for target in step.targets],
        "timeout_ms": step.timeout_ms,
        "approval": step.approval,
        "on_success": step.on_success,
        "on_failure": step.on_failure,
        "kind": step.kind,
        "branches": dict(step.branches),
        "condition": step.condition,
        "late": list(step.late),
        "compensate": step.compensate,
        "ttl_s": step.ttl_s,
    }


def run_document(run: Run) -> dict[str, Any]:
    """Return a run as it stands in lists."""
    return {
        "id": run.id,
        "incident_id": run.incident_id,
        "playbook_id": run.plan.playbook_id,
        "state": run.state,
        "requester_id": run.requester_id,
        "approver_id": run.approver_id,
        "approvers": list(run.approvers),
        "due_at": rfc3339_or_none(run.due_at),
        "approval_id": run.approval_id,
        "plan_sha256": run.plan.sha256,
        "plan_sm3": run.plan.sm3,
        "created_at": rfc3339_or_none(run.created_at),
        "expires_at": rfc3339_or_none(run.expires_at),
        "started_at": rfc3339_or_none(run.started_at),
        "finished_at": rfc3339_or_none(run.finished_at),
        "error": run.error,
    }


def run_view_document(view: RunView) -> dict[str, Any]:
    """Return a run with its plan, its journal and each step's state."""
    return {
        **run_document(view.run),
        "plan": plan_document(view.run.plan),
        "steps": dict(view.states),
        "journal": [_entry(entry) for entry in view.journal],
        "journal_sha256": view.journal_sha256,
    }


def _entry(entry: JournalEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": rfc3339_or_none(entry.at),
        "step": entry.path,
        "index": entry.index,
        "loop": entry.loop,
        "target": entry.target,
        "attempt": entry.attempt,
        "kind": entry.kind,
        "state": entry.state,
        "key": entry.key,
        "details": _masked(entry.details),
    }


def _masked(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details with the names of the variables that were set, and not their values."""
    return {key: sorted(value) if key == "set" else value for key, value in details.items()}


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a defect of a playbook; ``place`` is an RFC 6901 pointer."""
    return {
        "code": problem.code,
        "kind": problem.kind,
        "level": problem.level,
        "place": problem.place,
        "zh": problem.text.zh,
        "en": problem.text.en,
        "detail": problem.detail,
    }


def notification_document(notification: Notification) -> dict[str, Any]:
    """Return what was sent."""
    return {
        "id": notification.id,
        "incident_id": notification.incident_id,
        "channel": notification.channel,
        "kind": notification.kind,
        "title": notification.title,
        "text": notification.text,
        "at": rfc3339_or_none(notification.at),
    }


def approval_document(approval: Approval) -> dict[str, Any]:
    """Return a request that waits for somebody."""
    return {
        "id": approval.id,
        "subject": approval.subject,
        "plan_sha256": approval.subject_hash,
        "requester_id": approval.requester_id,
        "requested_at": rfc3339_or_none(approval.requested_at),
        "expires_at": rfc3339_or_none(approval.expires_at),
        "state": approval.state,
    }
