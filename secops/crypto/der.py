"""Strict DER: the one encoding of a value, or ``MalformedEncoding``.

ITU-T X.690 §10–11. Only what signatures, keys and certificates need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from secops.crypto.errors import MalformedEncoding

SEQUENCE: Final = 0x30
SET: Final = 0x31
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OID: Final = 0x06
BOOLEAN: Final = 0x01
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18

_LONG_FORM: Final = 0x80
_HIGH_TAG: Final = 0x1F
_MAX_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Element:
    """One TLV. ``raw`` is all of its bytes as stored, ``content`` the value's."""

    tag: int
    content: bytes
    raw: bytes


def _refuse(why: str) -> NoReturn:
    msg = f"DER: {why}"
    raise MalformedEncoding(msg)


def read_element(data: bytes, offset: int = 0) -> tuple[Element, int]:
    """Return the element at ``offset`` and where the next one starts."""
    if offset + 2 > len(data):
        _refuse("cut off")
    tag, length = data[offset], data[offset + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        _refuse("high tag numbers are not used here")
    start = offset + 2
    if length & _LONG_FORM:
        count = length & 0x7F
        if not 1 <= count <= _MAX_LENGTH_BYTES or start + count > len(data):
            _refuse("length")
        length = int.from_bytes(data[start : start + count], "big")
        if length < _LONG_FORM or length >> (8 * (count - 1)) == 0:
            _refuse("length not in its shortest form")
        start += count
    end = start + length
    if end > len(data):
        _refuse("cut off")
    return Element(tag, data[start:end], data[offset:end]), end


def read_whole(data: bytes, tag: int) -> Element:
    """Return the single element ``data`` consists of; its tag must be ``tag``."""
    element, end = read_element(data)
    if element.tag != tag:
        _refuse(f"tag {element.tag:#04x} where {tag:#04x} belongs")
    if end != len(data):
        _refuse("bytes after the end")
    return element


def children(content: bytes) -> Iterator[Element]:
    """Yield the elements ``content`` consists of."""
    offset = 0
    while offset < len(content):
        element, offset = read_element(content, offset)
        yield element


def read_unsigned(element: Element) -> int:
    """Return the value of a non-negative INTEGER."""
    content = element.content
    if element.tag != INTEGER or not content:
        _refuse("not an INTEGER")
    if content[0] & 0x80:
        _refuse("a negative INTEGER")
    if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
        _refuse("INTEGER not in its shortest form")
    return int.from_bytes(content, "big")


def read_bits(element: Element) -> bytes:
    """Return the bytes of a BIT STRING without unused bits."""
    if element.tag != BIT_STRING or element.content[:1] != b"\x00":
        _refuse("not a BIT STRING of whole bytes")
    return element.content[1:]


def read_oid(element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    content = element.content
    if element.tag != OID or not content or content[-1] & 0x80:
        _refuse("not an OBJECT IDENTIFIER")
    arcs: list[int] = []
    value = 0
    fresh = True
    for byte in content:
        if fresh and byte == 0x80:  # noqa: PLR2004 - X.690 §8.19.2: no leading 80
            _refuse("OBJECT IDENTIFIER not in its shortest form")
        value = value << 7 | byte & 0x7F
        fresh = not byte & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def encode(tag: int, content: bytes) -> bytes:
    """Return ``content`` under ``tag``."""
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(size))) + size + content


def encode_unsigned(value: int) -> bytes:
    """Return ``value`` >= 0 as INTEGER."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encode_sequence(*parts: bytes) -> bytes:
    """Return ``parts``, each encoded already, as SEQUENCE."""
    return encode(SEQUENCE, b"".join(parts))


def read_signature(signature: bytes, order: int) -> tuple[int, int]:
    """Return r and s of a DER signature; each is in 1 … ``order`` - 1."""
    parts = list(children(read_whole(signature, SEQUENCE).content))
    if len(parts) != 2:  # noqa: PLR2004 - r and s
        _refuse("a signature is SEQUENCE {r, s}")
    return _in_range(read_unsigned(parts[0]), read_unsigned(parts[1]), order)


def signature_to_raw(signature: bytes, order: int) -> bytes:
    """Return a DER signature as r ‖ s, each as long as ``order``."""
    size = (order.bit_length() + 7) // 8
    r, s = read_signature(signature, order)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def raw_to_signature(raw: bytes, order: int) -> bytes:
    """Return r ‖ s as DER signature."""
    size = (order.bit_length() + 7) // 8
    if len(raw) != 2 * size:
        _refuse(f"r ‖ s has {2 * size} bytes")
    r, s = _in_range(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"), order)
    return encode_sequence(encode_unsigned(r), encode_unsigned(s))


def _in_range(r: int, s: int, order: int) -> tuple[int, int]:
    if not (0 < r < order and 0 < s < order):
        _refuse("r and s must lie between 1 and n - 1")
    return r, s
