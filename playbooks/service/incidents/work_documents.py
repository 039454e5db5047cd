"""An incident's work as JSON documents: the same over HTTP and on the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from playbooks.core.gbt20986 import LevelAdvice
from playbooks.models.custody import CustodyOffer, Evidence, VerifiedChain
from playbooks.models.emergency_plans import EmergencyPlan
from playbooks.models.incident_work import Member, Observable, Sighting, Task
from playbooks.models.response_times import ResponseTimes, Spread
from playbooks.models.views import IncidentWork
from secops.kernel.catalogue import in_both
from secops.kernel.clock import SECOND, rfc3339_or_none


def work_document(work: IncidentWork) -> dict[str, Any]:
    """Return members, tasks, observables, evidence and fitting plans of an incident."""
    return {
        "members": [member_document(one) for one in work.members],
        "tasks": [task_document(one) for one in work.tasks],
        "observables": [observable_document(one) for one in work.observables],
        "sightings": [sighting_document(one) for one in work.sightings],
        "evidence": [evidence_document(one) for one in work.evidence],
        "offers": [offer_document(one) for one in work.offers],
        "emergency_plans": [plan_summary(one) for one in work.plans],
    }


def member_document(member: Member) -> dict[str, Any]:
    """Return who works on an incident, and as what."""
    return {
        "account_id": member.account_id,
        "name": member.name,
        "role": member.role,
        "added_by": member.added_by,
        "added_at": rfc3339_or_none(member.added_at),
    }


def task_document(task: Task) -> dict[str, Any]:
    """Return a task."""
    return {
        "id": task.id,
        "incident_id": task.incident_id,
        "title": task.title,
        "phase": task.phase,
        "assignee": task.assignee,
        "assignee_name": task.assignee_name,
        "due_at": rfc3339_or_none(task.due_at),
        "state": task.state,
        "done_by": task.done_by,
        "done_at": rfc3339_or_none(task.done_at),
        "result": task.result,
        "source": task.source,
        "created_by": task.created_by,
        "created_at": rfc3339_or_none(task.created_at),
        "version": task.version,
    }


def observable_document(seen: Observable) -> dict[str, Any]:
    """Return an observable in its written form."""
    return {
        "kind": seen.kind,
        "value": seen.value,
        "first_seen": rfc3339_or_none(seen.first_seen),
        "last_seen": rfc3339_or_none(seen.last_seen),
        "alert_id": seen.alert_id,
        "added_by": seen.added_by,
    }


def sighting_document(sighting: Sighting) -> dict[str, Any]:
    """Return where an observable was seen."""
    return {
        "kind": sighting.kind,
        "value": sighting.value,
        "incident_id": sighting.incident_id,
        "title": sighting.title,
        "state": sighting.state,
        "first_seen": rfc3339_or_none(sighting.first_seen),
        "last_seen": rfc3339_or_none(sighting.last_seen),
    }


def evidence_document(item: Evidence) -> dict[str, Any]:
    """Return an item of evidence without its content."""
    return {
        "id": item.id,
        "incident_id": item.incident_id,
        "name": item.name,
        "kind": item.kind,
        "source": item.source,
        "size": item.size,
        "sha256": item.sha256,
        "sm3": item.sm3,
        "kept_by": item.kept_by,
        "kept_at": rfc3339_or_none(item.kept_at),
        "holder": item.holder,
        "links": item.links,
        "head": item.head,
    }


def offer_document(offer: CustodyOffer) -> dict[str, Any]:
    """Return a hand-over that waits."""
    return {
        "evidence_id": offer.evidence_id,
        "giver": offer.giver,
        "receiver": offer.receiver,
        "reason": offer.reason,
        "offered_at": rfc3339_or_none(offer.offered_at),
    }


def chain_document(verdict: VerifiedChain | str) -> dict[str, Any]:
    """Return what a chain of custody proves, or why it proves nothing."""
    if isinstance(verdict, str):
        return {"valid": False, "why": verdict}
    return {"valid": True, **asdict(verdict)}


def advice_document(advice: LevelAdvice) -> dict[str, Any]:
    """Return the proposed levels with reasons and doubts; a person sets them."""
    return {
        "level": advice.level,
        "reporting_level": advice.reporting_level,
        "reasons": [in_both(text) for text in advice.reasons],
        "doubts": [in_both(text) for text in advice.doubts],
    }


def times_document(times: ResponseTimes) -> dict[str, Any]:
    """Return the figures of a period in whole seconds, wall clock."""
    return {
        "since": rfc3339_or_none(times.since),
        "until": rfc3339_or_none(times.until),
        "seen_at": rfc3339_or_none(times.seen_at),
        "incidents": len(times.incidents),
        **{f"{name}_seconds": _spread(spread) for name, spread in times.spans.items()},
        "open_age_seconds": _spread(times.open_ages),
    }


def _spread(spread: Spread) -> dict[str, int | None]:
    spans = {"p50": spread.p50, "p90": spread.p90, "mean": spread.mean}
    return {
        "n": spread.n,
        **{k: None if span is None else span // SECOND for k, span in spans.items()},
    }


def plan_summary(plan: EmergencyPlan) -> dict[str, Any]:
    """Return a version of an emergency plan as it stands in lists."""
    return {
        "id": plan.id,
        "version": plan.version,
        "title": plan.title,
        "state": plan.state,
        "classes": list(plan.classes),
        "playbooks": list(plan.playbooks),
        "review_at": rfc3339_or_none(plan.review_at),
        "sha256": plan.sha256,
        "written_by": plan.written_by,
        "written_at": rfc3339_or_none(plan.written_at),
        "approved_by": plan.approved_by,
        "approved_at": rfc3339_or_none(plan.approved_at),
        "ended_at": rfc3339_or_none(plan.ended_at),
    }


def emergency_plan_document(plan: EmergencyPlan) -> dict[str, Any]:
    """Return a version with its text and tasks."""
    return {
        **plan_summary(plan),
        "format": plan.format,
        "content": plan.content,
        "tasks": [asdict(task) for task in plan.tasks],
    }
