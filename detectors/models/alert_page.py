"""What the page of an alert shows beside the alert. Times are UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from detectors.models.alerts import Alert, Reason
from secops.kernel.catalogue import Text

EntityKind = Literal["account", "session", "client", "key", "seal", "address"]

MAX_LINES: Final = 50
"""Events of an alert that are shown."""
MAX_RAW: Final = 8_192
"""Characters of an event that are shown; its hashes are over all of it."""
MAX_CARDS: Final = 8


@dataclass(frozen=True, slots=True)
class Why:
    """One row of the *why* table as people read it."""

    condition: Text
    expected: Text
    seen: Text


@dataclass(frozen=True, slots=True)
class CountedRule:
    """A rule that a correlation counts, and why it holds for the first event it holds for."""

    rule_id: str
    title: str
    event_id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RawLine:
    """An event as it is stored: ``seq`` is its place in ingest order, ``source`` where it is from.

    ``raw`` may be ``cut``; ``sha256`` and ``sm3`` are hex over all bytes. ``masked`` says that
    personal data in it were replaced when it came.
    """

    event_id: str
    at: int
    source: str
    seq: int
    raw: str
    cut: bool
    masked: bool
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How a like alert was closed."""

    alert_id: str
    title: str
    closed_at: int
    closed_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Closings:
    """How like alerts were closed: ``counts`` by reason, the ten most frequent.

    ``closed`` of them, those with the newest events, were counted; ``cut`` says that there are
    more. ``last`` are the five of these that were closed last.
    """

    closed: int
    cut: bool
    counts: tuple[tuple[str, int], ...]
    last: tuple[Closing, ...]


@dataclass(frozen=True, slots=True)
class EntityState:
    """What another plane says of an entity now; ``facts`` are further lines of its card.

    ``trouble`` marks a state that restricts; ``known`` is False for what is none of ours.
    """

    kind: EntityKind
    id: str
    name: str
    state: Text
    trouble: bool = False
    facts: tuple[tuple[Text, str], ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class SeenAct:
    """Something an entity did, as the logs have it."""

    at: int
    source: str
    action: str
    outcome: str
    target: str
    event_id: str


@dataclass(frozen=True, slots=True)
class EntityCard:
    """An entity of an alert: its state, risk, last acts and other alerts.

    ``subject`` is what risk hangs on (``account:…``), "" for what carries none; ``risk`` is
    then None. ``acts`` is None where the reader may not search logs.
    """

    state: EntityState
    subject: str
    risk: int | None
    acts: tuple[SeenAct, ...] | None
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """The rule behind an alert as it is now, and what its own tests say.

    ``version`` is today's, empty where the rule is gone; ``since`` is when this version first
    saw events. ``samples`` were run, ``failures`` say what they found wrong. ``tuning`` counts
    exceptions and suppressions in force.
    """

    rule_id: str
    version: str
    same_version: bool
    enabled: bool
    since: int | None
    decided_at: int | None
    decided_by: str
    samples: int
    failures: tuple[str, ...]
    tuning: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The alerts before and behind one in a view, newest event first."""

    previous: str | None
    following: str | None


@dataclass(frozen=True, slots=True)
class OpenedIncident:
    """The incident that an alert belongs to."""

    id: str
    title: str
    state: Text


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is told of an alert; None is what the reader may not see, or isn't there."""

    alert: Alert
    sentence: Text
    why: tuple[Why, ...]
    counted: tuple[CountedRule, ...]
    lines: tuple[RawLine, ...]
    missing: int
    same_rule: Closings
    same_entity: Closings
    cards: tuple[EntityCard, ...]
    rule: RuleStanding | None
    place: Place
    incident: OpenedIncident | None
    bulk_action: str | None


ReplayAnswer = Literal["matches", "matches_not", "excepted", "not_possible"]


@dataclass(frozen=True, slots=True)
class Replay:
    """Today's rule asked again about an alert's own events.

    ``events`` were asked about, ``hits`` of them fit; ``cut`` says that not all of the time
    was looked at. ``why`` says in words what stands against it.
    """

    answer: ReplayAnswer
    events: int
    hits: int
    version: str
    same_version: bool
    cut: bool
    why: Text


@dataclass(frozen=True, slots=True)
class HiddenAlert:
    """An alert that an exception would have kept from being raised, whole or in part.

    ``hidden`` of the ``events`` that were asked about; it was raised for ``total``.
    """

    alert_id: str
    title: str
    last_at: int
    events: int
    hidden: int
    status: str
    total: int

    @property
    def whole(self) -> bool:
        """No event would be left: all were asked about, and all are hidden."""
        return self.hidden >= max(self.events, self.total)


@dataclass(frozen=True, slots=True)
class ExceptionPreview:
    """What an exception would have hidden since ``since``: of ``alerts`` looked at, these.

    ``events`` were asked about, ``hidden_events`` fit its condition; ``unread`` are no longer
    stored. ``hidden`` shows some of those that are counted; ``cut`` says a limit ended it.
    """

    rule_id: str
    condition: str
    since: int
    alerts: int
    hidden: tuple[HiddenAlert, ...]
    hidden_whole: int
    hidden_partly: int
    events: int
    hidden_events: int
    unread: int
    cut: bool
