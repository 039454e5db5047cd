"""Accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.accounts import Account, AccountQuery, AccountState
from iam.store.organisations import is_reached
from iam.store.roles import in_force
from iam.store.tables import (
    accounts,
    break_glass,
    consents,
    enrolments,
    organisation_paths,
    registered_devices,
    role_grants,
    sessions,
)
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_FEW: Final = 200


def account_of_row(row: Any) -> Account:
    """Return the account of a row of ``iam_accounts``."""
    return Account(
        id=row.id,
        org_id=row.org_id,
        name=row.name,
        kind=row.kind,
        person_id=row.person_id,
        state=row.state,
        created_at=row.created_at,
        last_sign_in=row.last_sign_in,
        owner_id=row.owner_id,
        review_at=row.review_at,
        expires_at=row.expires_at,
        erased_at=row.erased_at,
    )


def _reached(tx: Transaction, org_id: str, narrower: str) -> sa.ColumnElement[bool]:
    """Return the condition that an account belongs to both organisations or is below both.

    Few organisations are named, so that their accounts are found by index; of many each
    account is asked where it lies, in the order of the list, until the page is full.
    """
    top = org_id
    if narrower and narrower != org_id:
        if is_reached(tx, org_id, narrower):
            top = narrower
        elif not is_reached(tx, narrower, org_id):
            return sa.false()
    paths = organisation_paths.c
    below = sa.select(paths.descendant_id).where(paths.ancestor_id == top)
    few = list(tx.execute(below.limit(_FEW + 1)).scalars())
    if len(few) <= _FEW:
        return accounts.c.org_id.in_([top, *few])
    # every organisation stands under itself, too
    return below.where(paths.descendant_id == accounts.c.org_id).exists()


def _narrowed(tx: Transaction, org_id: str, query: AccountQuery) -> list[sa.ColumnElement[bool]]:
    column = accounts.c
    conditions = [_reached(tx, org_id, query.organisation_id)]
    if query.text:
        conditions.append(column.name_key.contains(query.text, autoescape=True))
    if query.state:
        conditions.append(column.state == query.state)
    if query.kind:
        conditions.append(column.kind == query.kind)
    if query.role:
        held = role_grants.c
        holders = sa.select(held.subject_id).where(held.role == query.role, in_force(tx.now))
        conditions.append(column.id.in_(holders))
    return conditions


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
                    owner_id=account.owner_id,
                    review_at=account.review_at,
                    expires_at=account.expires_at,
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
        return account_of_row(row)

    def by_name(self, tx: Transaction, name_key: str) -> Account | None:
        """Return the account of this name."""
        row = tx.execute(sa.select(accounts).where(accounts.c.name_key == name_key)).first()
        return None if row is None else account_of_row(row)

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, query: AccountQuery
    ) -> Page[Account]:
        """Return accounts of the organisation and those below it."""
        column = accounts.c
        chosen = sa.select(accounts).where(*_narrowed(tx, org_id, query))
        keys: list[tuple[str | int, ...]]
        if query.order == "name":
            if (after := request.key(str)) is not None:
                chosen = chosen.where(column.name_key > after[0])
            rows = tx.execute(chosen.order_by(column.name_key).limit(request.limit + 1)).all()
            keys = [(row.name_key,) for row in rows]
        elif query.order == "sign_in":
            chosen = chosen.where(column.last_sign_in.isnot(None))
            newest = sa.tuple_(column.last_sign_in, column.id)
            if (after := request.key(int, str)) is not None:
                chosen = chosen.where(newest < sa.tuple_(*after))
            ordered = chosen.order_by(column.last_sign_in.desc(), column.id.desc())
            rows = tx.execute(ordered.limit(request.limit + 1)).all()
            keys = [(row.last_sign_in, row.id) for row in rows]
        else:
            if (after := request.key(str)) is not None:
                chosen = chosen.where(column.id > after[0])
            rows = tx.execute(chosen.order_by(column.id).limit(request.limit + 1)).all()
            keys = [(row.id,) for row in rows]
        return page_of([account_of_row(row) for row in rows], request.limit, keys)

    def facets(
        self, tx: Transaction, org_id: str, query: AccountQuery
    ) -> Mapping[str, Mapping[str, int]]:
        """Return how many there are by ``state`` and by ``kind``, as far as ``query`` narrows."""
        column = accounts.c
        rows = tx.execute(
            sa.select(column.state, column.kind, sa.func.count())
            .where(*_narrowed(tx, org_id, query))
            .group_by(column.state, column.kind)
        )
        counts: dict[str, dict[str, int]] = {"state": {}, "kind": {}}
        for state, kind, number in rows:
            counts["state"][state] = counts["state"].get(state, 0) + number
            counts["kind"][kind] = counts["kind"].get(kind, 0) + number
        return counts

    def move(self, tx: Transaction, account_id: str, org_id: str) -> None:
        """Put the account and what hangs on it into another organisation."""
        tx.execute(accounts.update().where(accounts.c.id == account_id).values(org_id=org_id))
        for table, column in (
            (role_grants, role_grants.c.subject_id),
            (sessions, sessions.c.account_id),
            (enrolments, enrolments.c.account_id),
            (registered_devices, registered_devices.c.account_id),
            (consents, consents.c.account_id),
        ):
            tx.execute(table.update().where(column == account_id).values(org_id=org_id))

    def set_service(
        self, tx: Transaction, account_id: str, owner_id: str | None, dates: tuple[int, int]
    ) -> None:
        """Set owner and (review, end) of a service account."""
        review_at, expires_at = dates
        tx.execute(
            accounts.update()
            .where(accounts.c.id == account_id)
            .values(owner_id=owner_id, review_at=review_at, expires_at=expires_at)
        )

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
            column.org_id == org_id,
            column.state == "active",
            last < stale_before,
            column.id.not_in(sa.select(break_glass.c.account_id)),
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
