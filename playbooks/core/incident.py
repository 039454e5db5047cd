"""The life of an incident: 待研判 → 已确认 → 遏制 → 根除 → 恢复 → 总结 → 关闭.

A change goes one step on; containment, eradication and recovery may fall back to an
earlier one of them; a false alarm is closed from triage; a closed incident is reopened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from playbooks.errors import TransitionRefused
from playbooks.models import Incident, IncidentState
from playbooks.models.incidents import ENDINGS, Ending

_ALLOWED: Final[dict[IncidentState, frozenset[IncidentState]]] = {
    "triage": frozenset({"confirmed", "closed"}),
    "confirmed": frozenset({"contained"}),
    "contained": frozenset({"eradicated"}),
    "eradicated": frozenset({"recovered", "contained"}),
    "recovered": frozenset({"lessons", "contained", "eradicated"}),
    "lessons": frozenset({"closed"}),
    "closed": frozenset({"confirmed"}),
}
_WITH_REASON: Final = frozenset(
    {
        ("triage", "closed"),
        ("closed", "confirmed"),
        ("eradicated", "contained"),
        ("recovered", "contained"),
        ("recovered", "eradicated"),
    }
)
_GRAVE: Final = frozenset(("especially_major", "major", "considerable"))
MAX_TEXT: Final = 4_000


def allowed_from(state: IncidentState) -> frozenset[IncidentState]:
    """Return the states an incident in ``state`` can move to."""
    return _ALLOWED[state]


def needs_reason(before: IncidentState, after: IncidentState) -> bool:
    """Tell whether a person must say why."""
    return (before, after) in _WITH_REASON


def change_state(
    incident: Incident, after: IncidentState, *, at: int, reason: str, ending: Ending | None = None
) -> Incident:
    """Return ``incident`` in state ``after``; raise ``TransitionRefused`` if it can't be.

    An incident is closed after 总结 only with class, level and cause, so that what the
    statistics and the report need exists; from 较大 upwards only with lessons learned.
    ``ending`` says as what one is closed from triage; what was handled is closed as handled.
    """
    before = incident.state
    if after not in _ALLOWED[before]:
        msg = f"{before} does not lead to {after}"
        raise TransitionRefused(msg, before=before, after=after)
    if needs_reason(before, after) and not reason.strip():
        msg = f"{before} to {after} needs a reason"
        raise TransitionRefused(msg, before=before, after=after)
    if (before, after) == ("lessons", "closed"):
        _require_complete(incident)
    changed = replace(incident, state=after, version=incident.version + 1)
    if after == "lessons":
        return replace(changed, handled_at=at)
    if after == "closed":
        why = reason.strip()[:MAX_TEXT]
        return replace(changed, closed_at=at, closed_reason=why, ending=_ending(before, ending))
    if before == "closed":
        return replace(
            changed, closed_at=None, closed_reason="", handled_at=None, ending="", duplicate_of=""
        )
    if after == "contained" and incident.contained_at is None:
        return replace(changed, contained_at=at)
    return changed


def _ending(before: IncidentState, ending: Ending | None) -> Ending:
    if before == "lessons":
        if ending not in (None, "handled"):
            msg = "what was handled is closed as handled"
            raise TransitionRefused(msg, before=before, after="closed")
        return "handled"
    if ending == "handled" or (ending is not None and ending not in ENDINGS):
        msg = "from triage it is closed as false_alarm, duplicate or test"
        raise TransitionRefused(msg, before=before, after="closed")
    return ending or "false_alarm"


def needs_lessons(incident: Incident) -> bool:
    """Tell whether lessons must be written down first: 较大 and graver, on either scale."""
    return bool({incident.level, incident.reporting_level} & _GRAVE)


def _require_complete(incident: Incident) -> None:
    wanted = {
        "类别 category": incident.category,
        "级别 level": incident.level,
        "原因 cause": incident.cause,
    }
    if needs_lessons(incident):
        wanted["经验教训 lessons"] = incident.lessons
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        msg = f"关闭前须填写 / before closing, set: {', '.join(missing)}"
        raise TransitionRefused(msg, before="lessons", after="closed")
