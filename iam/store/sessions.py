"""Sessions at the provider, and what hangs on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from iam.models.sessions import OpSession, RpSession
from iam.store.organisations import within
from iam.store.tables import families, rp_sessions, sessions
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

MAX_HISTORY: Final = 50


def _session(row: Any) -> OpSession:
    return OpSession(
        id=row.id,
        digest=bytes(row.digest),
        org_id=row.org_id,
        account_id=row.account_id,
        auth_time=row.auth_time,
        level=row.level,
        amr=tuple(row.amr.split()),
        last_seen=row.last_seen,
        idle=row.idle,
        expires_at=row.expires_at,
        address=row.address,
        ended_at=row.ended_at,
    )


def _living(now: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what living is: used of late, or an application can still refresh on it."""
    column, family = sessions.c, families.c
    refreshes = sa.exists().where(
        family.session_id == column.id, family.state == "active", family.expires_at > now
    )
    return (
        column.ended_at.is_(None),
        column.expires_at > now,
        sa.or_(column.last_seen + column.idle > now, refreshes),
    )


class Sessions:
    """Sessions in the tables ``iam_sessions`` and ``iam_rp_sessions``."""

    def add(self, tx: Transaction, session: OpSession) -> None:
        """Store a new session."""
        tx.execute(sessions.insert().values(**{**asdict(session), "amr": " ".join(session.amr)}))

    def by_digest(self, tx: Transaction, digest: bytes) -> OpSession | None:
        """Return the session of a cookie."""
        row = tx.execute(sa.select(sessions).where(sessions.c.digest == digest)).first()
        return None if row is None else _session(row)

    def get(self, tx: Transaction, session_id: str) -> OpSession | None:
        """Return it."""
        row = tx.execute(sa.select(sessions).where(sessions.c.id == session_id)).first()
        return None if row is None else _session(row)

    def alive_of(self, tx: Transaction, account_id: str) -> Sequence[OpSession]:
        """Return the account's living sessions, newest first."""
        rows = tx.execute(
            sa.select(sessions)
            .where(sessions.c.account_id == account_id, *_living(tx.now))
            .order_by(sessions.c.auth_time.desc())
        ).all()
        return [_session(row) for row in rows]

    def history_of(
        self, tx: Transaction, account_id: str, limit: int = MAX_HISTORY
    ) -> Sequence[OpSession]:
        """Return the account's sessions, living and over, newest first, at most ``limit``."""
        rows = tx.execute(
            sa.select(sessions)
            .where(sessions.c.account_id == account_id)
            .order_by(sessions.c.auth_time.desc())
            .limit(limit)
        ).all()
        return [_session(row) for row in rows]

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[OpSession]:
        """Return living sessions of the organisation and those below it, by id."""
        query = sa.select(sessions).where(within(sessions.c.org_id, org_id), *_living(tx.now))
        if (after := request.key(str)) is not None:
            query = query.where(sessions.c.id > after[0])
        rows = tx.execute(query.order_by(sessions.c.id).limit(request.limit + 1)).all()
        found = [_session(row) for row in rows]
        return page_of(found, request.limit, [(session.id,) for session in found])

    def touch(self, tx: Transaction, session_id: str) -> None:
        """Remember that it was used now."""
        tx.execute(
            sessions.update()
            .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
            .values(last_seen=tx.now)
        )

    def end(self, tx: Transaction, session_id: str) -> bool:
        """End it and the refresh families that hang on it; False if it had ended."""
        ended = tx.execute(
            sessions.update()
            .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
            .values(ended_at=tx.now)
        )
        tx.execute(
            families.update()
            .where(families.c.session_id == session_id, families.c.state == "active")
            .values(state="ended")
        )
        return bool(ended.rowcount == 1)

    def add_rp(self, tx: Transaction, session: RpSession) -> None:
        """Store a relying party's session."""
        tx.execute(rp_sessions.insert().values(**asdict(session)))

    def rp_by_digest(self, tx: Transaction, digest: bytes) -> RpSession | None:
        """Return the relying party's session of a cookie."""
        row = tx.execute(sa.select(rp_sessions).where(rp_sessions.c.digest == digest)).first()
        if row is None:
            return None
        digest = bytes(row.digest)
        return RpSession(digest, row.session_id, row.client_id, row.created_at, row.consent_id)
