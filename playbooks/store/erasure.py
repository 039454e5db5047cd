"""Names of accounts in the tables of incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from playbooks.store.tables import (
    custody_offers,
    evidence,
    incident_members,
    incident_tasks,
    incidents,
    observables,
)
from secops.adapters.database.names import rename_account
from secops.kernel.transactions import Transaction

NAMED: Final = (
    (incident_members.c.account_id, incident_members.c.name),
    (incident_tasks.c.assignee, incident_tasks.c.assignee_name),
    (custody_offers.c.receiver, custody_offers.c.receiver_name),
)
"""Columns with an account's id, and those beside them with its name."""
_MOST: Final = 10


class PersonTraces:
    """Implements ``playbooks.ports.erasure.PersonTraceStore``."""

    def open_incidents(self, transaction: Transaction, account_id: str, name: str) -> Sequence[str]:
        """Return the open incidents that name the account, at most 10, oldest first."""
        column, spellings = incidents.c, (account_id, f"account:{account_id}", name)
        seen = sa.select(observables.c.incident_id).where(
            observables.c.kind == "account", observables.c.value.in_(spellings)
        )
        member = sa.select(incident_members.c.incident_id).where(
            incident_members.c.account_id == account_id
        )
        owner = sa.select(incident_tasks.c.incident_id).where(
            incident_tasks.c.assignee == account_id
        )
        holder = sa.select(evidence.c.incident_id).where(evidence.c.holder == account_id)
        about = [column.subjects.contains(f'"{each}"', autoescape=True) for each in spellings]
        rows = transaction.execute(
            sa.select(column.id)
            .where(
                column.closed_at.is_(None),
                sa.or_(*about, *(column.id.in_(each) for each in (seen, member, owner, holder))),
            )
            .order_by(column.opened_at, column.id)
            .limit(_MOST)
        )
        return list(rows.scalars())

    def rename(self, transaction: Transaction, account_id: str, name: str) -> Mapping[str, int]:
        """Put ``name`` where the account's stands beside its id; return the rows by table."""
        return rename_account(transaction, NAMED, account_id, name)
