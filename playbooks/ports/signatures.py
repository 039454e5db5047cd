"""Who vouches for playbooks: the organisation's own key, and partners' keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models.signatures import TrustedKey


class PlaybookSignatures(Protocol):
    """The house's SM2 key, and every key that counts."""

    def keys(self) -> Sequence[TrustedKey]:
        """Return the keys that count now, the signing one first; raise ``Unavailable``."""
        ...

    def sign(self, key: TrustedKey, digest: bytes) -> bytes:
        """Return the DER signature of the 32 bytes by ``key``, user id 1234567812345678.

        Raises ``Conflict`` if that key signs no more, ``Unavailable`` while it can't be used.
        """
        ...
