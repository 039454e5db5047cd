"""A checkpoint signer whose keys survive their process, for tests that kill processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.models import CheckpointKeys
from secops.crypto import sm2


class FileSigner:
    """Reads its keys from ``path``; ``make`` writes new ones there."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(content[:32])
        self._sm2 = sm2.PrivateKey(content[32:])

    @staticmethod
    def make(path: Path) -> FileSigner:
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        path.write_bytes(private + sm2.PrivateKey.generate().der)
        return FileSigner(path)

    def keys(self) -> Sequence[CheckpointKeys]:
        public = self._ed25519.public_key().public_bytes_raw()
        return [CheckpointKeys(public, self._sm2.public_key.point)]

    def sign_ed25519(self, message: bytes) -> bytes:
        return self._ed25519.sign(message)

    def sign_sm2(self, message: bytes) -> bytes:
        return self._sm2.sign(message)
