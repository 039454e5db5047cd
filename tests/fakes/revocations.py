"""Revocations in memory."""

from __future__ import annotations

from secops.kernel.errors import Invalid, Unavailable
from secops.kernel.revocations import KINDS, RevocationKind
from secops.kernel.transactions import Transaction


class FakeRevocations:
    """``stale`` makes every question fail, as if the news were older than a second."""

    def __init__(self) -> None:
        self.ended: set[tuple[str, str]] = set()
        self.stale = False
        self._epoch = 0

    @property
    def epoch(self) -> int:
        return self._epoch

    def is_revoked(self, kind: RevocationKind, identifier: str) -> bool:
        if self.stale:
            raise Unavailable
        return (kind, identifier) in self.ended

    def revoke(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        self.end(kind, identifier)

    def restore(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        if kind in ("session", "token"):
            msg = f"the revocation of a {kind} is final"
            raise Invalid(msg)
        self._epoch += 1
        self.ended.discard((kind, identifier))

    def end(self, kind: str, identifier: str) -> None:
        if kind not in KINDS:
            msg = "nothing of this kind can be revoked"
            raise Invalid(msg)
        self._epoch += 1
        self.ended.add((kind, identifier))
