"""Policy versions, and the decisions that drafts are tried against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from iam.models.zero_trust import PolicyVersion, RecordedDecision, VersionState
from iam.store.tables import decision_folds, decisions, policy_versions
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_BEGIN_ROW: Final = sa.text(
    "INSERT INTO iam_decisions"
    " (day, digest, org_id, question, allowed, count, first_at, last_at)"
    " VALUES (:day, :digest, :org_id, :question, :allowed, :count, :first_at, :last_at)"
    " ON CONFLICT DO NOTHING"
)

_BEGIN_FOLD: Final = sa.text(
    "INSERT INTO iam_decision_folds (book, page, at) VALUES (:book, :page, :at)"
    " ON CONFLICT (book) DO UPDATE SET page = excluded.page, at = excluded.at"
    " WHERE iam_decision_folds.page < excluded.page"
)


def _version(row: Any) -> PolicyVersion:
    return PolicyVersion(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


class Policies:
    """Versions in the table ``iam_policy_versions``; a text never changes once proposed."""

    def add(self, tx: Transaction, version: PolicyVersion) -> None:
        """Store a new version."""
        tx.execute(policy_versions.insert().values(**asdict(version)))

    def next_number(self, tx: Transaction, org_id: str) -> int:
        """Return the number of the organisation's next version."""
        column = policy_versions.c
        query = sa.select(sa.func.max(column.number)).where(column.org_id == org_id)
        return int(tx.execute(query).scalar() or 0) + 1

    def get(self, tx: Transaction, version_id: str) -> PolicyVersion | None:
        """Return it."""
        query = sa.select(policy_versions).where(policy_versions.c.id == version_id)
        row = tx.execute(query).first()
        return None if row is None else _version(row)

    def active(self, tx: Transaction, org_id: str) -> PolicyVersion | None:
        """Return the version in force, None while there are no own policies."""
        column = policy_versions.c
        query = sa.select(policy_versions).where(column.org_id == org_id, column.state == "active")
        row = tx.execute(query).first()
        return None if row is None else _version(row)

    def active_id(self, tx: Transaction, org_id: str) -> str:
        """Return the id of the version in force, empty while there is none."""
        column = policy_versions.c
        query = sa.select(column.id).where(column.org_id == org_id, column.state == "active")
        return str(tx.execute(query).scalar() or "")

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[PolicyVersion]:
        """Return versions, newest first."""
        column = policy_versions.c
        query = sa.select(policy_versions).where(column.org_id == org_id)
        if (after := request.key(int)) is not None:
            query = query.where(column.number < after[0])
        rows = tx.execute(query.order_by(column.number.desc()).limit(request.limit + 1)).all()
        found = [_version(row) for row in rows]
        return page_of(found, request.limit, [(version.number,) for version in found])

    def edit(self, tx: Transaction, version: PolicyVersion) -> bool:
        """Replace a draft's title and texts; False if it is no draft any more."""
        changed = tx.execute(
            policy_versions.update()
            .where(policy_versions.c.id == version.id, policy_versions.c.state == "draft")
            .values(
                title=version.title,
                policies=version.policies,
                data=version.data,
                digest=version.digest,
                created_by=version.created_by,
            )
        )
        return bool(changed.rowcount == 1)

    def move(
        self,
        tx: Transaction,
        version_id: str,
        step: tuple[VersionState, VersionState],
        **values: Any,
    ) -> bool:
        """Take it from one state to the next; False if it was not in the first."""
        changed = tx.execute(
            policy_versions.update()
            .where(policy_versions.c.id == version_id, policy_versions.c.state == step[0])
            .values(state=step[1], **values)
        )
        return bool(changed.rowcount == 1)


class RecordedDecisions:
    """Decisions in the table ``iam_decisions``: what was asked alike on a day is one row."""

    def add(self, tx: Transaction, rows: Sequence[RecordedDecision]) -> None:
        """Add up with what is there of the same day and question."""
        for row in rows:
            values = asdict(row)
            # another process may add the same question at the same time
            tx.execute(_BEGIN_ROW, {**values, "count": 0})
            tx.execute(
                decisions.update()
                .where(decisions.c.day == row.day, decisions.c.digest == row.digest)
                .values(count=decisions.c.count + row.count, last_at=row.last_at)
            )

    def begin_fold(self, tx: Transaction, book: str, page: int) -> bool:
        """Note that ``page`` of ``book`` comes in with this transaction; False if it has."""
        values = {"book": book, "page": page, "at": tx.now}
        return int(tx.execute(_BEGIN_FOLD, values).rowcount) == 1

    def end_book(self, tx: Transaction, book: str) -> None:
        """Forget a book that is no more."""
        tx.execute(decision_folds.delete().where(decision_folds.c.book == book))

    def recent(self, tx: Transaction, limit: int) -> Sequence[RecordedDecision]:
        """Return at most ``limit`` questions, the latest first."""
        query = sa.select(decisions).order_by(decisions.c.last_at.desc()).limit(limit)
        return [RecordedDecision(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001

    def totals(self, tx: Transaction) -> tuple[int, int, int]:
        """Return how many questions, decisions and refusals are kept."""
        column = decisions.c
        refused = sa.func.sum(sa.case((column.allowed, 0), else_=column.count))
        row = tx.execute(sa.select(sa.func.count(), sa.func.sum(column.count), refused)).one()
        return int(row[0]), int(row[1] or 0), int(row[2] or 0)

    def purge(self, tx: Transaction, before_day: int, keep: int) -> int:
        """Remove what is older than ``before_day`` and all but the ``keep`` latest."""
        column = decisions.c
        removed = int(tx.execute(decisions.delete().where(column.day < before_day)).rowcount)
        query = sa.select(column.last_at).order_by(column.last_at.desc()).offset(keep).limit(1)
        edge = tx.execute(query).scalar()
        if edge is not None:
            removed += int(tx.execute(decisions.delete().where(column.last_at <= edge)).rowcount)
        return removed
