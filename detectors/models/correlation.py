"""What correlations count, and what they found. Times are UTC microseconds of events."""

from __future__ import annotations

from dataclasses import dataclass, field

Group = tuple[str, ...]
"""The folded values of the group-by fields; ``()`` where there are none."""


@dataclass(frozen=True, slots=True)
class Match:
    """An event that counts for a group of a correlation.

    ``rules`` is a bit mask over the correlation's list of rules: which of them hold.
    ``value`` is what the condition measures: for value_count and first_seen one canonical
    text per field, for the numeric types each number of the event; None where the event has
    no usable value (it then counts for nothing that is measured).
    """

    group: Group
    at: int
    event_id: str
    rules: int = 1
    value: tuple[str, ...] | None = None

    @property
    def place(self) -> tuple[int, str]:
        """What matches of one group are ordered by."""
        return self.at, self.event_id


@dataclass(frozen=True, slots=True)
class Episode:
    """A run of firing windows that share matches.

    ``matches`` are in order; the first names the episode. ``count`` says how many there are:
    of a long one that was extended only the first are here. ``fired_at`` is when it first
    held (of what is seen in hindsight: the end of the window), ``measured`` what was measured
    then. Of an absence that never began ``matches`` is empty.
    """

    group: Group
    first_at: int
    last_at: int
    fired_at: int
    measured: str
    matches: tuple[Match, ...]
    count: int

    @property
    def first_event(self) -> str:
        """The first event of the first firing window; empty for what never came."""
        return self.matches[0].event_id if self.matches else ""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Events that hit a rule and yet don't count, and why: never silently.

    ``ungrouped`` lack a group-by field, ``unmeasured`` a usable value, ``cut`` stand for more
    groups than one event may.
    """

    ungrouped: int = 0
    unmeasured: int = 0
    cut: int = 0

    def __add__(self, other: Uncounted) -> Uncounted:
        """Return both together."""
        return Uncounted(
            self.ungrouped + other.ungrouped,
            self.unmeasured + other.unmeasured,
            self.cut + other.cut,
        )


NodeKey = tuple[str, str]
"""What a correlation's state is kept under: its place in a detector, and the version."""


@dataclass(frozen=True, slots=True)
class Known:
    """An episode that was written before. ``live`` is False once it was taken back.

    ``mine`` says that this version of the detector wrote it, ``closed`` that somebody has
    dealt with it: only what is mine and not closed is taken back.
    """

    id: str
    first_at: int
    last_at: int
    fired_at: int
    first_event: str
    count: int
    live: bool = True
    mine: bool = True
    closed: bool = False


@dataclass(frozen=True, slots=True)
class GroupState:
    """How far a group is decided whose windows are judged when they are over.

    Windows from ``begins_at`` on are open and looked at when the watermark passes ``due_at``
    (None: nothing is open); up to ``settled_to`` everything was judged. ``revision`` counts
    changes, 0 is not stored yet. For first_seen ``begins_at`` is the group's first sighting.
    """

    group: Group
    begins_at: int
    due_at: int | None
    settled_to: int
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Sighted:
    """A run of sightings of ``value`` in ``group``: which began it, and how long it lasted."""

    group: Group
    value: tuple[str, ...]
    first_at: int
    first_event: str
    last_at: int

    @property
    def start(self) -> tuple[int, str]:
        """What runs are ordered by."""
        return self.first_at, self.first_event


Shown = tuple[Group, tuple[str, ...]]
"""A value that a group showed."""


@dataclass(frozen=True, slots=True)
class Began:
    """All runs of ``group`` that began from ``since`` to ``until`` (both included)."""

    group: Group
    since: int
    until: int


@dataclass(slots=True)
class Notes:
    """What one step changes in the state of one correlation: written in one transaction."""

    key: NodeKey
    added: list[Match] = field(default_factory=list)
    removed: list[Match] = field(default_factory=list)
    states: dict[Group, GroupState] = field(default_factory=dict)
    forgotten: list[Sighted] = field(default_factory=list)
    sighted: list[Sighted] = field(default_factory=list)
    dropped: list[tuple[Group, str]] = field(default_factory=list)
    inner: list[tuple[Group, Known]] = field(default_factory=list)
    uncounted: Uncounted = field(default_factory=Uncounted)
    late: int = 0

    @property
    def any(self) -> bool:
        """There is something to be written."""
        lists = (self.added, self.removed, self.states, self.forgotten, self.sighted)
        more = (self.dropped, self.inner, self.uncounted != Uncounted(), self.late)
        return any((*lists, *more))


@dataclass(frozen=True, slots=True)
class CorrelationCounts:
    """What a correlation's version did not count, and how much came for windows long over."""

    correlation: str
    version: str
    uncounted: Uncounted
    late: int
