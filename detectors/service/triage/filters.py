"""A view of the queue as words of an address, and back: the same for HTTP, console and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from detectors.models.alerts import AlertFilter, AlertStatus
from detectors.models.queue import ENTITY_KINDS, GROUP_KEYS, ORDERS, AlertOrder, GroupKey
from detectors.models.rules import SEVERITIES, Severity
from detectors.service.triage.handling import ME
from secops.kernel.actors import Actor
from secops.kernel.clock import from_rfc3339, to_rfc3339
from secops.kernel.errors import Invalid

STATUSES: Final = ("open", "closed", "superseded", "revised", "suppressed")
NOBODY: Final = "none"
"""The word for alerts that nobody has."""
OVERDUE: Final = 0
"""``due_before`` of a view of what is overdue, whenever it is looked at."""
WORDS: Final[tuple[str, ...]] = (
    "status",
    "severity",
    "since",
    "rule",
    "subject",
    "assignee",
    "kind",
    "acknowledged",
    "overdue",
)
_LONGEST: Final = 500
_YES_NO: Final = ("yes", "no")


def read_filter(asked: Mapping[str, str]) -> AlertFilter:
    """Return the filter that ``WORDS`` describe; an empty one is none. Raise ``Invalid``."""
    said = {name: asked[name] for name in WORDS if asked.get(name)}
    if any(len(value) > _LONGEST for value in said.values()):
        msg = f"a filter's words have at most {_LONGEST} characters"
        raise Invalid(msg)
    taken, assignee = _one_of(said, "acknowledged", _YES_NO), said.get("assignee")
    return AlertFilter(
        status=cast("AlertStatus | None", _one_of(said, "status", STATUSES)),
        severity=cast("Severity | None", _one_of(said, "severity", SEVERITIES)),
        since=_instant(said.get("since")),
        rule_id=said.get("rule"),
        subject=said.get("subject"),
        assignee="" if assignee == NOBODY else assignee,
        entity_kind=_one_of(said, "kind", ENTITY_KINDS),
        acknowledged=None if taken is None else taken == "yes",
        due_before=None if _one_of(said, "overdue", ("yes",)) is None else OVERDUE,
    )


def words_of(wanted: AlertFilter) -> dict[str, str]:
    """Return the words that ``read_filter`` reads as ``wanted``."""
    taken = wanted.acknowledged
    said = {
        "status": wanted.status,
        "severity": wanted.severity,
        "since": None if wanted.since is None else to_rfc3339(wanted.since),
        "rule": wanted.rule_id,
        "subject": wanted.subject,
        "assignee": NOBODY if wanted.assignee == "" else wanted.assignee,
        "kind": wanted.entity_kind,
        "acknowledged": None if taken is None else _YES_NO[0 if taken else 1],
        "overdue": None if wanted.due_before is None else "yes",
    }
    return {name: value for name, value in said.items() if value}


def settled(wanted: AlertFilter, actor: Actor, now: int) -> AlertFilter:
    """Return ``wanted`` with whom ``me`` and which instant "overdue" mean for who asks now."""
    if wanted.assignee == ME:
        wanted = replace(wanted, assignee=actor.id)
    return replace(wanted, due_before=now) if wanted.due_before == OVERDUE else wanted


def read_order(asked: Mapping[str, str]) -> AlertOrder:
    """Return the order that ``sort`` names, newest first without one; raise ``Invalid``."""
    return cast("AlertOrder", _one_of(asked, "sort", ORDERS) or "newest")


def read_group(asked: Mapping[str, str]) -> GroupKey | None:
    """Return by what ``group`` groups, None without one; raise ``Invalid``."""
    return cast("GroupKey | None", _one_of(asked, "group", GROUP_KEYS))


def _one_of(said: Mapping[str, str], name: str, words: tuple[str, ...]) -> str | None:
    value = said.get(name) or None
    if value is not None and value not in words:
        msg = f"{name} is one of {', '.join(words)}"
        raise Invalid(msg)
    return value


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else from_rfc3339(text)
    except ValueError as error:
        msg = "since is a time as in RFC 3339, with its zone"
        raise Invalid(msg) from error
