"""What a witness, and a log that asks witnesses, need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

Post = Callable[[str, bytes], tuple[int, bytes]]
"""Sends a body to a URL; returns (status, answer), raises ``SecopsError`` if that fails."""


class CosigningKey(Protocol):
    """A witness's own key: nobody else holds it, least of all the log's operator."""

    @property
    def name(self) -> str:
        """The witness's name, a schema-less URL."""
        ...

    @property
    def public(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature."""
        ...


class WitnessMemory(Protocol):
    """What a witness saw last of each log."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep every other process of this witness out meanwhile."""
        ...

    def logs(self) -> Sequence[str]:
        """Return the verification keys of the logs it was told to watch."""
        ...

    def last(self, origin: str) -> str | None:
        """Return the last note that was cosigned for ``origin``."""
        ...

    def remember(self, origin: str, note: str) -> None:
        """Keep ``note`` durably before it is answered with a signature."""
        ...


class WitnessedNotes(Protocol):
    """The newest checkpoint that each witness cosigned, beside the ledger."""

    def note(self, witness: str) -> str:
        """Return what is kept of ``witness``, whatever it is; empty if that is nothing."""
        ...

    def put(self, witness: str, note: str) -> None:
        """Replace the note of ``witness``, whole or not at all."""
        ...
