"""Bytes that are the same in every run, and different each time they are asked for."""

from __future__ import annotations

import hashlib


class FakeRandomness:
    def __init__(self, seed: str = "seed") -> None:
        self._seed = seed
        self._count = 0

    def bytes(self, count: int) -> bytes:
        self._count += 1
        name = f"{self._seed}:{self._count}".encode()
        return hashlib.shake_256(name).digest(count)
