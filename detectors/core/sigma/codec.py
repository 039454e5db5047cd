"""Compiled rules as JSON, so that SigmaHQ's thousands are parsed once and not at each start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from detectors.core.correlation.model import Correlation
from detectors.core.correlation.parser import read_correlation
from detectors.core.sigma.rule import CompiledRule, RuleSet
from detectors.core.sigma.tree_codec import decode_tree, encode_tree
from detectors.models.rules import Logsource, RuleHeader, RuleProblem

__all__ = ["decode_rules", "decode_tree", "encode_rules", "encode_tree"]


def encode_rules(rules: RuleSet) -> dict[str, Any]:
    """Return what a file compiled to."""
    return {
        "correlations": [_encoded_correlation(each) for each in rules.correlations],
        "rules": [[_encoded_header(rule.header), encode_tree(rule.tree)] for rule in rules.rules],
        "problems": [[p.line, p.what, p.rule_id, p.fatal] for p in rules.problems],
    }


def decode_rules(encoded: Mapping[str, Any], path: str) -> RuleSet:
    """Return the rules of the file that now lies at ``path``."""
    rules = tuple(
        CompiledRule(_decoded_header(header, path), decode_tree(tree))
        for header, tree in encoded["rules"]
    )
    correlations = tuple(_decoded_correlation(each, path) for each in encoded["correlations"])
    problems = tuple(RuleProblem(path, *problem) for problem in encoded["problems"])
    return RuleSet(rules, correlations, problems)


def _encoded_correlation(correlation: Correlation) -> list[Any]:
    return [_encoded_header(correlation.header), correlation.section]


def _decoded_correlation(encoded: list[Any], path: str) -> Correlation:
    header, section = encoded
    return read_correlation(orjson.loads(section), _decoded_header(header, path))


def _encoded_header(header: RuleHeader) -> list[Any]:
    source = header.logsource
    return [
        [header.id, header.title, header.severity, header.status, header.version],
        header.line,
        [header.name, header.description, header.author],
        [source.product, source.category, source.service],
        [header.tags, header.references, header.falsepositives],
        dict(header.custom),
    ]


def _decoded_header(encoded: list[Any], path: str) -> RuleHeader:
    head, line, texts, source, lists, custom = encoded
    identifier, title, severity, status, version = head
    name, description, author = texts
    tags, references, falsepositives = lists
    return RuleHeader(
        id=identifier,
        title=title,
        severity=severity,
        status=status,
        version=version,
        path=path,
        line=line,
        name=name,
        description=description,
        author=author,
        logsource=Logsource(*source),
        tags=tuple(tags),
        references=tuple(references),
        falsepositives=tuple(falsepositives),
        custom=custom,
    )
