"""The proof of one finding: a small file that verifies alone, without the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from audits.core.reports.leaves import finding_leaves, item_ids, path_of
from audits.core.rfc6962 import SHA256, SM3, TreeHash, verify_inclusion
from audits.errors import ProofRejected, ReportRejected
from secops.kernel.canonical import canonical_record
from secops.kernel.errors import NotFound

FINDING_KIND: Final = "govsecops-finding-proof"
_VERSION: Final = 1
_MAX_HASHES: Final = 64
_TREES: Final[Mapping[str, TreeHash]] = {"sha256": SHA256, "sm3": SM3}


def finding_path(document: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    """Return an item with its place and its inclusion proofs; raise ``NotFound``."""
    ids = item_ids(document)
    if item_id not in ids:
        raise NotFound(f"the report has no item {item_id!r}")
    index, records = ids.index(item_id), finding_leaves(document)
    return {
        "item": document["items"][index],
        "index": index,
        "paths": {
            name: [value.hex() for value in path_of(tree, records, index)]
            for name, tree in _TREES.items()
        },
    }


def build_finding(proof: Mapping[str, Any], path: Mapping[str, Any]) -> bytes:
    """Return the file that proves one finding: its path, and the seal of the report's proof."""
    names = ("claims", "signatures", "record", "ledger_proof")
    seal = {name: proof[name] for name in names}
    return canonical_record({"v": _VERSION, "kind": FINDING_KIND, **path, **seal})


def check_finding(finding: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the item if it is under both roots of ``claims``; raise ``ReportRejected``."""
    try:
        item = {**finding["item"]}
        _check_paths(finding, claims, canonical_record(item))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportRejected("the proof is malformed") from error
    except ProofRejected as error:
        raise ReportRejected(f"the finding was changed: {error.detail}") from error
    return item


def _check_paths(finding: Mapping[str, Any], claims: Mapping[str, Any], record: bytes) -> None:
    if finding["v"] != _VERSION:
        raise ReportRejected("the proof is of an unknown kind")
    index, roots = finding["index"], claims["findings"]
    for name, tree in _TREES.items():
        path = [bytes.fromhex(value) for value in finding["paths"][name]]
        _check_path(tree, (index, record), (roots["count"], bytes.fromhex(roots[name])), path)


def _check_path(
    tree: TreeHash, leaf: tuple[int, bytes], root: tuple[int, bytes], path: list[bytes]
) -> None:
    if len(path) > _MAX_HASHES or any(len(value) != len(root[1]) for value in path):
        raise ReportRejected("the proof is malformed")
    verify_inclusion(tree, (leaf[0], tree.leaf(leaf[1])), root, proof=path)
