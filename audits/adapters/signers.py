"""Checkpoint signers: one that is bound when the key pool is there, one for measurements."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.errors import SignerLocked
from audits.models import CheckpointKeys
from audits.ports import CheckpointSigner
from secops.crypto import sm2


class LateSigner:
    """Counts as locked until the key pool's signer is bound."""

    def __init__(self) -> None:
        self._signer: CheckpointSigner | None = None

    def bind(self, signer: CheckpointSigner) -> None:
        """Sign by ``signer`` from now on."""
        self._signer = signer

    def keys(self) -> Sequence[CheckpointKeys]:
        """Return the public keys; raise ``SignerLocked``."""
        return self._bound().keys()

    def sign_ed25519(self, message: bytes) -> bytes:
        """Return the Ed25519 signature; raise ``SignerLocked``."""
        return self._bound().sign_ed25519(message)

    def sign_sm2(self, message: bytes) -> bytes:
        """Return the SM2 signature; raise ``SignerLocked``."""
        return self._bound().sign_sm2(message)

    def _bound(self) -> CheckpointSigner:
        if self._signer is None:
            msg = "no key pool is bound yet"
            raise SignerLocked(msg)
        return self._signer


class EphemeralSigner:
    """Signs with keys that nobody else has and that end with the process: for measurements."""

    def __init__(self) -> None:
        self._ed25519 = Ed25519PrivateKey.generate()
        self._sm2 = sm2.PrivateKey.generate()

    def keys(self) -> Sequence[CheckpointKeys]:
        """Return the public keys."""
        public = self._ed25519.public_key().public_bytes_raw()
        return (CheckpointKeys(public, self._sm2.public_key.point),)

    def sign_ed25519(self, message: bytes) -> bytes:
        """Return the Ed25519 signature."""
        return self._ed25519.sign(message)

    def sign_sm2(self, message: bytes) -> bytes:
        """Return the DER SM2 signature."""
        return self._sm2.sign(message)
