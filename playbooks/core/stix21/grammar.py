"""Comparison expressions on playbook variables: ``__risk__:value >= 70 AND …``.

The part of STIX 2.1 Patterning (§9.6) that a playbook needs: ``= == != <> < <= > >= IN LIKE
ISSUBSET ISSUPERSET``, ``NOT`` before the operator, ``EXISTS``, ``AND`` before ``OR``, round
brackets, and square ones around the whole. What needs observations over time, ``MATCHES``
(a regular expression can be made to run for years), hex, binary and time literals are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

OBJECT_PATH: Final = r"(?<!_)(__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__):value"
"""How a playbook's texts and conditions name the value of a variable.

It begins where the underscores begin: a text full of them is not tried from each anew.
"""
MAX_TEXT: Final = 4_000
MAX_COMPARISONS: Final = 100
MAX_DEPTH: Final = 20

Scalar = str | int | float | bool
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "ISSUBSET", "ISSUPERSET"]
_OPERATORS: Final[dict[str, Operator]] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "IN": "IN",
    "LIKE": "LIKE",
    "ISSUBSET": "ISSUBSET",
    "ISSUPERSET": "ISSUPERSET",
}
_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<name>{OBJECT_PATH})"
    r"|(?P<text>'(?:[^'\\]|\\['\\])*')"
    r"|(?P<number>-?\d{1,18}(?:\.\d{1,18})?)(?![\w.])"
    r"|(?P<word>[A-Za-z]{1,12})(?!\w)"
    r"|(?P<sign><=|>=|<>|!=|==|[=<>()\[\],]))",
    re.ASCII,
)


class ConditionInvalid(ValueError):
    """The text is no condition of this grammar, or can't be decided for these values."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``name`` against ``operands``; EXISTS has none and the operator ``=``."""

    name: str
    operator: Operator
    operands: tuple[Scalar | Reference, ...]
    negated: bool = False
    exists: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Another variable on the right."""

    name: str


@dataclass(frozen=True, slots=True)
class Joined:
    """``parts`` joined by ``word``."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]


Condition = Comparison | Joined


def read_condition(text: str) -> Condition:
    """Return the condition in ``text``; raise ``ConditionInvalid``."""
    if len(text) > MAX_TEXT:
        msg = f"longer than {MAX_TEXT} characters"
        raise ConditionInvalid(msg)
    return _Reader(list(_tokens(text))).whole()


def names_in(condition: Condition) -> set[str]:
    """Return the variables that ``condition`` looks at."""
    if isinstance(condition, Joined):
        return set().union(*(names_in(part) for part in condition.parts))
    right = {one.name for one in condition.operands if isinstance(one, Reference)}
    return {condition.name, *right}


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            msg = f"unexpected {text[place : place + 20].strip()!r}"
            raise ConditionInvalid(msg)
        kind = next(key for key, value in match.groupdict().items() if value is not None)
        value = match[kind]
        place = match.end()
        yield kind, value.upper() if kind == "word" else value


class _Reader:
    """Recursive descent over the tokens, with a counted depth."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self._count = 0

    def whole(self) -> Condition:
        squared = self._take("sign", "[")
        condition = self._any(0)
        if squared and not self._take("sign", "]"):
            msg = "] is missing"
            raise ConditionInvalid(msg)
        if self._place < len(self._tokens):
            msg = f"unexpected {self._tokens[self._place][1][:20]!r}"
            raise ConditionInvalid(msg)
        return condition

    def _any(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._take("word", "OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Joined("OR", tuple(parts))

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._take("word", "AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Joined("AND", tuple(parts))

    def _one(self, depth: int) -> Condition:
        if self._take("sign", "("):
            if depth >= MAX_DEPTH:
                msg = f"brackets deeper than {MAX_DEPTH}"
                raise ConditionInvalid(msg)
            inner = self._any(depth + 1)
            self._need(")")
            return inner
        self._count += 1
        if self._count > MAX_COMPARISONS:
            msg = f"more than {MAX_COMPARISONS} comparisons"
            raise ConditionInvalid(msg)
        return self._comparison()

    def _comparison(self) -> Comparison:
        if self._take("word", "EXISTS"):
            return Comparison(self._name(), "=", (), exists=True)
        name = self._name()
        negated = self._take("word", "NOT")
        word = self._next()[1]
        if word not in _OPERATORS:
            msg = f"{word[:20]!r} is no operator here"
            raise ConditionInvalid(msg)
        operator = _OPERATORS[word]
        operands = self._list() if operator == "IN" else (self._operand(),)
        return Comparison(name, operator, operands, negated)

    def _list(self) -> tuple[Scalar | Reference, ...]:
        self._need("(")
        found = [self._operand()]
        while self._take("sign", ","):
            found.append(self._operand())
        self._need(")")
        return tuple(found)

    def _operand(self) -> Scalar | Reference:
        kind, value = self._next()
        if kind == "text":
            return re.sub(r"\\(['\\])", r"\1", value[1:-1])
        if kind == "number":
            return float(value) if "." in value else int(value)
        if kind == "name":
            return Reference(value.removesuffix(":value"))
        if value in ("TRUE", "FALSE"):
            return value == "TRUE"
        msg = f"{value[:20]!r} is no value"
        raise ConditionInvalid(msg)

    def _name(self) -> str:
        kind, value = self._next()
        if kind != "name":
            msg = f"{value[:20]!r} is no variable"
            raise ConditionInvalid(msg)
        return value.removesuffix(":value")

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            msg = "it ends too early"
            raise ConditionInvalid(msg)
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, kind: str, value: str) -> bool:
        if self._place < len(self._tokens) and self._tokens[self._place] == (kind, value):
            self._place += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take("sign", sign):
            msg = f"{sign} is missing"
            raise ConditionInvalid(msg)
