"""Authenticated encryption: AES-GCM and SM4-GCM with 96-bit nonces and 128-bit tags.

A ciphertext is nonce ‖ ciphertext ‖ tag. Nonces are random: a key seals at most 2³²
messages (NIST SP 800-38D §8.3), which rotation keeps far away.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from secops.crypto.errors import DecryptionFailed, InvalidKey

NONCE: Final = 12
TAG: Final = 16
KEY_LENGTHS: Final = {"aes128-gcm": 16, "aes256-gcm": 32, "sm4-gcm": 16}


def seal(name: str, key: bytes, nonce: bytes, plaintext: bytes, *, aad: bytes = b"") -> bytes:
    """Return nonce ‖ ciphertext ‖ tag; ``nonce`` (12 bytes) must never repeat under a key."""
    _check_key(name, key)
    if len(nonce) != NONCE:
        msg = f"a nonce has {NONCE} bytes"
        raise InvalidKey(msg)
    if name != "sm4-gcm":
        return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return nonce + ciphertext + encryptor.tag


def unseal(name: str, key: bytes, sealed: bytes, *, aad: bytes = b"") -> bytes:
    """Return the plaintext; raise ``DecryptionFailed`` if anything was changed."""
    _check_key(name, key)
    if len(sealed) < NONCE + TAG:
        raise DecryptionFailed
    nonce, body = sealed[:NONCE], sealed[NONCE:]
    try:
        if name != "sm4-gcm":
            return AESGCM(key).decrypt(nonce, body, aad)
        mode = modes.GCM(nonce, body[-TAG:], min_tag_length=TAG)
        decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
        decryptor.authenticate_additional_data(aad)
        return decryptor.update(body[:-TAG]) + decryptor.finalize()
    except InvalidTag as error:
        raise DecryptionFailed from error


def _check_key(name: str, key: bytes) -> None:
    if len(key) != KEY_LENGTHS.get(name):
        msg = f"{name} keys have {KEY_LENGTHS.get(name)} bytes"
        raise InvalidKey(msg)
