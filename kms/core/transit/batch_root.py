"""One digest over all items of a batch: the root of their Merkle tree (RFC 6962 §2.1, SHA-256).

Whoever keeps an item's digest and its path can show that it was in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def batch_root(digests: Sequence[bytes]) -> str:
    """Return the root over ``digests`` in their order, hex; of none, the empty tree's."""
    if not digests:
        return sha256().hexdigest()
    level = [sha256(b"\0" + digest).digest() for digest in digests]
    while len(level) > 1:
        # an odd node moves up: for a whole tree that is RFC 6962's shape
        odd = level[len(level) & ~1 :]
        pairs = range(0, len(level) & ~1, 2)
        level = [sha256(b"\1" + level[at] + level[at + 1]).digest() for at in pairs] + odd
    return level[0].hex()
