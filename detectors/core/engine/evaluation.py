"""A program over a table: on which rows each tree holds.

Atoms are decided per distinct value; the trees whose fixed anchor holds nowhere are done. Of
the others each starts from its cheapest *anchor* on this table: a set of atoms one of which
must hold wherever the tree does. Of an AND the cheapest child serves, of an OR all children
together, a NOT has none. The whole tree is asked on the anchor's rows only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

import numpy as np

from detectors.core.engine.asking import Asking, Open, Patience, open_states
from detectors.core.engine.columns import Index, Mask, Rows, Table, View
from detectors.core.engine.fields import Decided, FieldProgram
from detectors.core.engine.keywords import suspect_rows
from detectors.core.engine.memory import Memory
from detectors.core.engine.numbering import Numbered, Operator
from detectors.core.engine.program import Program
from detectors.core.engine.references import refers
from detectors.core.engine.single import FEW, evaluate_each
from detectors.core.sigma.tree import KEYWORDS
from detectors.models.columns import SparseColumn

Anchor = tuple[int, tuple[int, ...]]
"""What it costs (rows) and the atoms that hold somewhere; None stands for "every row"."""

_NOTHING: Final[Rows] = np.empty(0, dtype=np.int64)


def ask(
    program: Program,
    table: Table,
    patience: Patience | None = None,
    memory: Memory | None = None,
) -> dict[int, Rows]:
    """Return what ``evaluate`` does, in the way that is quickest for so many events."""
    if table.length <= FEW:
        return evaluate_each(program, table, patience)
    return evaluate(program, table, patience, memory)


def evaluate(
    program: Program,
    table: Table,
    patience: Patience | None = None,
    memory: Memory | None = None,
) -> dict[int, Rows]:
    """Return the rows (ascending) of each tree that holds anywhere, by the tree's position.

    With ``patience`` a tree whose questions take too long, or raise, is left out and named
    there; the others go on. ``memory`` keeps what is decided for the tables that follow; it
    belongs to this program alone.
    """
    if not table.length:
        return {}
    run = _Run(program, table, patience, memory)
    candidates = {
        position: rows
        for position in program.possible(run.holding())
        if len(rows := run.candidates(program.trees[position]))
    }
    asked = [p for p in candidates if p in program.keyword_trees]
    if asked:
        run.decide_keywords([(program.trees[p], candidates[p]) for p in asked])
    found = {}
    for position, rows in candidates.items():
        try:
            mask = run.holds(program.trees[position], rows)
        except Exception as error:
            if patience is None:
                raise
            patience.failed[position] = f"{type(error).__name__}: {error}"
            continue
        hits = _NOTHING if mask is None else np.sort(rows[mask])
        if len(hits):
            found[position] = hits
    return found


class _Run:
    """The state of one evaluation."""

    def __init__(
        self, program: Program, table: Table, patience: Patience | None, memory: Memory | None
    ) -> None:
        self._program = program
        self._table = table
        self._patience = patience
        self._memory = memory
        self._view = View(table)
        self._all: Rows = np.arange(table.length, dtype=np.int64)
        self._indexes: dict[str, Index | None] = {}
        self._codes: dict[int, Rows] = {}
        self._costs: dict[int, int] = {}
        self._open: dict[int, Open | None] = {}
        self._everywhere: set[int] = set()
        self._unknown: set[int] = set(program.references)
        self._tables: dict[int, Mask] = {}
        for name, field in program.fields.items():
            if name == KEYWORDS:
                self._unknown.update(field.atoms)
                continue
            column = self._view.column(name)
            if column is not None:
                self._look_at(name, field, column)
            elif field.absent >= 0:
                self._indexes[name] = None
                self._everywhere.add(field.absent)
                self._costs[field.absent] = table.length

    def _look_at(self, name: str, field: FieldProgram, column: SparseColumn) -> None:
        if self._memory is None:
            decided = field.decide(column.values)
        else:
            memory = self._memory.field(name, field)
            column, decided = memory.learn(column), memory.decided
        index = self._indexes[name] = Index(column)
        self._note(index, field, decided)

    def holding(self) -> Mask:
        """Return, per atom, whether it may hold on any row."""
        flags = np.zeros(self._program.atoms, dtype=np.bool_)
        for known in (self._codes, self._everywhere, self._unknown):
            flags[list(known)] = True
        return flags

    def _index(self, name: str) -> Index | None:
        if name not in self._indexes:
            self._indexes[name] = self._view.index(name)
        return self._indexes[name]

    def _note(self, index: Index, field: FieldProgram, decided: Decided) -> None:
        counts = index.counts
        if field.absent >= 0 and counts[index.absent]:
            self._codes[field.absent] = np.array([index.absent], dtype=np.int64)
            self._costs[field.absent] = int(counts[index.absent])
        for known, is_open in ((decided.exact, False), (decided.may, True)):
            for number, cost in _costs(known, counts):
                self._codes[number] = known[number]
                self._costs[number] = cost
                if is_open:
                    self._open[number] = None

    def decide_keywords(self, asked: list[tuple[Numbered, Rows]]) -> None:
        """Decide the keyword atoms on the rows where they can matter."""
        field = self._program.fields[KEYWORDS]
        words = None if self._memory is None else self._memory.words(field)
        rows = suspect_rows(field, self._table, asked, words)
        index = Index(self._view.keyword_column(rows))
        self._indexes[KEYWORDS] = index
        self._unknown.difference_update(field.atoms)
        self._note(index, field, field.decide(index.values))

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
        return cast("Index", self._index(self._program.field_of(number)))

    def _anchor(self, tree: Numbered) -> Anchor | None:
        if isinstance(tree, int):
            if tree in self._unknown:
                return None
            cost = self._costs.get(tree, 0)
            return cost, ((tree,) if cost else ())
        if tree[0] == Operator.AND:
            return self._cheapest(tree)
        if tree[0] == Operator.NOT:
            return None
        cost = 0
        numbers: list[int] = []
        for child in tree[1:]:
            anchor = self._anchor(child)
            if anchor is None:
                return None
            cost += anchor[0]
            numbers.extend(anchor[1])
        return cost, tuple(numbers)

    def _cheapest(self, tree: list[Numbered]) -> Anchor | None:
        best: Anchor | None = None
        for child in tree[1:]:
            anchor = self._anchor(child)
            if anchor is not None and (best is None or anchor[0] < best[0]):
                best = anchor
                if not best[0]:
                    break
        return best

    def holds(self, tree: Numbered, rows: Rows) -> Mask | None:
        """Return on which of ``rows`` the tree holds; None is "nowhere". Raises ``TooSlow``."""
        if isinstance(tree, int):
            return self._atom_holds(tree, rows)
        if tree[0] == Operator.AND:
            return self._all_hold(tree, rows)
        if tree[0] == Operator.OR:
            return self._any_holds(tree, rows)
        mask = self.holds(tree[1], rows)
        return np.ones(len(rows), dtype=np.bool_) if mask is None else ~mask

    def _all_hold(self, tree: list[Numbered], rows: Rows) -> Mask | None:
        """Ask each child only on the rows where those before it hold."""
        alive: Rows | None = None
        for child in tree[1:]:
            mask = self.holds(child, rows if alive is None else rows[alive])
            if mask is None:
                return None
            alive = np.flatnonzero(mask) if alive is None else alive[mask]
            if not len(alive):
                return None
        result = np.zeros(len(rows), dtype=np.bool_)
        result[alive] = True
        return result

    def _any_holds(self, tree: list[Numbered], rows: Rows) -> Mask | None:
        """Ask each child only on the rows where none before it holds."""
        joined: Mask | None = None
        rest: Rows | None = None
        for child in tree[1:]:
            mask = self.holds(child, rows if rest is None else rows[rest])
            if mask is None:
                continue
            if joined is None or rest is None:
                joined = mask
            else:
                joined[rest[mask]] = True
            rest = np.flatnonzero(~joined)
            if not len(rest):
                break
        return joined

    def _atom_holds(self, number: int, rows: Rows) -> Mask | None:
        if number in self._everywhere:
            return np.ones(len(rows), dtype=np.bool_)
        reference = self._program.references.get(number)
        if reference is not None:
            left, right = self._index(reference.field), self._index(reference.other)
            if left is None or right is None:
                return None
            return refers(reference.operation, left, right, rows)
        if number not in self._codes:
            return None
        index = self._decided(number)
        if number in self._open:
            return self._question(number, index).holds(rows)
        table = self._tables.get(number)
        if table is None:
            table = np.zeros(index.absent + 1, dtype=np.bool_)
            table[self._codes[number]] = True
            self._tables[number] = table
        return table[index.codes[rows]]

    def _question(self, number: int, index: Index) -> Open:
        """Return the question of an atom that only may hold; most are never needed."""
        question = self._open[number]
        if question is None:
            name = self._program.field_of(number)
            field = self._program.fields[name]
            if self._memory is None or name == KEYWORDS:
                states = open_states(self._codes[number], index.absent)
            else:
                states = self._memory.field(name, field).states(number)
            question = Open(index, states, Asking(field.asking(number), self._patience))
            self._open[number] = question
        return question


def _costs(known: Mapping[int, Rows], counts: Rows) -> Iterator[tuple[int, int]]:
    """Yield the atoms that may hold somewhere, and on how many rows."""
    if known:
        parts = list(known.values())
        ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
        starts = np.concatenate(([0], ends[:-1]))
        costs = np.add.reduceat(counts[np.concatenate(parts)], starts).tolist()
        yield from ((number, cost) for number, cost in zip(known, costs, strict=True) if cost)
