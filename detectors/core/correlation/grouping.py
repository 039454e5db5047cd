"""Which groups an event counts for, and with what value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

import orjson

from detectors.core.correlation.measures import numbers_in
from detectors.core.correlation.model import NUMERIC, Correlation
from detectors.core.events.text import fold, texts_of
from detectors.models.correlation import Group, Match, Uncounted
from secops.kernel.logs import Value

MAX_KEYS: Final = 64
"""Groups that one event may count for: lists in several group-by fields multiply."""
MAX_NUMBERS: Final = 1_000
"""Numbers of one event that are measured."""

COUNTED: Final = Uncounted()
"""Nothing was left out."""

RuleKeys = frozenset[str]
"""Under which names a rule may be referred to: its id and its name."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An event, and the rules (or the inner correlations) that hold for it."""

    at: int
    event_id: str
    rules: tuple[RuleKeys, ...]
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the events of one rule are read: its bits, group fields and measured fields."""

    rules: int
    group: tuple[str, ...]
    fields: tuple[str, ...]


class Grouper:
    """Turns hits of one correlation into matches."""

    def __init__(self, correlation: Correlation) -> None:
        self._correlation = correlation
        self._readings: dict[RuleKeys, _Reading] = {}
        self._folded: dict[Value, tuple[str, ...]] = {}

    def matches_of(self, hit: Hit) -> tuple[list[Match], Uncounted]:
        """Return what ``hit`` counts for, one match per group, and what it does not.

        No group-by: one group. A missing group field: none. A list: one per element. Rules
        whose aliases name other fields may count for different groups.
        """
        found: dict[Group, Match] = {}
        uncounted = COUNTED
        for keys in hit.rules:
            reading = self._reading(keys)
            if not reading.rules:
                continue
            value = self._value(hit.fields, reading.fields)
            if value is None and reading.fields:
                uncounted += Uncounted(unmeasured=1)
                continue
            groups, lost = self._groups(hit.fields, reading.group)
            if lost is not COUNTED:
                uncounted += lost
            for group in groups:
                known = found.get(group)
                rules = reading.rules | (known.rules if known else 0)
                kept = known.value if known else value
                found[group] = Match(group, hit.at, hit.event_id, rules, kept)
        return list(found.values()), uncounted

    def _reading(self, keys: RuleKeys) -> _Reading:
        reading = self._readings.get(keys)
        if reading is None:
            correlation = self._correlation
            fields = correlation.fields_for(correlation.fields, keys)
            reading = _Reading(correlation.places(keys), correlation.group_fields(keys), fields)
            self._readings[keys] = reading
        return reading

    def _value(self, fields: Mapping[str, Value], names: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what is measured of an event, None if a field is missing or no number."""
        values = [fields.get(name) for name in names]
        present = [value for value in values if value is not None]
        if not names or len(present) < len(values):
            return None
        if self._correlation.type in NUMERIC:
            return numbers_in(texts_of(present[0])[:MAX_NUMBERS]) or None
        return tuple(_canonical(value) for value in present)

    def _groups(
        self, fields: Mapping[str, Value], names: tuple[str, ...]
    ) -> tuple[list[Group], Uncounted]:
        values: list[tuple[str, ...]] = []
        for name in names:
            value = fields.get(name)
            if value is None:
                return [], Uncounted(ungrouped=1)
            values.append(self._texts(value))
        groups = list(islice(product(*values), MAX_KEYS + 1))
        if len(groups) > MAX_KEYS:
            return groups[:MAX_KEYS], Uncounted(cut=1)
        return groups, COUNTED

    def _texts(self, value: Value) -> tuple[str, ...]:
        """Return a value's texts folded, each once; of a step's hits most say the same."""
        known = self._folded.get(value)
        if known is None:
            known = tuple(dict.fromkeys(fold(text) for text in texts_of(value)))
            self._folded[value] = known
        return known


def _canonical(value: Value) -> str:
    """Return a value as one text: folded; a list is what its elements are, in order."""
    if isinstance(value, tuple):
        return orjson.dumps([fold(text) for text in value]).decode()
    return fold(value)
