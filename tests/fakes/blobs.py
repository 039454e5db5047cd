"""Blobs in memory."""

from __future__ import annotations

import hashlib

from secops.kernel.errors import NotFound, Unavailable


class FakeBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        self.kept[name] = content
        return name

    def get(self, name: str) -> bytes:
        if name not in self.kept:
            raise NotFound
        if hashlib.sha256(self.kept[name]).hexdigest() != name:
            raise Unavailable
        return self.kept[name]

    def drop(self, name: str) -> bool:
        return self.kept.pop(name, None) is not None
