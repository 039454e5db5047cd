"""The house's key for playbooks, and partners'."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from playbooks.models.signatures import TrustedKey
from secops.crypto.sm2 import PrivateKey
from secops.kernel.errors import Conflict, Unavailable


@cache
def own_key(name: str = "") -> PrivateKey:
    """Return a key of the tests, one for each name in a process."""
    del name
    return PrivateKey.generate()


class FakePlaybookSignatures:
    def __init__(self, *partners: PrivateKey, key: PrivateKey | None = None) -> None:
        self.key = key or own_key()
        self.trusted = [TrustedKey(self.key.public_key.der)]
        self.trusted += [TrustedKey(one.public_key.der, "foreign") for one in partners]
        self.locked = False

    def keys(self) -> Sequence[TrustedKey]:
        self._require_unlocked()
        return list(self.trusted)

    def sign(self, key: TrustedKey, digest: bytes) -> bytes:
        self._require_unlocked()
        if key.der != self.key.public_key.der:
            raise Conflict
        return self.key.sign(digest)

    def _require_unlocked(self) -> None:
        if self.locked:
            raise Unavailable
