"""Addresses outside, codes on their way, and notices that wait to be sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa

from iam.models.messages import Channel, MessageAddress, OwnerNotice, SentCode
from iam.store.device_grants import purge_by_expiry
from iam.store.due import claim_due
from iam.store.roles import in_force
from iam.store.tables import message_addresses, message_codes, owner_notices, role_grants
from secops.kernel.transactions import Transaction

_PUT_ADDRESS: Final = sa.text(
    "INSERT INTO iam_message_addresses (account_id, channel, org_id, sealed_address, created_at,"
    " last_used_at) VALUES (:account_id, :channel, :org_id, :sealed_address, :created_at,"
    " :last_used_at) ON CONFLICT (account_id, channel) DO UPDATE SET"
    " sealed_address = excluded.sealed_address, created_at = excluded.created_at,"
    " last_used_at = excluded.last_used_at"
)
_PUT_CODE: Final = sa.text(
    "INSERT INTO iam_message_codes (attempt, org_id, account_id, purpose, channel, digest,"
    " expires_at, sealed_address) VALUES (:attempt, :org_id, :account_id, :purpose, :channel,"
    " :digest, :expires_at, :sealed_address) ON CONFLICT (attempt) DO UPDATE SET"
    " channel = excluded.channel, digest = excluded.digest, expires_at = excluded.expires_at,"
    " sealed_address = excluded.sealed_address"
)
_ADD_NOTICE: Final = sa.text(
    "INSERT INTO iam_owner_notices (id, org_id, account_id, channel, kind, subject_id,"
    " sealed_address, about, state, tries, next_at, created_at, trouble) VALUES (:id, :org_id,"
    " :account_id, :channel, :kind, :subject_id, :sealed_address, :about, :state, :tries,"
    " :next_at, :created_at, :trouble) ON CONFLICT DO NOTHING"
)


class MessageAddresses:
    """The tables ``iam_message_addresses`` and ``iam_message_codes``."""

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[MessageAddress]:
        """Return the account's addresses, by channel."""
        query = sa.select(message_addresses).where(message_addresses.c.account_id == account_id)
        query = query.order_by(message_addresses.c.channel)
        return [MessageAddress(*row) for row in tx.execute(query).all()]

    def of_roles(self, tx: Transaction, roles: Collection[str]) -> Sequence[MessageAddress]:
        """Return the addresses of everybody who holds one of ``roles`` now."""
        column, held = message_addresses.c, role_grants.c
        whose = sa.select(held.subject_id).where(held.role.in_(sorted(roles)), in_force(tx.now))
        query = sa.select(message_addresses).where(column.account_id.in_(whose))
        rows = tx.execute(query.order_by(column.account_id, column.channel)).all()
        return [MessageAddress(*row) for row in rows]

    def put(self, tx: Transaction, address: MessageAddress) -> None:
        """Store it in place of the account's earlier one of this channel."""
        tx.execute(_PUT_ADDRESS, asdict(address))

    def used(self, tx: Transaction, account_id: str, channel: Channel) -> None:
        """Note a use now."""
        column = message_addresses.c
        tx.execute(
            message_addresses.update()
            .where(column.account_id == account_id, column.channel == channel)
            .values(last_used_at=tx.now)
        )

    def remove(self, tx: Transaction, account_id: str, channel: Channel) -> bool:
        """Remove it and the codes on their way to it; False if there was none."""
        for table in (message_codes, message_addresses):
            column = table.c
            done = tx.execute(
                table.delete().where(column.account_id == account_id, column.channel == channel)
            )
        return bool(done.rowcount == 1)

    def clear(self, tx: Transaction, account_id: str) -> None:
        """Remove all of the account's addresses and codes."""
        for table in (message_codes, message_addresses):
            tx.execute(table.delete().where(table.c.account_id == account_id))

    def send(self, tx: Transaction, code: SentCode) -> None:
        """Remember a code; an earlier one of the same attempt counts no more."""
        tx.execute(_PUT_CODE, asdict(code))

    def waiting(self, tx: Transaction, attempt: bytes) -> SentCode | None:
        """Return the attempt's code that can still be used."""
        column = message_codes.c
        query = sa.select(message_codes).where(
            column.attempt == attempt, column.expires_at > tx.now
        )
        row = tx.execute(query).first()
        return None if row is None else SentCode(*row)

    def consume(self, tx: Transaction, attempt: bytes, digest: bytes) -> SentCode | None:
        """Check and use up the attempt's code by one statement; None if it is another."""
        column = message_codes.c
        row = tx.execute(
            message_codes.delete()
            .where(column.attempt == attempt, column.digest == digest, column.expires_at > tx.now)
            .returning(*column)
        ).first()
        return None if row is None else SentCode(*row)

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` codes that expired before; return how many."""
        return purge_by_expiry(tx, message_codes.c.attempt, before, limit)


class OwnerNotices:
    """The table ``iam_owner_notices``."""

    def add(self, tx: Transaction, notice: OwnerNotice) -> None:
        """Store it, unless this subject's notice over this channel is there."""
        tx.execute(_ADD_NOTICE, asdict(notice))

    def is_due(self, tx: Transaction) -> bool:
        """Tell whether a notice is due."""
        column = owner_notices.c
        due = sa.select(column.id).where(column.state == "waiting", column.next_at <= tx.now)
        return tx.execute(due.limit(1)).first() is not None

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[OwnerNotice]:
        """Return due notices, not due again before ``until``: another process leaves them."""
        return [OwnerNotice(*row) for row in claim_due(tx, owner_notices.c.state, limit, until)]

    def keep(self, tx: Transaction, notice: OwnerNotice) -> bool:
        """Store how a try went; False if another process stored the same try before."""
        column = owner_notices.c
        done = tx.execute(
            owner_notices.update()
            .where(column.id == notice.id, column.tries == notice.tries - 1)
            .values(
                state=notice.state,
                tries=notice.tries,
                next_at=notice.next_at,
                trouble=notice.trouble,
            )
        )
        return bool(done.rowcount == 1)

    def of_subject(self, tx: Transaction, subject_id: str) -> Sequence[OwnerNotice]:
        """Return the notices of one subject, by account and channel."""
        column = owner_notices.c
        query = sa.select(owner_notices).where(column.subject_id == subject_id)
        rows = tx.execute(query.order_by(column.account_id, column.channel)).all()
        return [OwnerNotice(*row) for row in rows]

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that are no longer waiting and were made before."""
        column = owner_notices.c
        old = sa.select(column.id).where(column.state != "waiting", column.created_at < before)
        return int(
            tx.execute(owner_notices.delete().where(column.id.in_(old.limit(limit)))).rowcount
        )
