"""Many leaves at once: the levels of a chunk of a tree, by lists instead of leaf by leaf.

A chunk begins at a multiple of ``CHUNK`` and has at most so many leaves, so that a whole one is
a complete subtree. ``Frontier`` says the same one leaf at a time and is what tests compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.core.rfc6962.hashing import TreeHash

LEVEL: Final = 12
CHUNK: Final = 1 << LEVEL
"""Leaves of a whole chunk."""


def levels_of(tree_hash: TreeHash, leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the complete subtrees over ``leaves``: level 0 are the leaves themselves."""
    levels = [list(leaves)]
    digest = tree_hash.digest
    while len(below := levels[-1]) > 1:
        pairs = zip(below[0::2], below[1::2], strict=False)
        levels.append([digest(b"\x01" + left + right) for left, right in pairs])
    return levels


def parts_of(levels: Sequence[Sequence[bytes]], count: int) -> list[bytes]:
    """Return the hashes of the complete subtrees of the first ``count`` leaves, greatest first."""
    found, start = [], 0
    for level in reversed(range(count.bit_length())):
        if count >> level & 1:
            found.append(levels[level][start >> level])
            start += 1 << level
    return found
