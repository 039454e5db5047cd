"""Checking a chunk of the ledger: records, leaf hashes, search rows and inner hashes.

It says only whether everything is as it must be. Where it is not, ``Recomputation`` goes through
the ledger entry by entry and names what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audits.core.chunks import levels_of, parts_of
from audits.core.entries import parse_record, row_values
from audits.core.rfc6962 import SHA256, SM3
from audits.ports.ledger import LedgerReader


@dataclass(frozen=True, slots=True)
class ChunkParts:
    """The frontier hashes of both trees over the first leaves of a chunk."""

    sha256: tuple[bytes, ...]
    sm3: tuple[bytes, ...]


def check_chunk(
    store: LedgerReader, first: int, count: int, sizes: Sequence[int]
) -> dict[int, ChunkParts] | None:
    """Return the frontiers at ``sizes`` (numbers of leaves of the chunk); None if it is unsound.

    Raises ``LedgerDamaged`` where it can't be read.
    """
    stored = store.tree.raw_entries(first, count)
    if [values[0] for values in stored] != list(range(first, first + count)):
        return None
    records = [values[1] for values in stored]
    if not all(type(record) is bytes for record in records):
        return None
    leaves = [b"\x00" + record for record in records]
    left = levels_of(SHA256, list(map(SHA256.digest, leaves)))
    right = levels_of(SM3, list(map(SM3.digest, leaves)))
    if left[0] != [values[2] for values in stored] or right[0] != [values[3] for values in stored]:
        return None
    rows = [
        (first + place, *row_values(parse_record(record))) for place, record in enumerate(records)
    ]
    if rows != [values[4:] for values in stored]:
        return None
    if not _same_subtrees(store, first, left, right):
        return None
    return {
        size: ChunkParts(tuple(parts_of(left, size)), tuple(parts_of(right, size)))
        for size in sizes
    }


def _same_subtrees(
    store: LedgerReader,
    first: int,
    left: Sequence[Sequence[bytes]],
    right: Sequence[Sequence[bytes]],
) -> bool:
    inner = range(1, len(left))
    expected = [
        (level, (first >> level) + place, one, other)
        for level in inner
        for place, (one, other) in enumerate(zip(left[level], right[level], strict=True))
    ]
    ranges = [(level, first >> level, len(left[level])) for level in inner]
    return list(store.tree.raw_subtrees(ranges)) == expected
