"""The typed tree of a rule: what pySigma parsed, reduced to questions about one field each.

A value that is a tuple answers yes if any of its elements does. Every atom about an absent
field is false, except ``Absent``; ``Not`` turns that to true.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from detectors.core.sigma.derived import source_fields

KEYWORDS: Final = "\x00keywords"
"""The pseudo-field of rules without a field: the raw line, or all payload values."""

Operation = Literal["equals", "contains", "startswith", "endswith"]
Comparison = Literal["lt", "lte", "gt", "gte", "eq"]
TimeUnit = Literal["minute", "hour", "day", "week", "month", "year"]


class Gap(IntEnum):
    """What a wildcard stands for."""

    RUN = 0
    ONE = 1


@dataclass(frozen=True, slots=True)
class Text:
    """``field`` compared with ``literal``: folded, unless ``cased`` (then exact)."""

    field: str
    operation: Operation
    literal: str
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole value fits ``parts``: literals between gaps (``*`` and ``?``)."""

    field: str
    parts: tuple[str | Gap, ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """RE2 ``pattern`` (flags inside, as ``(?i)``) is found somewhere in the raw value."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Network:
    """The value is an address inside ``cidr``; other text is not."""

    field: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Number:
    """The value, read as a decimal number, compares so with ``bound``; other text does not."""

    field: str
    comparison: Comparison
    bound: str


@dataclass(frozen=True, slots=True)
class TimePart:
    """A part of the value, read as ISO 8601 at its written offset, compares so."""

    field: str
    unit: TimeUnit
    comparison: Comparison
    bound: int


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value; an empty one counts."""

    field: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The field has no value."""

    field: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The field's folded value equals (contains, …) that of field ``other``, any with any."""

    field: str
    other: str
    operation: Operation = "equals"


Atom = Text | Pattern | Regex | Network | Number | TimePart | Present | Absent | Reference


@dataclass(frozen=True, slots=True)
class And:
    """All of ``children`` hold."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of ``children`` holds; none of them never does."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``child`` does not hold."""

    child: Node


Node = (
    And
    | Or
    | Not
    | Text
    | Pattern
    | Regex
    | Network
    | Number
    | TimePart
    | Present
    | Absent
    | Reference
)


def all_of(children: tuple[Node, ...]) -> Node:
    """Join ``children`` by AND; a single one stands for itself."""
    return children[0] if len(children) == 1 else And(children)


def any_of(children: tuple[Node, ...]) -> Node:
    """Join ``children`` by OR; a single one stands for itself."""
    return children[0] if len(children) == 1 else Or(children)


def atoms_of(node: Node) -> tuple[Atom, ...]:
    """Return every atom under ``node``, from left to right."""
    if isinstance(node, And | Or):
        return tuple(atom for child in node.children for atom in atoms_of(child))
    if isinstance(node, Not):
        return atoms_of(node.child)
    return (node,)


def fields_of(node: Node) -> frozenset[str]:
    """Return the names of all fields of an event that ``node`` reads."""
    atoms = atoms_of(node)
    names = {atom.field for atom in atoms}
    names.update(atom.other for atom in atoms if isinstance(atom, Reference))
    return frozenset(each for name in names for each in source_fields(name))
