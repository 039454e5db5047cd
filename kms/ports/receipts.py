"""What the ledger gives of a leaf that a seal's use left there."""

from __future__ import annotations

from typing import Protocol

from kms.models.seal_receipts import LeafProof


class LedgerProofs(Protocol):
    """Proves leaves of the ledger."""

    def prove_leaf(self, leaf_hash: str) -> LeafProof | None:
        """Return the proof of the leaf (SHA-256, hex); None while no checkpoint covers it."""
        ...
