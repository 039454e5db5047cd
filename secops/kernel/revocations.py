"""Revocation reaches every process within 250 ms: an epoch, and what was ended since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol, get_args

from secops.kernel.transactions import Transaction

RevocationKind = Literal[
    "session",
    "account",
    "client",
    "key",
    "seal",
    "ecertificate",
    "token",
    "person",
    "device",
    "organisation",
    "address",
    "step-up",
    "policy",
    "certificate",
]
KINDS: Final[frozenset[str]] = frozenset(get_args(RevocationKind))


class Revocations(Protocol):
    """What has been ended; asked on every request, so it answers from memory."""

    @property
    def epoch(self) -> int:
        """A number that grows with every revocation or restoration; keys decision caches."""
        ...

    def is_revoked(self, kind: RevocationKind, identifier: str) -> bool:
        """Tell whether it is ended now; raise ``Unavailable`` if news is older than 1 s."""
        ...

    def ended_of(self, kind: RevocationKind) -> Mapping[str, int]:
        """Return all of a kind that is ended now, and since when (UTC microseconds).

        Also what only the emergency way ended. Raises ``Unavailable`` as ``is_revoked``.
        """
        ...

    def revoke(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """End it with this transaction."""
        ...

    def restore(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """Lift a revocation (never a session's or a token's)."""
        ...
