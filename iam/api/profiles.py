"""An account with everything that hangs on it, as JSON."""

from __future__ import annotations

from typing import Any

from iam.api.locks import device_shape, lock_shape
from iam.api.mandates import mandate_shape
from iam.api.shapes import account_shape, session_shape
from iam.models.factors import Factor
from iam.models.profiles import AccountProfile
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def profile_shape(profile: AccountProfile) -> dict[str, Any]:
    """Return a profile as JSON; parts the caller may not see are null."""
    risk, mandates = profile.risk, profile.mandates
    return {
        **account_shape(profile.account, profile.roles or frozenset()),
        "roles": None if profile.roles is None else sorted(profile.roles),
        "lent_roles": {role: to_rfc3339(end) for role, end in sorted(profile.lent.items())},
        "real_name_level": profile.real_name_level,
        "real_name_levels": [
            {"scheme": each.scheme, "level": each.level, "expires_at": to_rfc3339(each.expires_at)}
            for each in profile.levels
        ],
        "posts": [
            {
                "organisation": post.organisation,
                "post": post.post,
                "from": to_rfc3339(post.started_at),
                "to": rfc3339_or_none(post.ended_at),
            }
            for post in profile.posts
        ],
        "factors": [_factor_shape(factor) for factor in profile.factors],
        "risk": {
            "risk": risk.risk,
            "at": to_rfc3339(risk.at) if risk.at else None,
            "consequence": risk.consequence,
            "step_up_from": risk.limits.step_up,
            "refused_from": risk.limits.refuse,
            "sessions_end_from": risk.limits.end_session,
        },
        "sessions": _each(profile.sessions, session_shape),
        "devices": _each(profile.devices, device_shape),
        "locks": _each(profile.locks, lock_shape),
        "mandates": None
        if mandates is None
        else [
            {**mandate_shape(mandate), "legal_person_name": legal.name}
            for mandate, legal in mandates
        ],
    }


def _factor_shape(factor: Factor) -> dict[str, Any]:
    return {
        "kind": factor.kind,
        "name": factor.name,
        "since": to_rfc3339(factor.since) if factor.since else None,
        "last_used_at": rfc3339_or_none(factor.last_used_at),
        "usable": factor.usable,
    }


def _each(items: tuple[Any, ...] | None, shape: Any) -> list[dict[str, Any]] | None:
    return None if items is None else [shape(item) for item in items]
