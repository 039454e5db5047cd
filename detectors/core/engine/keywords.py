"""On which rows keywords can matter: their text is long, so few rows should be asked.

A keyword that lies within one line is in the joined payload of a structured event only if it
is in one of its values. So the distinct values of all columns are searched once, and only rows
with a hit are read whole. Log lines, which are their own text, are read whole where asked.
"""

from __future__ import annotations

import numpy as np

from detectors.core.engine.columns import SYSTEM, Mask, Rows, Table, are_texts
from detectors.core.engine.fields import FieldProgram
from detectors.core.engine.memory import WordMemory
from detectors.core.engine.numbering import Numbered
from detectors.core.events.text import texts_of
from detectors.models.columns import sparse
from secops.kernel.logs import Column


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
    whole = [rows for tree, rows in asked if not hard.isdisjoint(_atoms(tree))]
    some = [rows for tree, rows in asked if hard.isdisjoint(_atoms(tree))]
    wanted = np.zeros(table.length, dtype=np.bool_)
    if some:
        rows = np.unique(np.concatenate(some))
        suspects = np.ones(table.length, dtype=np.bool_)
        if table.lined is not None:
            atoms = set().union(*(_atoms(tree) for tree, _ in asked))
            suspects = _held(field, table, atoms) if words is None else _known(words, table, atoms)
            suspects[rows[table.lined(rows)]] = True
        wanted[rows[suspects[rows]]] = True
    for rows in whole:
        wanted[rows] = True
    return np.flatnonzero(wanted)


def _held(field: FieldProgram, table: Table, wanted: set[int]) -> Mask:
    """Search the values of all columns at once."""
    texts: list[str] = []
    owners: list[int] = []
    starts: list[tuple[Column, int]] = []
    places = 0
    for name, column in table.columns.items():
        if not name.startswith(SYSTEM):
            starts.append((column, places))
            if are_texts(column.values):
                texts.extend(column.values)
                owners.extend(range(places, places + len(column.values)))
            else:
                for place, value in enumerate(column.values, places):
                    found = texts_of(value)
                    texts.extend(found)
                    owners.extend([place] * len(found))
            places += len(column.values)
    hit = np.zeros(places + 1, dtype=np.bool_)
    hit[np.array(owners, dtype=np.int64)[field.suspects(texts, wanted)]] = True
    rows = np.zeros(table.length, dtype=np.bool_)
    for column, start in starts:
        mine = hit[start : start + len(column.values)]
        if mine.any():
            there, at = sparse(column).placed
            rows[there[mine[at]]] = True
    return rows


def _known(words: WordMemory, table: Table, wanted: set[int]) -> Mask:
    """Search the values that were not searched before."""
    rows = np.zeros(table.length, dtype=np.bool_)
    for name, column in table.columns.items():
        if not name.startswith(SYSTEM):
            places = words.suspects(column.values, wanted)
            if places:
                hit = np.zeros(len(column.values), dtype=np.bool_)
                hit[places] = True
                mine, at = sparse(column).placed
                rows[mine[hit[at]]] = True
    return rows


def _atoms(tree: Numbered) -> set[int]:
    if isinstance(tree, int):
        return {tree}
    return set().union(*map(_atoms, tree[1:]))
