"""A program over a table: on which rows each tree holds.

Each tree starts from its cheapest *anchor*: a set of atoms one of which must hold wherever
the tree does. Of an AND the cheapest child serves, of an OR all children together, a NOT
has none. The whole tree is asked on the anchor's rows only; an anchor without rows settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import numpy as np

from detectors.core.engine.columns import Index, Mask, Rows, Table, View
from detectors.core.engine.program import Branch, Numbered, Operator, Program
from detectors.core.engine.references import refers
from detectors.core.sigma.tree import KEYWORDS, Reference

Anchor = tuple[int, tuple[int, ...]]
"""What it costs (rows) and the atoms that hold somewhere; None stands for "every row"."""

_NOTHING: Final[Rows] = np.empty(0, dtype=np.int64)


def evaluate(program: Program, table: Table) -> dict[int, Rows]:
    """Return the rows (ascending) of each tree that holds anywhere, by the tree's position."""
    if not table.length:
        return {}
    run = _Run(program, table)
    candidates = {
        position: rows
        for position in range(len(program.trees))
        if len(rows := run.candidates(program.trees[position]))
    }
    if program.asks_keywords:
        asked = [candidates[p] for p in program.keyword_trees if p in candidates]
        if asked:
            run.decide_keywords(np.unique(np.concatenate(asked)))
    found = {}
    for position, rows in candidates.items():
        mask = run.holds(program.trees[position], rows)
        hits = _NOTHING if mask is None else np.sort(rows[mask])
        if len(hits):
            found[position] = hits
    return found


class _Run:
    """The state of one evaluation."""

    def __init__(self, program: Program, table: Table) -> None:
        self._program = program
        self._view = View(table)
        self._all: Rows = np.arange(table.length, dtype=np.int64)
        self._indexes: dict[str, Index | None] = {}
        self._codes: dict[int, Rows] = {}
        self._costs: list[int] = [0] * len(program.atoms)
        self._everywhere: set[int] = set()
        self._unknown: set[int] = set()
        self._tables: dict[int, Mask] = {}
        for name, field in program.fields.items():
            if name == KEYWORDS:
                continue
            index = self._index(name)
            if index is None:
                self._hold_everywhere(field.absent)
                continue
            self._decide(index, field.decide(index), field.absent)
        for number, atom in enumerate(program.atoms):
            if atom.field == KEYWORDS or isinstance(atom, Reference):
                self._unknown.add(number)

    def _index(self, name: str) -> Index | None:
        if name not in self._indexes:
            self._indexes[name] = self._view.index(name)
        return self._indexes[name]

    def _hold_everywhere(self, numbers: list[int]) -> None:
        for number in numbers:
            self._everywhere.add(number)
            self._costs[number] = len(self._all)

    def _decide(self, index: Index, hits: Mapping[int, Rows], absent: list[int]) -> None:
        counts = index.counts
        for number, codes in hits.items():
            self._codes[number] = codes
            self._costs[number] = int(counts[codes].sum())
        missing = len(index.values)
        for number in absent:
            self._codes[number] = np.array([missing], dtype=np.int64)
            self._costs[number] = int(counts[missing])

    def decide_keywords(self, rows: Rows) -> None:
        """Decide the keyword atoms on ``rows``, the only ones where they can matter."""
        index = self._view.keyword_index(rows.tolist())
        self._indexes[KEYWORDS] = index
        field = self._program.fields[KEYWORDS]
        self._decide(index, field.decide(index), field.absent)

    def candidates(self, tree: Numbered) -> Rows:
        """Return the rows (each once) outside which ``tree`` can't hold."""
        anchor = self._anchor(tree)
        if anchor is None:
            return self._all
        cost, numbers = anchor
        if not cost:
            return _NOTHING
        if cost >= len(self._all) or not self._everywhere.isdisjoint(numbers):
            return self._all
        parts = [self._decided(number).rows_of(self._codes[number]) for number in numbers]
        return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))

    def _decided(self, number: int) -> Index:
        """Return the index of an atom that holds somewhere: so there is one."""
        return cast("Index", self._index(self._program.fields_of_atoms[number]))

    def _anchor(self, tree: Numbered) -> Anchor | None:
        if isinstance(tree, int):
            if tree in self._unknown:
                return None
            cost = self._costs[tree]
            return cost, ((tree,) if cost else ())
        if tree.operator is Operator.AND:
            return self._cheapest(tree)
        if tree.operator is Operator.NOT:
            return None
        cost = 0
        numbers: list[int] = []
        for child in tree.children:
            anchor = self._anchor(child)
            if anchor is None:
                return None
            cost += anchor[0]
            numbers.extend(anchor[1])
        return cost, tuple(numbers)

    def _cheapest(self, tree: Branch) -> Anchor | None:
        best: Anchor | None = None
        for child in tree.children:
            anchor = self._anchor(child)
            if anchor is not None and (best is None or anchor[0] < best[0]):
                best = anchor
                if not best[0]:
                    break
        return best

    def holds(self, tree: Numbered, rows: Rows) -> Mask | None:
        """Return on which of ``rows`` the tree holds; None is "nowhere"."""
        if isinstance(tree, int):
            return self._atom_holds(tree, rows)
        if tree.operator is Operator.NOT:
            mask = self.holds(tree.children[0], rows)
            return np.ones(len(rows), dtype=np.bool_) if mask is None else ~mask
        conjunction = tree.operator is Operator.AND
        joined: Mask | None = None
        for child in tree.children:
            mask = self.holds(child, rows)
            if mask is None:
                if conjunction:
                    return None
            elif joined is None:
                joined = mask
            else:
                joined = joined & mask if conjunction else joined | mask
        return joined

    def _atom_holds(self, number: int, rows: Rows) -> Mask | None:
        if number in self._everywhere:
            return np.ones(len(rows), dtype=np.bool_)
        atom = self._program.atoms[number]
        if isinstance(atom, Reference):
            left, right = self._index(atom.field), self._index(atom.other)
            if left is None or right is None:
                return None
            return refers(atom.operation, left, right, rows)
        if not self._costs[number]:
            return None
        index = self._decided(number)
        table = self._tables.get(number)
        if table is None:
            table = np.zeros(len(index.values) + 1, dtype=np.bool_)
            table[self._codes[number]] = True
            self._tables[number] = table
        return table[index.codes[rows]]
