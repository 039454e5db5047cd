"""What keys need from outside: custody of the root key, a store, names of subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kms.models.keys import Destruction, Key, KeyGrant, KeyGroup, KeyVersion, Mount
from kms.ports.holds import HoldStore
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

Due = Literal["rotation", "destruction"]


class Custody(Protocol):
    """Keeps the root key and works with it; never lets it out."""

    @property
    def name(self) -> str:
        """What kind of custody this is, e.g. ``software``."""
        ...

    @property
    def is_unlocked(self) -> bool:
        """Tell whether the root key can be used in this process."""
        ...

    def create_root(self, passphrase: bytes) -> bytes:
        """Make a root key, unlock it, and return its envelope: opened by ``passphrase``."""
        ...

    def reseal(self, secret: bytes, plan: Mapping[str, Any] | None = None) -> bytes:
        """Return a new envelope of the unlocked root key, opened by ``secret``.

        ``plan`` says that the secret was split into shares, and which; it stands in the
        envelope. Raises ``PoolLocked``.
        """
        ...

    def plan_of(self, envelope: bytes) -> Mapping[str, Any] | None:
        """Return the plan of shares in ``envelope``, None where a passphrase opens it."""
        ...

    def unlock(self, envelope: bytes, secret: bytes) -> None:
        """Take the root key out of ``envelope``; raise ``WrongPassphrase``.

        ``secret`` is the passphrase, or what the shares combine to.
        """
        ...

    def lock(self) -> None:
        """Forget the root key."""
        ...

    def hand_over(self, key: bytes) -> bytes:
        """Return the unlocked root key encrypted under ``key`` (32 bytes), for a sibling process.

        Raises ``PoolLocked``.
        """
        ...

    def take_over(self, handover: bytes, key: bytes) -> None:
        """Unlock by what a sibling process handed over; raise ``MaterialTampered``."""
        ...

    def wrap(self, material: bytes, context: bytes) -> bytes:
        """Return ``material`` encrypted, bound to ``context``; raise ``PoolLocked``."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the material; raise ``MaterialTampered`` unless ``context`` is the same."""
        ...

    def authenticate(self, record: bytes) -> bytes:
        """Return a tag that only the root key can make; raise ``PoolLocked``."""
        ...


class Subjects(Protocol):
    """Names of accounts and clients, for grants; the bridge asks iam."""

    def resolve_subject(self, org_id: str, name: str) -> str:
        """Return ``account:ID`` or ``client:ID`` of ``name``; raise ``NotFound``."""
        ...

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account as they are now; None where it may not act."""
        ...


class RootStore(Protocol):
    """Keeps the root key's envelope, one for the whole pool."""

    def load(self, transaction: Transaction) -> bytes | None:
        """Return the envelope, None before ``init``."""
        ...

    def insert(self, transaction: Transaction, envelope: bytes) -> bool:
        """Store the first envelope; False if there is one."""
        ...

    def replace(self, transaction: Transaction, before: bytes, after: bytes) -> bool:
        """Put the envelope ``after`` where ``before`` still stands; False if it does not."""
        ...

    def load_progress(self, transaction: Transaction) -> tuple[bytes, int] | None:
        """Return the shares given so far, encrypted, and when the first of them came."""
        ...

    def put_progress(
        self, transaction: Transaction, progress: bytes | None, started_at: int = 0
    ) -> None:
        """Keep what was given so far, or forget it (None)."""
        ...

    def load_handover(self, transaction: Transaction) -> bytes | None:
        """Return what an unlocked process left for its siblings."""
        ...

    def put_handover(self, transaction: Transaction, handover: bytes | None) -> None:
        """Leave it for siblings, or take it away (None)."""
        ...


