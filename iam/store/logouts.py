"""Who knows a session, and who has to be told that it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from iam.models.clients import ClientRequest
from iam.models.grants import LogoutNotice
from iam.store.device_grants import purge_by_expiry
from iam.store.due import claim_due
from iam.store.tables import client_requests, logout_notices, session_clients
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_ADD_CLIENT: Final = sa.text(
    "INSERT INTO iam_session_clients (session_id, client_id, org_id, account_id, expires_at)"
    " SELECT id, :client_id, org_id, account_id, expires_at FROM iam_sessions WHERE id = :id"
    " ON CONFLICT DO NOTHING"
)
_ADD_NOTICE: Final = sa.text(
    "INSERT INTO iam_logout_notices (id, org_id, client_id, session_id, account_id, state,"
    " tries, next_at, created_at, trouble) VALUES (:id, :org_id, :client_id, :session_id,"
    " :account_id, :state, :tries, :next_at, :created_at, :trouble) ON CONFLICT DO NOTHING"
)


def _notice(row: Any) -> LogoutNotice:
    return LogoutNotice(*row)


class Logouts:
    """The tables ``iam_session_clients`` and ``iam_logout_notices``."""

    def add_client(self, tx: Transaction, session_id: str, client_id: str) -> None:
        """Note that the application was given tokens of the session; a repeat changes nothing."""
        tx.execute(_ADD_CLIENT, {"id": session_id, "client_id": client_id})

    def clients_of(self, tx: Transaction, session_id: str) -> Sequence[str]:
        """Return the applications that were given tokens of the session."""
        column = session_clients.c
        query = sa.select(column.client_id).where(column.session_id == session_id)
        found: Sequence[str] = tx.execute(query.order_by(column.client_id)).scalars().all()
        return found

    def add(self, tx: Transaction, notice: LogoutNotice) -> None:
        """Store it, unless the application's notice of this session is there."""
        tx.execute(_ADD_NOTICE, asdict(notice))

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[LogoutNotice]:
        """Return due notices, not due again before ``until``: another process leaves them."""
        return [_notice(row) for row in claim_due(tx, logout_notices.c.state, limit, until)]

    def keep(self, tx: Transaction, notice: LogoutNotice) -> None:
        """Store how a try went."""
        tx.execute(
            logout_notices.update()
            .where(logout_notices.c.id == notice.id)
            .values(
                state=notice.state,
                tries=notice.tries,
                next_at=notice.next_at,
                trouble=notice.trouble,
            )
        )

    def silent(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[LogoutNotice]:
        """Return notices that nobody confirmed, given up or tried before, by id."""
        column = logout_notices.c
        unheard = sa.or_(
            column.state == "silent", sa.and_(column.state == "waiting", column.tries > 0)
        )
        query = sa.select(logout_notices).where(column.org_id == org_id, unheard)
        if (after := request.key(str)) is not None:
            query = query.where(column.id > after[0])
        rows = tx.execute(query.order_by(column.id).limit(request.limit + 1)).all()
        found = [_notice(row) for row in rows]
        return page_of(found, request.limit, [(notice.id,) for notice in found])

    def retry(self, tx: Transaction, org_id: str, notice_id: str) -> bool:
        """Begin anew with a notice that was given up; False if there is none."""
        column = logout_notices.c
        begun = tx.execute(
            logout_notices.update()
            .where(column.id == notice_id, column.org_id == org_id, column.state == "silent")
            .values(state="waiting", tries=1, next_at=tx.now)
        )
        return bool(begun.rowcount == 1)

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` of each kind that ended before; return how many."""
        removed = purge_by_expiry(tx, session_clients.c.session_id, before, limit)
        column = logout_notices.c
        done = sa.and_(column.state == "delivered", column.created_at < before)
        old = sa.select(column.id).where(done).limit(limit)
        return removed + int(tx.execute(logout_notices.delete().where(column.id.in_(old))).rowcount)


class ClientRequests:
    """The table ``iam_client_requests``."""

    def add(self, tx: Transaction, request: ClientRequest) -> None:
        """Store it."""
        tx.execute(client_requests.insert().values(**asdict(request)))

    def get(self, tx: Transaction, request_id: str) -> ClientRequest | None:
        """Return it."""
        query = sa.select(client_requests).where(client_requests.c.id == request_id)
        row = tx.execute(query).first()
        return None if row is None else ClientRequest(*row)
