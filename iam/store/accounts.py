"""Accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.accounts import Account, AccountState
from iam.store.tables import accounts
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        org_id=row.org_id,
        name=row.name,
        kind=row.kind,
        person_id=row.person_id,
        state=row.state,
        created_at=row.created_at,
        last_sign_in=row.last_sign_in,
    )


class Accounts:
    """Accounts in the table ``iam_accounts``."""

    def add(self, tx: Transaction, account: Account, name_key: str) -> None:
        """Store a new account; raise ``NameTaken``."""
        if self.by_name(tx, name_key) is not None:
            msg = "another account has this name"
            raise NameTaken(msg)
        try:
            tx.execute(
                accounts.insert().values(
                    id=account.id,
                    org_id=account.org_id,
                    name=account.name,
                    name_key=name_key,
                    kind=account.kind,
                    person_id=account.person_id,
                    state=account.state,
                    created_at=account.created_at,
                )
            )
        except IntegrityError as error:
            msg = "another account has this name"
            raise NameTaken(msg) from error

    def get(self, tx: Transaction, account_id: str) -> Account:
        """Return it; raise ``NotFound``."""
        row = tx.execute(sa.select(accounts).where(accounts.c.id == account_id)).first()
        if row is None:
            msg = "there is no such account"
            raise NotFound(msg)
        return _account(row)

    def by_name(self, tx: Transaction, name_key: str) -> Account | None:
        """Return the account of this name."""
        row = tx.execute(sa.select(accounts).where(accounts.c.name_key == name_key)).first()
        return None if row is None else _account(row)

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Account]:
        """Return accounts by id."""
        query = sa.select(accounts).where(accounts.c.org_id == org_id)
        if (after := request.key(str)) is not None:
            query = query.where(accounts.c.id > after[0])
        rows = tx.execute(query.order_by(accounts.c.id).limit(request.limit + 1)).all()
        found = [_account(row) for row in rows]
        return page_of(found, request.limit, [(account.id,) for account in found])

    def set_state(self, tx: Transaction, account_id: str, state: AccountState) -> None:
        """Change the state."""
        tx.execute(accounts.update().where(accounts.c.id == account_id).values(state=state))

    def signed_in(self, tx: Transaction, account_id: str, at: int) -> None:
        """Remember the last sign-in."""
        tx.execute(accounts.update().where(accounts.c.id == account_id).values(last_sign_in=at))

    def facts(self, tx: Transaction, org_id: str, stale_before: int) -> Mapping[str, int]:
        """Return counts: accounts, active, pending, locked, stale, shared_persons."""
        column = accounts.c
        states = tx.execute(
            sa.select(column.state, sa.func.count())
            .where(column.org_id == org_id)
            .group_by(column.state)
        ).all()
        counts = {"active": 0, "pending": 0, "locked": 0} | {s: int(n) for s, n in states}
        last = sa.func.coalesce(column.last_sign_in, column.created_at)
        stale = sa.select(sa.func.count()).where(
            column.org_id == org_id, column.state == "active", last < stale_before
        )
        shared = (
            sa.select(column.person_id)
            .where(column.org_id == org_id, column.state != "closed", column.person_id.isnot(None))
            .group_by(column.person_id)
            .having(sa.func.count() > 1)
            .subquery()
        )
        counts["accounts"] = sum(int(n) for _, n in states)
        counts["stale"] = tx.execute(stale).scalar_one()
        counts["shared_persons"] = tx.execute(
            sa.select(sa.func.count()).select_from(shared)
        ).scalar_one()
        return counts
