"""SM4 (GB/T 32907) in the modes that other systems ask for: CBC, CTR and CCM.

New data is sealed with SM4-GCM (``ciphers``). CBC and CTR protect no content from change: they
are for formats that demand them, and whoever uses them authenticates the whole beside. CCM
(RFC 3610, RFC 8998 §3.2) has a nonce of 12 bytes and a tag of 16.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from secops.crypto.errors import DecryptionFailed, InvalidKey

KEY: Final = 16
BLOCK: Final = 16
NONCE: Final = 12
TAG: Final = 16
_COUNTER: Final = 3
_MAX_CCM: Final = (1 << 8 * _COUNTER) - 1
_SHORT_AAD: Final = 0xFF00
_MAX_AAD: Final = (1 << 32) - 1
_TAG_CODE: Final = (TAG - 2) // 2 << 3
_HAS_AAD: Final = 1 << 6


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Return ``plaintext`` padded (PKCS#7) and encrypted; ``iv`` (16 bytes) is unpredictable."""
    padder = PKCS7(8 * BLOCK).padder()
    encryptor = Cipher(_cipher(key), modes.CBC(_demand(iv))).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Return the plaintext; raise ``DecryptionFailed`` for a length or padding that can't be.

    Only after the whole was authenticated: else the answer tells about the padding.
    """
    if not ciphertext or len(ciphertext) % BLOCK:
        raise DecryptionFailed
    decryptor = Cipher(_cipher(key), modes.CBC(_demand(iv))).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    unpadder = PKCS7(8 * BLOCK).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise DecryptionFailed from error


def apply_ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Return ``data`` encrypted or decrypted; no ``counter`` block is ever used twice."""
    stream = Cipher(_cipher(key), modes.CTR(_demand(counter))).encryptor()
    return stream.update(data) + stream.finalize()


def seal_ccm(key: bytes, nonce: bytes, plaintext: bytes, *, aad: bytes = b"") -> bytes:
    """Return nonce ‖ ciphertext ‖ tag; ``nonce`` (12 bytes) never repeats under a key."""
    _check_ccm(nonce, plaintext, aad)
    tag = _ccm_tag(key, nonce, plaintext, aad)
    body = apply_ctr(key, _ccm_block(nonce, 1), plaintext)
    return nonce + body + apply_ctr(key, _ccm_block(nonce, 0), tag)


def unseal_ccm(key: bytes, sealed: bytes, *, aad: bytes = b"") -> bytes:
    """Return the plaintext; raise ``DecryptionFailed`` if anything was changed."""
    if len(sealed) < NONCE + TAG:
        raise DecryptionFailed
    nonce, body, tag = sealed[:NONCE], sealed[NONCE:-TAG], sealed[-TAG:]
    _check_ccm(nonce, body, aad)
    plaintext = apply_ctr(key, _ccm_block(nonce, 1), body)
    made = apply_ctr(key, _ccm_block(nonce, 0), _ccm_tag(key, nonce, plaintext, aad))
    if not hmac.compare_digest(made, tag):
        raise DecryptionFailed
    return plaintext


def _ccm_tag(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Return the CBC-MAC of RFC 3610 §2.2, not yet encrypted."""
    flags = (_HAS_AAD if aad else 0) | _TAG_CODE | (_COUNTER - 1)
    first = bytes((flags,)) + nonce + len(plaintext).to_bytes(_COUNTER, "big")
    blocks = first + _filled(_ccm_length(aad) + aad if aad else b"") + _filled(plaintext)
    mac = Cipher(_cipher(key), modes.CBC(bytes(BLOCK))).encryptor()
    return (mac.update(blocks) + mac.finalize())[-BLOCK:]


def _ccm_length(aad: bytes) -> bytes:
    if len(aad) < _SHORT_AAD:
        return len(aad).to_bytes(2, "big")
    return b"\xff\xfe" + len(aad).to_bytes(4, "big")


def _ccm_block(nonce: bytes, counter: int) -> bytes:
    return bytes((_COUNTER - 1,)) + nonce + counter.to_bytes(_COUNTER, "big")


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def _check_ccm(nonce: bytes, content: bytes, aad: bytes) -> None:
    if len(nonce) != NONCE or len(content) > _MAX_CCM or len(aad) > _MAX_AAD:
        msg = f"CCM takes a nonce of {NONCE} bytes and at most {_MAX_CCM} bytes of content"
        raise InvalidKey(msg)


def _cipher(key: bytes) -> algorithms.SM4:
    if len(key) != KEY:
        msg = f"SM4 keys have {KEY} bytes"
        raise InvalidKey(msg)
    return algorithms.SM4(key)


def _demand(iv: bytes) -> bytes:
    if len(iv) != BLOCK:
        msg = f"an initial block has {BLOCK} bytes"
        raise InvalidKey(msg)
    return iv
