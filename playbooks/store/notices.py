"""Notices, their numbers and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import sqlalchemy as sa

from playbooks.errors.notices import NoticeNotFound
from playbooks.models.notices import Content, Issue, Notice, Remark
from playbooks.store.rows import change_one, fields_of, from_json, newest_page, next_seq, to_json
from playbooks.store.tables import notice_remarks, notices
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

MAX_REMARKS: Final = 2_000
_NEXT: Final = sa.text(
    "INSERT INTO playbooks_notice_numbers (org_id, year, last) VALUES (:org, :year, 1)"
    " ON CONFLICT (org_id, year) DO UPDATE SET last = playbooks_notice_numbers.last + 1"
    " RETURNING last"
)
"""One statement: whoever comes second waits for the first, and a rollback gives it back."""
_UNISSUED: Final = ("draft", "review", "approved")


def _values(notice: Notice) -> dict[str, Any]:
    content = notice.content
    return {
        "id": notice.id,
        "org_id": notice.org_id,
        "title": content.title,
        "body": content.body,
        "severity": content.severity,
        "urgent": content.urgent,
        "units": to_json(content.units),
        "recheck": content.check,
        "incident_id": content.incident_id,
        "state": notice.state,
        "authors": to_json(notice.authors),
        "drafted_at": notice.drafted_at,
        "changed_at": notice.changed_at,
        "digest": notice.digest,
        "approval_id": notice.approval_id,
        "approver_id": notice.approver_id,
        "year": notice.year or None,
        "number": notice.number or None,
        "issue": None if notice.issue is None else to_json(asdict(notice.issue)),
        "reason": notice.reason,
        "origin": notice.origin or None,
        "version": notice.version,
    }


def _notice(row: Any) -> Notice:
    content = Content(
        title=row.title,
        body=row.body,
        severity=row.severity,
        urgent=bool(row.urgent),
        units=tuple(from_json(row.units)),
        check=row.recheck,
        incident_id=row.incident_id,
    )
    return Notice(
        id=row.id,
        org_id=row.org_id,
        content=content,
        state=row.state,
        authors=tuple(from_json(row.authors)),
        drafted_at=row.drafted_at,
        changed_at=row.changed_at,
        digest=row.digest,
        approval_id=row.approval_id,
        approver_id=row.approver_id,
        year=row.year or 0,
        number=row.number or 0,
        issue=None if row.issue is None else Issue(**from_json(row.issue)),
        reason=row.reason,
        origin=row.origin or "",
        version=row.version,
    )


class Notices:
    """Implements ``playbooks.ports.notices.NoticeStore``."""

    def add(self, transaction: Transaction, notice: Notice) -> None:
        """Store a new one."""
        transaction.execute(notices.insert().values(**_values(notice)))

    def get(self, transaction: Transaction, notice_id: str) -> Notice:
        """Return it, whoever issued it; raise ``NoticeNotFound``."""
        row = transaction.execute(notices.select().where(notices.c.id == notice_id)).first()
        if row is None:
            msg = f"no notice {notice_id[:60]}"
            raise NoticeNotFound(msg)
        return _notice(row)

    def change(self, transaction: Transaction, notice: Notice) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        change_one(
            transaction,
            notices.update()
            .where(notices.c.id == notice.id, notices.c.version == notice.version - 1)
            .values(**_values(notice)),
            f"{notice.id} changed since it was read",
        )

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[Notice]:
        """Return an issuer's notices, newest first; ``state`` "" is all."""
        statement = notices.select().where(notices.c.org_id == org_id)
        if state:
            statement = statement.where(notices.c.state == state)
        columns = (notices.c.drafted_at, notices.c.id)
        return newest_page(transaction, statement, columns, page, read=_notice)

    def next_number(self, transaction: Transaction, org_id: str, year: int) -> int:
        """Return the next number of the issuer's year; kept with the unit of work or not at all."""
        return int(transaction.execute(_NEXT, {"org": org_id, "year": year}).scalar_one())

    def by_origin(self, transaction: Transaction, org_id: str, origin: str) -> Notice | None:
        """Return the notice that a playbook's step drafted."""
        row = transaction.execute(
            notices.select().where(notices.c.org_id == org_id, notices.c.origin == origin)
        ).first()
        return None if row is None else _notice(row)

    def unissued(self, transaction: Transaction, org_id: str) -> int:
        """Return how many drafts, reviews and approved ones an issuer has."""
        counted = sa.select(sa.func.count()).where(
            notices.c.org_id == org_id, notices.c.state.in_(_UNISSUED)
        )
        return int(transaction.execute(counted).scalar_one())


class Remarks:
    """Implements ``playbooks.ports.notices.RemarkStore``."""

    def append(self, transaction: Transaction, remark: Remark) -> None:
        """Add the next line; ``remark.seq`` is given here."""
        column = notice_remarks.c
        seq = next_seq(transaction, column.seq, column.notice_id == remark.notice_id)
        transaction.execute(notice_remarks.insert().values(**asdict(replace(remark, seq=seq))))

    def of(self, transaction: Transaction, notice_id: str, unit_id: str = "") -> Sequence[Remark]:
        """Return a notice's history, oldest first: the last ``MAX_REMARKS`` lines.

        ``unit_id`` asks for what concerns one unit, "" for all.
        """
        column = notice_remarks.c
        found = notice_remarks.select().where(column.notice_id == notice_id)
        if unit_id:
            found = found.where(column.unit_id == unit_id)
        rows = transaction.execute(found.order_by(column.seq.desc()).limit(MAX_REMARKS)).all()
        return [Remark(**fields_of(row)) for row in reversed(rows)]
