"""Check one SM2 signature (GB/T 35276), and say what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from secops.crypto import der, sm2
from secops.crypto.certificates import Certificate
from secops.crypto.engines import require_engine
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.kernel.catalogue import Text

_RAW: Final = 64


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Whether it verifies; ``raw`` tells that it was stored as r ‖ s."""

    ok: bool
    why: Text
    raw: bool = False


def check_signature(
    certificate: Certificate | None, algorithm: str, *, message: bytes, signature: bytes
) -> SignatureCheck:
    """Check ``signature`` (DER, or the r ‖ s of some makers) over ``message``.

    Only the default user id counts; where the empty one would verify, ``why`` says so,
    for that is the usual mistake (openssl without ``distid``). Raises ``EngineUnavailable``
    where SM2 or SM3 failed its known answers: a verdict of theirs would mean nothing.
    """
    require_engine("sm2")
    require_engine("hash")
    if algorithm != sm2.SIGNATURE_OID:
        why = Text(f"签名算法 {algorithm} 不是 SM2-with-SM3", f"{algorithm} is not SM2-with-SM3")
        return SignatureCheck(ok=False, why=why)
    key = _key(certificate)
    if key is None:
        why = Text("证书中没有 SM2 公钥", "its certificate holds no SM2 key")
        return SignatureCheck(ok=False, why=why)
    stored, raw = _as_der(signature)
    if stored is None:
        why = Text("签名值不是合规的 DER", "the value is not DER of r and s in range")
        return SignatureCheck(ok=False, why=why)
    if _verifies(key, stored, message, sm2.DEFAULT_USER_ID):
        return SignatureCheck(ok=True, why=Text("签名值正确", "correct"), raw=raw)
    if _verifies(key, stored, message, b""):
        why = Text(
            "以空用户标识签名,标准要求 1234567812345678",
            "an empty user id would verify; the standard demands 1234567812345678",
        )
    else:
        why = Text("与证书公钥和内容不符", "it belongs to another key or other content")
    return SignatureCheck(ok=False, why=why, raw=raw)


def _key(certificate: Certificate | None) -> sm2.PublicKey | None:
    if certificate is None or certificate.key_algorithm != "sm2":
        return None
    try:
        return _public_key(certificate.spki)
    except InvalidKey:
        return None


@lru_cache(maxsize=256)
def _public_key(spki: bytes) -> sm2.PublicKey:
    """Return the key, checked once to be a point of the curve; raise ``InvalidKey``."""
    return sm2.PublicKey(spki)


def _as_der(signature: bytes) -> tuple[bytes | None, bool]:
    try:
        der.read_signature(signature, sm2.ORDER)
    except MalformedEncoding:
        if len(signature) != _RAW:
            return None, False
    else:
        return signature, False
    try:
        return der.raw_to_signature(signature, sm2.ORDER), True
    except MalformedEncoding:
        return None, True


def _verifies(key: sm2.PublicKey, signature: bytes, message: bytes, user_id: bytes) -> bool:
    try:
        key.verify(signature, message, user_id)
    except InvalidSignature:
        return False
    return True
