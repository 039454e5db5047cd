"""Keys, versions, grants and the root's envelope in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, cast

from sqlalchemy import case, delete, func, insert, select, tuple_, update

from kms.models.keys import Key, KeyGrant, KeyGroup, KeyState, KeyVersion, Operation
from kms.ports.keys import Due
from kms.store.tables.keys import kms_key_grants, kms_key_versions, kms_keys, kms_mounts, kms_roots
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_ROOT: Final = 1
_HANDOVER: Final = 2
_KEPT: Final = ("active", "suspended")
_PROGRESS: Final = 3


class SqlRootStore:
    """The root's envelope, and its handover between the processes of one service."""

    def load(self, transaction: Transaction) -> bytes | None:
        """Return the envelope, None before ``init``."""
        return self._load(transaction, _ROOT)

    def insert(self, transaction: Transaction, envelope: bytes) -> bool:
        """Store the first envelope; False if there is one."""
        # writers follow one another, so nothing comes between the look and the insert
        if self.load(transaction) is not None:
            return False
        row = {"id": _ROOT, "envelope": envelope, "created_at": transaction.now}
        transaction.execute(insert(kms_roots).values(**row))
        return True

    def load_handover(self, transaction: Transaction) -> bytes | None:
        """Return what an unlocked process left for its siblings."""
        return self._load(transaction, _HANDOVER)

    def put_handover(self, transaction: Transaction, handover: bytes | None) -> None:
        """Leave it for siblings, or take it away (None)."""
        self._put(transaction, _HANDOVER, handover, transaction.now)

    def replace(self, transaction: Transaction, before: bytes, after: bytes) -> bool:
        """Put the envelope ``after`` where ``before`` still stands; False if it does not."""
        unchanged = (kms_roots.c.id == _ROOT, kms_roots.c.envelope == before)
        statement = update(kms_roots).where(*unchanged).values(envelope=after)
        return bool(transaction.execute(statement).rowcount)

    def load_progress(self, transaction: Transaction) -> tuple[bytes, int] | None:
        """Return the shares given so far, encrypted, and when the first of them came."""
        statement = select(kms_roots).where(kms_roots.c.id == _PROGRESS)
        row = transaction.execute(statement).one_or_none()
        return None if row is None else (bytes(row.envelope), row.created_at)

    def put_progress(
        self, transaction: Transaction, progress: bytes | None, started_at: int = 0
    ) -> None:
        """Keep what was given so far, or forget it (None)."""
        self._put(transaction, _PROGRESS, progress, started_at)

    def _put(self, transaction: Transaction, row_id: int, value: bytes | None, at: int) -> None:
        transaction.execute(delete(kms_roots).where(kms_roots.c.id == row_id))
        if value is not None:
            row = {"id": row_id, "envelope": value, "created_at": at}
            transaction.execute(insert(kms_roots).values(**row))

    def _load(self, transaction: Transaction, row_id: int) -> bytes | None:
        statement = select(kms_roots.c.envelope).where(kms_roots.c.id == row_id)
        found = transaction.execute(statement).scalar_one_or_none()
        return None if found is None else bytes(found)


