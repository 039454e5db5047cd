"""Check the arithmetic of one signer of SignedData: digest, signature, which certificate.

Who the signer is, and whether it may sign, is judged elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Final

from kms.core.gbt35276.sm2_signatures import SignatureCheck, check_signature
from kms.core.rfc5652.reading import NO_PARAMETERS, SignedData, SignerInfo
from kms.core.rfc5652.schemes import (
    CONTENT_TYPE,
    HASHES,
    MESSAGE_DIGEST,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    SM2_SIGNATURES,
)
from kms.core.trust import readable_certificate
from kms.core.x690 import DerError, Element, read_der, values
from kms.core.x690 import writing as der
from kms.core.x690.elements import CONTEXT_0, SEQUENCE, take
from secops.crypto.certificates import Certificate
from secops.crypto.errors import InvalidKey, InvalidSignature
from secops.crypto.hashes import digest
from secops.crypto.options import SignatureOptions
from secops.crypto.sm2 import SIGNATURE_OID
from secops.kernel.catalogue import Text

_ECDSA: Final = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_RSA: Final = "1.2.840.113549.1.1.1"
_RSA_WITH: Final = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_CURVES: Final = ("ecdsa-p256", "ecdsa-p384")
_RSA_KEY: Final = "rsa-3072"
_DEFAULT_SALT: Final = 20  # RFC 8017 A.2.3
_MAX_SALT: Final = 512
_CONTEXT_1: Final = 0xA1
_CONTEXT_2: Final = 0xA2
_KEY_IDENTIFIER: Final = "2.5.29.14"
_DIRECTORY_NAME: Final = 0xA4


def certificate_of(
    signer: SignerInfo, data: SignedData, known: Sequence[Certificate] = ()
) -> Certificate | None:
    """Return the one certificate that ``signer`` names, out of ``data`` or of ``known``."""
    found = [*map(readable_certificate, data.certificates), *known]
    fitting = {each.der: each for each in found if each and _is_named(signer, each)}
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def check_content(signer: SignerInfo, data: SignedData) -> Text | None:
    """Return what is wrong with the attributes contentType and messageDigest (§11)."""
    if signer.attributes.get(CONTENT_TYPE) != (der.oid(data.content_type),):
        return Text("contentType 与内容不符", "contentType is not that of the content")
    name = HASHES.get(signer.digest_algorithm)
    if name is None:
        algorithm = signer.digest_algorithm
        return Text(f"摘要算法 {algorithm} 不接受", f"the hash {algorithm} is not accepted")
    stated = b"".join(signer.attributes.get(MESSAGE_DIGEST, ()))
    if not compare_digest(stated, der.octets(digest(name, data.content or b""))):
        return Text("messageDigest 与内容不符", "messageDigest is not that of the content")
    return None


def check_signer(signer: SignerInfo, certificate: Certificate) -> SignatureCheck:
    """Check the signature over the stored attributes by ``certificate``'s key."""
    algorithm = signer.signature_algorithm
    if algorithm in SM2_SIGNATURES:
        return check_signature(
            certificate,
            SIGNATURE_OID,
            message=signer.signed or b"",
            signature=signer.signature,
        )
    try:
        options = _options(signer, certificate)
        if options is None:
            why = Text(
                f"签名算法 {algorithm} 不接受,或与证书密钥不符",
                f"{algorithm} is not accepted, or not with this key",
            )
            return SignatureCheck(ok=False, why=why)
        certificate.public_key().verify(signer.signature, signer.signed or b"", options)
    except (InvalidSignature, InvalidKey, DerError):
        why = Text("与证书公钥和内容不符", "it belongs to another key or other content")
        return SignatureCheck(ok=False, why=why)
    return SignatureCheck(ok=True, why=Text("签名值正确", "correct"))


def check_signing_certificate(signer: SignerInfo, certificate: Certificate) -> Text | None:
    """Return why the attribute signing-certificate (RFC 2634, RFC 5035) does not fit.

    Each of the two that is there must name the very ``certificate`` first.
    """
    both = {
        SIGNING_CERTIFICATE: _first_hash,
        SIGNING_CERTIFICATE_V2: _first_hash_v2,
    }
    stated = {name: held for name, held in signer.attributes.items() if name in both}
    if not stated:
        return Text("缺少签名证书标识", "no attribute says which certificate signed")
    fits = all(_names(held, both[name], certificate) for name, held in stated.items())
    return None if fits else Text("签名证书标识与证书不符", "it names another certificate")


