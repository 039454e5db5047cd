"""The Merkle tree of RFC 6962 §2.1, over any hash.

Leaf H(00 ‖ record), node H(01 ‖ left ‖ right), empty tree H(""). Complete subtrees are
named (level, index): level 0 is a leaf, the subtree covers the leaves
``index << level`` up to ``(index + 1) << level``.
"""

from audits.core.rfc6962.hashing import SHA256, SM3, TreeHash
from audits.core.rfc6962.proofs import (
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from audits.core.rfc6962.tree import Frontier, Subtree, frontier_subtrees

__all__ = [
    "SHA256",
    "SM3",
    "Frontier",
    "Subtree",
    "TreeHash",
    "frontier_subtrees",
    "prove_consistency",
    "prove_inclusion",
    "verify_consistency",
    "verify_inclusion",
]
