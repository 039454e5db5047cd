"""Revocations in memory."""

from __future__ import annotations

from collections.abc import Mapping

from secops.kernel.errors import Invalid, Unavailable
from secops.kernel.revocations import KINDS, RevocationKind
from secops.kernel.transactions import Transaction


class FakeRevocations:
    """``stale`` makes every question fail, as if the news were older than a second.

    ``now`` is the instant that is written down for what ends.
    """

    def __init__(self) -> None:
        self.ended: set[tuple[str, str]] = set()
        self.since: dict[tuple[str, str], int] = {}
        self.now = 0
        self.stale = False
        self._epoch = 0

    @property
    def epoch(self) -> int:
        return self._epoch

    def is_revoked(self, kind: RevocationKind, identifier: str) -> bool:
        if self.stale:
            raise Unavailable
        return (kind, identifier) in self.ended

    def ended_of(self, kind: RevocationKind) -> Mapping[str, int]:
        if self.stale:
            raise Unavailable
        return {name: self.since.get((of, name), 0) for of, name in self.ended if of == kind}

    def revoke(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        self.end(kind, identifier)
        self.since[kind, identifier] = transaction.now

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
        self.since[kind, identifier] = self.now
