"""Rules as a program: atoms by number, trees of numbers, one ``FieldProgram`` per field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from detectors.core.engine.fields import FieldProgram
from detectors.core.sigma.derived import source_fields
from detectors.core.sigma.tree import KEYWORDS, And, Atom, Node, Not, Or, Reference


class Operator(IntEnum):
    """How the children of a branch are joined."""

    AND = 0
    OR = 1
    NOT = 2


@dataclass(frozen=True, slots=True)
class Branch:
    """Children (branches, or numbers of atoms) under an operator."""

    operator: Operator
    children: tuple[Branch | int, ...]


Numbered = Branch | int


class Program:
    """What the engine runs: built once for a set of trees, used on any number of tables.

    Equal atoms of different trees are one atom; results come by the tree's position.
    """

    def __init__(self, trees: Sequence[Node]) -> None:
        self._numbers: dict[Atom, int] = {}
        self.trees: tuple[Numbered, ...] = tuple(self._number(tree) for tree in trees)
        self.atoms: tuple[Atom, ...] = tuple(self._numbers)
        self.fields_of_atoms: tuple[str, ...] = tuple(atom.field for atom in self.atoms)
        by_field: dict[str, list[tuple[int, Atom]]] = {}
        for number, atom in enumerate(self.atoms):
            by_field.setdefault(atom.field, []).append((number, atom))
        self.fields = {name: FieldProgram(atoms) for name, atoms in by_field.items()}
        self.asks_keywords = KEYWORDS in self.fields
        keyword_atoms = {n for n, atom in enumerate(self.atoms) if atom.field == KEYWORDS}
        self.keyword_trees = frozenset(
            position
            for position, tree in enumerate(self.trees)
            if keyword_atoms and not keyword_atoms.isdisjoint(numbers_of(tree))
        )

    @property
    def names(self) -> frozenset[str]:
        """The names of all fields of an event that are asked about."""
        names = set(self.fields_of_atoms)
        names.update(atom.other for atom in self.atoms if isinstance(atom, Reference))
        return frozenset(each for name in names for each in source_fields(name))

    def _number(self, node: Node) -> Numbered:
        if isinstance(node, And | Or):
            operator = Operator.AND if isinstance(node, And) else Operator.OR
            return Branch(operator, tuple(self._number(child) for child in node.children))
        if isinstance(node, Not):
            return Branch(Operator.NOT, (self._number(node.child),))
        return self._numbers.setdefault(node, len(self._numbers))


def numbers_of(tree: Numbered) -> set[int]:
    """Return the numbers of all atoms in ``tree``."""
    if isinstance(tree, int):
        return {tree}
    return {number for child in tree.children for number in numbers_of(child)}
