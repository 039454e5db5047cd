"""Write v4 and v5 seals and signatures (GB/T 38540-2020 §6, §7; GM/T 0031-2025), exactly.

Each is made in two moves, so that the key signs bytes and never sees structures:
``seal_info`` then ``seal``, ``to_sign`` then ``seal_signature``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540.structures import (
    SM2_WITH_SM3,
    SM3_BYTES,
    V4,
    Extension,
    Picture,
    SealProperty,
)
from kms.core.x690 import writing as der

VENDOR: Final = "govsecops"
_CERTIFICATES: Final = 1


@dataclass(frozen=True, slots=True)
class SealContent:
    """What the maker vouches for."""

    es_id: str
    property: SealProperty
    picture: Picture
    extensions: tuple[Extension, ...] = ()
    version: int = V4


def seal_info(content: SealContent) -> bytes:
    """Return eSealInfo: what the maker's key signs."""
    property_, picture = content.property, content.picture
    fields = [
        der.sequence(der.ia5("ES"), der.integer(content.version), der.ia5(VENDOR)),
        der.ia5(content.es_id),
        der.sequence(
            der.integer(property_.kind),
            der.utf8(property_.name),
            der.integer(_CERTIFICATES),
            der.sequence(*(der.octets(certificate) for certificate in property_.certificates)),
            der.generalized_time(property_.created_at),
            der.generalized_time(property_.valid_from),
            der.generalized_time(property_.valid_until),
        ),
        der.sequence(
            der.ia5(picture.kind),
            der.octets(picture.data),
            der.integer(picture.width),
            der.integer(picture.height),
        ),
    ]
    if content.extensions:
        fields.append(_extensions(content.extensions))
    return der.sequence(*fields)


def seal(
    info: bytes, maker_certificate: bytes, signature: bytes, time_stamp: bytes | None = None
) -> bytes:
    """Return the SESeal of eSealInfo ``info`` with the maker's DER ``signature`` over it.

    ``time_stamp`` is a token over ``signature``, for version 5 alone.
    """
    return _signed(info, maker_certificate, signature, time_stamp)


@dataclass(frozen=True, slots=True)
class SigningContent:
    """What a signer puts a seal on: ``data_hash`` is SM3 of the protected bytes.

    ``property_info`` says what is protected: in an OFD the path of its Signature.xml.
    ``version`` is the seal's own.
    """

    seal: bytes
    signed_at: int
    data_hash: bytes
    property_info: str
    version: int = V4


def to_sign(content: SigningContent) -> bytes:
    """Return TBS_Sign: what the signer's key signs."""
    if len(content.data_hash) != SM3_BYTES:
        msg = "dataHash is an SM3 digest of 32 bytes"
        raise ValueError(msg)
    return der.sequence(
        der.integer(content.version),
        content.seal,
        der.generalized_time(content.signed_at),
        der.bits(content.data_hash),
        der.ia5(content.property_info),
    )


def seal_signature(
    tbs: bytes, signer_certificate: bytes, signature: bytes, time_stamp: bytes | None = None
) -> bytes:
    """Return the SES_Signature of TBS_Sign ``tbs`` with the signer's DER ``signature``.

    ``time_stamp`` is a token over ``signature``, for version 5 alone.
    """
    return _signed(tbs, signer_certificate, signature, time_stamp)


def _signed(
    content: bytes, certificate: bytes, signature: bytes, time_stamp: bytes | None
) -> bytes:
    algorithm = der.oid(SM2_WITH_SM3)
    fields = (content, der.octets(certificate), algorithm, der.bits(signature))
    stamped = () if time_stamp is None else (der.explicit(0, der.bits(time_stamp)),)
    return der.sequence(*fields, *stamped)


def _extensions(extensions: Sequence[Extension]) -> bytes:
    """Return ExtDatas; DER leaves out ``critical`` where it is FALSE, its default."""
    return der.sequence(
        *(
            der.sequence(
                der.oid(extension.oid),
                *((der.TRUE,) if extension.critical else ()),
                der.octets(extension.value),
            )
            for extension in extensions
        )
    )
