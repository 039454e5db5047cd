"""Accounts sealed for emergencies are left alone by everything but their own two persons."""

from __future__ import annotations

from iam.errors import BreakGlassKept
from iam.service.means import Means
from secops.kernel.transactions import Transaction


def refuse_break_glass(means: Means, tx: Transaction, account_id: str) -> None:
    """Raise ``BreakGlassKept`` for an account that is sealed for emergencies."""
    if means.stores.break_glass.get(tx, account_id) is not None:
        raise BreakGlassKept
