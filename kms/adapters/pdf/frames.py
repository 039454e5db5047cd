"""What goes between the asking process and the one that reads PDFs: two lengths, JSON, bytes."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, Final

import orjson

MAX_FRAME: Final = 64 << 20
"""Bytes of a question or an answer: a document of 20 MiB, with room for what is added."""

_LENGTHS: Final = struct.Struct(">II")
_PIECE: Final = 1 << 20


class BrokenFrame(Exception):
    """The other side has ended, or what it sends is no frame."""


def send_frame(to: socket.socket, head: Any, content: bytes) -> None:
    """Send ``head`` as JSON and ``content`` behind it; raises ``OSError``."""
    encoded = orjson.dumps(head)
    to.sendall(_LENGTHS.pack(len(encoded), len(content)) + encoded)
    if content:
        # nothing at all is sent, too, and whoever knows the answer may have gone by then
        to.sendall(content)


def receive_frame(source: socket.socket, until: float) -> tuple[Any, bytes]:
    """Return head and content; raise ``BrokenFrame``, or ``TimeoutError`` after ``until``.

    ``until`` is of the monotonic clock, in seconds.
    """
    head_length, length = _LENGTHS.unpack(receive(source, _LENGTHS.size, until))
    if head_length + length > MAX_FRAME:
        raise BrokenFrame
    head = receive(source, head_length, until)
    content = receive(source, length, until)
    try:
        return orjson.loads(head), content
    except orjson.JSONDecodeError as error:
        raise BrokenFrame from error


def receive(source: socket.socket, length: int, until: float) -> bytes:
    """Return exactly ``length`` bytes; raise as ``receive_frame``."""
    pieces = bytearray()
    while len(pieces) < length:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        source.settimeout(left)
        piece = source.recv(min(_PIECE, length - len(pieces)))
        if not piece:
            raise BrokenFrame
        pieces += piece
    return bytes(pieces)
