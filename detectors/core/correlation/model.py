"""Correlations as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from detectors.models.correlation import Group
from detectors.models.rules import RuleHeader

CorrelationType = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
    "absence",
    "first_seen",
]
Operator = Literal["gt", "gte", "lt", "lte", "eq", "neq"]

SIGNS: Final[Mapping[Operator, str]] = {
    "gt": ">",
    "gte": "≥",
    "lt": "<",
    "lte": "≤",
    "eq": "=",
    "neq": "≠",
}
COUNTED: Final = frozenset({"event_count", "value_count", "temporal"})
"""Types that measure a whole number, at least 1 wherever they can fire."""
NUMERIC: Final = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
"""Types that measure decimal numbers in a field of the events."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A group-by name and, by referred rule, the field that stands for it."""

    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison of what is measured with a number."""

    operator: Operator
    number: Decimal

    @property
    def rising(self) -> bool:
        """More of it can't make it false."""
        return self.operator in {"gt", "gte"}

    def holds(self, numerator: int, denominator: int, threshold: int) -> bool:
        """Compare ``numerator / denominator`` with ``threshold`` (``number``, scaled)."""
        left, right = numerator, threshold * denominator
        return {
            "gt": left > right,
            "gte": left >= right,
            "lt": left < right,
            "lte": left <= right,
            "eq": left == right,
            "neq": left != right,
        }[self.operator]

    def __str__(self) -> str:
        """Return it as people write it: ``≥ 5``."""
        return f"{SIGNS[self.operator]} {self.number}"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way in which a text condition holds: bit masks over the correlation's rules."""

    required: int
    forbidden: int = 0

    def holds(self, rules: int) -> bool:
        """Tell whether it holds where just ``rules`` were seen."""
        return rules & self.required == self.required and not rules & self.forbidden


@dataclass(frozen=True, slots=True)
class Correlation:
    """What is counted over windows of ``timespan`` microseconds, and when that fires.

    ``rules`` are ids or names of rules or correlations. All ``bounds`` must hold, or any of
    ``alternatives`` (a text condition, in disjunctive form). ``fields`` are measured.
    ``generate`` False silences what is referred to in the same file. ``section`` is the
    document's ``correlation`` as JSON, from which all of this was read. ``learning``
    (first_seen; microseconds) and ``expected`` (groups that absence knows from the
    beginning) are ours.
    """

    header: RuleHeader
    type: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan: int
    bounds: tuple[Bound, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: Decimal = Decimal(50)
    aliases: tuple[Alias, ...] = ()
    generate: bool = False
    learning: int = 0
    expected: tuple[Group, ...] = ()
    section: str = "{}"

    @property
    def rising(self) -> bool:
        """It is decided when its last match comes, and not only when its window is over."""
        if self.type == "absence":
            return False
        rising = all(bound.rising for bound in self.bounds)
        return rising and not any(each.forbidden for each in self.alternatives)

    def fields_for(self, names: tuple[str, ...], rule_keys: frozenset[str]) -> tuple[str, ...]:
        """Return what ``names`` are called in the events of a rule (its id and name)."""
        aliases = {alias.name: alias.fields for alias in self.aliases}
        chosen = []
        for name in names:
            named = aliases.get(name, {})
            chosen.append(next((named[key] for key in named if key in rule_keys), name))
        return tuple(chosen)

    def group_fields(self, rule_keys: frozenset[str]) -> tuple[str, ...]:
        """Return the fields of a referred rule (its id and name) that make the group key."""
        return self.fields_for(self.group_by, rule_keys)

    def places(self, rule_keys: frozenset[str]) -> int:
        """Return where a rule (its id and name) stands in ``rules``, as a bit mask."""
        return sum(1 << place for place, name in enumerate(self.rules) if name in rule_keys)

    @property
    def condition(self) -> str:
        """What is demanded, as people write it."""
        if self.bounds:
            return " ∧ ".join(map(str, self.bounds))
        ways = [self._way(each) for each in self.alternatives]
        return " ∨ ".join(ways)

    def _way(self, way: Alternative) -> str:
        named = [n for place, n in enumerate(self.rules) if way.required >> place & 1]
        named += [f"¬{n}" for place, n in enumerate(self.rules) if way.forbidden >> place & 1]
        return " ∧ ".join(dict.fromkeys(named))
