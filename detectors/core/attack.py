"""ATT&CK: which tactics and techniques rules name, and how much of the matrix they cover."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_PREFIX: Final = "attack."
_OLD_NAMES: Final = {"stealth": "defense-evasion", "defense-impairment": "defense-evasion"}
"""Tactics that newer tags name and the table does not."""


@dataclass(frozen=True, slots=True)
class Tactic:
    """A column of the matrix."""

    slug: str
    id: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class AttackTable:
    """Tactics in their order, and each technique's name and tactics by its id."""

    tactics: tuple[Tactic, ...]
    names: Mapping[str, str]
    places: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A rule as the matrix sees it: ``hits`` are alerts of the time asked about."""

    rule_id: str
    tags: tuple[str, ...]
    enabled: bool
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Covered:
    """A technique in a column: how many rules name it, how many of them run, their alerts."""

    technique: str
    name: str
    rules: int
    enabled: int
    hits: int


@dataclass(frozen=True, slots=True)
class CoveredTactic:
    """A column with what is covered of it, most rules first."""

    tactic: Tactic
    techniques: tuple[Covered, ...]


def read_attack(document: Mapping[str, Any]) -> AttackTable:
    """Return the table that ``rules/attack/techniques.json`` holds."""
    techniques: Mapping[str, Mapping[str, Any]] = document["techniques"]
    return AttackTable(
        tactics=tuple(Tactic(t["slug"], t["id"], t["zh"], t["en"]) for t in document["tactics"]),
        names={key: str(value["name"]) for key, value in techniques.items()},
        places={key: tuple(value["tactics"]) for key, value in techniques.items()},
    )


def techniques_of(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the techniques that ``tags`` name, as ``T1110.001``."""
    found = (_TECHNIQUE.fullmatch(tag) for tag in tags)
    return tuple(match[1].upper() for match in found if match is not None)


def tactics_of(tags: Iterable[str], table: AttackTable) -> frozenset[str]:
    """Return the tactics that ``tags`` name (older tags write ``defense_evasion``)."""
    named = {tag.removeprefix(_PREFIX).replace("_", "-") for tag in tags if _PREFIX in tag}
    named = {_OLD_NAMES.get(name, name) for name in named}
    return frozenset(named & {tactic.slug for tactic in table.tactics})


def coverage(table: AttackTable, rules: Sequence[Tagged]) -> tuple[CoveredTactic, ...]:
    """Return the matrix: a technique stands under its tactics and those its rules name."""
    cells: dict[tuple[str, str], list[Tagged]] = {}
    for rule in rules:
        named = tactics_of(rule.tags, table)
        for technique in techniques_of(rule.tags):
            for place in {*table.places.get(technique, ()), *named}:
                known = table.places.get(technique)
                # a rule names tactics for all of its techniques together
                if known is None or place in known:
                    cells.setdefault((place, technique), []).append(rule)
    return tuple(_column(table, tactic, cells) for tactic in table.tactics)


def _column(
    table: AttackTable, tactic: Tactic, cells: Mapping[tuple[str, str], Sequence[Tagged]]
) -> CoveredTactic:
    covered = [
        Covered(
            technique=technique,
            name=table.names.get(technique, ""),
            rules=len(rules),
            enabled=sum(rule.enabled for rule in rules),
            hits=sum(rule.hits for rule in rules),
        )
        for (place, technique), rules in cells.items()
        if place == tactic.slug
    ]
    covered.sort(key=lambda each: (-each.rules, each.technique))
    return CoveredTactic(tactic, tuple(covered))
