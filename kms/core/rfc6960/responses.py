"""Write an OCSPResponse: ResponseData to be signed, then the whole; or why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from kms.core.rfc5280.writing import KeyAlgorithm, algorithm_identifier, key_bits
from kms.core.rfc6960.requests import NONCE, CertificateId
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.der import encode

_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_GOOD: Final = b"\x80\x00"
_UNKNOWN: Final = b"\x82\x00"
_REVOKED: Final = 0xA1


class Failure(IntEnum):
    """OCSPResponseStatus of an answer without content (RFC 6960 §4.2.1)."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class Revoked:
    """Since when (UTC microseconds) and why (CRLReason)."""

    since: int
    reason: int = 0


@dataclass(frozen=True, slots=True)
class SingleAnswer:
    """About one certificate: ``revoked``, good where ``issued``, and else unknown."""

    wanted: CertificateId
    issued: bool
    revoked: Revoked | None = None


@dataclass(frozen=True, slots=True)
class AnswerContent:
    """What the responder says at ``produced_at``; it stands until ``next_update``."""

    responder_spki: bytes
    produced_at: int
    next_update: int
    answers: Sequence[SingleAnswer]
    nonce: bytes | None = None


def answer_to_sign(content: AnswerContent) -> bytes:
    """Return the ResponseData; the responder is named by its key, the nonce as it came."""
    key_hash = hashlib.sha1(key_bits(content.responder_spki), usedforsecurity=False).digest()
    nonce: tuple[bytes, ...] = ()
    if content.nonce is not None:
        extension = der.sequence(der.oid(NONCE), der.octets(content.nonce))
        nonce = (der.explicit(1, der.sequence(extension)),)
    return der.sequence(
        der.explicit(2, der.octets(key_hash)),
        der.generalized_time(content.produced_at),
        der.sequence(*(_single(answer, content) for answer in content.answers)),
        *nonce,
    )


def answer(
    signed: bytes, signature: bytes, algorithm: KeyAlgorithm, certificates: Sequence[bytes]
) -> bytes:
    """Return the OCSPResponse over the ResponseData ``signed``, with the responder's chain."""
    basic = der.sequence(
        signed,
        algorithm_identifier(algorithm),
        der.bits(signature),
        der.explicit(0, der.sequence(*certificates)),
    )
    content = der.sequence(der.oid(_BASIC), der.octets(basic))
    return der.sequence(encode(elements.ENUMERATED, b"\x00"), der.explicit(0, content))


def failure(why: Failure) -> bytes:
    """Return the OCSPResponse that says why nothing is said; it is not signed."""
    return der.sequence(encode(elements.ENUMERATED, bytes([why])))


def _single(about: SingleAnswer, content: AnswerContent) -> bytes:
    return der.sequence(
        about.wanted.raw,
        _status(about),
        der.generalized_time(content.produced_at),
        der.explicit(0, der.generalized_time(content.next_update)),
    )


def _status(about: SingleAnswer) -> bytes:
    if about.revoked is None:
        return _GOOD if about.issued else _UNKNOWN
    reason = about.revoked.reason
    code = (der.explicit(0, encode(elements.ENUMERATED, bytes([reason]))),) if reason else ()
    return encode(_REVOKED, der.generalized_time(about.revoked.since) + b"".join(code))
