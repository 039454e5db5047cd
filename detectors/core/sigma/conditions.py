"""pySigma's parsed condition becomes our tree."""

from __future__ import annotations

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaRule

from detectors.core.sigma.strings import NO_LISTS, Lists
from detectors.core.sigma.tree import Node, Not, all_of, any_of
from detectors.core.sigma.values import Unsupported, value_node


def rule_node(rule: SigmaRule, lists: Lists = NO_LISTS) -> Node:
    """Return the tree of ``rule``: several conditions are alternatives.

    Raises ``SigmaError``, ``Unsupported`` or ``PlaceholderFound``.
    """
    return any_of(tuple(_node(each.parsed, lists) for each in rule.detection.parsed_condition))


def _node(parsed: object, lists: Lists) -> Node:
    if isinstance(parsed, ConditionFieldEqualsValueExpression):
        return value_node(parsed.field, parsed.value, lists)
    if isinstance(parsed, ConditionValueExpression):
        return value_node(None, parsed.value, lists)
    if isinstance(parsed, ConditionNOT):
        return Not(_node(parsed.args[0], lists))
    if isinstance(parsed, ConditionAND):
        return all_of(tuple(_node(argument, lists) for argument in parsed.args))
    if isinstance(parsed, ConditionOR):
        return any_of(tuple(_node(argument, lists) for argument in parsed.args))
    msg = "the condition is empty"
    raise Unsupported(msg)
