"""Names of accounts that stand beside their ids in the planes' tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from secops.kernel.transactions import Transaction


def rename_account(
    tx: Transaction,
    named: Iterable[tuple[sa.Column[Any], sa.Column[Any]]],
    account_id: str,
    name: str,
) -> Counter[str]:
    """Put ``name`` where the account's stands beside its id; return the rows by table.

    ``named`` are columns with an account's id, and those beside them with its name.
    """
    counts: Counter[str] = Counter()
    for identifier, column in named:
        table = identifier.table
        changed = tx.execute(
            sa.update(table).where(identifier == account_id).values({column: name})
        )
        counts[str(table.name)] += int(changed.rowcount)
    return +counts
