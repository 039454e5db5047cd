"""CertificationRequestInfo for a key of the pool, and what it becomes when signed."""

from __future__ import annotations

from kms.core.rfc5280.writing import KeyAlgorithm, Name, algorithm_identifier
from kms.core.x690 import writing as der
from secops.crypto.der import encode


def request_to_sign(subject: Name, spki: bytes) -> bytes:
    """Return the CertificationRequestInfo, without attributes: a CA sets its own extensions."""
    return der.sequence(der.integer(0), subject.to_der(), spki, encode(0xA0, b""))


def request(info: bytes, signature: bytes, algorithm: KeyAlgorithm = "sm2") -> bytes:
    """Return the CertificationRequest of ``info`` with the key's DER ``signature``."""
    return der.sequence(info, algorithm_identifier(algorithm), der.bits(signature))
