"""What may become of a risk: rated, treated, accepted by somebody else, closed, seen again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from audits.core.gbt20984.table import CLOSABLE, level_of
from audits.errors.rectification import RiskStateRefused
from audits.models.risks import Risk, RiskSeen, Treatment
from secops.kernel.canonical import canonical
from secops.kernel.errors import Invalid

_NO_WAIT: Final[dict[str, Any]] = {
    "approval_id": "",
    "digest": "",
    "asked_by": "",
    "asked_reason": "",
    "asked_until": 0,
}
_NO_RESIDUAL: Final[dict[str, Any]] = {
    "residual_likelihood": 0,
    "residual_impact": 0,
    "residual_level": 0,
}
_NO_ACCEPTANCE: Final[dict[str, Any]] = {
    "accepted_by": "",
    "accepted_name": "",
    "accepted_at": 0,
    "accepted_until": 0,
}


def rate_risk(risk: Risk, likelihood: int, impact: int, actor_id: str, **facts: str) -> Risk:
    """Return the risk as a person rated it; an acceptance was of other ratings, and ends."""
    _require_open(risk)
    level = level_of(likelihood, impact)
    rated = _next(
        risk, likelihood=likelihood, impact=impact, level=level, rated_by=actor_id, **facts
    )
    if risk.state == "accepted":
        return replace(rated, state="identified", treatment="", **_NO_ACCEPTANCE)
    return rated


def treat_risk(risk: Risk, treatment: Treatment, residual: tuple[int, int], **plan: Any) -> Risk:
    """Return the risk under treatment; what remains is rated too, or (0, 0) for not yet.

    Raises ``Invalid`` for accepting, which another person does.
    """
    _require_open(risk)
    if treatment not in ("reduce", "transfer", "avoid"):
        raise Invalid("a risk is reduced, transferred or avoided; acceptance is asked for")
    treated = _next(risk, state="treating", treatment=treatment, **plan, **_NO_ACCEPTANCE)
    if residual == (0, 0):
        return replace(treated, **_NO_RESIDUAL)
    level = level_of(*residual)
    return replace(
        treated,
        residual_likelihood=residual[0],
        residual_impact=residual[1],
        residual_level=level,
    )


def ask_acceptance(risk: Risk, actor_id: str, reason: str, until: int, approval_id: str) -> Risk:
    """Return the risk waiting for somebody to bear it until ``until``."""
    _require_open(risk)
    asked = _next(
        risk,
        approval_id=approval_id,
        asked_by=actor_id,
        asked_reason=reason,
        asked_until=until,
    )
    return replace(asked, digest=acceptance_digest(asked))


def decide_acceptance(risk: Risk, name: str, actor_id: str, now: int, *, grant: bool) -> Risk:
    """Return the risk accepted, or as it was."""
    if not grant:
        return without_request(_next(risk))
    return _next(
        risk,
        **_NO_WAIT,
        state="accepted",
        treatment="accept",
        accepted_by=actor_id,
        accepted_name=name,
        accepted_at=now,
        accepted_until=risk.asked_until,
    )


def close_risk(risk: Risk, actor_id: str, now: int) -> Risk:
    """Return the risk closed; raise ``RiskStateRefused`` where too much of it remains."""
    _require_open(risk)
    if risk.state != "treating" or not risk.residual_level:
        raise RiskStateRefused("it is treated, and what remains rated, before it is closed")
    if risk.residual_level > CLOSABLE:
        raise RiskStateRefused("what remains is above the line: somebody else accepts it")
    return _next(risk, state="closed", closed_by=actor_id, closed_at=now)


def seen_again(risk: Risk, seen: RiskSeen) -> Risk | None:
    """Return the risk as its source was seen later, open again if it was closed; None if not.

    A proposal that no person has rated follows its source upwards, which ends an acceptance:
    that was of other ratings. What waits for a decision stays what the decision is about.
    """
    if seen.at <= risk.last_seen_at:
        return None
    again = _next(risk, seen=risk.seen + 1, last_seen_at=seen.at, source_ref=seen.source_ref)
    level = level_of(seen.likelihood, seen.impact)
    if not risk.rated_by and not risk.waits and level > risk.level:
        again = replace(again, likelihood=seen.likelihood, impact=seen.impact, level=level)
        if risk.state == "accepted":
            return replace(again, state="identified", treatment="", **_NO_ACCEPTANCE)
    if risk.state != "closed" or seen.at <= risk.closed_at:
        return again
    return replace(
        again, state="identified", treatment="", closed_by="", closed_at=0, **_NO_RESIDUAL
    )


def without_request(risk: Risk) -> Risk:
    """Return the risk as before acceptance was asked for: nobody decided in time."""
    return replace(risk, **_NO_WAIT)


def acceptance_digest(risk: Risk) -> str:
    """Return the SHA-256 (hex) of what is accepted: the risk, its ratings, reason and end."""
    content = [
        risk.id,
        risk.org_id,
        risk.title,
        risk.asset_name,
        risk.weakness,
        risk.likelihood,
        risk.impact,
        risk.residual_level,
        risk.asked_reason,
        risk.asked_until,
    ]
    return hashlib.sha256(canonical(content)).hexdigest()


def _require_open(risk: Risk) -> None:
    if risk.state == "closed":
        raise RiskStateRefused("it is closed")
    if risk.waits:
        raise RiskStateRefused("somebody has to decide its acceptance first")


def _next(risk: Risk, **changes: Any) -> Risk:
    return replace(risk, version=risk.version + 1, **changes)
