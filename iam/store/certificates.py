"""Bound certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from iam.errors import CertificateKnown
from iam.models.factors import CertificateBinding
from iam.store.tables import certificates
from secops.kernel.transactions import Transaction


class Certificates:
    """Bindings in the table ``iam_certificates``."""

    def add(self, tx: Transaction, binding: CertificateBinding) -> None:
        """Store it; raise ``CertificateKnown`` if its key is bound already."""
        if self.by_key(tx, binding.key_digest) is not None:
            raise CertificateKnown
        tx.execute(certificates.insert().values(**asdict(binding)))

    def by_key(self, tx: Transaction, key_digest: bytes) -> CertificateBinding | None:
        """Return the binding of a key."""
        query = sa.select(certificates).where(certificates.c.key_digest == key_digest)
        row = tx.execute(query).first()
        return None if row is None else _binding(row)

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[CertificateBinding]:
        """Return the account's bindings, oldest first."""
        rows = tx.execute(
            sa.select(certificates)
            .where(certificates.c.account_id == account_id)
            .order_by(certificates.c.created_at, certificates.c.id)
        ).all()
        return [_binding(row) for row in rows]

    def use(self, tx: Transaction, key_digest: bytes) -> bool:
        """Note a use; False if it is bound no more."""
        done = tx.execute(
            certificates.update()
            .where(certificates.c.key_digest == key_digest)
            .values(last_used_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def remove(self, tx: Transaction, account_id: str, binding_id: str) -> bool:
        """Remove the account's binding; False if it has none such."""
        done = tx.execute(
            certificates.delete().where(
                certificates.c.id == binding_id, certificates.c.account_id == account_id
            )
        )
        return bool(done.rowcount == 1)


def _binding(row: Any) -> CertificateBinding:
    return CertificateBinding(
        id=row.id,
        key_digest=bytes(row.key_digest),
        org_id=row.org_id,
        account_id=row.account_id,
        name=row.name,
        subject=row.subject,
        serial=row.serial,
        not_after=row.not_after,
        token_held=bool(row.token_held),
        created_at=row.created_at,
        created_by=row.created_by,
        last_used_at=row.last_used_at,
    )
