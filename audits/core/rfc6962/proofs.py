"""Inclusion and consistency proofs (RFC 6962 §2.1.1, §2.1.2), made and verified.

Verification follows RFC 9162 §2.1.3.2 and §2.1.4.2 and raises: an answer that could be
ignored would be ignored.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence

from audits.core.rfc6962.hashing import TreeHash
from audits.core.rfc6962.tree import Subtree, fold, frontier_subtrees
from audits.errors import ProofRejected

Range = tuple[int, int]
ReadSubtrees = Callable[[Sequence[Subtree]], Mapping[Subtree, bytes]]
"""Returns the hashes of complete subtrees; asked once per proof."""


def _split(count: int) -> int:
    """Return the largest power of two smaller than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the leaf ranges whose hashes prove leaf ``index``, leaf's sibling first."""
    ranges = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def _consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the leaf ranges that prove the first ``old`` leaves of ``new`` (0 < old < new)."""
    ranges = []
    low, high = 0, new
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:  # otherwise the old root itself is the start, and the verifier has it
        ranges.append((low, high))
    return ranges[::-1]


def _subtrees(leaves: Range) -> list[Subtree]:
    """Return the complete subtrees of a range that starts at a multiple of its span."""
    low, high = leaves
    return [(level, (low >> level) + index) for level, index in frontier_subtrees(high - low)]


def _hashes(tree_hash: TreeHash, ranges: Sequence[Range], read: ReadSubtrees) -> list[bytes]:
    plan = [_subtrees(leaves) for leaves in ranges]
    stored = read([subtree for subtrees in plan for subtree in subtrees])
    return [fold(tree_hash, [stored[subtree] for subtree in subtrees]) for subtrees in plan]


def prove_inclusion(
    tree_hash: TreeHash, index: int, size: int, *, read: ReadSubtrees
) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of the first ``size`` leaves.

    Raises ValueError if there is no such leaf.
    """
    if not 0 <= index < size:
        msg = f"a tree of {size} leaves has no leaf {index}"
        raise ValueError(msg)
    return _hashes(tree_hash, _inclusion_ranges(index, size), read)


def prove_consistency(
    tree_hash: TreeHash, old_size: int, new_size: int, *, read: ReadSubtrees
) -> list[bytes]:
    """Return the proof that the tree of ``new_size`` leaves only adds to that of ``old_size``.

    Empty where nothing needs proving: equal sizes, or an empty old tree. Raises ValueError
    if ``old_size`` is the greater one.
    """
    if not 0 <= old_size <= new_size:
        msg = f"a tree of {new_size} leaves can't extend one of {old_size}"
        raise ValueError(msg)
    if old_size in (0, new_size):
        return []
    return _hashes(tree_hash, _consistency_ranges(old_size, new_size), read)


def _same(expected: bytes, actual: bytes, what: str) -> None:
    if not hmac.compare_digest(expected, actual):
        msg = f"the {what} does not lead to the root"
        raise ProofRejected(msg)


def verify_inclusion(
    tree_hash: TreeHash,
    leaf: tuple[int, bytes],
    tree: tuple[int, bytes],
    *,
    proof: Sequence[bytes],
) -> None:
    """Return if ``leaf`` (index, hash) is in ``tree`` (size, root).

    Raises ``ProofRejected`` otherwise.
    """
    (index, total), (size, root) = leaf, tree
    if not 0 <= index < size:
        msg = f"a tree of {size} leaves has no leaf {index}"
        raise ProofRejected(msg)
    place, last = index, size - 1
    for sibling in proof:
        if last == 0:
            msg = "the inclusion proof is too long"
            raise ProofRejected(msg)
        if place & 1 or place == last:
            total = tree_hash.node(sibling, total)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            total = tree_hash.node(total, sibling)
        place >>= 1
        last >>= 1
    if last:
        msg = "the inclusion proof is too short"
        raise ProofRejected(msg)
    _same(root, total, "inclusion proof")


def verify_consistency(
    tree_hash: TreeHash,
    old: tuple[int, bytes],
    new: tuple[int, bytes],
    *,
    proof: Sequence[bytes],
) -> None:
    """Return if ``new`` (size, root) only adds leaves to ``old`` (size, root).

    Raises ``ProofRejected`` otherwise.
    """
    old_size, old_root = old
    new_size, new_root = new
    if not 0 <= old_size <= new_size:
        msg = f"a tree of {new_size} leaves can't extend one of {old_size}"
        raise ProofRejected(msg)
    if old_size in (0, new_size):
        _verify_without_hashes(tree_hash, old, new, proof)
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a complete subtree: its hash is the old root
        path.insert(0, old_root)
    if not path:
        msg = "the consistency proof is empty"
        raise ProofRejected(msg)
    from_old, from_new = _climb(tree_hash, old_size, new_size, path)
    _same(old_root, from_old, "consistency proof (old)")
    _same(new_root, from_new, "consistency proof (new)")


def _verify_without_hashes(
    tree_hash: TreeHash, old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]
) -> None:
    if proof:
        msg = "the consistency proof is too long"
        raise ProofRejected(msg)
    old_size, old_root = old
    expected = new[1] if old_size == new[0] else tree_hash.empty()
    _same(expected, old_root, "consistency proof")


def _climb(
    tree_hash: TreeHash, old_size: int, new_size: int, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return both roots as the path's hashes make them (RFC 9162 §2.1.4.2, steps 3 to 6)."""
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            msg = "the consistency proof is too long"
            raise ProofRejected(msg)
        if place & 1 or place == last:
            from_old = tree_hash.node(sibling, from_old)
            from_new = tree_hash.node(sibling, from_new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            from_new = tree_hash.node(from_new, sibling)
        place >>= 1
        last >>= 1
    if last:
        msg = "the consistency proof is too short"
        raise ProofRejected(msg)
    return from_old, from_new