class SqlKeyStore:
    """The key pool's rows."""

    def insert(self, transaction: Transaction, key: Key, tag: bytes) -> bool:
        """Store a new ``key``; False if its name is taken."""
        if self.find(transaction, key.org_id, mount=key.mount, name=key.name) is not None:
            return False
        transaction.execute(insert(kms_keys).values(**asdict(key), tag=tag))
        return True

    def update(self, transaction: Transaction, before: Key, after: Key, *, tag: bytes) -> bool:
        """Put ``after`` where ``before`` still stands; False if it has changed."""
        unchanged = [kms_keys.c[name] == value for name, value in asdict(before).items()]
        statement = update(kms_keys).where(*unchanged).values(**asdict(after), tag=tag)
        return bool(transaction.execute(statement).rowcount)

    def find(
        self, transaction: Transaction, org_id: str, *, mount: str, name: str
    ) -> tuple[Key, bytes] | None:
        """Return the key of that name and its tag."""
        statement = select(kms_keys).where(
            kms_keys.c.org_id == org_id, kms_keys.c.mount == mount, kms_keys.c.name == name
        )
        row = transaction.execute(statement).one_or_none()
        return None if row is None else (_key(row), bytes(row.tag))

    def page(
        self,
        transaction: Transaction,
        org_id: str,
        *,
        mount: str,
        request: PageRequest,
        subject: str | None = None,
    ) -> Sequence[Key]:
        """Return keys by name after ``request.after``, one more than asked for."""
        statement = _of(select(kms_keys), org_id, mount, subject)
        if (after := request.key(str)) is not None:
            statement = statement.where(kms_keys.c.name > after[0])
        statement = statement.order_by(kms_keys.c.name).limit(request.limit + 1)
        return [_key(row) for row in transaction.execute(statement)]

    def insert_version(
        self, transaction: Transaction, key: Key, version: KeyVersion, *, tag: bytes
    ) -> bool:
        """Store a new ``version`` of ``key``; False if it is there."""
        found = select(kms_key_versions.c.version).where(
            kms_key_versions.c.key_id == key.id, kms_key_versions.c.version == version.version
        )
        if transaction.execute(found).one_or_none() is not None:
            return False
        row = {**asdict(version), "org_id": key.org_id, "tag": tag}
        transaction.execute(insert(kms_key_versions).values(**row))
        return True

    def versions(self, transaction: Transaction, key_id: str) -> Sequence[tuple[KeyVersion, bytes]]:
        """Return all versions with their tags, oldest first."""
        table = kms_key_versions
        statement = select(table).where(table.c.key_id == key_id).order_by(table.c.version)
        return [(_version(row), bytes(row.tag)) for row in transaction.execute(statement)]

    def erase_versions(self, transaction: Transaction, key_id: str, below: int | None) -> int:
        """Delete the material of versions < ``below`` (None: all); return how many."""
        statement = delete(kms_key_versions).where(kms_key_versions.c.key_id == key_id)
        if below is not None:
            statement = statement.where(kms_key_versions.c.version < below)
        return int(transaction.execute(statement).rowcount)

    def put_grant(self, transaction: Transaction, key: Key, grant: KeyGrant, *, tag: bytes) -> None:
        """Store or replace what a subject may do with ``key``."""
        self.drop_grant(transaction, grant.key_id, grant.subject)
        row = {
            "key_id": grant.key_id,
            "subject": grant.subject,
            "org_id": key.org_id,
            "operations": " ".join(sorted(grant.operations)),
            "granted_at": grant.granted_at,
            "tag": tag,
        }
        transaction.execute(insert(kms_key_grants).values(**row))

    def drop_grant(self, transaction: Transaction, key_id: str, subject: str) -> bool:
        """Remove a subject's grant; False if there is none."""
        statement = delete(kms_key_grants).where(
            kms_key_grants.c.key_id == key_id, kms_key_grants.c.subject == subject
        )
        return bool(transaction.execute(statement).rowcount)

    def grants(self, transaction: Transaction, key_id: str) -> Sequence[tuple[KeyGrant, bytes]]:
        """Return all grants with their tags, by subject."""
        table = kms_key_grants
        statement = select(table).where(table.c.key_id == key_id).order_by(table.c.subject)
        return [(_grant(row), bytes(row.tag)) for row in transaction.execute(statement)]


