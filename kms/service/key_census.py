"""What an assessment may know of keys: how many of which kind lie where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.models.keys import KeyGroup
from kms.ports.keys import KeyIndex
from secops.kernel.clock import DAY
from secops.kernel.parts import Parts

UNROTATED: Final = 730 * DAY
"""Policy: a key that was never renewed in two years has been forgotten."""


@dataclass(frozen=True, slots=True)
class KeyCensus:
    """Counts keys; who may ask is decided by audits' own use cases."""

    parts: Parts
    index: KeyIndex

    def count_keys(self, org_id: str) -> Sequence[KeyGroup]:
        """Return the organisation's keys in use by type and backend."""
        made_before = self.parts.clock.now() - UNROTATED
        return self.parts.transactions.read(
            lambda tx: self.index.groups(tx, org_id, made_before=made_before)
        )
