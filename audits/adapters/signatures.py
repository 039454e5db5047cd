"""Signature checks by the product's engines."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from secops.crypto import sm2
from secops.crypto.engines import require_engine


class EngineVerifier:
    """Implements ``audits.ports.SignatureVerifier``."""

    def verify_ed25519(self, public: bytes, message: bytes, signature: bytes, /) -> None:
        """Return if it verifies; raise otherwise."""
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)

    def verify_sm2(self, public: bytes, message: bytes, signature: bytes, /) -> None:
        """Return if it verifies; raise otherwise, and if the SM2 engine failed its test."""
        require_engine("sm2")
        sm2.PublicKey.from_point(public).verify(signature, message)
