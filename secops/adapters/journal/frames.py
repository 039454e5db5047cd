"""The format of a journal file: a header, then frames that chain by a running hash.

Frame = length u32 LE ‖ crc32 u32 LE ‖ tag 8 B ‖ batch u32 LE ‖ running hash 32 B ‖ record.
The crc covers all after itself. ``tag`` is of this file, so that an old file's bytes are
never taken for frames. ``batch`` is the offset at which the frame's batch begins: a batch
is written only after the one before was durable. So a bad frame followed by a valid frame
of a *later* batch is corruption, and any other bad frame is a torn tail that nobody was
answered for. Running hash = SHA-256(running hash before ‖ record), first over the file id.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.trail import MAX_RECORD

MAGIC: Final = b"secops-journal1\n"
FILE_HEADER: Final = 64
"""Bytes: magic 16 ‖ file id 16 ‖ zeros."""
_HEAD: Final = struct.Struct("<II8sI32s")
FRAME_HEAD: Final = _HEAD.size
_CRC_FROM: Final = 8
_TAG_AT: Final = 8
_TAG: Final = 8
NO_LIMIT: Final = 1 << 62
_LAST: Final = 1 << 31
"""Bit of ``length`` that marks the file's last frame, whose record is the next file's id."""

Ending = Literal["clean", "torn", "corrupt", "closed", "more"]
"""``more``: the limit was reached. ``closed``: the file's last frame was read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A record, where its frame lies (``end`` excluded), and the running hash after it."""

    offset: int
    end: int
    record: bytes
    running: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """Valid frames up to ``end``, the running hash there, and why it stops."""

    frames: Sequence[Frame]
    end: int
    running: bytes
    ending: Ending


def file_header(file_id: bytes) -> bytes:
    """Return the header of the file with the 16-byte ``file_id``."""
    return (MAGIC + file_id).ljust(FILE_HEADER, b"\0")


def file_id_of(header: bytes) -> bytes | None:
    """Return the id that a file's ``header`` tells, None if it is not one of ours."""
    if len(header) < FILE_HEADER or not header.startswith(MAGIC):
        return None
    return header[len(MAGIC) : len(MAGIC) + 16]


def first_running(file_id: bytes) -> bytes:
    """Return the running hash before a file's first frame."""
    return hashlib.sha256(file_id).digest()


def frame_size(record: bytes) -> int:
    """Return how many bytes the frame of ``record`` takes."""
    return FRAME_HEAD + len(record)


def encode_frame(
    record: bytes, *, file_id: bytes, batch: int, running: bytes, last: bool = False
) -> tuple[bytes, bytes]:
    """Return the frame of ``record`` and the running hash after it."""
    after = hashlib.sha256(running + record).digest()
    length = len(record) | (_LAST if last else 0)
    head = _HEAD.pack(length, 0, file_id[:_TAG], batch, after)
    crc = zlib.crc32(record, zlib.crc32(head[_CRC_FROM:], length))
    return struct.pack("<II", length, crc) + head[_CRC_FROM:] + record, after


def scan(data: bytes, start: int, *, file_id: bytes, running: bytes, limit: int = NO_LIMIT) -> Scan:
    """Return the frames of the file ``data`` from ``start`` on, where the hash is ``running``."""
    frames: list[Frame] = []
    position = start
    while len(frames) < limit:
        found = _frame_at(data, position, file_id)
        if found is None:
            return Scan(frames, position, running, _why(data, position, file_id))
        frame, _ = found
        if frame.running != hashlib.sha256(running + frame.record).digest():
            return Scan(frames, position, running, _why(data, position, file_id))
        running = frame.running
        if _is_last(data, position):
            return Scan(frames, frame.end, running, "closed")
        frames.append(frame)
        position = frame.end
    return Scan(frames, position, running, "more")


def next_file_id(data: bytes, end: int) -> bytes:
    """Return the id in the closing frame that ends at ``end`` of a file scanned as closed."""
    return data[end - 16 : end]


def _is_last(data: bytes, position: int) -> bool:
    return bool(int.from_bytes(data[position : position + 4], "little") & _LAST)


def _frame_at(data: bytes, position: int, file_id: bytes) -> tuple[Frame, int] | None:
    """Return (frame as it claims to be, its batch) if one with a right crc begins here."""
    if position + FRAME_HEAD > len(data):
        return None
    length, crc, tag, batch, running = _HEAD.unpack_from(data, position)
    size = length & ~_LAST
    end = position + FRAME_HEAD + size
    if tag != file_id[:_TAG] or size > MAX_RECORD or end > len(data):
        return None
    if zlib.crc32(data[position + _CRC_FROM : end], length) != crc:
        return None
    return Frame(position, end, data[position + FRAME_HEAD : end], running), batch


def _why(data: bytes, position: int, file_id: bytes) -> Ending:
    """Tell why the frames end at ``position``: look for a frame of a later batch."""
    tag = file_id[:_TAG]
    first = at = data.find(tag, position)
    while at != -1:
        begins = at - _TAG_AT
        found = _frame_at(data, begins, file_id) if begins > position else None
        if found is not None and found[1] > position:
            return "corrupt"
        at = data.find(tag, at + 1)
    return "clean" if first == -1 and not any(data[position : position + FRAME_HEAD]) else "torn"
