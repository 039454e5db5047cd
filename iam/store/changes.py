"""Change requests: moved on by one conditional statement, so that nothing is decided twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import sqlalchemy as sa

from iam.models.changes import ChangeRequest, ChangeState
from iam.store.organisations import within
from iam.store.tables import change_requests
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

MAX_OWN: Final = 100


def _change(row: Any, now: int) -> ChangeRequest:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    fields["before"], fields["after"] = orjson.loads(row.before), orjson.loads(row.after)
    if row.state in ("pending", "approved") and row.expires_at <= now:
        fields["state"] = "expired"
    return ChangeRequest(**fields)


class Changes:
    """Requests in the table ``iam_change_requests``."""

    def add(self, tx: Transaction, change: ChangeRequest) -> None:
        """Store a new request."""
        sides = {
            name: orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
            for name, value in (("before", change.before), ("after", change.after))
        }
        tx.execute(change_requests.insert().values(**asdict(change) | sides))

    def get(self, tx: Transaction, change_id: str) -> ChangeRequest:
        """Return it as of now (``expired`` when its time is over); raise ``NotFound``."""
        query = sa.select(change_requests).where(change_requests.c.id == change_id)
        row = tx.execute(query).first()
        if row is None:
            msg = "there is no such change request"
            raise NotFound(msg)
        return _change(row, tx.now)

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, *, pending: bool
    ) -> Page[ChangeRequest]:
        """Return requests of the organisation and those below it, newest first."""
        column = change_requests.c
        query = sa.select(change_requests).where(within(column.org_id, org_id))
        if pending:
            query = query.where(column.state == "pending", column.expires_at > tx.now)
        if (after := request.key(str)) is not None:
            query = query.where(column.id < after[0])
        rows = tx.execute(query.order_by(column.id.desc()).limit(request.limit + 1))
        found = [_change(row, tx.now) for row in rows]
        return page_of(found, request.limit, [(change.id,) for change in found])

    def of_requester(self, tx: Transaction, requester_id: str) -> Sequence[ChangeRequest]:
        """Return what somebody asked for, newest first, at most 100."""
        column = change_requests.c
        query = sa.select(change_requests).where(column.requester_id == requester_id)
        rows = tx.execute(query.order_by(column.id.desc()).limit(MAX_OWN))
        return [_change(row, tx.now) for row in rows]

    def decide(
        self, tx: Transaction, change_id: str, state: ChangeState, decision: tuple[str, str]
    ) -> bool:
        """Move a pending request to ``state`` by (who, why): True once."""
        column = change_requests.c
        who, why = decision
        moved = tx.execute(
            change_requests.update()
            .where(column.id == change_id, column.state == "pending", column.expires_at > tx.now)
            .values(state=state, decided_by=who, decided_at=tx.now, decision_reason=why)
        )
        return bool(moved.rowcount == 1)

    def complete(self, tx: Transaction, change_id: str) -> bool:
        """Move an approved request to ``applied``: True once."""
        column = change_requests.c
        moved = tx.execute(
            change_requests.update()
            .where(column.id == change_id, column.state == "approved", column.expires_at > tx.now)
            .values(state="applied")
        )
        return bool(moved.rowcount == 1)
