"""The counts beside the queue: each facet as if nothing of itself were chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from detectors.models.alerts import AlertFilter
from detectors.models.queue import Combination, Facet

FACETS: Final[tuple[Facet, ...]] = (
    "severity",
    "acknowledged",
    "assignee",
    "entity_kind",
    "rule",
)
_VALUES: Final = 12
"""Values of a facet that are shown, the most frequent; a chosen one stands there anyway."""


def facets_of(
    found: Sequence[Combination], wanted: AlertFilter
) -> tuple[int, Mapping[Facet, Mapping[str, int]]]:
    """Return how many of ``found`` fit ``wanted``, and the counts by facet and value.

    A facet's counts leave its own choice out, so that one sees what another would bring.
    """
    chosen = {facet: value for facet, value in _chosen(wanted).items() if value is not None}
    total = 0
    counts: dict[Facet, dict[str, int]] = {facet: {} for facet in FACETS}
    for each in found:
        values = _values(each)
        missed = [facet for facet, value in chosen.items() if value not in values[facet]]
        if len(missed) > 1:
            continue
        total += 0 if missed else each.count
        for facet in missed or FACETS:
            mine = counts[facet]
            for value in values[facet]:
                mine[value] = mine.get(value, 0) + each.count
    return total, {facet: _most(mine, chosen.get(facet)) for facet, mine in counts.items()}


def _chosen(wanted: AlertFilter) -> dict[Facet, str | None]:
    taken = wanted.acknowledged
    return {
        "severity": wanted.severity,
        "rule": wanted.rule_id,
        "assignee": wanted.assignee,
        "acknowledged": None if taken is None else _word(taken=taken),
        "entity_kind": wanted.entity_kind,
    }


def _values(each: Combination) -> dict[Facet, Collection[str]]:
    return {
        "severity": (each.severity,),
        "rule": (each.rule,),
        "assignee": (each.assignee,),
        "acknowledged": (_word(taken=each.acknowledged),),
        "entity_kind": each.entity_kinds,
    }


def _word(*, taken: bool) -> str:
    return "yes" if taken else "no"


def _most(counts: Mapping[str, int], chosen: str | None) -> Mapping[str, int]:
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    shown = ordered[:_VALUES]
    if chosen is not None and chosen not in shown:
        shown.append(chosen)
    return {value: counts.get(value, 0) for value in shown}
