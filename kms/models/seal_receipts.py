"""What proves a seal's use to whoever trusts nobody here: the ledger's leaf and its proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.seal_registry import SealUse

RECEIPT_FORMAT: Final = "govsecops.seal-use-receipt/1"


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A leaf of the ledger: its ``record``, its place, and a tlog-proof under each tree.

    ``vkeys`` verify the signed checkpoints inside the proofs; whoever verifies compares them
    with keys that were kept elsewhere.
    """

    entry: int
    record: bytes
    sha256_proof: str
    sm3_proof: str
    vkeys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UseReceipt:
    """A use and its leaf's hash (SHA-256 of 00 ‖ record); ``proof`` once a checkpoint covers it."""

    use: SealUse
    proof: LeafProof | None = None
