"""Where a key's private operations happen: in this process, in a token, in a crypto machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.backends import (
    BackendOptions,
    BackendRecord,
    HeldObject,
    KeyCustody,
    MadeObject,
    NewObject,
    SlotRecord,
    SlotState,
)
from secops.crypto.signatures import PrivateKey
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class Cipher(Protocol):
    """A symmetric key that works and is not shown."""

    def seal(self, plaintext: bytes, aad: bytes, /) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag, bound to ``aad``."""
        ...

    def unseal(self, sealed: bytes, aad: bytes, /) -> bytes:
        """Return the plaintext; raise ``DecryptionFailed`` for anything changed."""
        ...


class KeyBackend(Protocol):
    """Makes and uses keys. Safe in any number of threads.

    Every call raises ``BackendFault`` (or one of its kinds) where the device fails, within
    the configured time limit; no message of it holds a PIN, a password or key material.
    """

    @property
    def options(self) -> BackendOptions:
        """How it is configured."""
        ...

    @property
    def algorithms(self) -> frozenset[str]:
        """What keys it makes, in the words of ``KeyType.algorithm``."""
        ...

    def generate(self, wish: NewObject, material: bytes | None = None) -> MadeObject:
        """Make the object, of ``material`` where it is given (PKCS#8, or a symmetric key).

        Raises ``BackendUnsupported`` for another algorithm, and where material can't be taken.
        """
        ...

    def private_key(self, held: HeldObject) -> PrivateKey:
        """Return what signs; its ``der`` raises ``NotExportable`` unless material is here."""
        ...

    def cipher(self, held: HeldObject) -> Cipher:
        """Return what encrypts and decrypts."""
        ...

    def erase(self, label: str) -> bool:
        """Erase whatever was made under ``label``; tell whether there was something."""
        ...

    def slot_key(self, slot: int) -> bytes:
        """Return the SPKI of the pair at index ``slot``; raise ``BackendUnsupported``."""
        ...

    def check(self) -> None:
        """Sign with a key of its own and have our engine verify; return if all is well."""
        ...

    def close(self) -> None:
        """Let go of sessions and threads."""
        ...


class BackendStore(Protocol):
    """Keeps what processes must agree about: drained backends, checks; and where keys are."""

    def records(self, transaction: Transaction) -> dict[str, BackendRecord]:
        """Return all by name."""
        ...

    def put_draining(
        self, transaction: Transaction, name: str, *, draining: bool, changed_by: str
    ) -> None:
        """Say that ``name`` takes no new keys, or takes them again."""
        ...

    def put_check(self, transaction: Transaction, name: str, failure: str) -> None:
        """Store how a check went: an error's code, "" for well."""
        ...

    def custody(
        self, transaction: Transaction, org_id: str, request: PageRequest, *, group: str = ""
    ) -> Sequence[KeyCustody]:
        """Return the organisation's keys by name, one more than asked for.

        ``group`` keeps to keys with a version in that group of backends.
        """
        ...

    def mix(self, transaction: Transaction) -> dict[tuple[str, str], int]:
        """Return how many versions there are by (group, key type)."""
        ...


class SlotStore(Protocol):
    """Keeps the traces of objects in devices."""

    def insert_slot(self, transaction: Transaction, record: SlotRecord) -> bool:
        """Store the trace of an object to be made; False if its slot is taken."""
        ...

    def find_slot(self, transaction: Transaction, slot_id: str) -> SlotRecord | None:
        """Return one trace."""
        ...

    def slots(self, transaction: Transaction, backend: str) -> Sequence[SlotRecord]:
        """Return all traces of a group, oldest first."""
        ...

    def move_slot(
        self,
        transaction: Transaction,
        record: SlotRecord,
        state: SlotState,
        *,
        fingerprint: str | None = None,
    ) -> bool:
        """Put ``record`` from its state into another; False if it has moved meanwhile."""
        ...

    def drop_slot(self, transaction: Transaction, record: SlotRecord) -> bool:
        """Forget the trace; False if it has moved meanwhile."""
        ...

    def overdue(self, transaction: Transaction, before: int, limit: int) -> Sequence[SlotRecord]:
        """Return intents older than ``before`` and whatever waits to be cleaned up."""
        ...

    def abandoned(self, transaction: Transaction, limit: int) -> Sequence[SlotRecord]:
        """Return held objects whose key version is no longer there."""
        ...
