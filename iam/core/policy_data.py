"""The tables that policies speak of, read from TOML: zones, working time, limits, posture.

What a section leaves out keeps its value from the base (the shipped tables). Anything that
is not of its shape is refused with its place: a misread zone would open or close doors.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import ip_network
from typing import Any, Final, TypeVar

from iam.errors.zero_trust import PolicyInvalid
from iam.models.zero_trust import (
    Network,
    PolicyData,
    PostureRule,
    RiskLimits,
    WorkingTime,
)

MOST_TEXT: Final = 65_536
MOST_ZONES: Final = 64
MOST_NETWORKS: Final = 256
MOST_DAYS: Final = 800
MOST_GRADES: Final = 200
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)
_VERSION: Final = re.compile(r"\d{1,6}(\.\d{1,6}){0,5}", re.ASCII)
_DAY_MINUTES: Final = 1_440
_WEEK: Final = 7
_HIGHEST_GRADE: Final = 5

T = TypeVar("T")


def read_policy_data(text: str, base: PolicyData) -> PolicyData:
    """Return the tables of ``text``; raise ``PolicyInvalid`` with section and key."""
    if len(text) > MOST_TEXT:
        msg = f"the data has more than {MOST_TEXT} characters"
        raise PolicyInvalid(msg)
    try:
        whole = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"the data is not TOML: {str(error)[:160]}"
        raise PolicyInvalid(msg) from error
    unknown = whole.keys() - {"zones", "working_time", "risk", "posture", "grades"}
    if unknown:
        raise _wrong(min(unknown), "is no section")
    return PolicyData(
        zones=_zones(_section(whole, "zones")) if "zones" in whole else base.zones,
        working=_working(_section(whole, "working_time"), base.working),
        risk=_risk(_section(whole, "risk"), base.risk),
        posture=_posture(_section(whole, "posture"), base.posture),
        grades=_grades(_section(whole, "grades")) if "grades" in whole else base.grades,
    )


def _wrong(place: str, what: str) -> PolicyInvalid:
    return PolicyInvalid(f"data: {place} {what}")


def _section(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = whole.get(name, {})
    if not isinstance(section, dict):
        raise _wrong(name, "must be a section")
    return section


class _Fields:
    """Reads a section key by key; whoever asks for all is told what nobody asked for."""

    def __init__(self, name: str, section: Mapping[str, Any]) -> None:
        self._name = name
        self._section = dict(section)

    def take(self, key: str, default: T, read: Callable[[Any, str], T]) -> T:
        if key not in self._section:
            return default
        return read(self._section.pop(key), f"{self._name}.{key}")

    def finish(self) -> None:
        if self._section:
            raise _wrong(f"{self._name}.{min(self._section)}", "is not known")


def _zones(section: Mapping[str, Any]) -> tuple[tuple[str, tuple[Network, ...]], ...]:
    if len(section) > MOST_ZONES:
        raise _wrong("zones", f"has more than {MOST_ZONES} zones")
    return tuple((_name(name, "zones"), _networks(section[name], name)) for name in sorted(section))


def _networks(value: Any, name: str) -> tuple[Network, ...]:
    place = f"zones.{name}"
    if not isinstance(value, list) or not value or len(value) > MOST_NETWORKS:
        raise _wrong(place, f"must list 1 to {MOST_NETWORKS} networks")
    found = []
    for text in value:
        try:
            found.append(ip_network(text if isinstance(text, str) else ""))
        except ValueError as error:
            raise _wrong(place, f"{str(text)[:64]!r} is no network in CIDR form") from error
    return tuple(found)


def _name(name: str, place: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise _wrong(place, f"{name[:64]!r} is no name (a-z, 0-9, . _ -)")
    return name


def _working(section: Mapping[str, Any], base: WorkingTime) -> WorkingTime:
    fields = _Fields("working_time", section)
    found = WorkingTime(
        offset_minutes=fields.take("offset", base.offset_minutes, _offset),
        days=fields.take("days", base.days, _weekdays),
        begins=fields.take("begins", base.begins, _minute),
        ends=fields.take("ends", base.ends, _minute),
        holidays=fields.take("holidays", base.holidays, _dates),
        workdays=fields.take("workdays", base.workdays, _dates),
    )
    fields.finish()
    if found.begins >= found.ends:
        raise _wrong("working_time.begins", "must be before ends")
    if found.holidays & found.workdays:
        raise _wrong("working_time.workdays", "names a day that is a holiday too")
    return found


def _offset(value: Any, place: str) -> int:
    match = _OFFSET.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(place, 'must be like "+08:00"')
    minutes = int(match[2]) * 60 + int(match[3])
    return -minutes if match[1] == "-" else minutes


def _weekdays(value: Any, place: str) -> frozenset[int]:
    if not isinstance(value, list) or not all(type(day) is int for day in value):
        raise _wrong(place, "must list days, 1 (Monday) to 7")
    if not value or not all(1 <= day <= _WEEK for day in value):
        raise _wrong(place, "must list days, 1 (Monday) to 7")
    return frozenset(value)


def _minute(value: Any, place: str) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else _DAY_MINUTES + 1
    if minute > _DAY_MINUTES:
        raise _wrong(place, 'must be a time like "08:30"')
    return minute


def _dates(value: Any, place: str) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_DAYS:
        raise _wrong(place, f"must list at most {MOST_DAYS} days")
    days = []
    for day in value:
        try:
            days.append(date.fromisoformat(str(day)).isoformat())
        except ValueError as error:
            raise _wrong(place, f"{str(day)[:32]!r} is no day like 2026-10-01") from error
    return frozenset(days)


def _risk(section: Mapping[str, Any], base: RiskLimits) -> RiskLimits:
    fields = _Fields("risk", section)
    found = RiskLimits(
        step_up=fields.take("step_up", base.step_up, _whole(1, 100)),
        refuse=fields.take("refuse", base.refuse, _whole(2, 100)),
        end_session=fields.take("end_session", base.end_session, _whole(3, 101)),
    )
    fields.finish()
    if not found.step_up <= found.refuse <= found.end_session:
        raise _wrong("risk", "must rise: step_up, refuse, end_session")
    return found


def _whole(least: int, most: int) -> Callable[[Any, str], int]:
    def read(value: Any, place: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise _wrong(place, f"must be a whole number from {least} to {most}")
        return value

    return read


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(place, "must be true or false")
    return value


def _posture(section: Mapping[str, Any], base: PostureRule) -> PostureRule:
    fields = _Fields("posture", section)
    found = PostureRule(
        report_hours=fields.take("report_hours", base.report_hours, _whole(1, 2_160)),
        disk_encrypted=fields.take("disk_encrypted", base.disk_encrypted, _flag),
        screen_lock=fields.take("screen_lock", base.screen_lock, _flag),
        least_versions=fields.take("least_versions", base.least_versions, _versions),
    )
    fields.finish()
    return found


def _versions(value: Any, place: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if not isinstance(value, dict) or len(value) > MOST_GRADES:
        raise _wrong(place, "must name a least version for each system")
    return tuple((_name(name, place), version_of(value[name], place)) for name in sorted(value))


def version_of(value: Any, place: str) -> tuple[int, ...]:
    """Return ``10.0.19045`` as numbers; raise ``PolicyInvalid`` for anything else."""
    if not isinstance(value, str) or _VERSION.fullmatch(value) is None:
        raise _wrong(place, "must be a version like 10.0.19045")
    return tuple(int(part) for part in value.split("."))


def _grades(section: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    if len(section) > MOST_GRADES:
        raise _wrong("grades", f"has more than {MOST_GRADES} kinds")
    grade = _whole(1, _HIGHEST_GRADE)
    return tuple(
        (_name(name, "grades"), grade(section[name], f"grades.{name}")) for name in sorted(section)
    )
