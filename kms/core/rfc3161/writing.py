"""Write TSTInfo and TimeStampResp (RFC 3161 §2.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc3161.requests import FailureInfo, TimeStampRequest
from kms.core.rfc5652.schemes import HASH_OIDS
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.der import encode

TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
"""id-ct-tstInfo: the content type of a token."""

_VERSION: Final = 1
_GRANTED: Final = 0
_REJECTION: Final = 2
_DIRECTORY_NAME: Final = 4
_BITS: Final = 8
_FIRST_BIT: Final = 0x80


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the authority adds to a request.

    ``made_at`` is UTC microseconds, cut to seconds; ``accuracy`` is seconds; ``authority`` is
    the name of its certificate in DER.
    """

    policy: str
    serial: int
    made_at: int
    accuracy: int
    authority: bytes


def query(request: TimeStampRequest) -> bytes:
    """Return the TimeStampReq in DER, under no policy of its own."""
    return der.sequence(
        der.integer(_VERSION),
        _imprint(request),
        *(() if request.nonce is None else (request.nonce,)),
        *((der.TRUE,) if request.certificates else ()),
    )


def tst_info(request: TimeStampRequest, stamp: Stamp) -> bytes:
    """Return the TSTInfo in DER; ``ordering`` is FALSE, its default."""
    name = der.explicit(_DIRECTORY_NAME, stamp.authority)
    return der.sequence(
        der.integer(_VERSION),
        der.oid(stamp.policy),
        _imprint(request),
        der.integer(stamp.serial),
        der.generalized_time(stamp.made_at),
        der.sequence(der.integer(stamp.accuracy)),
        *(() if request.nonce is None else (request.nonce,)),
        der.explicit(0, name),
    )


def granted(token: bytes) -> bytes:
    """Return the TimeStampResp that hands out ``token``."""
    return der.sequence(der.sequence(der.integer(_GRANTED)), token)


def rejected(failure: FailureInfo, why: str) -> bytes:
    """Return the TimeStampResp that refuses, saying ``why``."""
    length, bit = divmod(failure, _BITS)
    named = bytes((_BITS - 1 - bit, *bytes(length), _FIRST_BIT >> bit))
    status = der.sequence(
        der.integer(_REJECTION),
        der.sequence(der.utf8(why)),
        encode(elements.BIT_STRING, named),
    )
    return der.sequence(status)


def _imprint(request: TimeStampRequest) -> bytes:
    algorithm = der.sequence(der.oid(HASH_OIDS[request.hash_name]))
    return der.sequence(algorithm, der.octets(request.digest))
