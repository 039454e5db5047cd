"""Registered devices, the sessions they proved themselves in, and what surrounds a caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors.zero_trust import DeviceKnown
from iam.models.real_name import RealNameSchemes
from iam.models.zero_trust import Device, Posture, Surroundings
from iam.store.tables import (
    accounts,
    device_sessions,
    persons,
    real_name_levels,
    registered_devices,
    sessions,
)
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


def _posture(text: str | None, at: int) -> Posture | None:
    return None if text is None else Posture(**orjson.loads(text), at=at)


def _device(row: Any) -> Device:
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    at = fields.pop("posture_at")
    fields["posture"] = _posture(fields["posture"], at)
    return Device(**{**fields, "public_der": bytes(fields["public_der"])})


def _stored(posture: Posture) -> dict[str, Any]:
    fields = asdict(posture)
    at = fields.pop("at")
    return {"posture": orjson.dumps(fields).decode(), "posture_at": at}


class Devices:
    """Devices in the tables ``iam_registered_devices`` and ``iam_device_sessions``."""

    def add(self, tx: Transaction, device: Device) -> None:
        """Store a device with its first report; raise ``DeviceKnown``."""
        values = asdict(device) | {"posture": None, "posture_at": 0}
        if device.posture is not None:
            values |= _stored(device.posture)
        try:
            tx.execute(registered_devices.insert().values(**values))
        except IntegrityError as error:
            raise DeviceKnown from error

    def get(self, tx: Transaction, device_id: str) -> Device | None:
        """Return it."""
        column = registered_devices.c.id
        row = tx.execute(sa.select(registered_devices).where(column == device_id)).first()
        return None if row is None else _device(row)

    def of_key(self, tx: Transaction, thumbprint: str) -> Device | None:
        """Return the active device with this key."""
        column = registered_devices.c
        query = sa.select(registered_devices).where(
            column.thumbprint == thumbprint, column.state == "active"
        )
        row = tx.execute(query).first()
        return None if row is None else _device(row)

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Device]:
        """Return the account's devices, newest first."""
        column = registered_devices.c
        query = sa.select(registered_devices).where(column.account_id == account_id)
        rows = tx.execute(query.order_by(column.created_at.desc(), column.id)).all()
        return [_device(row) for row in rows]

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Device]:
        """Return devices by id."""
        column = registered_devices.c
        query = sa.select(registered_devices).where(column.org_id == org_id)
        if (after := request.key(str)) is not None:
            query = query.where(column.id > after[0])
        rows = tx.execute(query.order_by(column.id).limit(request.limit + 1)).all()
        found = [_device(row) for row in rows]
        return page_of(found, request.limit, [(device.id,) for device in found])

    def report(self, tx: Transaction, device_id: str, posture: Posture) -> bool:
        """Store a report that is newer than the last; False for a repeat or an older one."""
        column = registered_devices.c
        changed = tx.execute(
            registered_devices.update()
            .where(column.id == device_id, column.state == "active", column.posture_at < posture.at)
            .values(reported_at=tx.now, **_stored(posture))
        )
        return bool(changed.rowcount == 1)

    def revoke(self, tx: Transaction, device_id: str) -> bool:
        """End it; False if it had ended."""
        column = registered_devices.c
        changed = tx.execute(
            registered_devices.update()
            .where(column.id == device_id, column.state == "active")
            .values(state="revoked", revoked_at=tx.now)
        )
        return bool(changed.rowcount == 1)

    def bind_session(self, tx: Transaction, session_id: str, device_id: str) -> None:
        """Remember that the device proved itself in this session; the last one counts."""
        column = device_sessions.c.session_id
        tx.execute(device_sessions.delete().where(column == session_id))
        values = {"session_id": session_id, "device_id": device_id, "proved_at": tx.now}
        tx.execute(device_sessions.insert().values(**values))

    def sessions_of(self, tx: Transaction, device_id: str) -> Sequence[str]:
        """Return the living sessions that the device proved itself in, by id."""
        query = (
            sa.select(sessions.c.id)
            .select_from(
                device_sessions.join(sessions, sessions.c.id == device_sessions.c.session_id)
            )
            .where(device_sessions.c.device_id == device_id, sessions.c.ended_at.is_(None))
        )
        return list(tx.execute(query).scalars())


class SurroundingsReader:
    """What surrounds a caller, joined from several tables in one statement."""

    def __init__(self, schemes: RealNameSchemes) -> None:
        self._rung = _rung_of(schemes)

    def of_session(self, tx: Transaction, session_id: str) -> Surroundings | None:
        """Return what is known of whoever holds the session."""
        device = registered_devices.c
        row = tx.execute(
            sa.select(
                *_person_columns(tx.now, self._rung),
                sessions.c.amr,
                device.id.label("device_id"),
                device.posture,
                device.posture_at,
                device.reported_at,
            )
            .select_from(
                sessions.join(accounts, accounts.c.id == sessions.c.account_id)
                .outerjoin(persons, persons.c.id == accounts.c.person_id)
                .outerjoin(device_sessions, device_sessions.c.session_id == sessions.c.id)
                .outerjoin(
                    registered_devices,
                    sa.and_(device.id == device_sessions.c.device_id, device.state == "active"),
                )
            )
            .where(sessions.c.id == session_id)
        ).first()
        if row is None:
            return None
        return Surroundings(
            account_kind=row.kind,
            person_id=row.person_id or "",
            real_name_level=_level(row),
            factors=tuple(row.amr.split()),
            device_id=row.device_id or "",
            posture=_posture(row.posture, row.posture_at or 0),
            reported_at=row.reported_at or 0,
        )

    def of_account(self, tx: Transaction, account_id: str) -> Surroundings | None:
        """Return what is known of an account without a session."""
        row = tx.execute(
            sa.select(*_person_columns(tx.now, self._rung))
            .select_from(accounts.outerjoin(persons, persons.c.id == accounts.c.person_id))
            .where(accounts.c.id == account_id)
        ).first()
        if row is None:
            return None
        return Surroundings(
            account_kind=row.kind, person_id=row.person_id or "", real_name_level=_level(row)
        )


def _rung_of(schemes: RealNameSchemes) -> sa.ColumnElement[int]:
    """Return what a stored level stands for; 0 for a scheme or number that nobody knows."""
    level = real_name_levels.c
    known = [
        (sa.and_(level.scheme == scheme.id, level.level == number), sa.literal(rung))
        for scheme in schemes.known.values()
        for number, rung in scheme.rungs.items()
    ]
    return sa.case(*known, else_=0) if known else sa.literal(0)


def _person_columns(now: int, rung: sa.ColumnElement[int]) -> tuple[sa.ColumnElement[Any], ...]:
    level = real_name_levels.c
    taken_over = (
        sa.select(sa.func.max(rung))
        .where(level.account_id == accounts.c.id, level.expires_at > now)
        .scalar_subquery()
    )
    return (
        accounts.c.kind,
        accounts.c.person_id,
        persons.c.real_name_level,
        taken_over.label("taken_over"),
    )


def _level(row: Any) -> int:
    """Return the higher of the level proved here and the one taken over from upstream."""
    return max(row.real_name_level or 0, row.taken_over or 0)
