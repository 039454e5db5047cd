"""From a stored assessment to tasks, and from a check made anew to a task's end.

States: open → proof given → closed, or reopened → proof given …; a closed one is reopened
where its finding shows again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from audits.errors.rectification import TaskStateRefused
from audits.models.assessments import FAILING, Verdict
from audits.models.evidence import WHOLE
from audits.models.rectification import (
    Failing,
    RecheckOutcome,
    RectificationTask,
    Waiver,
)
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid

_HIGH_RISK_DAYS: Final = 7
_FAILED_DAYS: Final = 30
_PARTLY_DAYS: Final = 90
_MOST: Final = 1_000


def failing_of(document: Mapping[str, Any]) -> tuple[Failing, ...]:
    """Return what an assessment's document says fails, by object where it says which."""
    found: list[Failing] = []
    high = {risk.get("item") for risk in document.get("high_risks", ()) if _stands(risk)}
    for item in document["items"]:
        if item["status"] not in FAILING:
            continue
        objects = [one for one in item.get("objects") or () if one["status"] in FAILING]
        whole = {"id": WHOLE, "name": "", "status": item["status"], "reason": item["reason"]}
        found.extend(_failing(item, one, high) for one in objects or [whole])
    return tuple(found)


def _failing(item: Mapping[str, Any], one: Mapping[str, Any], high: Container[str]) -> Failing:
    return Failing(
        item_id=item["id"],
        object_id=one["id"],
        object_name=one["name"],
        title=_text(item["control_point"]),
        reason=_text(one["reason"]),
        status=one["status"],
        by_person=item["judge"] == "person",
        high_risk=item["id"] in high,
    )


def system_of(document: Mapping[str, Any]) -> str:
    """Return the id of the system that a document is of."""
    system = document["system"]  # documents of the first version hold the id alone
    return str(system["id"] if isinstance(system, Mapping) else system)


def chosen_of(failing: Sequence[Failing], items: Sequence[str]) -> tuple[Failing, ...]:
    """Return those of ``items``, all for none; raise ``Invalid`` for one that doesn't fail."""
    known = {one.item_id for one in failing}
    strange = [item for item in items if item not in known]
    if strange:
        raise Invalid(f"the assessment has no finding for {', '.join(strange)[:200]}")
    return tuple(one for one in failing if not items or one.item_id in items)


def due_of(failing: Failing, now: int) -> int:
    """Return the deadline where nobody named one: days by weight, a policy value of ours."""
    if failing.high_risk:
        return now + _HIGH_RISK_DAYS * DAY
    return now + (_FAILED_DAYS if failing.status == "noncompliant" else _PARTLY_DAYS) * DAY


def give_proof(task: RectificationTask, actor_id: str, now: int) -> RectificationTask:
    """Return the task with a proof to be re-checked; raise ``TaskStateRefused``."""
    if task.state == "closed":
        raise TaskStateRefused("it is closed")
    return _next(task, state="proof_given", proof_by=actor_id, proof_at=now)


def outcome_of(
    task: RectificationTask, verdict: Verdict, *, checked: bool
) -> tuple[RecheckOutcome, Text]:
    """Return what the item's check, made anew, says of the task, and why.

    ``checked`` tells whether a machine checks the item at all. What a person found, and what
    nothing checks, a person decides; a failing check is never talked away.
    """
    status, reason = _seen(task, verdict)
    if status in FAILING:
        return "failed", reason
    if not checked:
        return "person", reason
    if status == "compliant":
        return ("person" if task.by_person else "passed"), reason
    return "undecided", reason


def is_checked(task: RectificationTask, verdict: Verdict) -> bool:
    """Tell whether a machine looks at the task's object: ``verdict`` is without persons' words."""
    objects = {one.object_id for one in verdict.objects}
    return bool(objects) if task.object_id == WHOLE else task.object_id in objects


def after_recheck(
    task: RectificationTask, outcome: RecheckOutcome, now: int, closer: str
) -> RectificationTask:
    """Return the task after its re-check: a pass closes what has a proof, a failure reopens it."""
    seen = _next(task, rechecked_at=now)
    if outcome == "passed" and task.state == "proof_given":
        return replace(seen, state="closed", closed_at=now, closed_by=closer)
    if outcome == "failed" and task.state in ("proof_given", "closed"):
        return reopened(seen)
    return seen


def reopened(task: RectificationTask) -> RectificationTask:
    """Return the task open again."""
    return replace(task, state="reopened", closed_at=0, closed_by="", rounds=task.rounds + 1)


def found_again(task: RectificationTask, seen: RectificationTask) -> RectificationTask:
    """Return a closed task open again, with what was seen of its finding just now."""
    return replace(
        reopened(_next(task)),
        level=seen.level,
        assessment_id=seen.assessment_id,
        finding_zh=seen.finding_zh,
        finding_en=seen.finding_en,
        by_person=seen.by_person,
        high_risk=seen.high_risk,
        due_at=seen.due_at,
    )


def close_by_person(task: RectificationTask, actor_id: str, now: int) -> RectificationTask:
    """Return the task closed by a person; raise ``TaskStateRefused`` without a proof."""
    if task.state != "proof_given":
        raise TaskStateRefused("a proof is given before a person closes it")
    return _next(task, state="closed", closed_at=now, closed_by=actor_id, rechecked_at=now)


def reopen_by_person(task: RectificationTask) -> RectificationTask:
    """Return the task open again; raise ``TaskStateRefused`` for one that is open."""
    if task.state in ("open", "reopened"):
        raise TaskStateRefused("it is open")
    return reopened(_next(task))


def waiver_digest(waiver: Waiver) -> str:
    """Return the SHA-256 (hex) of what is approved: scope, reason and expiry."""
    content = [
        waiver.id,
        waiver.org_id,
        waiver.system_id,
        waiver.standard,
        waiver.item_id,
        waiver.object_id,
        waiver.reason,
        waiver.expires_at,
    ]
    return hashlib.sha256(canonical(content)).hexdigest()


def _seen(task: RectificationTask, verdict: Verdict) -> tuple[str, Text]:
    for one in verdict.objects:
        if one.object_id == task.object_id:
            return one.status, one.reason
    if task.object_id != WHOLE:
        return "unassessed", Text("该对象不在核查范围内", "the object is not in scope")
    return verdict.status, verdict.reason


def _next(task: RectificationTask, **changes: Any) -> RectificationTask:
    return replace(task, version=task.version + 1, **changes)


def _text(value: Mapping[str, str]) -> Text:
    return Text(value["zh"][:_MOST], value["en"][:_MOST])


def _stands(risk: Mapping[str, Any]) -> bool:
    """Tell whether a high-risk case may stand: those that don't apply or are mitigated do not."""
    return risk.get("code") not in ("none", "mitigated")
