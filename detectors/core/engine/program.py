"""Rules as a program: trees of numbers, one ``FieldProgram`` per field, anchors as postings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import cast

import numpy as np

from detectors.core.engine.columns import Mask, Rows
from detectors.core.engine.fields import FieldProgram
from detectors.core.engine.numbering import Image, Numbered, field_names, numbered
from detectors.core.sigma.tree import KEYWORDS, Node, Reference
from detectors.core.sigma.tree_codec import decode_tree


class Program:
    """What the engine runs: built once for a set of trees, used on any number of tables.

    Results come by the tree's position. Automata are made when a field is first read.
    """

    def __init__(self, trees: Sequence[Node] | Image) -> None:
        image = trees if isinstance(trees, Image) else numbered(trees)
        self.image = image
        self.trees: Sequence[Numbered] = image.trees
        names = list(image.fields)
        self._fields_of_atoms = image.fields_of_atoms
        self._names = names
        self.fields: Mapping[str, FieldProgram] = {
            name: FieldProgram(mine) for name, mine in image.fields.items()
        }
        self.references: Mapping[int, Reference] = {
            int(number): cast("Reference", decode_tree(encoded))
            for number, encoded in image.references.items()
        }
        self.asks_keywords = KEYWORDS in self.fields
        self.keyword_trees = frozenset(image.keyword_trees)
        self.atoms = len(image.fields_of_atoms)
        self.postings = [
            (number, position)
            for position, anchor in enumerate(image.anchors)
            for number in anchor or ()
        ]
        self.anchorless = [n for n, anchor in enumerate(image.anchors) if anchor is None]

    @property
    def names(self) -> frozenset[str]:
        """The names of all fields of an event that are asked about."""
        return field_names(self.image)

    def field_of(self, number: int) -> str:
        """Return the field that an atom asks about."""
        return self._names[self._fields_of_atoms[number]]

    def possible(self, holding: Mask) -> list[int]:
        """Return the trees that can hold where only the flagged atoms do, by position."""
        atoms, positions = self._pairs[:, 0], self._pairs[:, 1]
        found = np.unique(positions[holding[atoms]]).tolist()
        return sorted({*found, *self.anchorless})

    @cached_property
    def _pairs(self) -> Rows:
        return np.array(self.postings, dtype=np.int64).reshape(-1, 2)
