"""Strict DER as a tree of elements that know their stored bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NoReturn

MAX_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 65_536
MAX_FILE_ELEMENTS: Final = 2 * MAX_ELEMENTS
MAX_FILE_BYTES: Final = 32 << 20
"""Of all values in one file: half a second of processor at most to read, and as much to hash."""

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
ENUMERATED: Final = 0x0A
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONSTRUCTED: Final = 0x20
CONTEXT_0: Final = 0xA0

_HIGH_TAG: Final = 0x1F
_LONG: Final = 0x80


class DerError(ValueError):
    """The bytes are not the DER that was expected; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Element:
    """One stored TLV of ``source``: identifier octet ``tag``, content at ``body:end``."""

    source: bytes
    tag: int
    start: int
    body: int
    end: int
    children: tuple[Element, ...]

    @property
    def raw(self) -> bytes:
        """The stored bytes with their header: what signatures cover."""
        return self.source[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The stored bytes without their header."""
        return self.source[self.body : self.end]

    def expect(self, tag: int, what: str) -> Element:
        """Return itself if its identifier octet is ``tag``; raise ``DerError`` otherwise."""
        if self.tag != tag:
            self.refuse(f"{what} has tag {self.tag:#04x} instead of {tag:#04x}")
        return self

    def sequence(self, what: str, *counts: int) -> tuple[Element, ...]:
        """Return the children of a SEQUENCE whose number is one of ``counts``."""
        children = self.expect(SEQUENCE, what).children
        if counts and len(children) not in counts:
            self.refuse(f"{what} has {len(children)} fields")
        return children

    def only(self, otherwise: str = "") -> Element:
        """Return the one element inside; where it is not one, refuse and say ``otherwise``."""
        if len(self.children) != 1:
            self.refuse(otherwise or f"{len(self.children)} elements where one belongs")
        return self.children[0]

    def refuse(self, why: str) -> NoReturn:
        """Raise the exception that says ``why``, and where."""
        msg = f"{why} (at byte {self.start})"
        raise DerError(msg)


class Meter:
    """How much was read, and how much still may be: elements, and bytes that hold them."""

    __slots__ = ("bytes_left", "left", "spent")

    def __init__(self, left: int, bytes_left: int) -> None:
        self.left = left
        self.bytes_left = bytes_left
        self.spent = 0

    def spend(self, elements: int, octets: int) -> None:
        """Count what was read, of values that could be used or not."""
        self.left -= elements
        self.bytes_left -= octets
        self.spent += elements


_METER: ContextVar[Meter | None] = ContextVar("elements_meter", default=None)


@contextmanager
def at_most(elements: int, octets: int) -> Iterator[Meter]:
    """Let all values that are read inside have so many elements and bytes together.

    A file may hold hundreds of values; each is limited, and so must be their sum: what is read
    is hashed, too. What is read within another limit counts there as well.
    """
    outer = _METER.get()
    meter = Meter(elements, octets)
    if outer is not None:
        meter = Meter(min(elements, outer.left), min(octets, outer.bytes_left))
    before = meter.bytes_left
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)
        if outer is not None:
            outer.spend(meter.spent, before - meter.bytes_left)


def read_der(source: bytes) -> Element:
    """Return the one element that ``source`` is; raise ``DerError``.

    Refused: more than 4 MiB, 64 levels or 65,536 elements (less where ``at_most`` says so),
    indefinite or non-minimal lengths, tag numbers above 30, bytes after the end.
    """
    if len(source) > MAX_BYTES:
        msg = f"more than {MAX_BYTES} bytes"
        raise DerError(msg)
    meter = _METER.get()
    if meter is not None and len(source) > meter.bytes_left:
        msg = f"the values of one file have more than {MAX_FILE_BYTES} bytes"
        raise DerError(msg)
    reader = _Reader(source, MAX_ELEMENTS if meter is None else min(MAX_ELEMENTS, meter.left))
    allowed = reader.left
    try:
        element = reader.read(0, len(source), 1)
    finally:
        if meter is not None:
            meter.spend(allowed - reader.left, len(source))
    if element.end != len(source):
        msg = f"{len(source) - element.end} bytes after the end"
        raise DerError(msg)
    return element


def take(rest: list[Element], tag: int) -> Element | None:
    """Take the first of ``rest`` off if it has ``tag``: an OPTIONAL field."""
    return rest.pop(0) if rest and rest[0].tag == tag else None


class _Reader:
    """Reads elements of ``source``; ``left`` is how many more it may."""

    __slots__ = ("left", "source")

    def __init__(self, source: bytes, left: int) -> None:
        self.source = source
        self.left = left

    def read(self, start: int, limit: int, depth: int) -> Element:
        """Return the element at ``start``, at this depth."""
        if depth > MAX_DEPTH or self.left <= 0:
            msg = f"nested too deeply or too many elements (at byte {start})"
            raise DerError(msg)
        self.left -= 1
        body, end = _extent(self.source, start, limit)
        tag = self.source[start]
        children: list[Element] = []
        if tag & CONSTRUCTED:
            position = body
            while position < end:
                child = self.read(position, end, depth + 1)
                children.append(child)
                position = child.end
        return Element(self.source, tag, start, body, end, tuple(children))


def _extent(source: bytes, start: int, limit: int) -> tuple[int, int]:
    """Return where the content at ``start`` begins and ends; nothing passes ``limit``."""
    if limit - start < 2:  # noqa: PLR2004 - tag and length
        msg = f"cut off (at byte {start})"
        raise DerError(msg)
    if source[start] & _HIGH_TAG == _HIGH_TAG or source[start] == 0:
        msg = f"a tag that none of the standards uses (at byte {start})"
        raise DerError(msg)
    length = source[start + 1]
    body = start + 2
    if length >= _LONG:
        count = length - _LONG
        body += count
        stored = source[start + 2 : body]
        length = int.from_bytes(stored, "big")
        minimal = length >= _LONG and (length.bit_length() + 7) // 8 == count
        if not 0 < count <= 4 or body > limit or not minimal:  # noqa: PLR2004 - 4 MiB fit in 4
            msg = f"an indefinite, padded or huge length (at byte {start})"
            raise DerError(msg)
    if body + length > limit:
        msg = f"a length beyond the end (at byte {start})"
        raise DerError(msg)
    return body, body + length
