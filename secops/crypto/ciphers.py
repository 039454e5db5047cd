"""Authenticated encryption: AES-GCM, SM4-GCM, SM4-CCM and ChaCha20-Poly1305 (RFC 8439).

A ciphertext is nonce (96 bits) ‖ ciphertext ‖ tag (128). Nonces are random: a key seals at most
2³² messages (NIST SP 800-38D §8.3), which rotation keeps far away.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from secops.crypto import sm4
from secops.crypto.errors import DecryptionFailed, InvalidKey

NONCE: Final = 12
TAG: Final = 16
KEY_LENGTHS: Final = {
    "aes128-gcm": 16,
    "aes256-gcm": 32,
    "sm4-gcm": 16,
    "sm4-ccm": 16,
    "chacha20-poly1305": 32,
}
ENGINES: Final = {
    "aes128-gcm": "aes-gcm",
    "aes256-gcm": "aes-gcm",
    "sm4-gcm": "sm4-gcm",
    "sm4-ccm": "sm4-modes",
    "chacha20-poly1305": "chacha20-poly1305",
}
"""The engine behind each cipher, as ``engines.require_engine`` knows it."""


def seal(name: str, key: bytes, nonce: bytes, plaintext: bytes, *, aad: bytes = b"") -> bytes:
    """Return nonce ‖ ciphertext ‖ tag; ``nonce`` (12 bytes) must never repeat under a key."""
    _check_key(name, key)
    if len(nonce) != NONCE:
        msg = f"a nonce has {NONCE} bytes"
        raise InvalidKey(msg)
    if name == "sm4-ccm":
        return sm4.seal_ccm(key, nonce, plaintext, aad=aad)
    if name != "sm4-gcm":
        return nonce + _aead(name, key).encrypt(nonce, plaintext, aad)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return nonce + ciphertext + encryptor.tag


def unseal(name: str, key: bytes, sealed: bytes, *, aad: bytes = b"") -> bytes:
    """Return the plaintext; raise ``DecryptionFailed`` if anything was changed."""
    _check_key(name, key)
    if len(sealed) < NONCE + TAG:
        raise DecryptionFailed
    if name == "sm4-ccm":
        return sm4.unseal_ccm(key, sealed, aad=aad)
    nonce, body = sealed[:NONCE], sealed[NONCE:]
    try:
        if name != "sm4-gcm":
            return _aead(name, key).decrypt(nonce, body, aad)
        mode = modes.GCM(nonce, body[-TAG:], min_tag_length=TAG)
        decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
        decryptor.authenticate_additional_data(aad)
        return decryptor.update(body[:-TAG]) + decryptor.finalize()
    except InvalidTag as error:
        raise DecryptionFailed from error


_PREPARED: Final = frozenset({"aes128-gcm", "aes256-gcm", "chacha20-poly1305"})


class Sealer:
    """One key ready for use in any number of threads: making it takes as long as using it."""

    def __init__(self, name: str, key: bytes) -> None:
        """Keep ``key``; raise ``InvalidKey`` unless it has the cipher's length."""
        _check_key(name, key)
        self._name = name
        self._key = key
        # an operation works on a copy of the context inside, so threads don't meet
        self._ready = _aead(name, key) if name in _PREPARED else None

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag, as ``seal`` does."""
        if self._ready is None or len(nonce) != NONCE:
            return seal(self._name, self._key, nonce, plaintext, aad=aad)
        return nonce + self._ready.encrypt(nonce, plaintext, aad)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the plaintext, as ``unseal`` does."""
        if self._ready is None or len(sealed) < NONCE + TAG:
            return unseal(self._name, self._key, sealed, aad=aad)
        try:
            return self._ready.decrypt(sealed[:NONCE], sealed[NONCE:], aad)
        except InvalidTag as error:
            raise DecryptionFailed from error


def _aead(name: str, key: bytes) -> AESGCM | ChaCha20Poly1305:
    return ChaCha20Poly1305(key) if name == "chacha20-poly1305" else AESGCM(key)


def sm4_blocks(key: bytes, blocks: bytes) -> bytes:
    """Return ``blocks`` under SM4, each for itself (ECB).

    Only for keys wrapped once under a key of their own, as GB/T 35276 §7.4 has it: equal
    blocks would show, and random numbers have none.
    """
    if len(key) != KEY_LENGTHS["sm4-gcm"] or len(blocks) % len(key):
        msg = "SM4 takes a key of 16 bytes and whole blocks"
        raise InvalidKey(msg)
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305 - see above
    return encryptor.update(blocks) + encryptor.finalize()


def _check_key(name: str, key: bytes) -> None:
    if len(key) != KEY_LENGTHS.get(name):
        msg = f"{name} keys have {KEY_LENGTHS.get(name)} bytes"
        raise InvalidKey(msg)
