"""Who holds which role; the database itself keeps excluding roles apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import RoleConflict
from iam.models.accounts import RoleGrant
from iam.store.organisations import within
from iam.store.tables import accounts, break_glass, person_sides, persons, role_grants
from secops.kernel.actors import ROOT_ORG
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.transactions import Transaction

_TAKE_SIDE: Final = sa.text(
    "INSERT INTO iam_person_sides (person_key, side) VALUES (:key, :side) ON CONFLICT DO NOTHING"
)


def take_side(tx: Transaction, person_key: bytes | None, side: str | None) -> None:
    """Note the person's side unless they have one; a grant of the other will not fit."""
    if person_key is not None and side is not None:
        tx.execute(_TAKE_SIDE, {"key": person_key, "side": side})


def drop_empty_side(tx: Transaction, person_key: bytes | None) -> None:
    """Forget the person's side when no grant stands on it any more."""
    if person_key is None:
        return
    held = sa.exists().where(role_grants.c.person_key == person_key, role_grants.c.side.isnot(None))
    tx.execute(person_sides.delete().where(person_sides.c.person_key == person_key, ~held))


def in_force(now: int) -> sa.ColumnElement[bool]:
    """Return the condition that a grant was given for good, or is lent and not over yet."""
    return sa.or_(role_grants.c.expires_at.is_(None), role_grants.c.expires_at > now)


class Roles:
    """Grants in the table ``iam_role_grants``."""

    def add(self, tx: Transaction, grant: RoleGrant) -> None:
        """Store a grant; raise ``RoleConflict`` where a constraint forbids it."""
        try:
            take_side(tx, grant.person_key, grant.side)
            tx.execute(role_grants.insert().values(**asdict(grant)))
        except IntegrityError as error:
            msg = "the person holds this role or one that excludes it"
            raise RoleConflict(msg) from error

    def remove(self, tx: Transaction, subject_id: str, role: str) -> bool:
        """Remove a grant; False if there was none."""
        same = (role_grants.c.subject_id == subject_id, role_grants.c.role == role)
        row = tx.execute(sa.select(role_grants.c.person_key).where(*same)).first()
        removed = tx.execute(role_grants.delete().where(*same))
        if row is not None:
            drop_empty_side(tx, row.person_key)
        return bool(removed.rowcount == 1)

    def of_subject(self, tx: Transaction, subject_id: str) -> frozenset[str]:
        """Return the subject's roles."""
        query = sa.select(role_grants.c.role).where(
            role_grants.c.subject_id == subject_id, in_force(tx.now)
        )
        return frozenset(tx.execute(query).scalars())

    def of_person(self, tx: Transaction, person_key: bytes) -> frozenset[str]:
        """Return what the person holds over all their accounts."""
        query = sa.select(role_grants.c.role).where(
            role_grants.c.person_key == person_key, in_force(tx.now)
        )
        return frozenset(tx.execute(query).scalars())

    def of_subjects(
        self, tx: Transaction, subject_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Return the roles of each of ``subject_ids``."""
        query = sa.select(role_grants.c.subject_id, role_grants.c.role).where(
            role_grants.c.subject_id.in_(subject_ids), in_force(tx.now)
        )
        found: dict[str, set[str]] = {subject: set() for subject in subject_ids}
        for subject, role in tx.execute(query):
            found[subject].add(role)
        return {subject: frozenset(roles) for subject, roles in found.items()}

    def lent(self, tx: Transaction, subject_id: str) -> Mapping[str, int]:
        """Return the roles that were lent to the subject, and when each ends."""
        column = role_grants.c
        query = sa.select(column.role, column.expires_at).where(
            column.subject_id == subject_id, column.expires_at > tx.now
        )
        return {role: int(end) for role, end in tx.execute(query)}

    def lapsed(self, tx: Transaction, limit: int) -> Sequence[RoleGrant]:
        """Return grants whose time is over and that still stand in the table."""
        column = role_grants.c
        query = sa.select(role_grants).where(column.expires_at <= tx.now)
        rows = tx.execute(query.order_by(column.expires_at).limit(limit))
        return [RoleGrant(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def holders(self, tx: Transaction, role: str) -> int:
        """Return how many open accounts of the uppermost organisation hold ``role`` for good."""
        query = (
            sa.select(sa.func.count())
            .select_from(role_grants.join(accounts, accounts.c.id == role_grants.c.subject_id))
            .where(
                role_grants.c.role == role,
                role_grants.c.org_id == ROOT_ORG,
                role_grants.c.expires_at.is_(None),
                accounts.c.state.in_(("active", "pending")),
                # an account sealed for emergencies does nobody's daily work
                accounts.c.id.not_in(sa.select(break_glass.c.account_id)),
            )
        )
        return int(tx.execute(query).scalar_one())

    def by_subject(self, tx: Transaction, org_id: str) -> Mapping[str, frozenset[str]]:
        """Return the roles of every subject of the organisation and those below it."""
        query = sa.select(role_grants.c.subject_id, role_grants.c.role).where(
            within(role_grants.c.org_id, org_id), in_force(tx.now)
        )
        found: dict[str, set[str]] = {}
        for subject, role in tx.execute(query):
            found.setdefault(subject, set()).add(role)
        return {subject: frozenset(roles) for subject, roles in found.items()}

    def facts(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return counts: one per role, ``conflicts`` and ``unproved``."""
        column = role_grants.c
        rows = tx.execute(
            sa.select(column.role, sa.func.count())
            .where(column.org_id == org_id)
            .group_by(column.role)
        ).all()
        counts = {role: int(number) for role, number in rows}
        several = (
            sa.select(column.person_key)
            .where(column.org_id == org_id, column.role.in_(ADMINISTRATORS))
            .group_by(column.person_key)
            .having(sa.func.count() > 1)
        )
        two_sided = (
            sa.select(column.person_key)
            .where(column.org_id == org_id, column.side.isnot(None), column.person_key.isnot(None))
            .group_by(column.person_key)
            .having(sa.func.count(sa.distinct(column.side)) > 1)
        )
        both = several.union(two_sided).subquery()
        counts["conflicts"] = tx.execute(sa.select(sa.func.count()).select_from(both)).scalar_one()
        unproved = (
            sa.select(sa.func.count())
            .select_from(role_grants.join(persons, persons.c.key == column.person_key))
            .where(
                column.org_id == org_id,
                column.role.in_(ADMINISTRATORS),
                persons.c.proved.is_(False),
                # an account in two envelopes is nobody's: its two custodians are known
                column.subject_id.not_in(sa.select(break_glass.c.account_id)),
            )
        )
        counts["unproved"] = tx.execute(unproved).scalar_one()
        counts["exclusion_enforced"] = _has_exclusion_index(tx)
        return counts


_EXCLUSION_INDEX: Final = "iam_one_administrator_role_per_person"
_CATALOGUES: Final = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = :name",
    "postgresql": "SELECT count(*) FROM pg_indexes WHERE indexname = :name",
}


def _has_exclusion_index(tx: Transaction) -> int:
    """Return 1 while the database has the index that keeps administrators apart."""
    dialect: str = tx.execute(sa.select(sa.literal(1))).context.dialect.name
    found = tx.execute(sa.text(_CATALOGUES[dialect]), {"name": _EXCLUSION_INDEX})
    return min(int(found.scalar_one()), 1)
