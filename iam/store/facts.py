"""Counts for assessments: one statement each, no personal data in any answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from iam.store.tables import (
    accounts,
    break_glass,
    certificates,
    change_requests,
    departures,
    passkeys,
    passwords,
    role_grants,
    sessions,
    upstream_links,
)
from secops.kernel.transactions import Transaction

_MOST_SIGN_INS: Final = 100_000
_USABLE: Final = ("active", "pending")


def _count(tx: Transaction, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(accounts).where(*conditions)
    return int(tx.execute(query).scalar_one())


class StandingFacts:
    """Counts over accounts, roles, sessions, departures and changes of one organisation."""

    def accounts(
        self, tx: Transaction, org_id: str, ids: Collection[str], default_names: Collection[str]
    ) -> Mapping[str, int]:
        """Return what is wrong with accounts; ``ids`` came with the product."""
        column = accounts.c
        ours = (column.org_id == org_id,)
        has_any = sa.or_(
            *(
                sa.exists().where(held.c.account_id == column.id)
                for held in (passwords, passkeys, certificates, upstream_links)
            )
        )
        service = (*ours, column.kind == "service", column.state.in_(_USABLE))
        usable = column.state.in_(_USABLE)
        names = sa.select(sa.func.count(), sa.func.count(sa.distinct(column.name_key)))
        every, different = tx.execute(names.where(*ours)).one()
        return {
            "default_accounts": _count(tx, *ours, column.state == "active", column.id.in_(ids)),
            "named_by_default": _count(tx, *ours, usable, column.name_key.in_(default_names)),
            "repeated_names": int(every) - int(different),
            "without_credential": _count(
                tx, *ours, column.state == "active", column.kind != "service", ~has_any
            ),
            "services": _count(tx, *service),
            "services_without_owner": _count(tx, *service, column.owner_id.is_(None)),
            "services_without_end": _count(tx, *service, column.expires_at.is_(None)),
            "services_expired": _count(tx, *service, column.expires_at <= tx.now),
        }

    def rights(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return rights of nobody known, and rights and sessions that the departed still have."""
        grant, account, session = role_grants.c, accounts.c, sessions.c
        held = sa.select(sa.func.count()).select_from(role_grants)
        unknown = held.where(
            grant.org_id == org_id,
            grant.subject_kind == "account",
            grant.subject_id.not_in(sa.select(account.id)),
        )
        gone = sa.select(account.id).where(account.org_id == org_id, account.state == "closed")
        alive = sa.select(sa.func.count()).select_from(sessions)
        signed_in = alive.where(
            session.account_id.in_(gone), session.ended_at.is_(None), session.expires_at > tx.now
        )
        departed = held.where(grant.subject_id.in_(gone))
        return {
            "held_by_nobody_known": int(tx.execute(unknown).scalar_one()),
            "rights_left": int(tx.execute(departed).scalar_one())
            + int(tx.execute(signed_in).scalar_one()),
        }

    def cryptographic(
        self, tx: Transaction, org_id: str, roles: Collection[str] | None = None
    ) -> int:
        """Return how many active accounts (with a role of ``roles``) hold a cryptographic factor.

        That is a passkey or a certificate on a token. An account in two envelopes counts: its
        two halves are kept by two persons.
        """
        column = accounts.c
        chosen = [column.org_id == org_id, column.state == "active"]
        if roles is not None:
            held = (role_grants.c.subject_id == column.id, role_grants.c.role.in_(roles))
            chosen.append(sa.exists().where(*held))
        has_passkey = sa.exists().where(
            passkeys.c.account_id == column.id, passkeys.c.suspended_at.is_(None)
        )
        has_token = sa.exists().where(
            certificates.c.account_id == column.id,
            certificates.c.token_held,
            certificates.c.not_after > tx.now,
        )
        sealed = sa.exists().where(break_glass.c.account_id == column.id)
        return _count(tx, *chosen, sa.or_(has_passkey, has_token, sealed))

    def sign_ins(
        self, tx: Transaction, org_id: str, role: str, since: int
    ) -> Sequence[tuple[int, str]]:
        """Return (level, address) of each session that holders of ``role`` opened since."""
        column = sessions.c
        holders = sa.select(role_grants.c.subject_id).where(role_grants.c.role == role)
        query = (
            sa.select(column.level, column.address)
            .where(
                column.org_id == org_id,
                column.account_id.in_(holders),
                column.auth_time >= since,
            )
            .limit(_MOST_SIGN_INS)
        )
        return [(int(row.level), str(row.address)) for row in tx.execute(query)]

    def departures(self, tx: Transaction, org_id: str, since: int, late: int) -> Mapping[str, int]:
        """Return departures carried out since, the slowest (microseconds), and those overdue."""
        column = departures.c
        taken = sa.func.max(column.ended_at - column.due_at)
        done = sa.select(sa.func.count(), taken).where(
            column.org_id == org_id, column.state == "done", column.ended_at >= since
        )
        number, slowest = tx.execute(done).one()
        overdue = sa.select(sa.func.count()).where(
            column.org_id == org_id, column.state == "due", column.due_at < tx.now - late
        )
        return {
            "departures": int(number),
            "slowest": max(0, int(slowest or 0)),
            "overdue": int(tx.execute(overdue).scalar_one()),
        }

    def changes(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, int]:
        """Return changes carried out since, and those that nobody else decided."""
        column = change_requests.c

        def count(*conditions: sa.ColumnElement[bool]) -> int:
            query = sa.select(sa.func.count()).where(
                column.org_id == org_id,
                column.state == "applied",
                column.requested_at >= since,
                *conditions,
            )
            return int(tx.execute(query).scalar_one())

        return {
            "changes": count(),
            "unapproved": count(column.decided_by.is_(None)),
            "approved_by_requester": count(column.decided_by == column.requester_id),
        }
