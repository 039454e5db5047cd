"""Whether a condition holds for the values of variables. A value is always a text or nothing.

STIX 2.1 §9.6.1: a comparison with something that is not there is false, also under ``NOT``. A
number in the condition compares numbers; a value that is none can't be decided and raises,
so that a playbook fails there instead of taking a branch by accident.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from playbooks.core.stix21.grammar import (
    Comparison,
    Condition,
    ConditionInvalid,
    Joined,
    Reference,
    Scalar,
)

Values = Mapping[str, str | None]
MAX_PATTERN: Final = 200
"""Characters of a pattern: ``LIKE`` takes as many steps as value times pattern at most."""
_NUMBER = re.compile(r"\s*-?\d{1,18}(?:\.\d{1,18})?\s*", re.ASCII)


def holds(condition: Condition, values: Values) -> bool:
    """Tell whether ``condition`` is true; raise ``ConditionInvalid`` if that can't be said."""
    if isinstance(condition, Joined):
        parts = (holds(part, values) for part in condition.parts)
        return all(parts) if condition.word == "AND" else any(parts)
    value = values.get(condition.name)
    if condition.exists:
        return value is not None
    if value is None:
        return False
    operands = [_operand(one, values) for one in condition.operands]
    if any(operand is None for operand in operands):
        return False
    return condition.negated != any(
        _compare(condition, value, operand) for operand in operands if operand is not None
    )


def _operand(operand: Scalar | Reference, values: Values) -> Scalar | None:
    return values.get(operand.name) if isinstance(operand, Reference) else operand


def _compare(condition: Comparison, value: str, operand: Scalar) -> bool:
    operator = condition.operator
    if operator == "LIKE":
        return _like(value, str(operand))
    if operator in ("ISSUBSET", "ISSUPERSET"):
        inner, outer = (value, operand) if operator == "ISSUBSET" else (operand, value)
        return _within(str(inner), str(outer))
    if isinstance(operand, bool):
        order = (value.strip().lower() == "true") - operand
        if value.strip().lower() not in ("true", "false"):
            raise ConditionInvalid(f"the value of {condition.name} is neither true nor false")
    elif isinstance(operand, str):
        order = (value > operand) - (value < operand)
    else:
        left, right = _number(value, condition.name), Decimal(str(operand))
        order = (left > right) - (left < right)
    return {
        "=": order == 0,
        "IN": order == 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[operator]


def _number(value: str, name: str) -> Decimal:
    if _NUMBER.fullmatch(value) is None:
        raise ConditionInvalid(f"the value of {name} is no number")
    return Decimal(value.strip())


def _within(inner: str, outer: str) -> bool:
    try:
        one = ipaddress.ip_network(inner.strip(), strict=False)
        other = ipaddress.ip_network(outer.strip(), strict=False)
    except ValueError as error:
        raise ConditionInvalid("ISSUBSET and ISSUPERSET compare addresses") from error
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)


def _like(value: str, pattern: str) -> bool:
    """Match ``%`` (any text) and ``_`` (one character), with one remembered way back.

    Takes at most len(value) × len(pattern) steps: no pattern makes it slower.
    """
    if len(pattern) > MAX_PATTERN:
        msg = f"a pattern longer than {MAX_PATTERN} characters"
        raise ConditionInvalid(msg)
    here = there = 0
    star = -1
    kept = 0
    while here < len(value):
        sign = pattern[there] if there < len(pattern) else ""
        if sign == "%":
            star, kept = there, here
            there += 1
        elif sign in ("_", value[here]):
            here, there = here + 1, there + 1
        elif star >= 0:
            kept += 1
            here, there = kept, star + 1
        else:
            return False
    return not pattern[there:].strip("%")
