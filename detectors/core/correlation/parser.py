"""Correlation documents (Sigma correlations 2.1, and two types of ours) as typed values.

pySigma checks the document around the correlation; the correlation itself is read here,
because ranges (``{gt, lte}``), a percentile's bounds and unknown keys need an answer of their
own. ``read_correlation`` alone reads what is in the cache and imports no pySigma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, get_args

import orjson

from detectors.core.correlation.conditions import read_condition, rules_named
from detectors.core.correlation.model import (
    COUNTED,
    NUMERIC,
    Alias,
    Alternative,
    Bound,
    Correlation,
    CorrelationType,
    Operator,
)
from detectors.core.events.text import fold
from detectors.models.correlation import Group
from detectors.models.rules import RuleHeader
from secops.kernel.clock import SECOND

UNITS: Final[Mapping[str, int]] = {
    "s": 1,
    "m": 60,
    "h": 3_600,
    "d": 86_400,
    "w": 604_800,
    "M": 2_629_746,
    "y": 31_556_952,
}
MAX_SPAN: Final = 10 * UNITS["y"]
MAX_RULES: Final = 200
MAX_ORDERED: Final = 16
MAX_FIELDS: Final = 8
MAX_EXPECTED: Final = 10_000
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhdwMy])", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
_MAX_NUMBER: Final = 32
_KEYS: Final = frozenset(
    {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}
)
_OWN_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "absence": frozenset({"expected"}),
    "first_seen": frozenset({"learning"}),
}
_NEUTRAL: Final = {
    "type": "event_count",
    "rules": ["any"],
    "timespan": "1s",
    "condition": {"gte": 1},
}


class BadCorrelation(ValueError):
    """A correlation that can't be understood, or that could never fire."""


def parse_correlation(content: Mapping[str, Any], header: RuleHeader) -> Correlation:
    """Return the correlation in a rule document.

    Raises ``SigmaError`` where pySigma objects to the document, ``ValueError`` for the rest.
    """
    from sigma.correlations import SigmaCorrelationRule  # noqa: PLC0415 - slow to import

    section = content["correlation"]
    if not isinstance(section, dict):
        msg = "a correlation is a map"
        raise BadCorrelation(msg)
    SigmaCorrelationRule.from_dict({**content, "correlation": _NEUTRAL})
    return read_correlation(section, header)


