"""Both trees over the same records, growing together."""

from __future__ import annotations

from collections.abc import Sequence

from audits.core.rfc6962 import SHA256, SM3, Frontier
from audits.models import Entry, StoredSubtree


class TwinTrees:
    """A SHA-256 and an SM3 tree of equal size."""

    def __init__(
        self, size: int = 0, sha256: Sequence[bytes] = (), sm3: Sequence[bytes] = ()
    ) -> None:
        """Take up trees of ``size`` leaves with these frontier hashes."""
        self._sha256 = Frontier(SHA256, size, sha256)
        self._sm3 = Frontier(SM3, size, sm3)

    @property
    def size(self) -> int:
        """How many leaves both have."""
        return self._sha256.size

    def append(self, record: bytes) -> tuple[Entry, list[StoredSubtree]]:
        """Add a leaf; return it and the subtrees that it completes."""
        entry = Entry(self.size, record, SHA256.leaf(record), SM3.leaf(record))
        left = self._sha256.append(entry.sha256)
        right = self._sm3.append(entry.sm3)
        subtrees = [
            StoredSubtree(level, index, sha256, sm3)
            for (level, index, sha256), (_, _, sm3) in zip(left, right, strict=True)
        ]
        return entry, subtrees

    def roots(self) -> tuple[bytes, bytes]:
        """Return the SHA-256 root and the SM3 root."""
        return self._sha256.root(), self._sm3.root()
