"""argon2id behind a limit: one caller a core, a short queue, and 429 for everybody else.

19 MiB and 26 ms of CPU each: without the limit a few hundred sign-ins at a time would take the
machine's memory and starve everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from secops.kernel.errors import TooMany
from secops.kernel.ids import Randomness

MEMORY_KIB: Final = 19 * 1024
TIME_COST: Final = 2
_RETRY_SECONDS: Final = 2


class Argon2Hasher:
    """Hashes with argon2id, m=19 MiB t=2 p=1 (RFC 9106; NIST SP 800-63B-4 §3.1.1.2)."""

    def __init__(
        self, randomness: Randomness, *, threads: int, queue: int, memory_kib: int = MEMORY_KIB
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._running = threading.BoundedSemaphore(threads)
        self._places = threading.BoundedSemaphore(threads + queue)
        self._randomness = randomness
        self._decoy: str | None = None

    def hash(self, password: bytes) -> str:
        """Return the hash; raise ``TooMany`` (``retry_after``) when the queue is full."""
        with self._turn():
            return self._hasher.hash(password, salt=self._randomness.bytes(16))

    def verify(self, encoded: str, password: bytes) -> bool:
        """Tell whether it fits, at the same cost either way; raise ``TooMany``."""
        with self._turn():
            try:
                return self._hasher.verify(encoded, password)
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)

    @property
    def decoy(self) -> str:
        """A hash of nothing anybody knows: verifying it costs what a real one costs."""
        if self._decoy is None:
            self._decoy = self.hash(self._randomness.bytes(32))
        return self._decoy

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            msg = "too many sign-ins at a time"
            raise TooMany(msg, retry_after=_RETRY_SECONDS)
        try:
            with self._running:
                yield
        finally:
            self._places.release()
