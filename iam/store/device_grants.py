"""Pushed requests and devices: each is consumed by one conditional statement."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.models.grants import DeviceGrant, PushedRequest
from iam.store.tables import device_grants, pushed
from secops.kernel.transactions import Transaction


def purge_by_expiry(
    tx: Transaction, key: sa.Column[Any], before: int, limit: int, *, name: str = "expires_at"
) -> int:
    """Remove at most ``limit`` rows of the key's table that ended before; return how many."""
    table = key.table
    ended = table.c[name] < before
    old = sa.select(key).where(ended).limit(limit)
    return int(tx.execute(sa.delete(table).where(key.in_(old), ended)).rowcount)


class PushedRequests:
    """The table ``iam_pushed_requests``."""

    def add(self, tx: Transaction, request: PushedRequest) -> None:
        """Store it."""
        tx.execute(
            pushed.insert().values(
                digest=request.digest,
                org_id=request.org_id,
                client_id=request.client_id,
                parameters=request.parameters,
                expires_at=request.expires_at,
            )
        )

    def take(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Consume the client's own living one; return its parameters."""
        found = tx.execute(
            pushed.update()
            .where(
                pushed.c.digest == digest,
                pushed.c.client_id == client_id,
                pushed.c.used_at.is_(None),
                pushed.c.expires_at > tx.now,
            )
            .values(used_at=tx.now)
            .returning(pushed.c.parameters)
        ).scalar()
        return None if found is None else str(found)

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that ended before; return how many."""
        return purge_by_expiry(tx, pushed.c.digest, before, limit)


def _device(row: Any) -> DeviceGrant:
    return DeviceGrant(
        digest=bytes(row.digest),
        user_code=bytes(row.user_code),
        org_id=row.org_id,
        client_id=row.client_id,
        scopes=frozenset(row.scopes.split()),
        place=row.place,
        state=row.state,
        pause=row.pause,
        polled_at=row.polled_at,
        created_at=row.created_at,
        expires_at=row.expires_at,
        session_id=row.session_id,
    )


class DeviceGrants:
    """The table ``iam_device_grants``."""

    def add(self, tx: Transaction, device: DeviceGrant) -> bool:
        """Store it; False if its user code waits already."""
        known = sa.select(device_grants.c.digest).where(
            device_grants.c.user_code == device.user_code
        )
        if tx.execute(known).first() is not None:
            return False
        try:
            tx.execute(
                device_grants.insert().values(
                    digest=device.digest,
                    user_code=device.user_code,
                    org_id=device.org_id,
                    client_id=device.client_id,
                    scopes=" ".join(sorted(device.scopes)),
                    place=device.place,
                    state=device.state,
                    pause=device.pause,
                    polled_at=device.polled_at,
                    created_at=device.created_at,
                    expires_at=device.expires_at,
                )
            )
        except IntegrityError:
            return False
        return True

    def by_user_code(self, tx: Transaction, user_code: bytes) -> DeviceGrant | None:
        """Return the living, undecided device of a code."""
        row = tx.execute(sa.select(device_grants).where(*self._waiting(tx, user_code))).first()
        return None if row is None else _device(row)

    @staticmethod
    def _waiting(tx: Transaction, user_code: bytes) -> tuple[sa.ColumnElement[bool], ...]:
        column = device_grants.c
        return (
            column.user_code == user_code,
            column.state == "pending",
            column.expires_at > tx.now,
        )

    def decide(
        self, tx: Transaction, user_code: bytes, session_id: str | None
    ) -> DeviceGrant | None:
        """Approve for ``session_id``, or deny for None: once, while it waits."""
        row = tx.execute(
            device_grants.update()
            .where(*self._waiting(tx, user_code))
            .values(state="denied" if session_id is None else "approved", session_id=session_id)
            .returning(*device_grants.c)
        ).first()
        return None if row is None else _device(row)

    def take(self, tx: Transaction, digest: bytes, client_id: str) -> DeviceGrant | None:
        """Consume the client's approved device; return it."""
        column = device_grants.c
        row = tx.execute(
            device_grants.update()
            .where(
                column.digest == digest,
                column.client_id == client_id,
                column.state == "approved",
                column.expires_at > tx.now,
            )
            .values(state="used")
            .returning(*column)
        ).first()
        return None if row is None else _device(row)

    def session_of(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Return the session that approved the client's device, while it waits to be told."""
        column = device_grants.c
        query = sa.select(column.session_id).where(
            column.digest == digest, column.client_id == client_id, column.state == "approved"
        )
        found = tx.execute(query).scalar()
        return None if found is None else str(found)

    def poll(self, tx: Transaction, digest: bytes, client_id: str) -> DeviceGrant | None:
        """Note that it was asked; return it as it stood before, None if it is unknown."""
        mine = (device_grants.c.digest == digest, device_grants.c.client_id == client_id)
        row = tx.execute(sa.select(device_grants).where(*mine)).first()
        if row is None:
            return None
        tx.execute(device_grants.update().where(*mine).values(polled_at=tx.now))
        return _device(row)

    def slow_down(self, tx: Transaction, digest: bytes, pause: int) -> None:
        """Set the pause between its questions."""
        tx.execute(
            device_grants.update().where(device_grants.c.digest == digest).values(pause=pause)
        )

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that ended before; return how many."""
        return purge_by_expiry(tx, device_grants.c.digest, before, limit)
