"""Compiled rules: a tree restricted to its log source."""

from __future__ import annotations

from detectors.core.sigma.logsources import Table, with_logsource
from detectors.core.sigma.rule import CompiledRule, ParsedFile, RuleSet


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
