"""Bytes that are the same in every run, and different each time they are asked for."""

from __future__ import annotations

import hashlib


class FakeRandomness:
    def __init__(self, seed: str = "seed") -> None:
        self._seed = seed
        self.drawn = 0

    def bytes(self, count: int) -> bytes:
        self.drawn += 1
        name = f"{self._seed}:{self.drawn}".encode()
        return hashlib.shake_256(name).digest(count)
