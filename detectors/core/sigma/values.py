"""Values of a detection item, as pySigma's modifiers left them, become atoms."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
)

from detectors.core.events.text import canonical_scalar
from detectors.core.sigma.strings import (
    NO_LISTS,
    Lists,
    Parts,
    as_contains,
    expanded,
    parts_of,
    string_atom,
)
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    Atom,
    Comparison,
    Network,
    Node,
    Not,
    Number,
    Operation,
    Present,
    Reference,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    any_of,
)

_FLAGS: Final = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARISONS: Final[dict[CompareOperators, Comparison]] = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
}
_UNITS: Final[dict[str, TimeUnit]] = {
    "MINUTE": "minute",
    "HOUR": "hour",
    "DAY": "day",
    "WEEK": "week",
    "MONTH": "month",
    "YEAR": "year",
}
_REFERENCES: Final[dict[tuple[bool, bool], Operation]] = {
    (False, False): "equals",
    (True, False): "startswith",
    (False, True): "endswith",
    (True, True): "contains",
}


class Unsupported(ValueError):
    """pySigma knows it and we don't: the rule is refused by name."""


def value_node(field: str | None, value: SigmaType, lists: Lists = NO_LISTS) -> Node:
    """Return what ``field`` is asked about ``value``; None asks the keywords.

    ``lists`` gives the values of placeholders. Raises ``Unsupported`` or ``PlaceholderFound``.
    """
    name = KEYWORDS if field is None else field
    if isinstance(value, SigmaExpansion):
        return any_of(tuple(value_node(field, each, lists) for each in value.values))
    if isinstance(value, SigmaString):
        return any_of(tuple(_string(name, each) for each in expanded(value, lists)))
    if isinstance(value, SigmaRegularExpression):
        return Regex(name, _regex(value))
    if isinstance(value, SigmaNumber | SigmaBool):
        return _scalar(name, value)
    return _special(name, value)


def _scalar(name: str, value: SigmaNumber | SigmaBool) -> Atom:
    if isinstance(value, SigmaBool):
        return _plain(name, "true" if value.boolean else "false")
    if isinstance(value, SigmaTimestampPart):
        return TimePart(name, _UNITS[value.timestamp_part.name], "eq", int(value.number))
    return _plain(name, canonical_scalar(value.number) or "")


def _special(name: str, value: SigmaType) -> Node:
    if isinstance(value, SigmaNull):
        return Absent(name)
    if isinstance(value, SigmaExists):
        return Present(name) if value.exists else Not(Present(name))
    if isinstance(value, SigmaCIDRExpression):
        return Network(name, str(value.network))
    if isinstance(value, SigmaCompareExpression):
        return _comparison(name, value)
    if isinstance(value, SigmaFieldReference):
        return Reference(name, value.field, _REFERENCES[value.starts_with, value.ends_with])
    msg = f"values of type {type(value).__name__} are not supported"
    raise Unsupported(msg)


def _string(name: str, value: SigmaString) -> Atom:
    parts: Parts = parts_of(value)
    if name == KEYWORDS:
        parts = as_contains(parts)
    return string_atom(name, parts, cased=isinstance(value, SigmaCasedString))


def _plain(name: str, text: str) -> Atom:
    return Text(name, "contains" if name == KEYWORDS else "equals", text)


def _regex(value: SigmaRegularExpression) -> str:
    parts_of(value.regexp)  # refuses placeholders
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    pattern = str(value.regexp)
    return f"(?{flags}){pattern}" if flags else pattern


def _comparison(name: str, value: SigmaCompareExpression) -> Atom:
    comparison = _COMPARISONS[value.op]
    number = value.number
    if isinstance(number, SigmaTimestampPart):
        unit = _UNITS[number.timestamp_part.name]
        return TimePart(name, unit, comparison, int(number.number))
    return Number(name, comparison, format(Decimal(str(number.number)), "f"))
