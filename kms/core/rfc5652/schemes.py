"""How a key signs in CMS: digest, signature and the names of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.x690 import writing as der
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.crypto.sm2 import SIGNATURE_OID

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
GM_SIGNED_DATA: Final = "1.2.156.10197.6.1.4.2.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNATURE_TIME_STAMP: Final = "1.2.840.113549.1.9.16.2.14"
"""id-aa-signatureTimeStampToken (RFC 3161, appendix A): over the signature value."""

SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

HASHES: Final = {
    "1.2.156.10197.1.401": "sm3",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""The hashes that are accepted, by OID."""

HASH_OIDS: Final = {name: oid for oid, name in HASHES.items()}

_SM2_SIGNING: Final = "1.2.156.10197.1.301.1"
SM2_SIGNATURES: Final = frozenset({_SM2_SIGNING, SIGNATURE_OID})
"""The name of GB/T 35275, and that of certificates, which many write instead."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How keys of one kind sign: ``signature`` is an AlgorithmIdentifier in DER.

    ``signed_data`` is the OID of the whole; ``version`` that of SignedData, None for what
    RFC 5652 §5.1 makes of the content. ``options`` are what the key is asked for.
    """

    hash_name: str
    signature: bytes
    signed_data: str = SIGNED_DATA
    version: int | None = None
    options: SignatureOptions = DEFAULT

    @property
    def digest(self) -> bytes:
        """The hash's AlgorithmIdentifier in DER, without parameters (RFC 5754 §2)."""
        return der.sequence(der.oid(HASH_OIDS[self.hash_name]))


ECDSA_SHA256: Final = Scheme("sha256", der.sequence(der.oid("1.2.840.10045.4.3.2")))

SM2_SM3: Final = Scheme("sm3", der.sequence(der.oid(_SM2_SIGNING)), GM_SIGNED_DATA, version=1)
"""GB/T 35275-2017 §8: an own name for SignedData, whose version is 1 whatever it holds."""

RSA_SHA256: Final = Scheme(
    "sha256",
    der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL),
    options=SignatureOptions(padding="pkcs1v15"),
)
"""PKCS#1 v1.5 (RFC 4055 §5): what every reader of PDFs knows; not all know PSS."""

SCHEMES: Final = {"ecdsa-p256": ECDSA_SHA256, "rsa-3072": RSA_SHA256, "sm2": SM2_SM3}
"""By the algorithm of the signer's key."""
