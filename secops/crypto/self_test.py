"""Known-answer tests, one per engine. A test returns, or raises what was wrong.

Each also changes one bit and demands a refusal: an engine that accepts everything is as
broken as one that accepts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from secops.crypto import ciphers, der, ecdsa, ed25519, hashes, ml_dsa, rsa, sm2, sm4
from secops.crypto import known_answers as known
from secops.crypto.errors import DecryptionFailed, InvalidSignature, WrongAnswer
from secops.crypto.options import DEFAULT

_ML_DSA_SPKI_HEAD: Final = 22
"""Bytes of an SPKI before the key itself."""


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001 - a condition, not a flag
    if not holds:
        msg = f"wrong answer: {what}"
        raise WrongAnswer(msg)


def _refuses(check: Callable[[bytes], object], good: bytes, what: str) -> None:
    """Demand that ``check`` refuses ``good`` with its last bit flipped."""
    try:
        check(good[:-1] + bytes((good[-1] ^ 1,)))
    except (InvalidSignature, DecryptionFailed):
        return
    _demand(holds=False, what=f"{what} accepts a changed input")


def check_hashes() -> None:
    """SM3 and SHA-2."""
    for name, expected in known.HASHES.items():
        _demand(hashes.digest(name, b"abc") == expected, name)


def check_keyed() -> None:
    """HMAC with SHA-256 and SM3, and HKDF."""
    sha = hashes.keyed("sha256", known.HMAC_SHA256_KEY, known.HMAC_SHA256_MESSAGE)
    _demand(sha == known.HMAC_SHA256_TAG, "HMAC-SHA-256")
    tag = hashes.keyed("sm3", known.HMAC_SM3_KEY, known.HMAC_SM3_MESSAGE)
    _demand(tag == known.HMAC_SM3_TAG, "HMAC-SM3")
    derived = hashes.derive(
        "sha256", known.HKDF_KEY, length=42, salt=known.HKDF_SALT, info=known.HKDF_INFO
    )
    _demand(derived == known.HKDF_OUTPUT, "HKDF-SHA-256")


def check_sm4_gcm() -> None:
    """SM4-GCM."""
    key, aad = known.SM4_GCM_KEY, known.SM4_GCM_AAD
    sealed = known.SM4_GCM_NONCE + known.SM4_GCM_CIPHERTEXT
    made = ciphers.seal("sm4-gcm", key, known.SM4_GCM_NONCE, known.SM4_GCM_PLAINTEXT, aad=aad)
    _demand(made == sealed, "SM4-GCM encryption")
    opened = ciphers.unseal("sm4-gcm", key, sealed, aad=aad)
    _demand(opened == known.SM4_GCM_PLAINTEXT, "SM4-GCM decryption")
    _refuses(lambda data: ciphers.unseal("sm4-gcm", key, data, aad=aad), sealed, "SM4-GCM")


def check_sm4_modes() -> None:
    """SM4 itself, and in CBC, CTR and CCM."""
    key, iv = known.SM4_GCM_KEY, known.SM4_IV
    _demand(sm4.apply_ctr(key, key, bytes(16)) == known.SM4_BLOCK, "SM4")
    made = sm4.encrypt_cbc(key, iv, known.SM4_CBC_PLAINTEXT)
    _demand(made[: len(known.SM4_CBC_CIPHERTEXT)] == known.SM4_CBC_CIPHERTEXT, "SM4-CBC")
    _demand(sm4.decrypt_cbc(key, iv, made) == known.SM4_CBC_PLAINTEXT, "SM4-CBC decryption")
    stream = sm4.apply_ctr(key, iv, known.SM4_CTR_PLAINTEXT)
    _demand(stream == known.SM4_CTR_CIPHERTEXT, "SM4-CTR")
    aad, nonce = known.SM4_GCM_AAD, known.SM4_GCM_NONCE
    sealed = sm4.seal_ccm(key, nonce, known.SM4_GCM_PLAINTEXT, aad=aad)
    _demand(sealed == nonce + known.SM4_CCM_CIPHERTEXT, "SM4-CCM encryption")
    opened = sm4.unseal_ccm(key, sealed, aad=aad)
    _demand(opened == known.SM4_GCM_PLAINTEXT, "SM4-CCM decryption")
    _refuses(lambda data: sm4.unseal_ccm(key, data, aad=aad), sealed, "SM4-CCM")


def check_aes_gcm() -> None:
    """AES-GCM."""
    key, aad = known.AES_GCM_KEY, known.AES_GCM_AAD
    sealed = known.AES_GCM_NONCE + known.AES_GCM_CIPHERTEXT
    made = ciphers.seal("aes256-gcm", key, known.AES_GCM_NONCE, known.AES_GCM_PLAINTEXT, aad=aad)
    _demand(made == sealed, "AES-GCM encryption")
    opened = ciphers.unseal("aes256-gcm", key, sealed, aad=aad)
    _demand(opened == known.AES_GCM_PLAINTEXT, "AES-GCM decryption")
    _refuses(lambda data: ciphers.unseal("aes256-gcm", key, data, aad=aad), sealed, "AES-GCM")


def check_chacha20_poly1305() -> None:
    """ChaCha20-Poly1305."""
    name, key, aad = "chacha20-poly1305", known.CHACHA_KEY, known.CHACHA_AAD
    sealed = known.CHACHA_NONCE + known.CHACHA_CIPHERTEXT
    made = ciphers.seal(name, key, known.CHACHA_NONCE, known.CHACHA_PLAINTEXT, aad=aad)
    _demand(made == sealed, "ChaCha20-Poly1305 encryption")
    opened = ciphers.unseal(name, key, sealed, aad=aad)
    _demand(opened == known.CHACHA_PLAINTEXT, "ChaCha20-Poly1305 decryption")
    _refuses(lambda data: ciphers.unseal(name, key, data, aad=aad), sealed, "ChaCha20-Poly1305")


def check_sm2() -> None:
    """SM2: ZA and e, a published signature and ciphertext, and a signature of our own."""
    public = sm2.PublicKey.from_point(known.SM2_POINT)
    _demand(public.identity_digest() == known.SM2_IDENTITY_DIGEST, "SM2 ZA")
    _demand(public.message_digest(known.SM2_MESSAGE) == known.SM2_MESSAGE_DIGEST, "SM2 e")
    published = der.raw_to_signature(known.SM2_SIGNATURE, sm2.ORDER)
    public.verify(published, known.SM2_MESSAGE)
    public.verify_digest(published, known.SM2_MESSAGE_DIGEST)
    _refuses(lambda data: public.verify(published, data), known.SM2_MESSAGE, "SM2 verification")
    private = sm2.PrivateKey.from_scalar(known.SM2_SCALAR, known.SM2_POINT)
    public.verify(private.sign(known.SM2_MESSAGE), known.SM2_MESSAGE)
    opened = private.decrypt(sm2.raw_to_ciphertext(known.SM2_CIPHERTEXT))
    _demand(opened == known.SM2_PLAINTEXT, "SM2 decryption")


def check_ecdsa() -> None:
    """ECDSA: a published P-256 signature, and one of our own on each curve."""
    public = ecdsa.PublicKey("ecdsa-p256", known.ECDSA_SPKI)
    published = der.raw_to_signature(known.ECDSA_SIGNATURE, ecdsa.ORDERS["ecdsa-p256"])
    public.verify(published, known.ECDSA_MESSAGE, DEFAULT)
    _refuses(lambda data: public.verify(published, data, DEFAULT), known.ECDSA_MESSAGE, "ECDSA")
    for curve in ecdsa.CURVES:
        private = ecdsa.PrivateKey(curve, ecdsa.generate(curve))
        private.public_key.verify(private.sign(b"abc", DEFAULT), b"abc", DEFAULT)


def check_ed25519() -> None:
    """Ed25519: the published signature, made and checked."""
    private = ed25519.PrivateKey(known.ED25519_PKCS8)
    _demand(private.public_key.der.endswith(known.ED25519_PUBLIC), "Ed25519 public key")
    made = private.sign(known.ED25519_MESSAGE, DEFAULT)
    _demand(made == known.ED25519_SIGNATURE, "Ed25519 signature")
    public = private.public_key
    public.verify(made, known.ED25519_MESSAGE, DEFAULT)
    _refuses(lambda data: public.verify(made, data, DEFAULT), known.ED25519_MESSAGE, "Ed25519")


def check_ml_dsa() -> None:
    """ML-DSA: the public keys of a published seed, and signatures of our own."""
    for size, head in known.ML_DSA_HEADS.items():
        private = ml_dsa.PrivateKey(size, head + known.ML_DSA_SEED)
        raw = private.public_key.der[_ML_DSA_SPKI_HEAD:]
        _demand(hashes.sha256(raw) == known.ML_DSA_PUBLIC_SHA256[size], f"{size} public key")
        made, public = private.sign(b"abc", DEFAULT), private.public_key
        public.verify(made, b"abc", DEFAULT)
        _refuses(partial(_verify_ml_dsa, public, made), b"abc", size)


def _verify_ml_dsa(public: ml_dsa.PublicKey, signature: bytes, message: bytes) -> None:
    public.verify(signature, message, DEFAULT)


def check_rsa() -> None:
    """RSA-PSS: a published signature."""
    public = rsa.PublicKey(known.RSA_SPKI)
    public.verify(known.RSA_SIGNATURE, known.RSA_MESSAGE, DEFAULT)
    _refuses(
        lambda data: public.verify(known.RSA_SIGNATURE, data, DEFAULT), known.RSA_MESSAGE, "RSA-PSS"
    )


KNOWN_ANSWER_TESTS: Final[Mapping[str, Callable[[], None]]] = {
    "hash": check_hashes,
    "hmac": check_keyed,
    "aes-gcm": check_aes_gcm,
    "sm4-gcm": check_sm4_gcm,
    "sm4-modes": check_sm4_modes,
    "chacha20-poly1305": check_chacha20_poly1305,
    "sm2": check_sm2,
    "ecdsa": check_ecdsa,
    "ed25519": check_ed25519,
    "rsa": check_rsa,
    "ml-dsa": check_ml_dsa,
}
