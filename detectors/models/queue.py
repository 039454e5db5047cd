"""The queue of alerts: its orders, counts, groups, saved views and deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from detectors.models.alerts import Alert, AlertFilter
from detectors.models.rules import Severity
from secops.kernel.clock import DAY, HOUR, MINUTE

AlertOrder = Literal["newest", "oldest", "severity", "due"]
GroupKey = Literal["rule", "entity"]
Facet = Literal["severity", "rule", "assignee", "acknowledged", "entity_kind"]

ORDERS: Final[tuple[AlertOrder, ...]] = ("newest", "oldest", "severity", "due")
GROUP_KEYS: Final[tuple[GroupKey, ...]] = ("rule", "entity")
ENTITY_KINDS: Final = ("account", "address", "session")


@dataclass(frozen=True, slots=True)
class Deadline:
    """How soon an alert of a severity is to be acknowledged and to be closed, microseconds.

    ``set_by`` is None where nobody decided and the default holds.
    """

    acknowledge: int
    resolve: int
    set_by: str | None = None
    set_at: int | None = None


Deadlines = Mapping[Severity, Deadline]
DEFAULT_DEADLINES: Final[Deadlines] = MappingProxyType(
    {
        "critical": Deadline(15 * MINUTE, 4 * HOUR),
        "high": Deadline(30 * MINUTE, 8 * HOUR),
        "medium": Deadline(4 * HOUR, DAY),
        "low": Deadline(DAY, 7 * DAY),
    }
)
"""Our own: no law or standard names hours for alerts. An organisation sets others."""
LONGEST_DEADLINE: Final = 90 * DAY


@dataclass(frozen=True, slots=True)
class Due:
    """What an open alert waits for next, and until when."""

    what: Literal["acknowledge", "resolve"]
    at: int


@dataclass(frozen=True, slots=True)
class Combination:
    """How many alerts have these values in common; ``sample`` is the id of one of them."""

    severity: str
    rule: str
    assignee: str
    acknowledged: bool
    entity_kinds: frozenset[str]
    count: int
    sample: str = ""


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many alerts a view has, and how many it would have with another value of a facet.

    ``facets`` are the counts by value, the largest first; ``least`` says that there are more
    than were counted. ``statuses`` counts all of an organisation, each up to ``MANY``;
    ``samples`` are alerts of the rules that are named, for their titles.
    """

    total: int
    overdue: int
    least: bool
    facets: Mapping[Facet, Mapping[str, int]]
    statuses: Mapping[str, int]
    revision: int
    samples: Mapping[str, Alert]


MANY: Final = 1_000
"""Up to where closed, quiet and revised alerts are counted: more are "1,000+"."""


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts of one rule, or about one entity; ``sample`` is the newest of a rule's."""

    key: str
    count: int
    newest: int
    severity: Severity
    sample: Alert | None = None


@dataclass(frozen=True, slots=True)
class AlertNews:
    """How many alerts a view has now, and how many of them were written since it was shown.

    ``least`` says that there are more than were counted.
    """

    total: int
    changed: int
    least: bool = False


@dataclass(frozen=True, slots=True)
class AlertView:
    """A filter with a name, one account's own; ``due_before`` of 0 means what is overdue."""

    id: str
    name: str
    wanted: AlertFilter
    order: AlertOrder
    group: GroupKey | None
    created_at: int
