"""What a key's limits and an organisation's quota say to one use, and how uses are leased.

Counting exactly in the database would cost a commit a use. A process takes a lease of several
uses by one conditional statement, counted as used at once, and spends it from memory: a cap is
never exceeded, whatever dies when; what a killed process had left is lost to the cap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from kms.errors.limits import KeyLimitReached
from kms.models.limits import NO_RISK_LIMIT, KeyLimits, Quota
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import BEIJING, DAY, SECOND
from secops.kernel.errors import Invalid

_SHARE: Final = 200
"""A lease is at most this part of the cap, so that little is lost with a process."""
MAX_LEASE: Final = 512
MAX_COUNT: Final = 10**12
MAX_CLIENTS: Final = 100
_MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One use as the limits see it. ``client`` is "" for a person without an application."""

    at: int
    client: str
    risk: int


def demand_within(limits: KeyLimits, use: KeyUse) -> None:
    """Return if ``use`` is inside ``limits``; raise ``KeyLimitReached`` naming the first."""
    if use.at < limits.not_before:
        msg = "the key may not be used yet"
        raise KeyLimitReached(msg)
    if limits.not_after and use.at >= limits.not_after:
        msg = "the key may no longer be used: its time is over"
        raise KeyLimitReached(msg)
    if limits.clients and use.client not in limits.clients:
        msg = "the key may not be used through this application"
        raise KeyLimitReached(msg)
    if use.risk > limits.max_risk:
        msg = f"the caller's risk is {use.risk}, the key's limit {limits.max_risk}"
        raise KeyLimitReached(msg)


def lease_size(cap: int) -> int:
    """Return how many uses a process takes at a time of ``cap`` in all: 1 for small caps."""
    return max(1, min(MAX_LEASE, cap // _SHARE))


def beijing_day(now: int) -> int:
    """Return the number of the day in Beijing time; it is never 0 nowadays."""
    return (now + BEIJING) // DAY


def seconds_to_midnight(now: int) -> int:
    """Return the seconds until the next day begins in Beijing."""
    return (DAY - (now + BEIJING) % DAY) // SECOND + 1


def check_limits(limits: KeyLimits) -> None:
    """Return if ``limits`` make sense; raise ``Invalid`` otherwise."""
    if limits.not_before < 0 or limits.not_after < 0:
        msg = "not_before and not_after are instants"
        raise Invalid(msg)
    if limits.not_after and limits.not_after <= limits.not_before:
        msg = "not_after lies after not_before"
        raise Invalid(msg)
    _check_count("max_uses", limits.max_uses)
    if not 0 <= limits.max_risk <= NO_RISK_LIMIT:
        msg = f"a risk is 0 to {NO_RISK_LIMIT}"
        raise Invalid(msg)
    named = all(0 < len(name) <= _MAX_NAME and name.isprintable() for name in limits.clients)
    if not named or len(set(limits.clients)) != len(limits.clients) > 0:
        msg = "clients are identifiers, each once"
        raise Invalid(msg)
    if len(limits.clients) > MAX_CLIENTS:
        msg = f"at most {MAX_CLIENTS} clients are named"
        raise Invalid(msg)


def check_quota(quota: Quota) -> None:
    """Return if ``quota`` makes sense; raise ``Invalid`` otherwise."""
    for name in ("keys", "versions", "daily_operations"):
        _check_count(name, getattr(quota, name))


def limits_record(limits: KeyLimits) -> bytes:
    """Return the bytes whose tag is stored beside ``limits``."""
    return canonical_record({"what": "limits", **asdict(limits), "clients": list(limits.clients)})


def quota_record(quota: Quota) -> bytes:
    """Return the bytes whose tag is stored beside ``quota``."""
    return canonical_record({"what": "quota", **asdict(quota)})


def _check_count(name: str, value: int | None) -> None:
    if value is not None and not 0 <= value <= MAX_COUNT:
        msg = f"{name} is 0 to {MAX_COUNT}"
        raise Invalid(msg)
