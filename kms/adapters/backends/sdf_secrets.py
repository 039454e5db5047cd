"""A secret that only one crypto machine opens: SM4 keys under its own key-encrypting key.

GM/T 0018-2012 has no authenticated cipher: SM4-CBC, then a CBC-MAC under a second key.
"""

from __future__ import annotations

import hmac
from typing import Final

from kms.adapters.backends.sdf import SdfBackend
from kms.adapters.backends.sdf_device import SdfDevice, Session
from kms.errors.backends import BackendUnsupported
from secops.crypto.errors import DecryptionFailed

_BLOCK: Final = 16


class MachineSecretBox:
    """Seals and opens inside the machine behind ``backend``."""

    def __init__(self, backend: SdfBackend) -> None:
        self._backend = backend

    def seal(self, secret: bytes) -> bytes:
        """Return ``secret`` encrypted and authenticated by SM4 keys that only the machine opens.

        SM4-CBC, then a CBC-MAC under a second key over length ‖ IV ‖ ciphertext: the length
        comes first, so that no message's MAC is the beginning of another's.
        """
        kek = self._kek()

        def work(device: SdfDevice, session: Session) -> bytes:
            wrapped = [device.new_key(session, kek) for _ in range(2)]
            iv = device.random(session, _BLOCK)
            with device.key(session, kek, wrapped[0]) as key:
                sealed = key.encrypt(_padded(secret), iv)
            with device.key(session, kek, wrapped[1]) as key:
                tag = key.mac(_told(iv, sealed))
            parts = (*wrapped, iv, sealed, tag)
            return b"".join(len(part).to_bytes(2, "big") + part for part in parts)

        return self._backend.run(work)

    def unseal(self, kept: bytes) -> bytes:
        """Return the secret; raise ``DecryptionFailed`` for anything changed."""
        kek = self._kek()
        cipher_key, mac_key, iv, sealed, tag = _parts(kept)

        def work(device: SdfDevice, session: Session) -> bytes:
            with device.key(session, kek, mac_key) as key:
                if not hmac.compare_digest(key.mac(_told(iv, sealed)), tag):
                    raise DecryptionFailed
            with device.key(session, kek, cipher_key) as key:
                return _bare(key.decrypt(sealed, iv))

        return self._backend.run(work)

    def _kek(self) -> int:
        if not self._backend.options.kek_index:
            msg = f"no key-encrypting key of {self._backend.options.name} is configured"
            raise BackendUnsupported(msg)
        return self._backend.options.kek_index


def _padded(secret: bytes) -> bytes:
    count = _BLOCK - len(secret) % _BLOCK
    return secret + bytes((count,)) * count


def _bare(padded: bytes) -> bytes:
    return padded[: -padded[-1]]  # its MAC was right: we wrote it


def _told(iv: bytes, sealed: bytes) -> bytes:
    return len(sealed).to_bytes(_BLOCK, "big") + iv + sealed


def _parts(kept: bytes) -> list[bytes]:
    """Return the five parts of what ``seal`` wrote; raise ``DecryptionFailed``."""
    parts, rest = [], kept
    while rest:
        length = int.from_bytes(rest[:2], "big")
        parts.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    sound = len(parts) == 5 and len(parts[2]) == _BLOCK  # noqa: PLR2004 - two keys, IV, text, tag
    if not sound or not parts[3] or len(parts[3]) % _BLOCK:
        raise DecryptionFailed
    return parts
