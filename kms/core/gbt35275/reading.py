"""SignedData of GB/T 35275-2017 §8 out of stored DER: one signer, SM2 with SM3, no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.rfc5652 import reading as cms
from kms.core.rfc5652.reading import SignerInfo
from kms.core.rfc5652.schemes import (
    CONTENT_TYPE,
    GM_SIGNED_DATA,
    HASH_OIDS,
    MESSAGE_DIGEST,
    SIGNATURE_TIME_STAMP,
    SM2_SIGNATURES,
)
from kms.core.trust import readable_certificate
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import OBJECT_IDENTIFIER

_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"


@dataclass(frozen=True, slots=True)
class SignedData:
    """One signer's SignedData. Nothing here has been verified.

    ``content`` is what it holds itself, None where it is detached. ``signed`` are the
    attributes as they were signed, None where the content was signed itself;
    ``message_digest`` and ``signed_at`` (UTC microseconds) stand in them. ``time_stamp`` is
    the token over the signature that stands beside it (RFC 3161 appendix A).
    """

    content: bytes | None
    signer_certificate: bytes
    signed: bytes | None
    message_digest: bytes | None
    signed_at: int | None
    signature: bytes
    time_stamp: bytes | None = None


def is_signed_data(value: bytes) -> bool:
    """Tell a ContentInfo from a SES_Signature: it begins with an OBJECT IDENTIFIER."""
    try:
        children = read_der(value).children
    except ValueError:
        return False
    return bool(children) and children[0].tag == OBJECT_IDENTIFIER


def read_signed_data(value: bytes) -> SignedData:
    """Return the SignedData in ``value``; raise ``DerError`` for anything but one signer."""
    root = read_der(value)
    data = cms.signed_data_at(root)
    if data.outer_type != GM_SIGNED_DATA:
        root.refuse("the value is no SignedData of GB/T 35275")
    signer = cms.only_signer(data, root)
    if data.digest_algorithms != {HASH_OIDS["sm3"]}:
        root.refuse("a hash that is not SM3")
    if (
        signer.signature_algorithm not in SM2_SIGNATURES
        or signer.parameters not in cms.NO_PARAMETERS
    ):
        root.refuse("a signature that is not SM2")
    attributes = signer.attributes
    if signer.signed is not None and not {CONTENT_TYPE, MESSAGE_DIGEST} <= set(attributes):
        root.refuse("the attributes lack contentType or messageDigest")
    time, stated = (_only(attributes, name, root) for name in (_SIGNING_TIME, MESSAGE_DIGEST))
    return SignedData(
        content=data.content,
        signer_certificate=_certificate(signer, data.certificates, root),
        signed=signer.signed,
        message_digest=None if stated is None else values.octets(stated, "messageDigest"),
        signed_at=None if time is None else values.time(time, "signingTime"),
        signature=signer.signature,
        time_stamp=_token(signer, root),
    )


def _only(attributes: Mapping[str, tuple[bytes, ...]], name: str, root: Element) -> Element | None:
    """Return the one value of the attribute ``name``, None where it is absent."""
    held = attributes.get(name)
    if held is None:
        return None
    if len(held) != 1:
        root.refuse(f"{len(held)} values of the attribute {name}")
    return read_der(held[0])


def _token(signer: SignerInfo, root: Element) -> bytes | None:
    found = _only(signer.unsigned, SIGNATURE_TIME_STAMP, root)
    return None if found is None else found.raw


def _certificate(signer: SignerInfo, certificates: Sequence[bytes], root: Element) -> bytes:
    """Return the one certificate of that issuer and serial number, by its stored bytes."""
    matching = []
    for encoded in certificates:
        certificate = readable_certificate(encoded)
        if certificate is None:
            root.refuse("a certificate can't be read")
        if (certificate.issuer, certificate.serial) == (signer.issuer, signer.serial):
            matching.append(encoded)
    if len(matching) != 1:
        root.refuse(f"{len(matching)} certificates of the signer")
    return matching[0]
