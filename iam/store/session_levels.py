"""Sessions that prove more while they live."""

from __future__ import annotations

import sqlalchemy as sa

from iam.models.sessions import OpSession
from iam.store.tables import rp_sessions, sessions
from secops.kernel.transactions import Transaction


class SessionLevels:
    """Raises the level of sessions in ``iam_sessions``, under new cookies."""

    def strengthen(self, tx: Transaction, session: OpSession) -> bool:
        """Store cookie, time, level and words of a living session; False if it ended."""
        column = sessions.c
        done = tx.execute(
            sessions.update()
            .where(column.id == session.id, column.ended_at.is_(None), column.expires_at > tx.now)
            .values(
                digest=session.digest,
                auth_time=session.auth_time,
                level=session.level,
                amr=" ".join(session.amr),
                last_seen=tx.now,
            )
        )
        return bool(done.rowcount == 1)

    def move_rp(self, tx: Transaction, session_id: str, old: bytes, new: bytes) -> bool:
        """Put a relying party's session under another cookie; False if it was not there."""
        column = rp_sessions.c
        done = tx.execute(
            rp_sessions.update()
            .where(sa.and_(column.digest == old, column.session_id == session_id))
            .values(digest=new)
        )
        return bool(done.rowcount == 1)
