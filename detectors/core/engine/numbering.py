"""Rules as numbers: what a program is made of, in lists and maps that JSON can hold.

Equal atoms of different trees are one atom. Each tree gets a *fixed anchor*: atoms one of
which must hold wherever the tree does, chosen for being rare. An AND takes its best child, an
OR all children, a NOT has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from detectors.core.engine.literals import is_short
from detectors.core.events.text import fold
from detectors.core.sigma.derived import source_fields
from detectors.core.sigma.regex import required_literal
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    And,
    Atom,
    Node,
    Not,
    Or,
    Pattern,
    Present,
    Reference,
    Regex,
    Text,
)
from detectors.core.sigma.tree_codec import encode_tree

Numbered = int | list[Any]
"""An atom's number, or an operator and the children under it."""


class Operator(IntEnum):
    """How the children of a branch are joined."""

    AND = 0
    OR = 1
    NOT = 2


@dataclass(slots=True)
class FieldImage:
    """The questions about one field; atoms by number.

    ``literals`` are found in one pass; the lists beside them say, per literal, which atom it
    answers ``anywhere``, ``at_start`` and ``at_end`` (-1: none), ``guards`` which atoms can
    only hold where it occurs: (literal, atom, whether that is so for every text). ``short``
    are (operation, literal, atom); ``asked`` holds the atoms that need more than literals;
    ``unguarded`` those of them that may hold anywhere; ``folding`` those that compare raw
    texts, whose folding may hide the guard.
    """

    literals: list[str] = field(default_factory=list)
    anywhere: list[int] = field(default_factory=list)
    at_start: list[int] = field(default_factory=list)
    at_end: list[int] = field(default_factory=list)
    guards: list[list[int]] = field(default_factory=list)
    short: list[list[Any]] = field(default_factory=list)
    equals: dict[str, int] = field(default_factory=dict)
    present: int = -1
    absent: int = -1
    asked: dict[str, list[Any]] = field(default_factory=dict)
    unguarded: list[int] = field(default_factory=list)
    folding: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Image:
    """A program as data. ``fields_of_atoms`` are positions in ``fields``'s order."""

    trees: list[Numbered] = field(default_factory=list)
    anchors: list[list[int] | None] = field(default_factory=list)
    fields: dict[str, FieldImage] = field(default_factory=dict)
    fields_of_atoms: list[int] = field(default_factory=list)
    references: dict[str, list[Any]] = field(default_factory=dict)
    keyword_trees: list[int] = field(default_factory=list)


_COMMON: Final = 1_000.0
_ASKED: Final = 300.0
_BROAD: Final = frozenset(
    {
        "event.category",
        "event.type",
        "event.module",
        "event.dataset",
        "event.action",
        "event.outcome",
        "host.os.type",
        "process.name",
    }
)
"""Fields that log sources are told by: their values are never rare."""


def numbered(trees: Sequence[Node]) -> Image:
    """Return the image of ``trees``."""
    return _Numbering().of(trees)


