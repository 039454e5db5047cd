"""Codes, refresh families and everything that is used once.

Each use is one conditional statement that checks and consumes: looking first and writing
later let one token succeed sixteen times.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from iam.models.grants import Code, Family, Redemption, RefreshUse, Rotation, RotationOutcome
from iam.store.tables import codes, enrolments, families, used
from secops.kernel.clock import HOUR, SECOND
from secops.kernel.transactions import Transaction

RETRY_WINDOW: Final = 10 * SECOND
_USE_ONCE: Final = sa.text(
    "INSERT INTO iam_used (kind, k, expires_at) VALUES (:kind, :k, :expires_at)"
    " ON CONFLICT DO NOTHING"
)


def _code(row: Any) -> Code:
    return Code(
        digest=bytes(row.digest),
        org_id=row.org_id,
        client_id=row.client_id,
        redirect_uri=row.redirect_uri,
        challenge=row.challenge,
        scopes=frozenset(row.scopes.split()),
        nonce=row.nonce,
        session_id=row.session_id,
        expires_at=row.expires_at,
        dpop_jkt=row.dpop_jkt,
    )


class Grants:
    """Codes, families and used identifiers."""

    def add_code(self, tx: Transaction, code: Code) -> None:
        """Store a code."""
        tx.execute(
            codes.insert().values(
                digest=code.digest,
                org_id=code.org_id,
                client_id=code.client_id,
                redirect_uri=code.redirect_uri,
                challenge=code.challenge,
                scopes=" ".join(sorted(code.scopes)),
                nonce=code.nonce,
                session_id=code.session_id,
                expires_at=code.expires_at,
                dpop_jkt=code.dpop_jkt,
            )
        )

    def redeem_code(self, tx: Transaction, redemption: Redemption) -> Code | None:
        """Consume the code if all of the redemption fits, by one statement."""
        column = codes.c
        row = tx.execute(
            codes.update()
            .where(
                column.digest == redemption.digest,
                column.client_id == redemption.client_id,
                column.redirect_uri == redemption.redirect_uri,
                column.challenge == redemption.challenge,
                sa.or_(column.dpop_jkt.is_(None), column.dpop_jkt == redemption.dpop_jkt),
                column.used_at.is_(None),
                column.expires_at > tx.now,
            )
            .values(used_at=tx.now, token_id=redemption.token_id, family=redemption.family)
            .returning(*column)
        ).first()
        return None if row is None else _code(row)

    def spent_code(self, tx: Transaction, redemption: Redemption) -> Redemption | None:
        """Return how the client's code was redeemed before, if it was."""
        row = tx.execute(
            sa.select(codes).where(
                codes.c.digest == redemption.digest,
                codes.c.client_id == redemption.client_id,
                codes.c.used_at.isnot(None),
            )
        ).first()
        if row is None:
            return None
        return Redemption(
            digest=bytes(row.digest),
            client_id=row.client_id,
            redirect_uri=row.redirect_uri,
            challenge=row.challenge,
            token_id=row.token_id,
            family=bytes(row.family),
        )

    def session_of_code(self, tx: Transaction, digest: bytes, client_id: str) -> str | None:
        """Return the session of the client's code while it waits."""
        column = codes.c
        query = sa.select(column.session_id).where(
            column.digest == digest, column.client_id == client_id, column.used_at.is_(None)
        )
        found = tx.execute(query).scalar()
        return None if found is None else str(found)

    def session_of_family(self, tx: Transaction, family: bytes, client_id: str) -> str | None:
        """Return the session of the client's family."""
        column = families.c
        query = sa.select(column.session_id).where(
            column.id == family, column.client_id == client_id
        )
        found = tx.execute(query).scalar()
        return None if found is None else str(found)

    def add_family(self, tx: Transaction, family: Family) -> None:
        """Store a family in generation 0."""
        tx.execute(
            families.insert().values(
                id=family.id,
                org_id=family.org_id,
                client_id=family.client_id,
                session_id=family.session_id,
                key_id=family.key_id,
                scopes=" ".join(sorted(family.scopes)),
                gen=0,
                state="active",
                rotated_at=tx.now,
                idle=family.idle,
                expires_at=min(tx.now + family.idle, family.ends_at),
                ends_at=family.ends_at,
            )
        )

    def rotate(self, tx: Transaction, use: RefreshUse) -> Rotation:
        """Compare and set: one winner a generation; reuse kills the family.

        In order: the winner's step; an expired or dead family (no alarm); a generation that
        never was (the database was rolled back); a bound client's retry within ten seconds
        (either way: another node's clock may be ahead); and else theft.
        """
        column = families.c
        step = tx.now + column.idle
        row = tx.execute(
            families.update()
            .where(
                column.id == use.family,
                column.gen == use.generation,
                column.state == "active",
                column.client_id == use.client_id,
                # a family that no key holds is refreshed with or without a proof
                sa.or_(column.key_id.is_(None), column.key_id == use.key_id),
                column.expires_at > tx.now,
            )
            .values(
                gen=column.gen + (1 if use.rotates else 0),
                rotated_at=tx.now,
                expires_at=sa.case((step < column.ends_at, step), else_=column.ends_at),
            )
            .returning(column.gen, column.session_id, column.scopes)
        ).first()
        if row is not None:
            return _rotation("rotated", row)
        return self._lost(tx, use)

    @staticmethod
    def _lost(tx: Transaction, use: RefreshUse) -> Rotation:
        column = families.c
        row = tx.execute(sa.select(families).where(column.id == use.family)).first()
        if row is None or row.state != "active" or row.expires_at <= tx.now:
            return Rotation("refused")
        if use.generation > row.gen:
            return Rotation("ahead", session_id=row.session_id)
        bound = use.key_id is not None and row.key_id == use.key_id
        if (
            bound
            and row.client_id == use.client_id
            and row.gen == use.generation + 1
            and abs(tx.now - row.rotated_at) <= RETRY_WINDOW
        ):
            return _rotation("repeated", row)
        killed = tx.execute(
            families.update()
            .where(column.id == use.family, column.state == "active")
            .values(state="reused")
        )
        return Rotation("reused" if killed.rowcount == 1 else "refused", session_id=row.session_id)

    def end_family(self, tx: Transaction, family: bytes, client_id: str) -> str | None:
        """End a client's family; return its session, None if it was not alive."""
        column = families.c
        session = tx.execute(
            families.update()
            .where(column.id == family, column.client_id == client_id, column.state == "active")
            .values(state="ended")
            .returning(column.session_id)
        ).scalar()
        return None if session is None else str(session)

    def use_once(self, tx: Transaction, kind: str, key: bytes, expires_at: int) -> bool:
        """Consume ``key``: True for the first, False ever after."""
        inserted = tx.execute(_USE_ONCE, {"kind": kind, "k": key, "expires_at": expires_at})
        return bool(inserted.rowcount == 1)

    def purge(self, tx: Transaction, limit: int) -> int:
        """Remove at most ``limit`` of each kind that expired an hour ago; return how many."""
        before = tx.now - HOUR
        removed = 0
        for table, key in (
            (codes, codes.c.digest),
            (used, used.c.k),
            (families, families.c.id),
            (enrolments, enrolments.c.digest),
        ):
            old = sa.select(key).where(table.c.expires_at < before).limit(limit)
            removed += tx.execute(
                table.delete().where(key.in_(old), table.c.expires_at < before)
            ).rowcount
        return removed


def _rotation(outcome: RotationOutcome, row: Any) -> Rotation:
    return Rotation(outcome, row.gen, row.session_id, frozenset(row.scopes.split()))
