"""Identity providers upstream, links to them, and real-name levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken, UpstreamUnlinked
from iam.models.upstream import (
    RealNameLevel,
    Upstream,
    UpstreamLink,
    UpstreamProposal,
    UpstreamState,
    stored_plan,
)
from iam.store.tables import (
    accounts,
    legal_persons,
    mandates,
    persons,
    real_name_levels,
    upstream_links,
    upstream_proposals,
    upstreams,
)
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transaction

_MOST: Final = 100
_OPEN: Final = ("active", "pending")


def _upstream(row: Any) -> Upstream:
    return Upstream(
        plan=stored_plan(row.id, row.content),
        org_id=row.org_id,
        content=row.content,
        sealed_secret=bytes(row.sealed_secret),
        state=cast("UpstreamState", row.state),
        proposed_by=row.proposed_by,
        approved_by=row.approved_by,
        changed_at=row.changed_at,
    )


def _proposal(row: Any) -> UpstreamProposal:
    made = UpstreamProposal(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return replace(made, sealed_secret=bytes(made.sealed_secret))


def _link(row: Any) -> UpstreamLink:
    made = UpstreamLink(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return replace(
        made, subject_key=bytes(made.subject_key), sealed_subject=bytes(made.sealed_subject)
    )


def _stands(now: int) -> sa.ColumnElement[bool]:
    """Return that an account is a body's representative, or mandated by it at ``now``."""
    legal, mandate = legal_persons.c, mandates.c
    mandated = (
        sa.select(mandate.agent_id)
        .where(
            mandate.legal_person_id == legal.id,
            mandate.revoked_at.is_(None),
            mandate.starts_at <= now,
            mandate.ends_at > now,
        )
        .correlate(legal_persons)
    )
    return sa.or_(legal.representative_id == accounts.c.id, accounts.c.id.in_(mandated))


class Upstreams:
    """Providers, their proposals and who is linked to them."""

    def propose(self, tx: Transaction, proposal: UpstreamProposal) -> None:
        """Store what waits for approval."""
        tx.execute(upstream_proposals.insert().values(**asdict(proposal)))

    def proposal(self, tx: Transaction, approval_id: str) -> UpstreamProposal:
        """Return it; raise ``NotFound``."""
        wanted = upstream_proposals.c.approval_id == approval_id
        row = tx.execute(sa.select(upstream_proposals).where(wanted)).first()
        if row is None:
            msg = "no configuration waits under this number"
            raise NotFound(msg)
        return _proposal(row)

    def proposals(self, tx: Transaction, org_id: str) -> Sequence[UpstreamProposal]:
        """Return what waits, oldest first."""
        query = sa.select(upstream_proposals).where(upstream_proposals.c.org_id == org_id)
        rows = tx.execute(query.order_by(upstream_proposals.c.created_at).limit(_MOST)).all()
        return [_proposal(row) for row in rows]

    def drop_proposal(self, tx: Transaction, approval_id: str) -> None:
        """Forget it."""
        gone = upstream_proposals.c.approval_id == approval_id
        tx.execute(upstream_proposals.delete().where(gone))

    def put(self, tx: Transaction, upstream: Upstream) -> None:
        """Put a provider in force; raise ``NameTaken`` if another organisation's has its id."""
        known = self.find(tx, upstream.plan.id)
        values = {
            "content": upstream.content,
            "sealed_secret": upstream.sealed_secret,
            "state": upstream.state,
            "proposed_by": upstream.proposed_by,
            "approved_by": upstream.approved_by,
            "changed_at": upstream.changed_at,
        }
        if known is None:
            tx.execute(
                upstreams.insert().values(id=upstream.plan.id, org_id=upstream.org_id, **values)
            )
            return
        if known.org_id != upstream.org_id:
            msg = "another organisation's provider has this id"
            raise NameTaken(msg)
        tx.execute(upstreams.update().where(upstreams.c.id == upstream.plan.id).values(**values))

    def find(self, tx: Transaction, upstream_id: str) -> Upstream | None:
        """Return it."""
        row = tx.execute(sa.select(upstreams).where(upstreams.c.id == upstream_id)).first()
        return None if row is None else _upstream(row)

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Upstream]:
        """Return an organisation's providers by id."""
        query = sa.select(upstreams).where(upstreams.c.org_id == org_id)
        return [_upstream(row) for row in tx.execute(query.order_by(upstreams.c.id)).all()]

    def active(self, tx: Transaction) -> Sequence[Upstream]:
        """Return every provider in force, by id, at most 100."""
        query = sa.select(upstreams).where(upstreams.c.state == "active")
        rows = tx.execute(query.order_by(upstreams.c.id).limit(_MOST)).all()
        return [_upstream(row) for row in rows]

    def disable(self, tx: Transaction, upstream_id: str) -> bool:
        """Take it out of force; False if it was."""
        changed = tx.execute(
            upstreams.update()
            .where(upstreams.c.id == upstream_id, upstreams.c.state == "active")
            .values(state="disabled", changed_at=tx.now)
        )
        return bool(changed.rowcount == 1)