def read_correlation(section: Mapping[str, Any], header: RuleHeader) -> Correlation:
    """Return the correlation in ``section``; raise ``ValueError`` saying what is wrong."""
    kind: Any = section.get("type")
    if kind not in get_args(CorrelationType):
        msg = f"{kind!r} is no valid type of correlation"
        raise BadCorrelation(msg)
    unknown = sorted(set(map(str, section)) - _KEYS - _OWN_KEYS.get(kind, frozenset()))
    if unknown:
        msg = f"a correlation of type {kind} has no {', '.join(unknown)}"
        raise BadCorrelation(msg)
    rules = _rules(kind, section)
    group_by = _names(section.get("group-by"), "group-by")
    asked = _condition(kind, section.get("condition"), rules)
    generate = section.get("generate", False)
    if not isinstance(generate, bool):
        msg = "generate is true or false"
        raise BadCorrelation(msg)
    return Correlation(
        header=header,
        type=kind,
        rules=rules,
        group_by=group_by,
        timespan=_span(section.get("timespan"), "timespan"),
        bounds=asked.bounds,
        alternatives=asked.alternatives,
        fields=asked.fields,
        percentile=asked.percentile,
        aliases=_aliases(section.get("aliases"), rules),
        generate=generate,
        learning=_span(section["learning"], "learning") if "learning" in section else 0,
        expected=_expected(section.get("expected"), group_by),
        section=orjson.dumps(section, option=orjson.OPT_NON_STR_KEYS).decode(),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    bounds: tuple[Bound, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: Decimal = Decimal(50)


def _rules(kind: str, section: Mapping[str, Any]) -> tuple[str, ...]:
    condition = section.get("condition")
    named = section.get("rules")
    if named is None and isinstance(condition, str) and kind.startswith("temporal"):
        named = list(rules_named(condition))
    rules = _names(named, "rules")
    if not rules:
        msg = "a correlation without rule references"
        raise BadCorrelation(msg)
    if kind != "temporal_ordered":
        rules = tuple(dict.fromkeys(rules))
    most = MAX_ORDERED if kind == "temporal_ordered" else MAX_RULES
    if len(rules) > most:
        msg = f"a correlation of type {kind} refers to at most {most} rules"
        raise BadCorrelation(msg)
    return rules


def _names(value: Any, key: str) -> tuple[str, ...]:
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        msg = f"{key} is a name or a list of names"
        raise BadCorrelation(msg)
    if key != "rules":
        names = list(dict.fromkeys(names))
        if len(names) > MAX_FIELDS:
            msg = f"{key} names more than {MAX_FIELDS} fields"
            raise BadCorrelation(msg)
    return tuple(names)


def _span(value: Any, key: str) -> int:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        msg = f"{key} {value!r} is invalid: a number and one of s m h d w M y"
        raise BadCorrelation(msg)
    seconds = int(found[1]) * UNITS[found[2]]
    if not 0 < seconds <= MAX_SPAN:
        msg = f"{key} {value} is not between 1s and 10y"
        raise BadCorrelation(msg)
    return seconds * SECOND


def _condition(kind: str, value: Any, rules: Sequence[str]) -> _Asked:
    everything = (1 << len(rules)) - 1
    if kind.startswith("temporal"):
        if isinstance(value, str):
            return _Asked(alternatives=read_condition(value, rules))
        if value is None and kind == "temporal":
            return _Asked(bounds=(Bound("gte", Decimal(len(rules))),))
        if value is None:
            return _Asked(alternatives=(Alternative(everything),))
    if kind == "absence":
        if value is not None:
            msg = "an absence has no condition: it fires when nothing comes"
            raise BadCorrelation(msg)
        return _Asked()
    if not isinstance(value, dict):
        msg = f"a correlation of type {kind} needs a condition that is a map"
        raise BadCorrelation(msg)
    return _measured(kind, value, rules)


def _measured(kind: str, value: Mapping[str, Any], rules: Sequence[str]) -> _Asked:
    operators = [name for name in get_args(Operator) if name in value]
    unknown = sorted(set(map(str, value)) - set(operators) - {"field", "percentile"})
    if unknown:
        msg = f"the condition contains invalid items: {', '.join(unknown)}"
        raise BadCorrelation(msg)
    fields = _fields(kind, value.get("field"))
    percentile = _percentile(kind, value.get("percentile"))
    bounds = _bounds(kind, {name: value[name] for name in operators})
    if kind == "temporal_ordered":
        if bounds not in {
            (Bound("gte", Decimal(len(rules))),),
            (Bound("gt", Decimal(len(rules) - 1)),),
        }:
            msg = "temporal_ordered asks for all its rules in order, or has a text condition"
            raise BadCorrelation(msg)
        return _Asked(alternatives=(Alternative((1 << len(rules)) - 1),))
    if kind in COUNTED:
        _refuse_impossible(bounds, len(rules) if kind == "temporal" else None)
    return _Asked(bounds, (), fields, percentile)


def _fields(kind: str, value: Any) -> tuple[str, ...]:
    fields = _names(value, "field")
    wanted = kind in NUMERIC or kind in {"value_count", "first_seen"}
    if wanted and not fields:
        msg = f"a correlation of type {kind} without field reference"
        raise BadCorrelation(msg)
    if fields and not wanted:
        msg = f"a correlation of type {kind} measures no field"
        raise BadCorrelation(msg)
    if kind in NUMERIC and len(fields) > 1:
        msg = f"a correlation of type {kind} measures one field"
        raise BadCorrelation(msg)
    return fields


def _percentile(kind: str, value: Any) -> Decimal:
    if kind != "value_percentile":
        if value is not None:
            msg = f"a correlation of type {kind} has no percentile"
            raise BadCorrelation(msg)
        return Decimal(50)
    percentile = _decimal(value, "percentile")
    if not 0 < percentile < 100:  # noqa: PLR2004 - per cent
        msg = f"percentile {value} is not between 0 and 100"
        raise BadCorrelation(msg)
    return percentile


def _bounds(kind: str, operators: Mapping[Operator, Any]) -> tuple[Bound, ...]:
    """Return one comparison, or the two of a range: more would say nothing more."""
    if kind == "first_seen":
        if operators:
            msg = "first_seen compares with nothing: a value is new or it is not"
            raise BadCorrelation(msg)
        return ()
    lower = [name for name in operators if name in {"gt", "gte"}]
    upper = [name for name in operators if name in {"lt", "lte"}]
    if not (len(operators) == 1 or (len(operators) == len(lower) + len(upper) == 2 * len(lower))):
        msg = "a condition has exactly one operator, or a lower and an upper one"
        raise BadCorrelation(msg)
    bounds = tuple(Bound(name, _decimal(number, name)) for name, number in operators.items())
    if lower and upper:
        low, high = (next(b.number for b in bounds if b.operator in n) for n in (lower, upper))
        if low > high or (low == high and ("gt" in lower or "lt" in upper)):
            msg = "the range of the condition is empty"
            raise BadCorrelation(msg)
    return bounds


def _refuse_impossible(bounds: Sequence[Bound], most: int | None) -> None:
    """Refuse counts that are no whole numbers, and conditions no count can meet."""
    if any(bound.number != bound.number.to_integral_value() for bound in bounds):
        msg = "a count is compared with a whole number"
        raise BadCorrelation(msg)
    tried = {1, *(int(bound.number) + step for bound in bounds for step in (-1, 0, 1))}
    possible = [n for n in tried if n >= 1 and (most is None or n <= most)]
    if not any(all(bound.holds(n, 1, int(bound.number)) for bound in bounds) for n in possible):
        msg = "the condition can never hold"
        raise BadCorrelation(msg)


def _decimal(value: Any, key: str) -> Decimal:
    """Return a number of YAML as written in decimal; floats by their shortest text."""
    text = str(value)
    number = isinstance(value, int | float | str) and not isinstance(value, bool)
    if number and isinstance(value, float):
        text = format(Decimal(text), "f") if text not in {"nan", "inf", "-inf"} else text
    if not number or len(text) > _MAX_NUMBER or _NUMBER.fullmatch(text) is None:
        msg = f"{value!r} is no valid number for {key}"
        raise BadCorrelation(msg)
    return Decimal(text)


def _aliases(value: Any, rules: Sequence[str]) -> tuple[Alias, ...]:
    aliases = {} if value is None else value
    if not isinstance(aliases, dict) or not all(isinstance(m, dict) for m in aliases.values()):
        msg = "aliases are a map of names to maps of rules to fields"
        raise BadCorrelation(msg)
    for name, mapping in aliases.items():
        strangers = [str(rule) for rule in mapping if rule not in rules]
        if strangers:
            msg = f"alias {name} names {', '.join(strangers)}, which is not among the rules"
            raise BadCorrelation(msg)
    return tuple(
        Alias(str(name), {str(rule): str(field) for rule, field in mapping.items()})
        for name, mapping in aliases.items()
    )


def _expected(value: Any, group_by: Sequence[str]) -> tuple[Group, ...]:
    groups = [] if value is None else value
    if not isinstance(groups, list) or len(groups) > MAX_EXPECTED:
        msg = f"expected is a list of at most {MAX_EXPECTED} groups"
        raise BadCorrelation(msg)
    found = []
    for group in groups:
        texts = group if isinstance(group, list) else [group]
        if len(texts) != len(group_by) or not all(isinstance(t, str | int) for t in texts):
            msg = f"an expected group has a value for each of the {len(group_by)} group-by fields"
            raise BadCorrelation(msg)
        found.append(tuple(fold(str(text)) for text in texts))
    return tuple(dict.fromkeys(found))
