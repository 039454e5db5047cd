"""Files that wait for an approval are encrypted under a key of the pool."""

from __future__ import annotations

from typing import Final

from kms.service.system_keys import SystemKeys

_KEY: Final = "seal-documents"


class PoolDocumentBox:
    """Implements ``kms.ports.seal_requests.DocumentBox``; the key is made when first needed."""

    def __init__(self, system_keys: SystemKeys, key_name: str = _KEY) -> None:
        self._system_keys = system_keys
        self._key_name = key_name

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` encrypted under a nonce of its own and bound to ``aad``."""
        return self._system_keys.box(self._key_name).seal(plaintext, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``; raise ``DecryptionFailed``."""
        return self._system_keys.box(self._key_name).open(sealed, aad)