class KeyStore(Protocol):
    """Keeps keys, versions and grants, each with the tag that was made for it."""

    def insert(self, transaction: Transaction, key: Key, tag: bytes) -> bool:
        """Store a new ``key``; False if its name is taken."""
        ...

    def update(self, transaction: Transaction, before: Key, after: Key, *, tag: bytes) -> bool:
        """Put ``after`` where ``before`` still stands; False if it has changed."""
        ...

    def find(
        self, transaction: Transaction, org_id: str, *, mount: str, name: str
    ) -> tuple[Key, bytes] | None:
        """Return the key of that name and its tag."""
        ...

    def page(
        self,
        transaction: Transaction,
        org_id: str,
        *,
        mount: str,
        request: PageRequest,
        subject: str | None = None,
    ) -> Sequence[Key]:
        """Return keys by name after ``request.after``, one more than asked for.

        With ``subject`` those of which it has a grant.
        """
        ...

    def insert_version(
        self, transaction: Transaction, key: Key, version: KeyVersion, *, tag: bytes
    ) -> bool:
        """Store a new ``version`` of ``key``; False if it is there."""
        ...

    def versions(self, transaction: Transaction, key_id: str) -> Sequence[tuple[KeyVersion, bytes]]:
        """Return all versions with their tags, oldest first."""
        ...

    def erase_versions(self, transaction: Transaction, key_id: str, below: int | None) -> int:
        """Delete the material of versions < ``below`` (None: all); return how many."""
        ...

    def put_grant(self, transaction: Transaction, key: Key, grant: KeyGrant, *, tag: bytes) -> None:
        """Store or replace what a subject may do with ``key``."""
        ...

    def drop_grant(self, transaction: Transaction, key_id: str, subject: str) -> bool:
        """Remove a subject's grant; False if there is none."""
        ...

    def grants(self, transaction: Transaction, key_id: str) -> Sequence[tuple[KeyGrant, bytes]]:
        """Return all grants with their tags."""
        ...


class KeyIndex(Protocol):
    """Finds keys otherwise than by their name."""

    def find_by_id(self, transaction: Transaction, key_id: str) -> tuple[Key, bytes] | None:
        """Return the key and its tag, wherever it lies."""
        ...

    def due(
        self,
        transaction: Transaction,
        what: Due,
        limit: int,
        *,
        after: tuple[int, str] | None = None,
    ) -> Sequence[Key]:
        """Return keys in use due for rotation, or approved ones for destruction, oldest first.

        ``after`` is when the last key seen was due, and its identifier.
        """
        ...

    def names(
        self, transaction: Transaction, org_id: str, *, mount: str, subject: str | None = None
    ) -> Sequence[str]:
        """Return the names of all keys that are neither destroyed nor wait for it, sorted."""
        ...

    def groups(
        self, transaction: Transaction, org_id: str, *, made_before: int
    ) -> Sequence[KeyGroup]:
        """Return the organisation's keys in use, counted by type and backend.

        ``unrotated`` are those made before that instant which nothing rotates.
        """
        ...


class MountStore(Protocol):
    """Keeps mounts, each with its tag."""

    def insert(self, transaction: Transaction, mount: Mount, tag: bytes) -> bool:
        """Store a new mount; False if its path is in use."""
        ...

    def find(self, transaction: Transaction, org_id: str, path: str) -> tuple[Mount, bytes] | None:
        """Return the mount in use under ``path`` and its tag."""
        ...

    def get(
        self, transaction: Transaction, org_id: str, mount_id: str
    ) -> tuple[Mount, bytes] | None:
        """Return the mount, in use or not, and its tag."""
        ...

    def in_use(
        self, transaction: Transaction, org_id: str, *, retired: bool = False
    ) -> Sequence[Mount]:
        """Return the organisation's mounts in use (or retired) by path, at most a thousand."""
        ...

    def change(self, transaction: Transaction, before: Mount, after: Mount, *, tag: bytes) -> bool:
        """Put ``after`` where ``before`` still stands; False if it has changed."""
        ...


class DestructionStore(Protocol):
    """Keeps what was asked to be destroyed."""

    def insert(self, transaction: Transaction, destruction: Destruction) -> None:
        """Store a new request."""
        ...

    def find(
        self, transaction: Transaction, org_id: str, destruction_id: str
    ) -> Destruction | None:
        """Return the request."""
        ...

    def latest(self, transaction: Transaction, key_id: str) -> Destruction | None:
        """Return the newest request about a key."""
        ...

    def page(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Destruction]:
        """Return requests, newest first, one more than asked for."""
        ...


@dataclass(frozen=True, slots=True)
class KeyStores:
    """The stores that belong together."""

    keys: KeyStore
    index: KeyIndex
    mounts: MountStore
    destructions: DestructionStore
    holds: HoldStore