class _Numbering:
    def __init__(self) -> None:
        self._image = Image()
        self._numbers: dict[Atom, int] = {}
        self._atoms: list[Atom] = []
        self._positions: dict[str, int] = {}
        self._literals: dict[str, dict[str, int]] = {}

    def of(self, trees: Sequence[Node]) -> Image:
        image = self._image
        for position, tree in enumerate(trees):
            image.trees.append(self._number(tree))
            rarity = self._anchor(tree)
            image.anchors.append(None if rarity is None else sorted(set(rarity[1])))
            if KEYWORDS in _names(tree):
                image.keyword_trees.append(position)
        return image

    def _number(self, node: Node) -> Numbered:
        if isinstance(node, And | Or):
            operator = Operator.AND if isinstance(node, And) else Operator.OR
            children = [self._number(child) for child in _cheap_first(node.children)]
            return [int(operator), *children]
        if isinstance(node, Not):
            return [int(Operator.NOT), self._number(node.child)]
        return self._atom(node)

    def _atom(self, atom: Atom) -> int:
        known = self._numbers.get(atom)
        if known is not None:
            return known
        number = self._numbers[atom] = len(self._atoms)
        self._atoms.append(atom)
        place = self._positions.setdefault(atom.field, len(self._positions))
        self._image.fields_of_atoms.append(place)
        mine = self._image.fields.setdefault(atom.field, FieldImage())
        if isinstance(atom, Reference):
            self._image.references[str(number)] = encode_tree(atom)
        else:
            self._add(number, atom, mine)
        return number

    def _add(self, number: int, atom: Atom, mine: FieldImage) -> None:
        if isinstance(atom, Present):
            mine.present = number
        elif isinstance(atom, Absent):
            mine.absent = number
        elif isinstance(atom, Text) and not atom.cased:
            self._add_text(number, atom, mine)
        else:
            mine.asked[str(number)] = encode_tree(atom)
            literal, exact = guard_of(atom)
            if is_short(literal):
                mine.unguarded.append(number)
                return
            place = self._literal(atom.field, literal, mine)
            mine.guards.append([place, number, int(exact)])
            if not exact:
                mine.folding.append(number)

    def _add_text(self, number: int, atom: Text, mine: FieldImage) -> None:
        if atom.operation == "equals":
            mine.equals[atom.literal] = number
        elif is_short(atom.literal):
            mine.short.append([atom.operation, atom.literal, number])
        else:
            place = self._literal(atom.field, atom.literal, mine)
            places = {"contains": mine.anywhere, "startswith": mine.at_start}
            places.get(atom.operation, mine.at_end)[place] = number

    def _literal(self, name: str, literal: str, mine: FieldImage) -> int:
        known = self._literals.setdefault(name, {})
        place = known.setdefault(literal, len(known))
        if place == len(mine.literals):
            mine.literals.append(literal)
            mine.anywhere.append(-1)
            mine.at_start.append(-1)
            mine.at_end.append(-1)
        return place

    def _anchor(self, node: Node) -> tuple[float, list[int]] | None:
        if isinstance(node, Not):
            return None
        if isinstance(node, And):
            found = [a for a in map(self._anchor, node.children) if a is not None]
            return min(found, key=lambda each: each[0], default=None)
        if isinstance(node, Or):
            anchors = [self._anchor(child) for child in node.children]
            joined: tuple[float, list[int]] = (0.0, [])
            for anchor in anchors:
                if anchor is None:
                    return None
                joined = (joined[0] + anchor[0], joined[1] + anchor[1])
            return joined
        return _commonness(node), [self._numbers[node]]


def guard_of(atom: Atom) -> tuple[str, bool]:
    """Return a folded literal that must occur where ``atom`` holds, and for which texts.

    Exact ones hold for every text. The others compare raw texts: folding a text that is not
    ASCII may compose away the literal, so such texts are always asked.
    """
    if isinstance(atom, Pattern):
        texts = [part for part in atom.parts if isinstance(part, str)]
        longest = max(texts, key=len, default="")
        return (longest, True) if not atom.cased else (_ascii(longest), False)
    if isinstance(atom, Text):
        return _ascii(atom.literal), False
    if isinstance(atom, Regex):
        return _ascii(required_literal(atom.pattern)), False
    return "", False


def _ascii(literal: str) -> str:
    return fold(literal) if literal.isascii() and "\r" not in literal else ""


def _commonness(atom: Atom) -> float:
    """Return how often ``atom`` may hold, roughly: only the order matters."""
    if isinstance(atom, Present | Absent) or atom.field.startswith("System."):
        return _COMMON
    if atom.field in _BROAD:
        return _COMMON
    if isinstance(atom, Text) and not atom.cased:
        scale = 20.0 if atom.operation == "equals" else 100.0
        return scale / (1 + len(atom.literal)) ** 2
    literal, _ = guard_of(atom)
    return 100.0 / (1 + len(literal)) ** 2 if not is_short(literal) else _ASKED


def _cheap_first(children: Sequence[Node]) -> list[Node]:
    """Return children in an order that asks what needs only a look-up before the rest."""
    return sorted(children, key=_effort)


def _effort(node: Node) -> int:
    if isinstance(node, And | Or):
        return max(map(_effort, node.children), default=0)
    if isinstance(node, Not):
        return _effort(node.child)
    if isinstance(node, Text) and not node.cased:
        return 0
    return 0 if isinstance(node, Present | Absent) else 1


def _names(node: Node) -> set[str]:
    if isinstance(node, And | Or):
        return set().union(*map(_names, node.children))
    return _names(node.child) if isinstance(node, Not) else {node.field}


def field_names(image: Image) -> frozenset[str]:
    """Return the names of all fields of an event that the image reads."""
    names = [*image.fields, *(encoded[2] for encoded in image.references.values())]
    return frozenset(each for name in names for each in source_fields(name))
