"""What a rule file holds, parsed and compiled."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.core.correlation.model import Correlation
from detectors.core.sigma.tree import Node
from detectors.models.rules import RuleHeader, RuleProblem


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and its questions, before its log source is applied."""

    header: RuleHeader
    tree: Node


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a rule file holds, and what of it is refused."""

    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]
    problems: tuple[RuleProblem, ...]


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