class SqlKeyIndex:
    """Finds keys otherwise than by their name."""

    def find_by_id(self, transaction: Transaction, key_id: str) -> tuple[Key, bytes] | None:
        """Return the key and its tag, wherever it lies."""
        row = transaction.execute(select(kms_keys).where(kms_keys.c.id == key_id)).one_or_none()
        return None if row is None else (_key(row), bytes(row.tag))

    def due(
        self,
        transaction: Transaction,
        what: Due,
        limit: int,
        *,
        after: tuple[int, str] | None = None,
    ) -> Sequence[Key]:
        """Return keys in use due for rotation, or approved ones for destruction, oldest first."""
        if what == "rotation":
            state, column = "active", kms_keys.c.next_rotation_at
            retired = select(kms_mounts.c.id).where(kms_mounts.c.retired_at > 0)
            found = select(kms_keys).where(kms_keys.c.mount.not_in(retired))
        else:
            state, column = "pending_destruction", kms_keys.c.destroy_at
            found = select(kms_keys)
        found = found.where(kms_keys.c.state == state, column > 0, column <= transaction.now)
        if after is not None:
            found = found.where(tuple_(column, kms_keys.c.id) > tuple_(*after))
        rows = transaction.execute(found.order_by(column, kms_keys.c.id).limit(limit))
        return [_key(row) for row in rows]

    def names(
        self, transaction: Transaction, org_id: str, *, mount: str, subject: str | None = None
    ) -> Sequence[str]:
        """Return the names of all keys that are neither destroyed nor wait for it, sorted."""
        statement = _of(select(kms_keys.c.name), org_id, mount, subject)
        statement = statement.where(kms_keys.c.state.in_(_KEPT)).order_by(kms_keys.c.name)
        return list(transaction.execute(statement).scalars())

    def groups(
        self, transaction: Transaction, org_id: str, *, made_before: int
    ) -> Sequence[KeyGroup]:
        """Return the organisation's keys in use, counted by type and backend."""
        column = kms_keys.c
        overdue = (column.next_rotation_at > 0) & (column.next_rotation_at <= transaction.now)
        unrotated = (
            (column.next_rotation_at == 0)
            & (column.latest_version == 1)
            & (column.created_at < made_before)
        )
        counts = [func.sum(case((each, 1), else_=0)) for each in (overdue, unrotated)]
        statement = (
            select(column.type, column.backend, func.count(), *counts)
            .where(column.org_id == org_id, column.state.in_(_KEPT))
            .group_by(column.type, column.backend)
            .order_by(column.type, column.backend)
        )
        return [KeyGroup(*row) for row in transaction.execute(statement)]


def _of(statement: Any, org_id: str, mount: str, subject: str | None) -> Any:
    """Return ``statement`` over the mount's keys; with ``subject`` over those granted to it."""
    chosen = statement.where(kms_keys.c.org_id == org_id, kms_keys.c.mount == mount)
    if subject is None:
        return chosen
    # answered by the grants' index alone; the keys are of this organisation already
    granted = select(kms_key_grants.c.key_id).where(kms_key_grants.c.subject == subject)
    return chosen.where(kms_keys.c.id.in_(granted))


def _key(row: Any) -> Key:
    return Key(
        id=row.id,
        org_id=row.org_id,
        mount=row.mount,
        name=row.name,
        type=row.type,
        created_at=row.created_at,
        state=cast("KeyState", row.state),
        latest_version=row.latest_version,
        min_decryption_version=row.min_decryption_version,
        min_encryption_version=row.min_encryption_version,
        min_available_version=row.min_available_version,
        deletion_allowed=row.deletion_allowed,
        exportable=row.exportable,
        backend=row.backend,
        derived=row.derived,
        convergent_encryption=row.convergent_encryption,
        allow_plaintext_backup=row.allow_plaintext_backup,
        imported=row.imported,
        allow_rotation=row.allow_rotation,
        auto_rotate_period=row.auto_rotate_period,
        next_rotation_at=row.next_rotation_at,
        destroy_at=row.destroy_at,
        limits_version=row.limits_version,
    )


def _version(row: Any) -> KeyVersion:
    return KeyVersion(
        key_id=row.key_id,
        version=row.version,
        created_at=row.created_at,
        public_key=bytes(row.public_key),
        wrapped=bytes(row.wrapped),
        backend=row.backend,
    )


def _grant(row: Any) -> KeyGrant:
    operations = cast("frozenset[Operation]", frozenset(row.operations.split()))
    return KeyGrant(row.key_id, row.subject, operations, row.granted_at)
