"""On which rows keywords can matter: their text is long, so few rows should be asked.

A keyword that lies within one line is in the joined payload of a structured event only if it
is in one of its values. So the distinct values of all columns are searched once, and only rows
with a hit are read whole. Log lines, which are their own text, are read whole where asked.
"""

from __future__ import annotations

import numpy as np

from detectors.core.engine.columns import SYSTEM, Mask, Rows, Table
from detectors.core.engine.fields import FieldProgram
from detectors.core.engine.memory import WordMemory
from detectors.core.engine.numbering import Numbered
from detectors.models.columns import sparse


def suspect_rows(
    field: FieldProgram,
    table: Table,
    asked: list[tuple[Numbered, Rows]],
    words: WordMemory | None = None,
) -> Rows:
    """Return the rows, ascending, of which keyword trees need the text.

    ``asked`` are these trees with the rows that matter to each; ``words`` what was searched.
    """
    hard = field.atoms - field.within_lines
    wanted = np.zeros(table.length, dtype=np.bool_)
    some: list[tuple[frozenset[int], Rows]] = []
    for tree, rows in asked:
        atoms = _atoms(tree)
        if table.lined is None or not hard.isdisjoint(atoms):
            wanted[rows] = True
        else:
            some.append((atoms, rows))
    if some and table.lined is not None:
        rows = np.unique(np.concatenate([rows for _, rows in some]))
        wanted[rows[table.lined(rows)]] = True
        if words is None:
            words = WordMemory(field)
        wanted |= _with_words(words, table, some)
    return np.flatnonzero(wanted)


def _with_words(words: WordMemory, table: Table, asked: list[tuple[frozenset[int], Rows]]) -> Mask:
    """Search the values of all columns: the rows of each tree that hold one of its literals."""
    held = [np.zeros(table.length, dtype=np.bool_) for _ in asked]
    columns = [column for name, column in table.columns.items() if not name.startswith(SYSTEM)]
    words.search(column.values for column in columns)
    for column in columns:
        hits = words.hits(column.values)
        if hits:
            rows, at = sparse(column).placed
            for (atoms, _), mine in zip(asked, held, strict=True):
                hit = np.zeros(len(column.values), dtype=np.bool_)
                hit[[place for place, found in hits if not found.isdisjoint(atoms)]] = True
                mine[rows[hit[at]]] = True
    joined = np.zeros(table.length, dtype=np.bool_)
    for (_, rows), mine in zip(asked, held, strict=True):
        joined[rows[mine[rows]]] = True
    return joined


def _atoms(tree: Numbered) -> frozenset[int]:
    if isinstance(tree, int):
        return frozenset((tree,))
    return frozenset().union(*map(_atoms, tree[1:]))
