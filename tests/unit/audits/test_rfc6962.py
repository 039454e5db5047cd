"""The tree against known answers and against a slow, obvious reference."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.rfc6962 import (
    SHA256,
    SM3,
    Frontier,
    Subtree,
    TreeHash,
    frontier_subtrees,
    hashing,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from audits.errors import ProofRejected

CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The reference leaves of certificate-transparency (merkletree/merkle_tree_test.cc)."""

BOTH = pytest.mark.parametrize("tree_hash", [SHA256, SM3], ids=["sha256", "sm3"])
HASHES = st.sampled_from([SHA256, SM3])


def reference_root(tree_hash: TreeHash, leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return tree_hash.digest(b"")
    if len(leaves) == 1:
        return tree_hash.digest(b"\x00" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left = reference_root(tree_hash, leaves[:split])
    return tree_hash.digest(b"\x01" + left + reference_root(tree_hash, leaves[split:]))


def reference_path(tree_hash: TreeHash, index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        rest = reference_path(tree_hash, index, leaves[:split])
        return [*rest, reference_root(tree_hash, leaves[split:])]
    rest = reference_path(tree_hash, index - split, leaves[split:])
    return [*rest, reference_root(tree_hash, leaves[:split])]


def reference_consistency(
    tree_hash: TreeHash, old: int, leaves: Sequence[bytes], *, whole: bool = True
) -> list[bytes]:
    """RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if whole else [reference_root(tree_hash, leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        rest = reference_consistency(tree_hash, old, leaves[:split], whole=whole)
        return [*rest, reference_root(tree_hash, leaves[split:])]
    rest = reference_consistency(tree_hash, old - split, leaves[split:], whole=False)
    return [*rest, reference_root(tree_hash, leaves[:split])]


class StoredTree:
    """All complete subtrees of a tree, as a store would keep them."""

    def __init__(self, tree_hash: TreeHash, leaves: Sequence[bytes]) -> None:
        self.frontier = Frontier(tree_hash)
        self.nodes: dict[Subtree, bytes] = {}
        self.roots = [self.frontier.root()]
        for index, leaf in enumerate(leaves):
            self.nodes[0, index] = tree_hash.leaf(leaf)
            for level, place, value in self.frontier.append(tree_hash.leaf(leaf)):
                self.nodes[level, place] = value
            self.roots.append(self.frontier.root())

    def read(self, subtrees: Sequence[Subtree]) -> Mapping[Subtree, bytes]:
        return {subtree: self.nodes[subtree] for subtree in subtrees}


def leaves_of(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


def test_the_sha256_root_of_the_ct_reference_leaves_is_known():
    expected = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert expected == StoredTree(SHA256, CT_LEAVES).frontier.root().hex()


def test_the_sm3_root_of_the_ct_reference_leaves_is_known():
    expected = "bc48ba7a709184b5f2a631e1adeb8dc2a0d4c018c1d6cc89b5664fe154c93b38"
    assert expected == StoredTree(SM3, CT_LEAVES).frontier.root().hex()


def test_the_sm3_hashes_of_one_empty_leaf_and_of_no_leaf_are_known():
    one = StoredTree(SM3, [b""]).frontier.root().hex()
    expected = ("2daef60e", "a157fdf")
    assert expected == (one[:8], one[-7:])
    nothing = "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
    assert nothing == Frontier(SM3).root().hex()


def test_both_implementations_of_sm3_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    quickest = hashing.quick_sm3()
    monkeypatch.setattr(hashlib, "new", _without_sm3)
    assert hashing.quick_sm3() is hashing.sm3_of_cryptography
    for length in (0, 1, 55, 56, 64, 65, 315, 4_096):
        data = bytes(range(256)) * 17
        assert hashing.sm3_of_cryptography(data[:length]) == quickest(data[:length])


def _without_sm3(name: str, *, usedforsecurity: bool) -> None:
    raise ValueError(name, usedforsecurity)


def test_the_sha256_root_of_no_leaf_is_the_hash_of_nothing():
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert expected == Frontier(SHA256).root().hex()


@BOTH
def test_roots_and_all_proofs_equal_the_rfc_s_recursion_up_to_33_leaves(tree_hash: TreeHash):
    leaves = leaves_of(33)
    tree = StoredTree(tree_hash, leaves)
    for size in range(34):
        assert reference_root(tree_hash, leaves[:size]) == tree.roots[size]
        for index in range(size):
            proof = prove_inclusion(tree_hash, index, size, read=tree.read)
            assert reference_path(tree_hash, index, leaves[:size]) == proof
        for old in range(1, size + 1):
            path = prove_consistency(tree_hash, old, size, read=tree.read)
            assert reference_consistency(tree_hash, old, leaves[:size]) == path


@given(HASHES, st.integers(1, 300), st.data())
def test_every_inclusion_proof_verifies_and_no_other_leaf_place_or_size_does(
    tree_hash: TreeHash, size: int, data: st.DataObject
):
    tree = StoredTree(tree_hash, leaves_of(size))
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(tree_hash, index, size, read=tree.read)
    leaf = tree.nodes[0, index]

    def verify(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
        verify_inclusion(tree_hash, (index, leaf), (size, root), proof=proof)

    root = tree.roots[size]
    verify(leaf, index, size, proof, root)
    forged = tree_hash.leaf(b"forged")
    other = (index + 1) % size
    attacks = [
        (forged, index, size, proof, root),
        (leaf, index, size, proof, forged),
        (leaf, index, size, [*proof, forged], root),
        (leaf, size, size, proof, root),
        (leaf, -1, size, proof, root),
    ]
    if size > 1:
        attacks += [(leaf, other, size, proof, root), (leaf, index, size, proof[:-1], root)]
        flipped = [proof[0][:-1] + bytes([proof[0][-1] ^ 1]), *proof[1:]]
        attacks.append((leaf, index, size, flipped, root))
    for attack in attacks:
        with pytest.raises(ProofRejected):
            verify(*attack)


@given(HASHES, st.integers(0, 300), st.data())
def test_every_consistency_proof_verifies_and_no_altered_one_does(
    tree_hash: TreeHash, size: int, data: st.DataObject
):
    tree = StoredTree(tree_hash, leaves_of(size))
    old = data.draw(st.integers(0, size))
    proof = prove_consistency(tree_hash, old, size, read=tree.read)

    def verify(old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes]) -> None:
        verify_consistency(tree_hash, old, new, proof=proof)

    before, after = (old, tree.roots[old]), (size, tree.roots[size])
    verify(before, after, proof)
    forged = tree_hash.leaf(b"forged")
    attacks = [
        ((old, forged), after, proof),
        (before, after, [*proof, forged]),
        ((size + 1, forged), after, proof),
    ]
    if old:
        attacks.append((before, (size, forged), proof))
    if proof:
        attacks.append((before, after, proof[:-1]))
        attacks.append((before, after, []))
        attacks.append((before, after, [forged, *proof[1:]]))
    for attack in attacks:
        with pytest.raises(ProofRejected):
            verify(*attack)


@BOTH
def test_a_frontier_read_back_from_its_subtrees_goes_on_as_if_it_had_never_stopped(
    tree_hash: TreeHash,
):
    leaves = leaves_of(70)
    tree = StoredTree(tree_hash, leaves)
    for size in range(70):
        parts = [tree.nodes[subtree] for subtree in frontier_subtrees(size)]
        again = Frontier(tree_hash, size, parts)
        assert tree.roots[size] == again.root()
        again.append(tree_hash.leaf(leaves[size]))
        assert tree.roots[size + 1] == again.root()
        assert size + 1 == again.size


def test_a_frontier_of_the_wrong_number_of_hashes_is_refused():
    with pytest.raises(ValueError, match="3 leaves has 2 frontier hashes, not 1"):
        Frontier(SHA256, 3, [bytes(32)])


def test_proofs_of_what_is_not_there_are_refused():
    tree = StoredTree(SHA256, leaves_of(5))
    with pytest.raises(ValueError, match="no leaf 5"):
        prove_inclusion(SHA256, 5, 5, read=tree.read)
    with pytest.raises(ValueError, match="can't extend"):
        prove_consistency(SHA256, 6, 5, read=tree.read)


def test_a_node_can_not_be_passed_off_as_a_leaf():
    tree = StoredTree(SHA256, leaves_of(2))
    pretended = tree.nodes[0, 0] + tree.nodes[0, 1]
    assert tree.roots[2] != SHA256.leaf(pretended)


@BOTH
def test_every_pair_of_sizes_up_to_20_is_proved_consistent(tree_hash: TreeHash):
    tree = StoredTree(tree_hash, leaves_of(20))
    for new in range(21):
        for old in range(new + 1):
            proof = prove_consistency(tree_hash, old, new, read=tree.read)
            before, after = (old, tree.roots[old]), (new, tree.roots[new])
            verify_consistency(tree_hash, before, after, proof=proof)
            if 0 < old < new:
                with pytest.raises(ProofRejected):
                    verify_consistency(tree_hash, (old, tree.roots[new]), after, proof=proof)
                with pytest.raises(ProofRejected):
                    verify_consistency(tree_hash, before, after, proof=[])
