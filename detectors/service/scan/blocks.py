"""Files of any kind as blocks: lines, elements of a JSON array, or a whole event log.

Archives are unpacked as they are read and never further than a bound: members, bytes in one
piece, and how many times its size an archive may hold.
"""

from __future__ import annotations

import codecs
import gzip
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import IO, Final, Literal, cast

import orjson

from detectors.core.formats.detect import EVTX, HEAD, detect
from detectors.core.formats.reader import without_bom
from detectors.core.formats.record import Context
from secops.kernel.clock import DAY

MAX_LINE: Final = 10 << 20
MAX_EVTX: Final = 1 << 30
MAX_MEMBERS: Final = 10_000
MAX_RATIO: Final = 500
_FREE: Final = 64 << 20
_CHUNK: Final = 1 << 20
_BLOCK: Final = 24 << 20
_PEEK: Final = 20
_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZIP: Final = b"PK\x03\x04"
_DAMAGED: Final = (
    EOFError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # a member that is encrypted
    NotImplementedError,  # a compression that zipfile has not
)

Kind = Literal["lines", "evtx"]


class Bomb(ValueError):
    """An archive holds more than ``MAX_RATIO`` times its size."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file. ``name`` is the file, or ``archive!member``; ``first`` begins it.

    ``format`` is what its lines look like, "" for unknown.
    """

    name: str
    first: bool
    kind: Kind
    format: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that can't be read: the rest of it is lost."""

    name: str
    why: str


def read_blocks(
    file: str, stream: IO[bytes], now: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Block | Unreadable]:
    """Yield the blocks of one file. ``progress`` is told the bytes of it that were used."""
    try:
        for name, inner in _unpacked(file, stream, progress):
            yield from _blocks(name, inner, now)
    except _DAMAGED as error:
        yield Unreadable(file, f"damaged archive: {error}")
    except Bomb as error:
        yield Unreadable(file, str(error))


def _blocks(name: str, chunks: Iterator[bytes], now: int) -> Iterator[Block | Unreadable]:
    head = b""
    while len(head) < HEAD and (more := next(chunks, b"")):
        head += more
    context = Context(zone=UTC, latest=now + DAY)
    if detect(head, [], context) == EVTX:
        yield from _event_log(name, head, chunks)
        return
    text, _ = without_bom(_chain(head, chunks), None)
    first = next(text, b"")
    if first.lstrip()[:1] == b"[":
        lines = _elements(name, _chain(first, text))
    else:
        lines = _lines(_chain(first, text))
    yield from _line_blocks(name, lines, context)


def _event_log(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Block | Unreadable]:
    parts, size = [head], len(head)
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_EVTX:
            yield Unreadable(name, f"an event log of more than {MAX_EVTX} bytes: the rest is cut")
            break
    yield Block(name, first=True, kind="evtx", format=EVTX, content=b"".join(parts))


def _line_blocks(
    name: str, lines: Iterator[bytes | Unreadable], context: Context
) -> Iterator[Block | Unreadable]:
    """Join lines to blocks; what they look like is judged by the first of them."""
    sample = list(islice(lines, _PEEK))
    kind = detect(b"", [line for line in sample if isinstance(line, bytes)], context) or ""
    pending: list[bytes] = []
    size, first = 0, True
    for line in (*sample, *()):
        pending, size = _collect(pending, size, line)
    for line in lines:
        if isinstance(line, Unreadable):
            yield line
            continue
        pending.append(line)
        size += len(line) + 1
        if size >= _BLOCK:
            yield Block(name, first, "lines", kind, b"\n".join(pending))
            pending, size, first = [], 0, False
    if pending:
        yield Block(name, first, "lines", kind, b"\n".join(pending))
    yield from (line for line in sample if isinstance(line, Unreadable))
