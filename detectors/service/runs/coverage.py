"""What the rules of this instance cover, and what each of them has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import orjson

from detectors.core.attack import (
    AttackTable,
    CoveredTactic,
    Tagged,
    coverage,
    read_attack,
    techniques_of,
)
from detectors.models.alerts import ListedRule
from detectors.models.coverage import DayCount, RulePast, SourceCoverage
from detectors.models.schedule import Feed, RuleHealth
from detectors.ports import RuleHealthStore
from detectors.ports.history import RuleHistory
from detectors.service.rules.rules import RuleService
from detectors.service.runs.runs import RunService
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, day_start
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ

MATRIX_DAYS: Final = 30
HISTORY_DAYS: Final = 30
_EVALUATIONS: Final = 20


@lru_cache(maxsize=1)
def attack_table() -> AttackTable:
    """Return the table of ATT&CK that is part of the product."""
    text = (resources.files("rules") / "attack" / "techniques.json").read_bytes()
    return read_attack(orjson.loads(text))


def named_techniques(tags: Iterable[str]) -> list[tuple[str, str]]:
    """Return the techniques that ``tags`` name, each with its name ("" unknown)."""
    names = attack_table().names
    return [(each, names.get(each, "")) for each in techniques_of(tags)]


@dataclass(frozen=True, slots=True)
class CoverageService:
    """Use cases on coverage and on the past of rules."""

    _parts: Parts
    _rules: RuleService
    _runs: RunService
    _history: RuleHistory
    _health: RuleHealthStore

    def show_matrix(self, actor: Actor) -> Sequence[CoveredTactic]:
        """Return tactics × techniques with rules, running ones and alerts of 30 days."""
        listed = self._rules.list_rules(actor)
        since = self._parts.clock.now() - MATRIX_DAYS * DAY
        hits = self._parts.transactions.read(
            lambda tx: self._history.alerts_by_rule(tx, actor.org_id, since)
        )
        tagged = [
            Tagged(r.header.id, r.header.tags, r.enabled, hits.get(r.header.id, 0)) for r in listed
        ]
        return coverage(attack_table(), tagged)

    def show_sources(self, actor: Actor) -> Sequence[SourceCoverage]:
        """Return every Sigma log source that rules ask about or that events feed."""
        self._parts.access.require(actor, RULE_READ)
        states = {each.header.id: each.enabled for each in self._rules.list_rules(actor)}
        rules: Counter[str] = Counter()
        enabled: Counter[str] = Counter()
        for detector in self._rules.library().detectors:
            for name in {str(rule.header.logsource) for rule in detector.rules}:
                rules[name] += 1
                enabled[name] += states.get(detector.header.id, False)
        feeds = self._parts.transactions.read(self._health.feeds)
        fed: dict[str, list[Feed]] = {}
        for feed in feeds:
            # a feed is kept for each alternative of a log source: linux/*/sshd#0
            fed.setdefault(feed.logsource.partition("#")[0], []).append(feed)
        return [
            SourceCoverage(
                logsource=name,
                rules=rules[name],
                enabled=enabled[name],
                sources=tuple(sorted({feed.source for feed in fed.get(name, ())})),
                events=sum(feed.events for feed in fed.get(name, ())),
            )
            for name in sorted({*rules, *fed})
        ]

    def show_past(self, actor: Actor, rule: ListedRule) -> RulePast:
        """Return what a rule has done in thirty days, and what it has not seen yet."""
        self._parts.access.require(actor, RULE_READ, f"rule:{rule.header.id}")
        rule_id = rule.header.id
        first = day_start(self._parts.clock.now()) - (HISTORY_DAYS - 1) * DAY
        read = self._parts.transactions.read
        days = read(lambda tx: self._history.alerts_by_day(tx, rule_id, first))
        evaluations = read(lambda tx: self._history.evaluations_of(tx, rule_id, _EVALUATIONS))
        healths = read(self._health.healths)
        gaps = [each for each in self._runs.list_unscanned(actor) if each.detector == rule_id]
        counted = (first + number * DAY for number in range(HISTORY_DAYS))
        return RulePast(
            days=tuple(DayCount(day, days.get(day, 0)) for day in counted),
            evaluations=tuple(evaluations),
            gaps=tuple(gaps),
            health=healths.get(rule_id, RuleHealth(rule_id)),
        )
