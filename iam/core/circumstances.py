"""Where, when and on what somebody asks: facts for a decision, from the policy data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from iam.models.zero_trust import PolicyData, Posture, PostureRule, WorkingTime

_SECOND = 1_000_000
_HOUR = 3_600 * _SECOND
_V6_BITS = 64


@dataclass(frozen=True, slots=True)
class LocalTime:
    """``weekday`` is 1 (Monday) to 7; ``holiday`` is a day nobody works, weekends included."""

    hour: int
    weekday: int
    holiday: bool
    working: bool


def local_time(now: int, rule: WorkingTime) -> LocalTime:
    """Return the local hour and day at ``now`` (UTC microseconds), and whether people work."""
    moment = datetime.fromtimestamp(now // _SECOND, UTC) + timedelta(minutes=rule.offset_minutes)
    day = moment.date().isoformat()
    worked = day in rule.workdays or (moment.isoweekday() in rule.days and day not in rule.holidays)
    minute = moment.hour * 60 + moment.minute
    return LocalTime(
        hour=moment.hour,
        weekday=moment.isoweekday(),
        holiday=not worked,
        working=worked and rule.begins <= minute < rule.ends,
    )


def zones_of(address: str, data: PolicyData) -> tuple[str, ...]:
    """Return the names of the zones that hold ``address``; none for one that is unknown."""
    try:
        found = ip_address(address)
    except ValueError:
        return ()
    mapped = getattr(found, "ipv4_mapped", None)
    place = mapped or found
    return tuple(
        name for name, networks in data.zones if any(place in network for network in networks)
    )


def address_key(address: str) -> str:
    """Return what an address is locked by: itself, or its /64 for IPv6; raise ValueError."""
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    if found.version == 6:  # noqa: PLR2004 - the protocol's name
        return str(ip_network((found, _V6_BITS), strict=False))
    return str(found)


def is_fresh(reported_at: int, now: int, rule: PostureRule) -> bool:
    """Tell whether a report that came at ``reported_at`` still counts."""
    return reported_at > 0 and now - reported_at <= rule.report_hours * _HOUR


def is_compliant(posture: Posture | None, rule: PostureRule) -> bool:
    """Tell whether a device is as the rule demands; one that says nothing is not."""
    if posture is None:
        return False
    if rule.disk_encrypted and not posture.disk_encrypted:
        return False
    if rule.screen_lock and not posture.screen_lock:
        return False
    least = dict(rule.least_versions).get(posture.os)
    return least is None or version_numbers(posture.version) >= least


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version, none where it begins with a word."""
    numbers = []
    for part in version.split("."):
        if not (part.isascii() and part.isdigit()):
            break
        numbers.append(int(part))
    return tuple(numbers)
