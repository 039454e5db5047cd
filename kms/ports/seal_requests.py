"""What single uses need from outside: a store, and a box for files that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.seal_requests import SealUseRequest
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class DocumentBox(Protocol):
    """Encrypts files that wait for an approval, under a key of the pool."""

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` encrypted, never twice the same, and bound to ``aad``."""
        ...

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``."""
        ...


class SealUseRequestStore(Protocol):
    """Keeps requests for single uses."""

    def insert_request(self, transaction: Transaction, request: SealUseRequest) -> None:
        """Store it."""
        ...

    def request(
        self, transaction: Transaction, org_id: str, request_id: str
    ) -> SealUseRequest | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def requests(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[SealUseRequest]:
        """Return a page, newest first, one more than asked for."""
        ...

    def open_requests(self, transaction: Transaction, requester_id: str) -> int:
        """Return how many of somebody's requests are neither used nor over."""
        ...

    def mark_used(self, transaction: Transaction, request_id: str, use_id: str) -> bool:
        """Write down what it was used for, in one conditional statement; False if it was."""
        ...

    def kept(self, transaction: Transaction, limit: int) -> Sequence[SealUseRequest]:
        """Return requests whose file is kept, those that end first before others."""
        ...

    def forget_document(self, transaction: Transaction, request_id: str) -> None:
        """Write down that the file is gone."""
        ...
