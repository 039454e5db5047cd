"""Revocation reaches every process within 250 ms: an epoch, and what was ended since."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from secops.kernel.transactions import Transaction

RevocationKind = Literal["session", "account", "client", "key", "seal", "token"]
KINDS: Final = frozenset({"session", "account", "client", "key", "seal", "token"})


class Revocations(Protocol):
    """What has been ended; asked on every request, so it answers from memory."""

    @property
    def epoch(self) -> int:
        """A number that grows with every revocation or restoration; keys decision caches."""
        ...

    def is_revoked(self, kind: RevocationKind, identifier: str) -> bool:
        """Tell whether it is ended now; raise ``Unavailable`` if news is older than 1 s."""
        ...

    def revoke(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """End it with this transaction."""
        ...

    def restore(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """Lift an account's, client's, key's or seal's revocation (never a session's)."""
        ...
