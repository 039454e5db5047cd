"""What correlations count, and what they found. Times are UTC microseconds of events."""

from __future__ import annotations

from dataclasses import dataclass

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

    ``matches`` are in order; the first names the episode. ``fired_at`` is when it first held
    (of what is seen in hindsight: the end of the window), ``measured`` what was measured
    then. Of an absence that never began ``matches`` is empty.
    """

    group: Group
    first_at: int
    last_at: int
    fired_at: int
    measured: str
    matches: tuple[Match, ...]

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
