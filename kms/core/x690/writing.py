"""Exact DER: every function returns one whole TLV."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from kms.core.x690 import elements
from secops.crypto.der import encode
from secops.kernel.clock import SECOND

_MORE: Final = 0x80
_ARC: Final = 0x7F

TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"
"""BOOLEAN TRUE; FALSE is always a default here, which DER leaves out."""


def sequence(*fields: bytes) -> bytes:
    """Return a SEQUENCE of ``fields``."""
    return encode(elements.SEQUENCE, b"".join(fields))


def set_of(*members: bytes) -> bytes:
    """Return a SET OF ``members``, in the order of DER (X.690 §11.6)."""
    return encode(elements.SET, b"".join(sorted(members)))


def integer(value: int) -> bytes:
    """Return an INTEGER."""
    return encode(elements.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return encode(elements.OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """Return a BIT STRING of whole bytes."""
    return encode(elements.BIT_STRING, b"\x00" + content)


def utf8(text: str) -> bytes:
    """Return a UTF8String."""
    return encode(elements.UTF8_STRING, text.encode())


def ia5(text: str) -> bytes:
    """Return an IA5String; raise UnicodeEncodeError for anything but ASCII."""
    return encode(elements.IA5_STRING, text.encode("ascii"))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(
        elements.OBJECT_IDENTIFIER, b"".join(_arc(arc) for arc in (40 * first + second, *rest))
    )


def generalized_time(instant: int) -> bytes:
    """Return ``instant`` (UTC microseconds) as GeneralizedTime in whole seconds."""
    moment = datetime.fromtimestamp(instant // SECOND, UTC)
    return encode(elements.GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def explicit(number: int, content: bytes) -> bytes:
    """Return ``content`` (a whole TLV) under the context tag [``number``]."""
    return encode(elements.CONTEXT_0 | number, content)


def _arc(value: int) -> bytes:
    octets_ = [value & _ARC]
    while value := value >> 7:
        octets_.append(value & _ARC | _MORE)
    return bytes(reversed(octets_))
