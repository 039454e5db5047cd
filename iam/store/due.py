"""Rows whose next try is due: taken by one statement, so that two processes never try both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from secops.kernel.transactions import Transaction


def claim_due(tx: Transaction, state: sa.Column[Any], limit: int, until: int) -> Sequence[Any]:
    """Return rows of the state's table that wait and are due; due again at ``until``, not before.

    The table has ``id`` and ``next_at`` beside ``state``.
    """
    table = state.table
    column = table.c
    due = (state == "waiting", column.next_at <= tx.now)
    wanted = sa.select(column.id).where(*due).order_by(column.next_at).limit(limit)
    taken = sa.update(table).where(column.id.in_(wanted), *due).values(next_at=until)
    rows: Sequence[Any] = tx.execute(taken.returning(*column)).all()
    return rows
