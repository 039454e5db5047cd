"""The trees over a document's findings and over its evidence (RFC 6962 §2.1, SHA-256 and SM3).

A finding's leaf is the canonical JSON of one entry of ``items``, in their order (a document holds
no floats). A leaf of evidence is that of ``{"evidence": NAME, "sha256": DIGEST}``, in the order of
the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audits.core.rfc6962 import SHA256, SM3, Frontier, Subtree, TreeHash, prove_inclusion
from audits.errors import ReportRejected
from secops.kernel.canonical import canonical_record


@dataclass(frozen=True, slots=True)
class Roots:
    """How many leaves there are, and the roots over them (hex)."""

    count: int
    sha256: str
    sm3: str

    def view(self) -> dict[str, str | int]:
        """Return them as they stand in claims."""
        return {"count": self.count, "sha256": self.sha256, "sm3": self.sm3}


def finding_leaves(document: Mapping[str, Any]) -> list[bytes]:
    """Return the leaf record of each item; raise ``ReportRejected`` where there is none."""
    return [canonical_record(item) for item in _items(document)]


def item_ids(document: Mapping[str, Any]) -> list[str]:
    """Return the items' ids in their order."""
    return [str(item.get("id", "")) for item in _items(document)]


def _items(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    items = document.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ReportRejected("the document has no items")
    return items


def evidence_leaves(document: Mapping[str, Any]) -> list[bytes]:
    """Return the leaf record of each piece of evidence that the document names."""
    facts = document.get("facts")
    if not isinstance(facts, dict):
        raise ReportRejected("the document names no evidence")
    return [canonical_record({"evidence": name, "sha256": facts[name]}) for name in sorted(facts)]


def roots_of(records: Sequence[bytes]) -> Roots:
    """Return both roots over ``records``."""
    return Roots(len(records), _root(SHA256, records).hex(), _root(SM3, records).hex())


def _root(tree_hash: TreeHash, records: Sequence[bytes]) -> bytes:
    frontier = Frontier(tree_hash)
    for record in records:
        frontier.append(tree_hash.leaf(record))
    return frontier.root()


def path_of(tree_hash: TreeHash, records: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of leaf ``index``, its sibling first."""
    frontier = Frontier(tree_hash)
    subtrees: dict[Subtree, bytes] = {}
    for number, record in enumerate(records):
        leaf = subtrees[0, number] = tree_hash.leaf(record)
        subtrees |= {(level, at): value for level, at, value in frontier.append(leaf)}
    return prove_inclusion(tree_hash, index, len(records), read=lambda _: subtrees)
