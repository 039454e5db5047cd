"""What a caller may choose about a signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Padding = Literal["pss", "pkcs1v15"]

SM2_DEFAULT_USER_ID: Final = b"1234567812345678"
"""GM/T 0009-2012 §10: the user id where none is agreed."""


@dataclass(frozen=True, slots=True)
class SignatureOptions:
    """How to sign or verify.

    ``hash_name`` is for ECDSA and RSA; SM2 always hashes by SM3, Ed25519 and ML-DSA hash
    inside. ``prehashed``: the input is the digest (for SM2 e = SM3(ZA ‖ M)). ``salt_length``
    None is the hash's length (PSS), ``AUTO_SALT`` the longest when signing and whatever the
    signature has when verifying. ``user_id`` is SM2's.
    """

    hash_name: str = "sha256"
    prehashed: bool = False
    padding: Padding = "pss"
    salt_length: int | None = None
    user_id: bytes = SM2_DEFAULT_USER_ID


AUTO_SALT: Final = -1
"""Vault's ``auto``: no length is agreed on."""

DEFAULT: Final = SignatureOptions()
