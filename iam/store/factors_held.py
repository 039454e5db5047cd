"""Which factors an account holds, beside its passkeys and certificates."""

from __future__ import annotations

import sqlalchemy as sa

from iam.store.tables import recovery_codes, totp
from secops.kernel.transactions import Transaction


class FactorsHeld:
    """Looks at and removes factors in ``iam_totp`` and ``iam_recovery_codes``."""

    def recovery_codes_left(self, tx: Transaction, account_id: str) -> int:
        """Return how many recovery codes are unused."""
        query = sa.select(sa.func.count()).where(recovery_codes.c.account_id == account_id)
        return int(tx.execute(query).scalar_one())

    def remove_totp(self, tx: Transaction, account_id: str) -> bool:
        """Remove the TOTP secret; False if there was none."""
        done = tx.execute(totp.delete().where(totp.c.account_id == account_id))
        return bool(done.rowcount == 1)
