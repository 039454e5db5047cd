"""Requests for single uses of seals in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update

from kms.models.seal_requests import SealUseRequest
from kms.models.stamps import EdgePlace, Stamping, StampPlace
from kms.store.rows import fields_of, newest_first
from kms.store.tables.seals import kms_seal_use_requests
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_TABLE = kms_seal_use_requests


class SqlSealUseRequestStore:
    """One row a request; it stays, its file does not."""

    def insert_request(self, transaction: Transaction, request: SealUseRequest) -> None:
        """Store it."""
        fields = asdict(request)
        fields["stamping"] = orjson.dumps(fields["stamping"]).decode()
        transaction.execute(insert(_TABLE).values(**fields))

    def request(
        self, transaction: Transaction, org_id: str, request_id: str
    ) -> SealUseRequest | None:
        """Return it if it belongs to ``org_id``."""
        statement = select(_TABLE).where(_TABLE.c.id == request_id, _TABLE.c.org_id == org_id)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else _request(row)

    def requests(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealUseRequest]:
        """Return a page, newest first, one more than asked for."""
        statement = select(_TABLE).where(_TABLE.c.org_id == org_id)
        statement = newest_first(statement, _TABLE, "requested_at", request)
        return [_request(row) for row in transaction.execute(statement)]

    def open_requests(self, transaction: Transaction, requester_id: str) -> int:
        """Return how many of somebody's requests are neither used nor over."""
        statement = select(func.count()).where(
            _TABLE.c.requester_id == requester_id,
            _TABLE.c.use_id == "",
            _TABLE.c.expires_at > transaction.now,
        )
        return int(transaction.execute(statement).scalar_one())

    def mark_used(self, transaction: Transaction, request_id: str, use_id: str) -> bool:
        """Write down what it was used for, in one conditional statement; False if it was."""
        statement = (
            update(_TABLE)
            .where(_TABLE.c.id == request_id, _TABLE.c.use_id == "")
            .values(use_id=use_id)
        )
        return bool(transaction.execute(statement).rowcount)

    def kept(self, transaction: Transaction, limit: int) -> Sequence[SealUseRequest]:
        """Return requests whose file is kept, those that end first before others."""
        statement = (
            select(_TABLE).where(_TABLE.c.document != "").order_by(_TABLE.c.expires_at).limit(limit)
        )
        return [_request(row) for row in transaction.execute(statement)]

    def forget_document(self, transaction: Transaction, request_id: str) -> None:
        """Write down that the file is gone."""
        transaction.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(document=""))


def _request(row: Any) -> SealUseRequest:
    fields = fields_of(row)
    stored = orjson.loads(fields["stamping"])
    edge = stored["edge"]
    stamping = Stamping(
        tuple(StampPlace(**place) for place in stored["places"]),
        None if edge is None else EdgePlace(**edge),
    )
    return SealUseRequest(**{**fields, "stamping": stamping})
