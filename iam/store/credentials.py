"""Passwords, TOTP secrets and recovery codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from iam.models.credentials import PasswordCredential, TotpCredential
from iam.store.tables import (
    accounts,
    break_glass,
    certificates,
    passkeys,
    passwords,
    recovery_codes,
    role_grants,
    totp,
)
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.transactions import Transaction


class Credentials:
    """What accounts prove themselves with."""

    def set_password(self, tx: Transaction, credential: PasswordCredential, keep: int) -> None:
        """Make it the password; the last ``keep`` ones stay as history."""
        column = passwords.c
        mine = column.account_id == credential.account_id
        tx.execute(
            passwords.insert().values(
                account_id=credential.account_id, set_at=credential.set_at, hash=credential.hash
            )
        )
        times = tx.execute(
            sa.select(column.set_at).where(mine).order_by(column.set_at.desc()).offset(keep)
        ).scalars()
        tx.execute(passwords.delete().where(mine, column.set_at.in_(list(times))))

    def passwords(self, tx: Transaction, account_id: str) -> Sequence[PasswordCredential]:
        """Return the password and its history, newest first."""
        rows = tx.execute(
            sa.select(passwords)
            .where(passwords.c.account_id == account_id)
            .order_by(passwords.c.set_at.desc())
        ).all()
        return [PasswordCredential(r.account_id, r.hash, r.set_at) for r in rows]

    def rehash(self, tx: Transaction, credential: PasswordCredential) -> None:
        """Replace the newest password's hash, its age unchanged."""
        tx.execute(
            passwords.update()
            .where(
                passwords.c.account_id == credential.account_id,
                passwords.c.set_at == credential.set_at,
            )
            .values(hash=credential.hash)
        )

    def set_totp(self, tx: Transaction, credential: TotpCredential) -> None:
        """Make it the TOTP secret."""
        tx.execute(totp.delete().where(totp.c.account_id == credential.account_id))
        tx.execute(
            totp.insert().values(
                account_id=credential.account_id,
                sealed_secret=credential.sealed_secret,
                last_step=credential.last_step,
                algorithm=credential.algorithm,
            )
        )

    def totp(self, tx: Transaction, account_id: str) -> TotpCredential | None:
        """Return the TOTP secret."""
        row = tx.execute(sa.select(totp).where(totp.c.account_id == account_id)).first()
        if row is None:
            return None
        return TotpCredential(
            row.account_id, bytes(row.sealed_secret), row.last_step, row.algorithm
        )

    def use_step(self, tx: Transaction, account_id: str, step: int) -> bool:
        """Consume a TOTP step: True once, False for it and every older one after that."""
        used = tx.execute(
            totp.update()
            .where(totp.c.account_id == account_id, totp.c.last_step < step)
            .values(last_step=step)
        )
        return bool(used.rowcount == 1)

    def set_recovery_codes(
        self, tx: Transaction, account_id: str, digests: Sequence[bytes]
    ) -> None:
        """Replace the recovery codes."""
        tx.execute(recovery_codes.delete().where(recovery_codes.c.account_id == account_id))
        for digest in digests:
            tx.execute(recovery_codes.insert().values(account_id=account_id, digest=digest))

    def use_recovery_code(self, tx: Transaction, account_id: str, digest: bytes) -> bool:
        """Consume a recovery code: True once."""
        used = tx.execute(
            recovery_codes.delete().where(
                recovery_codes.c.account_id == account_id, recovery_codes.c.digest == digest
            )
        )
        return bool(used.rowcount == 1)

    def clear(self, tx: Transaction, account_id: str) -> None:
        """Forget every factor of the account; the password's history stays."""
        newest = sa.select(sa.func.max(passwords.c.set_at)).where(
            passwords.c.account_id == account_id
        )
        set_at = tx.execute(newest).scalar()
        tx.execute(
            passwords.delete().where(
                passwords.c.account_id == account_id, passwords.c.set_at == set_at
            )
        )
        for table in (totp, recovery_codes, passkeys, certificates):
            tx.execute(table.delete().where(table.c.account_id == account_id))

    def facts(
        self, tx: Transaction, org_id: str, *, set_before: int, now: int
    ) -> Mapping[str, int]:
        """Return counts: with_two_factors, administrators…, passwords_expired.

        A passkey or a certificate on a UKey are two factors: something held, and its PIN. A
        sealed account has its own two, half a password with each of two people and codes on
        paper; it is meant to lie unused, so its password does not age.
        """
        open_ = (accounts.c.org_id == org_id, accounts.c.state == "active")
        has_password = sa.exists().where(passwords.c.account_id == accounts.c.id)
        has_totp = sa.exists().where(totp.c.account_id == accounts.c.id)
        has_passkey = sa.exists().where(
            passkeys.c.account_id == accounts.c.id, passkeys.c.suspended_at.is_(None)
        )
        has_token = sa.exists().where(
            certificates.c.account_id == accounts.c.id,
            certificates.c.token_held,
            certificates.c.not_after > now,
        )
        sealed = sa.exists().where(break_glass.c.account_id == accounts.c.id)
        has_codes = sa.exists().where(recovery_codes.c.account_id == accounts.c.id)
        two_factors = sa.or_(
            sa.and_(has_password, has_totp),
            has_passkey,
            has_token,
            sa.and_(sealed, has_password, has_codes),
        )
        administers = sa.exists().where(
            role_grants.c.subject_id == accounts.c.id, role_grants.c.role.in_(ADMINISTRATORS)
        )
        newest = (
            sa.select(sa.func.max(passwords.c.set_at))
            .where(passwords.c.account_id == accounts.c.id)
            .scalar_subquery()
        )

        def count(*conditions: sa.ColumnElement[bool]) -> int:
            query = sa.select(sa.func.count()).select_from(accounts).where(*open_, *conditions)
            return int(tx.execute(query).scalar_one())

        return {
            "active": count(),
            "with_two_factors": count(two_factors),
            "administrators": count(administers),
            "administrators_with_two_factors": count(administers, two_factors),
            "passwords_expired": count(newest < set_before, ~sealed),
        }
