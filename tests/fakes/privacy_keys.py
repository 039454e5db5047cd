"""Keys for masked logs that lie in memory, with the product's own ciphers."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from secops.crypto import ciphers


@dataclass
class FakePrivacyKeys:
    """Implements ``detectors.ports.PrivacyKeys``; ``unlocked`` False is a locked pool."""

    unlocked: bool = True
    sealed: int = 0

    def ready(self) -> bool:
        return self.unlocked

    def digest(self, data: bytes) -> bytes:
        return hmac.digest(b"d" * 32, data, "sha256")

    def seal(self, original: bytes, event_id: str) -> bytes:
        self.sealed += 1
        nonce = self.sealed.to_bytes(12, "big")
        return ciphers.seal("aes256-gcm", b"k" * 32, nonce, original, aad=event_id.encode())

    def open(self, sealed: bytes, event_id: str) -> bytes:
        return ciphers.unseal("aes256-gcm", b"k" * 32, sealed, aad=event_id.encode())
