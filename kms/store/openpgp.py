"""OpenPGP keys and partners in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update

from kms.models.openpgp import OpenPgpKey, Partner, PartnerState
from kms.store.rows import fields_of, newest_first
from kms.store.tables.openpgp import kms_openpgp_keys, kms_openpgp_partners
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class SqlOpenPgpStore:
    """One active key an organisation, one active partner a name."""

    def insert_key(self, transaction: Transaction, key: OpenPgpKey) -> None:
        """Store a new ``key``; the one before it is retired."""
        table = kms_openpgp_keys
        before = (table.c.org_id == key.org_id, table.c.state == "active")
        transaction.execute(update(table).where(*before).values(state="retired"))
        transaction.execute(insert(table).values(**asdict(key)))

    def active_key(self, transaction: Transaction, org_id: str) -> OpenPgpKey | None:
        """Return the key that signs now."""
        table = kms_openpgp_keys
        return self._key(transaction, table.c.org_id == org_id, table.c.state == "active")

    def key(self, transaction: Transaction, org_id: str, key_id: str) -> OpenPgpKey | None:
        """Return it, active or not."""
        table = kms_openpgp_keys
        return self._key(transaction, table.c.org_id == org_id, table.c.id == key_id)

    def keys(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[OpenPgpKey]:
        """Return a page, newest first, one more than asked for."""
        statement = select(kms_openpgp_keys).where(kms_openpgp_keys.c.org_id == org_id)
        statement = newest_first(statement, kms_openpgp_keys, "created_at", request)
        return [OpenPgpKey(**fields_of(row)) for row in transaction.execute(statement)]

    def retire_key(self, transaction: Transaction, key_id: str) -> bool:
        """Take the key out of use; False if it was before."""
        table = kms_openpgp_keys
        statement = update(table).where(table.c.id == key_id, table.c.state == "active")
        return bool(transaction.execute(statement.values(state="retired")).rowcount)

    def insert_partner(self, transaction: Transaction, partner: Partner) -> None:
        """Store a requested ``partner``."""
        transaction.execute(insert(kms_openpgp_partners).values(**asdict(partner)))

    def partner(self, transaction: Transaction, org_id: str, partner_id: str) -> Partner | None:
        """Return it in any state."""
        table = kms_openpgp_partners
        return self._partner(transaction, table.c.org_id == org_id, table.c.id == partner_id)

    def named(self, transaction: Transaction, org_id: str, name: str) -> Partner | None:
        """Return the active partner of that name."""
        table = kms_openpgp_partners
        return self._partner(
            transaction, table.c.org_id == org_id, table.c.name == name, table.c.state == "active"
        )

    def partners(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Partner]:
        """Return a page, newest first, one more than asked for."""
        statement = select(kms_openpgp_partners).where(kms_openpgp_partners.c.org_id == org_id)
        statement = newest_first(statement, kms_openpgp_partners, "requested_at", request)
        return [Partner(**fields_of(row)) for row in transaction.execute(statement)]

    def change_state(
        self,
        transaction: Transaction,
        partner_id: str,
        *,
        before: PartnerState,
        after: PartnerState,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        table = kms_openpgp_partners
        statement = update(table).where(table.c.id == partner_id, table.c.state == before)
        return bool(transaction.execute(statement.values(state=after)).rowcount)

    def _key(self, transaction: Transaction, *where: Any) -> OpenPgpKey | None:
        row = transaction.execute(select(kms_openpgp_keys).where(*where)).one_or_none()
        if row is None:
            return None
        fields = fields_of(row)
        return OpenPgpKey(**{**fields, "sealed": bytes(fields["sealed"])})

    def _partner(self, transaction: Transaction, *where: Any) -> Partner | None:
        row = transaction.execute(select(kms_openpgp_partners).where(*where)).one_or_none()
        return None if row is None else Partner(**fields_of(row))
