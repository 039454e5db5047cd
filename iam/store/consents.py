"""What people allow applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from iam.models.consents import Consent
from iam.store.device_grants import purge_by_expiry
from iam.store.organisations import within
from iam.store.tables import consents, families, sessions
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_PUT: Final = sa.text(
    "INSERT INTO iam_consents (id, org_id, account_id, client_id, scopes, granted_at, expires_at)"
    " VALUES (:id, :org_id, :account_id, :client_id, :scopes, :granted_at, :expires_at)"
    " ON CONFLICT (account_id, client_id) WHERE ended_at IS NULL DO UPDATE SET"
    " scopes = excluded.scopes, granted_at = excluded.granted_at,"
    " expires_at = excluded.expires_at RETURNING id"
)


def _consent(row: Any) -> Consent:
    return Consent(
        id=row.id,
        org_id=row.org_id,
        account_id=row.account_id,
        client_id=row.client_id,
        scopes=frozenset(row.scopes.split()),
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _standing(now: int) -> tuple[sa.ColumnElement[bool], ...]:
    return consents.c.ended_at.is_(None), consents.c.expires_at > now


class Consents:
    """The table ``iam_consents``."""

    def put(self, tx: Transaction, consent: Consent) -> Consent:
        """Store it, or widen and prolong the one that stands; return what stands now."""
        column = consents.c
        whose = (
            column.account_id == consent.account_id,
            column.client_id == consent.client_id,
            column.ended_at.is_(None),
        )
        # what has expired ends first: tokens of its time must not live again with the new one
        over = consents.update().where(*whose, column.expires_at <= tx.now)
        tx.execute(over.values(ended_at=column.expires_at))
        values = {
            "id": consent.id,
            "org_id": consent.org_id,
            "account_id": consent.account_id,
            "client_id": consent.client_id,
            "scopes": " ".join(sorted(consent.scopes)),
            "granted_at": consent.granted_at,
            "expires_at": consent.expires_at,
        }
        tx.execute(_PUT, values)
        return _consent(tx.execute(sa.select(consents).where(*whose)).one())

    def standing(self, tx: Transaction, account_id: str, client_id: str) -> Consent | None:
        """Return the one that stands and has not expired."""
        whose = (consents.c.account_id == account_id, consents.c.client_id == client_id)
        row = tx.execute(sa.select(consents).where(*whose, *_standing(tx.now))).first()
        return None if row is None else _consent(row)

    def get(self, tx: Transaction, consent_id: str) -> Consent | None:
        """Return it, standing or over."""
        row = tx.execute(sa.select(consents).where(consents.c.id == consent_id)).first()
        return None if row is None else _consent(row)

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Consent]:
        """Return the account's standing ones, newest first."""
        query = sa.select(consents).where(consents.c.account_id == account_id, *_standing(tx.now))
        rows = tx.execute(query.order_by(consents.c.granted_at.desc(), consents.c.id)).all()
        return [_consent(row) for row in rows]

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, account_id: str = ""
    ) -> Page[Consent]:
        """Return standing ones of the organisation and those below it, or of one account, by id."""
        query = sa.select(consents).where(within(consents.c.org_id, org_id), *_standing(tx.now))
        if account_id:
            query = query.where(consents.c.account_id == account_id)
        if (after := request.key(str)) is not None:
            query = query.where(consents.c.id > after[0])
        rows = tx.execute(query.order_by(consents.c.id).limit(request.limit + 1)).all()
        found = [_consent(row) for row in rows]
        return page_of(found, request.limit, [(consent.id,) for consent in found])

    def end(self, tx: Transaction, consent: Consent) -> bool:
        """End it with the refresh families that hang on it; False if it had ended."""
        ended = tx.execute(
            consents.update()
            .where(consents.c.id == consent.id, consents.c.ended_at.is_(None))
            .values(ended_at=tx.now)
        )
        of_person = sa.select(sessions.c.id).where(sessions.c.account_id == consent.account_id)
        tx.execute(
            families.update()
            .where(
                families.c.client_id == consent.client_id,
                families.c.session_id.in_(of_person),
                families.c.state == "active",
            )
            .values(state="ended")
        )
        return bool(ended.rowcount == 1)

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that were over before; return how many."""
        key = consents.c.id
        ended = purge_by_expiry(tx, key, before, limit, name="ended_at")
        return ended + purge_by_expiry(tx, key, before, limit)
