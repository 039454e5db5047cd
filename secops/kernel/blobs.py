"""Content-addressed storage: a blob's name is its SHA-256."""

from __future__ import annotations

from typing import Protocol


class Blobs(Protocol):
    """Keeps byte strings by their SHA-256 (lower-case hex); writing twice is one write."""

    def put(self, content: bytes) -> str:
        """Store ``content`` durably and return its name."""
        ...

    def get(self, name: str) -> bytes:
        """Return the content; raise ``NotFound``, or ``Unavailable`` if it no longer fits."""
        ...

    def drop(self, name: str) -> bool:
        """Delete the content; False if there is none. Raise ``Unavailable``."""
        ...
