"""Keys on their way: RSA-OAEP around an AES key, AES-KWP (RFC 5649) around the material.

The form is PKCS#11's CKM_RSA_AES_KEY_WRAP, which crypto machines, clouds and Vault's import
speak: the RSA ciphertext of a fresh AES key, and behind it the material wrapped under that.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from secops.crypto import rsa
from secops.crypto.errors import DecryptionFailed

_AES_LENGTHS: Final = frozenset({16, 24, 32})


def unwrap_key(key: rsa.PrivateKey, wrapped: bytes, hash_name: str = "sha256") -> bytes:
    """Return the material in ``wrapped``; raise ``DecryptionFailed``."""
    size = key.public_key.size
    aes = key.decrypt(wrapped[:size], hash_name)
    if len(aes) not in _AES_LENGTHS:
        raise DecryptionFailed
    try:
        return aes_key_unwrap_with_padding(aes, wrapped[size:])
    except (InvalidUnwrap, ValueError) as error:
        raise DecryptionFailed from error
