"""Where limits, quotas and counters are kept."""

from __future__ import annotations

from typing import Protocol

from kms.models.limits import Counter, KeyLimits, Quota
from secops.kernel.transactions import Transaction


class LimitStore(Protocol):
    """Keeps limits of keys and quotas of organisations, each with its tag, and counters."""

    def limits(self, transaction: Transaction, key_id: str) -> tuple[KeyLimits, bytes] | None:
        """Return the key's limits and their tag."""
        ...

    def put_limits(
        self, transaction: Transaction, org_id: str, limits: KeyLimits, *, tag: bytes
    ) -> bool:
        """Store ``limits`` over the version before; False if another is there meanwhile."""
        ...

    def quota(self, transaction: Transaction, org_id: str) -> tuple[Quota, bytes] | None:
        """Return the organisation's quota and its tag."""
        ...

    def put_quota(self, transaction: Transaction, quota: Quota, *, tag: bytes) -> bool:
        """Store ``quota`` over the version before; False if another is there meanwhile."""
        ...

    def counts(self, transaction: Transaction, org_id: str) -> tuple[int, int]:
        """Return how many keys and how many versions with material the organisation has."""
        ...

    def leased(self, transaction: Transaction, counter: Counter) -> int:
        """Return how many uses were leased so far."""
        ...

    def lease(self, transaction: Transaction, counter: Counter, *, cap: int, wanted: int) -> int:
        """Count up to ``wanted`` uses more without passing ``cap``; return how many they are."""
        ...
