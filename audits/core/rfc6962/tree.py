"""An append-only tree that keeps only the complete subtrees on its right edge."""

from __future__ import annotations

from collections.abc import Sequence

from audits.core.rfc6962.hashing import TreeHash

Subtree = tuple[int, int]
"""(level, index) of a complete subtree."""


def frontier_subtrees(size: int) -> tuple[Subtree, ...]:
    """Return the complete subtrees that make up a tree of ``size`` leaves, greatest first."""
    found = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return tuple(found)


def fold(tree_hash: TreeHash, parts: Sequence[bytes]) -> bytes:
    """Return the hash over ``parts``, neighbouring complete subtrees, greatest first."""
    total = parts[-1]
    for left in reversed(parts[:-1]):
        total = tree_hash.node(left, total)
    return total


class Frontier:
    """The state that appending needs: O(log n) hashes, readable from stored subtrees."""

    def __init__(self, tree_hash: TreeHash, size: int = 0, parts: Sequence[bytes] = ()) -> None:
        """Take up a tree of ``size`` leaves whose ``frontier_subtrees`` hash to ``parts``."""
        if len(parts) != size.bit_count():
            msg = (
                f"a tree of {size} leaves has {size.bit_count()} frontier hashes, not {len(parts)}"
            )
            raise ValueError(msg)
        self._hash = tree_hash
        self._size = size
        self._parts = list(parts)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def parts(self) -> Sequence[bytes]:
        """The hashes of the complete subtrees, greatest first."""
        return self._parts

    def append(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf; return (level, index, hash) of each subtree it completes, levels ≥ 1."""
        completed = []
        index, level, top = self._size, 0, leaf_hash
        while index & 1:
            top = self._hash.node(self._parts.pop(), top)
            index >>= 1
            level += 1
            completed.append((level, index, top))
        self._parts.append(top)
        self._size += 1
        return completed

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        return fold(self._hash, self._parts) if self._parts else self._hash.empty()
