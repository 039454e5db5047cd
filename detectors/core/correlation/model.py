"""Correlations as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectors.models.rules import RuleHeader

CorrelationType = Literal["event_count"]


@dataclass(frozen=True, slots=True)
class Alias:
    """A group-by name and, by referred rule, the field that stands for it."""

    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Fires when a group has at least ``least`` matches within ``timespan`` microseconds.

    ``rules`` are ids or names of the rules whose matches count. ``generate`` False silences
    their own alerts (those of the same file).
    """

    header: RuleHeader
    type: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan: int
    least: int
    aliases: tuple[Alias, ...] = ()
    generate: bool = False

    def group_fields(self, rule_keys: frozenset[str]) -> tuple[str, ...]:
        """Return the fields of a referred rule (its id and name) that make the group key."""
        aliases = {alias.name: alias.fields for alias in self.aliases}
        chosen = []
        for name in self.group_by:
            named = aliases.get(name, {})
            chosen.append(next((named[key] for key in named if key in rule_keys), name))
        return tuple(chosen)
