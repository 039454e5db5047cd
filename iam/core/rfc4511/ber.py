"""The basic encoding rules as far as LDAP uses them: definite lengths, at most 4 bytes long."""

from __future__ import annotations

from typing import Final

from iam.errors import UpstreamRefused

CONSTRUCTED: Final = 0x30
"""The tag of SEQUENCE."""
MAX_MESSAGE: Final = 262_144
_LONG: Final = 0x80
_MANY: Final = 4


def element(tag: int, content: bytes) -> bytes:
    """Return ``content`` under ``tag``."""
    size = len(content)
    if size < _LONG:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE."""
    return element(CONSTRUCTED, b"".join(parts))


def integer(value: int) -> bytes:
    """Return an INTEGER of 0 or more."""
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def enumerated(value: int) -> bytes:
    """Return an ENUMERATED below 128."""
    return element(0x0A, bytes((value,)))


def boolean(*, value: bool) -> bytes:
    """Return a BOOLEAN."""
    return element(0x01, b"\xff" if value else b"\x00")


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return element(0x04, content)


def whole_length(head: bytes) -> int | None:
    """Return how long the element that ``head`` begins is, None while that can't be told.

    Raises ``UpstreamRefused`` for an indefinite or too great length.
    """
    if len(head) < 2:  # noqa: PLR2004 - a tag and a length
        return None
    first = head[1]
    if first < _LONG:
        return 2 + first
    count = first & ~_LONG
    if not 0 < count <= _MANY:
        msg = "a length of the directory's answer can't be read"
        raise UpstreamRefused(msg)
    if len(head) < 2 + count:
        return None
    size = 2 + count + int.from_bytes(head[2 : 2 + count], "big")
    if size > MAX_MESSAGE:
        msg = f"the directory's answer is longer than {MAX_MESSAGE} bytes"
        raise UpstreamRefused(msg)
    return size


def read_element(content: bytes) -> tuple[int, bytes, bytes]:
    """Return tag, content and what follows; raise ``UpstreamRefused`` if it is cut off."""
    size = whole_length(content)
    if size is None or size > len(content):
        msg = "the directory's answer is cut off"
        raise UpstreamRefused(msg)
    first = content[1]
    head = 2 if first < _LONG else 2 + (first & ~_LONG)
    return content[0], content[head:size], content[size:]


def read_integer(content: bytes) -> tuple[int, bytes]:
    """Return a small INTEGER of 0 or more and what follows; raise ``UpstreamRefused``."""
    tag, value, rest = read_element(content)
    if tag != 0x02 or not 0 < len(value) <= _MANY or value[0] >= _LONG:  # noqa: PLR2004 - INTEGER
        msg = "the directory's answer has no number"
        raise UpstreamRefused(msg)
    return int.from_bytes(value, "big"), rest