class UpstreamLinks:
    """Who is linked, whom a first link would reach, and how surely people are known."""

    def link(self, tx: Transaction, link: UpstreamLink) -> None:
        """Store a link; raise ``UpstreamUnlinked`` if subject or account is linked already."""
        try:
            tx.execute(upstream_links.insert().values(**asdict(link)))
        except IntegrityError as error:
            msg = "the account is linked to another subject of this provider"
            raise UpstreamUnlinked(msg) from error

    def find_link(
        self, tx: Transaction, upstream_id: str, subject_key: bytes
    ) -> UpstreamLink | None:
        """Return the link of a subject."""
        row = tx.execute(
            sa.select(upstream_links).where(
                upstream_links.c.upstream_id == upstream_id,
                upstream_links.c.subject_key == subject_key,
            )
        ).first()
        return None if row is None else _link(row)

    def links_to_check(
        self, tx: Transaction, before: int, upstream_ids: Sequence[str], limit: int
    ) -> Sequence[UpstreamLink]:
        """Return links of active accounts last checked before ``before``, oldest first."""
        query = (
            sa.select(upstream_links)
            .join(accounts, accounts.c.id == upstream_links.c.account_id)
            .where(
                accounts.c.state == "active",
                upstream_links.c.checked_at < before,
                upstream_links.c.upstream_id.in_(upstream_ids),
            )
        )
        rows = tx.execute(query.order_by(upstream_links.c.checked_at).limit(limit)).all()
        return [_link(row) for row in rows]

    def checked(self, tx: Transaction, link: UpstreamLink) -> None:
        """Remember that the link was checked now."""
        tx.execute(
            upstream_links.update()
            .where(
                upstream_links.c.upstream_id == link.upstream_id,
                upstream_links.c.subject_key == link.subject_key,
            )
            .values(checked_at=tx.now)
        )

    def accounts_of_person(self, tx: Transaction, org_id: str, key: bytes) -> Sequence[str]:
        """Return ids of open accounts of the proved person with this key, at most 2."""
        query = (
            sa.select(accounts.c.id)
            .join(persons, persons.c.id == accounts.c.person_id)
            .where(
                persons.c.key == key,
                persons.c.proved.is_(True),
                accounts.c.org_id == org_id,
                accounts.c.kind.in_(("natural", "civil")),
                accounts.c.state.in_(_OPEN),
            )
        )
        return [str(row.id) for row in tx.execute(query.order_by(accounts.c.id).limit(2)).all()]

    def accounts_of_body(self, tx: Transaction, org_id: str, credit_code: str) -> Sequence[str]:
        """Return ids of open legal accounts that stand for this body now, at most 2."""
        query = (
            sa.select(accounts.c.id)
            .distinct()
            .select_from(accounts)
            .join(legal_persons, _stands(tx.now))
            .where(
                legal_persons.c.credit_code == credit_code,
                accounts.c.org_id == org_id,
                accounts.c.kind == "legal",
                accounts.c.state.in_(_OPEN),
            )
        )
        return [str(row.id) for row in tx.execute(query.order_by(accounts.c.id).limit(2)).all()]

    def credit_code_of(self, tx: Transaction, account_id: str) -> str | None:
        """Return the code of the one body that a legal account stands for now."""
        query = (
            sa.select(legal_persons.c.credit_code)
            .distinct()
            .select_from(accounts)
            .join(legal_persons, _stands(tx.now))
            .where(accounts.c.id == account_id, accounts.c.kind == "legal")
        )
        codes = tx.execute(query.limit(2)).scalars().all()
        return str(codes[0]) if len(codes) == 1 else None

    def person_key(self, tx: Transaction, account_id: str) -> bytes | None:
        """Return the key of the proved person behind an account."""
        query = (
            sa.select(persons.c.key)
            .join(accounts, accounts.c.person_id == persons.c.id)
            .where(accounts.c.id == account_id, persons.c.proved.is_(True))
        )
        key = tx.execute(query).scalar()
        return None if key is None else bytes(key)

    def put_level(self, tx: Transaction, level: RealNameLevel) -> None:
        """Store the level of an account in a scheme in place of the one before."""
        column = real_name_levels.c
        same = (column.account_id == level.account_id, column.scheme == level.scheme)
        tx.execute(real_name_levels.delete().where(*same))
        tx.execute(real_name_levels.insert().values(**asdict(level)))

    def levels_of(self, tx: Transaction, account_id: str) -> Sequence[RealNameLevel]:
        """Return an account's levels that hold now, the latest first."""
        column = real_name_levels.c
        query = sa.select(
            column.account_id,
            column.org_id,
            column.scheme,
            column.level,
            column.source,
            column.at,
            column.expires_at,
        ).where(column.account_id == account_id, column.expires_at > tx.now)
        rows = tx.execute(query.order_by(column.at.desc(), column.scheme)).all()
        return [RealNameLevel(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
