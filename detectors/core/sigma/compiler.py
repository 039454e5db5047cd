"""Compiled rules: a tree restricted to its log source, and the compact form that is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.correlation.parser import Correlation
from detectors.core.sigma.logsources import Table, with_logsource
from detectors.core.sigma.parser import ParsedFile
from detectors.core.sigma.tree import Node
from detectors.models.rules import RuleHeader, RuleProblem

COMPILER_VERSION: Final = 1
"""Another number for every change that compiles some rule to another tree."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that the engine can ask."""

    header: RuleHeader
    tree: Node


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that was understood, and everything that was not."""

    rules: tuple[CompiledRule, ...]
    correlations: tuple[Correlation, ...] = ()
    problems: tuple[RuleProblem, ...] = ()

    @property
    def detectors(self) -> tuple[RuleHeader, ...]:
        """The headers of all rules and correlations."""
        rules = tuple(rule.header for rule in self.rules)
        return rules + tuple(correlation.header for correlation in self.correlations)


def compile_file(parsed: ParsedFile, table: Table) -> RuleSet:
    """Restrict each rule of ``parsed`` to its log source."""
    return RuleSet(
        tuple(
            CompiledRule(rule.header, with_logsource(rule.tree, rule.header.logsource, table))
            for rule in parsed.rules
        ),
        parsed.correlations,
        parsed.problems,
    )
