"""Where notices stand at their units: deliveries, proofs, petitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from playbooks.errors.notices import NoticeNotFound, NoticeStateRefused
from playbooks.models.notices import OPEN_DELIVERIES, Delivery, Petition, Proof
from playbooks.store.rows import change_one, fields_of, newest_page, to_json
from playbooks.store.tables import deliveries, notice_petitions, notice_proofs
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

BATCH: Final = 50
"""Notices; each goes to 200 units at most."""
MAX_PETITIONS: Final = 20
MAX_SCORED: Final = 10_000
_LISTS: Final = ("hands", "late", "guessed")


def _values(delivery: Delivery) -> dict[str, Any]:
    values = asdict(delivery)
    return {**values, **{name: to_json(values[name]) for name in _LISTS}}


def _delivery(row: Any) -> Delivery:
    values = fields_of(row, *_LISTS)
    return Delivery(**{**values, **{name: tuple(values[name]) for name in _LISTS}})


class Deliveries:
    """Implements ``playbooks.ports.notices.DeliveryStore``."""

    def add(self, transaction: Transaction, delivery: Delivery) -> None:
        """Store a new one."""
        transaction.execute(deliveries.insert().values(**_values(delivery)))

    def get(self, transaction: Transaction, notice_id: str, org_id: str) -> Delivery:
        """Return a unit's; raise ``NoticeNotFound``."""
        row = transaction.execute(
            deliveries.select().where(
                deliveries.c.notice_id == notice_id, deliveries.c.org_id == org_id
            )
        ).first()
        if row is None:
            msg = f"no notice {notice_id[:60]} for this unit"
            raise NoticeNotFound(msg)
        return _delivery(row)

    def change(self, transaction: Transaction, delivery: Delivery) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        change_one(
            transaction,
            deliveries.update()
            .where(
                deliveries.c.notice_id == delivery.notice_id,
                deliveries.c.org_id == delivery.org_id,
                deliveries.c.version == delivery.version - 1,
            )
            .values(**_values(delivery)),
            f"{delivery.notice_id} changed since it was read",
        )

    def of(self, transaction: Transaction, notice_id: str) -> Sequence[Delivery]:
        """Return all of a notice by unit."""
        rows = transaction.execute(
            deliveries.select()
            .where(deliveries.c.notice_id == notice_id)
            .order_by(deliveries.c.org_id)
        )
        return [_delivery(row) for row in rows]

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[Delivery]:
        """Return a unit's deliveries, newest first; ``state`` "open" is all but closed."""
        statement = deliveries.select().where(deliveries.c.org_id == org_id)
        if state == "open":
            statement = statement.where(deliveries.c.state.in_(OPEN_DELIVERIES))
        elif state:
            statement = statement.where(deliveries.c.state == state)
        columns = (deliveries.c.issued_at, deliveries.c.notice_id)
        return newest_page(transaction, statement, columns, page, read=_delivery)

    def due(self, transaction: Transaction, before: int, after: str) -> Sequence[Delivery]:
        """Return open ones of all with a deadline before an instant: whole notices by id.

        A batch begins after the notice ``after`` and ends with a whole notice.
        """
        column = deliveries.c
        waiting = (
            column.state.in_(OPEN_DELIVERIES),
            sa.or_(
                sa.and_(column.state == "pending", column.receive_due < before),
                sa.and_(column.state != "rectified", column.rectify_due < before),
                sa.and_(column.state == "rectified", column.verify_due < before),
            ),
            column.notice_id > after,
        )
        ids = sa.select(column.notice_id).where(*waiting).distinct().order_by(column.notice_id)
        found = transaction.execute(ids.limit(BATCH)).scalars().all()
        rows = transaction.execute(
            deliveries.select()
            .where(column.notice_id.in_(found), *waiting)
            .order_by(column.notice_id, column.org_id)
        )
        return [_delivery(row) for row in rows]

    def issued_between(
        self, transaction: Transaction, issuer_id: str, since: int, until: int
    ) -> Sequence[Delivery]:
        """Return an issuer's deliveries issued in [since, until), at most ``MAX_SCORED``."""
        column = deliveries.c
        rows = transaction.execute(
            deliveries.select()
            .where(
                column.issuer_id == issuer_id, column.issued_at >= since, column.issued_at < until
            )
            .order_by(column.issued_at, column.notice_id, column.org_id)
            .limit(MAX_SCORED)
        )
        return [_delivery(row) for row in rows]


class Proofs:
    """Implements ``playbooks.ports.notices.ProofStore``."""

    def add(self, transaction: Transaction, proof: Proof) -> None:
        """Store a new proof."""
        transaction.execute(notice_proofs.insert().values(**asdict(proof)))

    def of(self, transaction: Transaction, notice_id: str, org_id: str) -> Sequence[Proof]:
        """Return a unit's proofs, oldest first."""
        column = notice_proofs.c
        rows = transaction.execute(
            notice_proofs.select()
            .where(column.notice_id == notice_id, column.org_id == org_id)
            .order_by(column.added_at, column.id)
        )
        return [Proof(**fields_of(row)) for row in rows]

    def ask(self, transaction: Transaction, petition: Petition) -> None:
        """Store a petition; raise ``NoticeStateRefused`` where one of its kind is pending.

        As for more than ``MAX_PETITIONS`` of a unit about one notice.
        """
        column = notice_petitions.c
        waiting = sa.select(column.id).where(
            column.notice_id == petition.notice_id,
            column.org_id == petition.org_id,
            column.kind == petition.kind,
            column.state == "pending",
        )
        if transaction.execute(waiting).first() is not None:
            msg = "one is pending already"
            raise NoticeStateRefused(msg)
        asked = sa.select(sa.func.count()).where(
            column.notice_id == petition.notice_id, column.org_id == petition.org_id
        )
        if transaction.execute(asked).scalar_one() >= MAX_PETITIONS:
            msg = f"a unit asks at most {MAX_PETITIONS} times about one notice"
            raise NoticeStateRefused(msg)
        transaction.execute(notice_petitions.insert().values(**asdict(petition)))

    def decide(self, transaction: Transaction, petition: Petition) -> None:
        """Store the decision of a pending one; raise ``ChangedMeanwhile`` if it is none."""
        column = notice_petitions.c
        change_one(
            transaction,
            notice_petitions.update()
            .where(column.id == petition.id, column.state == "pending")
            .values(**asdict(petition)),
            "it was decided meanwhile",
        )

    def petitions(self, transaction: Transaction, notice_id: str) -> Sequence[Petition]:
        """Return all of a notice, oldest first."""
        column = notice_petitions.c
        rows = transaction.execute(
            notice_petitions.select()
            .where(column.notice_id == notice_id)
            .order_by(column.requested_at, column.id)
        )
        return [Petition(**fields_of(row)) for row in rows]
