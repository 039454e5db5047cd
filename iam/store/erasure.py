"""What erasing a person does to the plane's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from iam.models.accounts import Account
from iam.store.accounts import account_of_row
from iam.store.tables import (
    accounts,
    certificates,
    civil_services,
    consents,
    departures,
    device_sessions,
    enrolments,
    message_addresses,
    message_codes,
    owner_notices,
    passkeys,
    passwords,
    persons,
    real_name_levels,
    recovery_codes,
    registered_devices,
    scim_users,
    sessions,
    totp,
    upstream_links,
)
from secops.kernel.transactions import Transaction

OWN_ROWS: Final = (
    certificates,
    consents,
    enrolments,
    message_addresses,
    message_codes,
    owner_notices,
    passkeys,
    passwords,
    real_name_levels,
    recovery_codes,
    registered_devices,
    totp,
    upstream_links,
)
"""Tables whose rows say something about one account alone: removed whole."""


class Erasures:
    """Implements ``iam.ports.ErasureStore``."""

    def erase_account(self, tx: Transaction, account_id: str, pseudonym: str) -> Mapping[str, int]:
        """Remove what belongs to the account alone, and call it ``pseudonym``."""
        devices = sa.select(registered_devices.c.id).where(
            registered_devices.c.account_id == account_id
        )
        proofs = tx.execute(
            device_sessions.delete().where(device_sessions.c.device_id.in_(devices))
        )
        counts = {"iam_device_sessions": proofs.rowcount}
        for table in OWN_ROWS:
            removed = tx.execute(table.delete().where(table.c.account_id == account_id))
            counts[table.name] = removed.rowcount
        for table, values in (
            (scim_users, {"sealed_content": b"", "deleted_at": tx.now}),
            (sessions, {"address": ""}),
            (departures, {"reason": ""}),
        ):
            emptied = tx.execute(
                table.update().where(table.c.account_id == account_id).values(**values)
            )
            counts[table.name] = emptied.rowcount
        due = (departures.c.account_id == account_id, departures.c.state == "due")
        tx.execute(departures.update().where(*due).values(state="cancelled", ended_at=tx.now))
        named = tx.execute(
            accounts.update()
            .where(accounts.c.id == account_id)
            .values(name=pseudonym, name_key=pseudonym, last_sign_in=None, erased_at=tx.now)
        )
        counts["iam_accounts"] = named.rowcount
        return {str(name): int(count) for name, count in counts.items() if count}

    def erase_person(self, tx: Transaction, person_id: str, key: bytes) -> Mapping[str, int]:
        """Remove name, posts and proofs of a person, now known by the random ``key``."""
        posts = tx.execute(civil_services.delete().where(civil_services.c.person_id == person_id))
        unnamed = tx.execute(
            persons.update()
            .where(persons.c.id == person_id)
            .values(key=key, proved=False, sealed_name=b"", real_name_level=0)
        )
        counts = {"iam_civil_services": posts.rowcount, "iam_persons": unnamed.rowcount}
        return {str(name): int(count) for name, count in counts.items() if count}

    def other_accounts(self, tx: Transaction, account: Account) -> Sequence[Account]:
        """Return the person's other accounts that are not erased."""
        column = accounts.c
        others = sa.select(accounts).where(
            column.person_id == account.person_id,
            column.id != account.id,
            column.erased_at.is_(None),
        )
        return [account_of_row(row) for row in tx.execute(others.order_by(column.id))]
