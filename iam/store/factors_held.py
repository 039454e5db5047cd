"""Which factors an account holds, beside its passkeys and certificates."""

from __future__ import annotations

import sqlalchemy as sa

from iam.store.tables import accounts, recovery_codes, totp
from secops.kernel.transactions import Transaction


class FactorsHeld:
    """Looks at and removes factors in ``iam_totp`` and ``iam_recovery_codes``."""

    def account_or_other(self, tx: Transaction, name_key: str) -> tuple[str, bool]:
        """Return the id of the account of this name and True, else another's and False.

        One statement either way; "" where there is no account at all.
        """
        named = sa.select(accounts.c.id).where(accounts.c.name_key == name_key).scalar_subquery()
        first = sa.select(sa.func.min(accounts.c.id)).scalar_subquery()
        found = tx.execute(sa.select(sa.func.coalesce(named, first, ""), named.is_not(None))).one()
        return str(found[0]), bool(found[1])

    def recovery_codes_left(self, tx: Transaction, account_id: str) -> int:
        """Return how many recovery codes are unused."""
        query = sa.select(sa.func.count()).where(recovery_codes.c.account_id == account_id)
        return int(tx.execute(query).scalar_one())

    def remove_totp(self, tx: Transaction, account_id: str) -> bool:
        """Remove the TOTP secret; False if there was none."""
        done = tx.execute(totp.delete().where(totp.c.account_id == account_id))
        return bool(done.rowcount == 1)