def names_by_sha1(signer: SignerInfo) -> bool:
    """Tell whether only SHA-1 names the certificate: RFC 5816 wants version 2 for all else."""
    return SIGNING_CERTIFICATE_V2 not in signer.attributes


def _is_named(signer: SignerInfo, certificate: Certificate) -> bool:
    if signer.key_identifier is None:
        return (certificate.issuer, certificate.serial) == (signer.issuer, signer.serial)
    stated = certificate.extensions.get(_KEY_IDENTIFIER, b"")
    return stated == der.octets(signer.key_identifier)


def _options(signer: SignerInfo, certificate: Certificate) -> SignatureOptions | None:
    """Return how to verify; None for what is not accepted. Raises ``DerError``."""
    algorithm, key = signer.signature_algorithm, certificate.key_algorithm
    if algorithm != _PSS and signer.parameters not in NO_PARAMETERS:
        return None
    if algorithm in _ECDSA:
        return SignatureOptions(_ECDSA[algorithm]) if key in _CURVES else None
    if key != _RSA_KEY:
        return None
    if algorithm == _PSS:
        return _pss(signer.parameters) if signer.parameters else None
    name = _RSA_WITH.get(algorithm)
    if algorithm == _RSA:
        name = HASHES.get(signer.digest_algorithm)
    return None if name is None else SignatureOptions(name, padding="pkcs1v15")


def _pss(parameters: bytes) -> SignatureOptions | None:
    """Return what RSASSA-PSS-params say: one hash for all, and the salt's length (RFC 8017)."""
    fields = list(read_der(parameters).sequence("RSASSA-PSS-params"))
    chosen, mask, salt = (take(fields, tag) for tag in (CONTEXT_0, _CONTEXT_1, _CONTEXT_2))
    if chosen is None or mask is None or fields:
        return None
    name = HASHES.get(_algorithm(chosen.only()))
    generator = mask.only().sequence("maskGenAlgorithm", 2)
    same = values.oid(generator[0], "mgf") == _MGF1 and HASHES.get(_algorithm(generator[1])) == name
    length = _DEFAULT_SALT if salt is None else values.integer(salt.only(), "saltLength")
    if name is None or not same or not 0 <= length <= _MAX_SALT:
        return None
    return SignatureOptions(name, padding="pss", salt_length=length)


def _algorithm(element: Element) -> str:
    return values.oid(element.sequence("algorithm", 1, 2)[0], "algorithm")


Hash = Callable[[list[Element], Certificate], bytes]


def _names(held: tuple[bytes, ...], hash_of: Hash, certificate: Certificate) -> bool:
    try:
        (value,) = held
        first = read_der(value).sequence("SigningCertificate")[0].sequence("certs")[0]
        fields = list(first.sequence("ESSCertID"))
        expected = hash_of(fields, certificate)
        stated = values.octets(fields.pop(0), "certHash")
        return compare_digest(stated, expected) and _fits_issuer(fields, certificate)
    except (ValueError, IndexError):  # DerError, more values than one, nothing where one belongs
        return False


def _first_hash(_fields: list[Element], certificate: Certificate) -> bytes:
    # a second certificate with the first one's SHA-1 is what nobody can make (RFC 5816 §3)
    return hashlib.sha1(certificate.der, usedforsecurity=False).digest()


def _first_hash_v2(fields: list[Element], certificate: Certificate) -> bytes:
    algorithm = take(fields, SEQUENCE)
    name = "sha256" if algorithm is None else HASHES[_algorithm_of(algorithm)]
    return digest(name, certificate.der)


def _algorithm_of(element: Element) -> str:
    name = _algorithm(element)
    if name not in HASHES:
        element.refuse("a hash that is not accepted")
    return name


def _fits_issuer(fields: list[Element], certificate: Certificate) -> bool:
    """Tell whether the optional issuerSerial, all that is left of ``fields``, fits."""
    if not fields:
        return True
    issuer, serial = fields.pop(0).sequence("issuerSerial", 2)
    named = {
        name.children[0].raw
        for name in issuer.sequence("issuer")
        if name.tag == _DIRECTORY_NAME and name.children
    }
    number = values.integer(serial, "serialNumber")
    return not fields and certificate.issuer in named and certificate.serial == number
