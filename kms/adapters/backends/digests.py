"""What a device is given to sign: digests that we compute, signatures that we encode."""

from __future__ import annotations

from typing import Final

from secops.crypto import hashes
from secops.crypto.options import SignatureOptions

_DIGEST_INFOS: Final = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""DigestInfo up to the digest (RFC 8017 §9.2, note 1)."""


def digest_of(message: bytes, options: SignatureOptions) -> bytes:
    """Return the digest to be signed; raise ``Invalid`` for one of the wrong length."""
    hashes.check_name(options.hash_name)
    if not options.prehashed:
        return hashes.digest(options.hash_name, message)
    hashes.check_digest(options.hash_name, message)
    return message


def digest_info(hash_name: str, digest: bytes) -> bytes | None:
    """Return DigestInfo in DER, None for a hash that PKCS#1 v1.5 has no identifier for."""
    head = _DIGEST_INFOS.get(hash_name)
    return None if head is None else head + digest
