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
from itertools import chain, islice
from typing import IO, Any, Final, Literal, cast

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
_BLOCK: Final = 5 << 20
_PEEK: Final = 20
_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZIP: Final = b"PK\x03\x04"
_BETWEEN: Final = " \t\r\n,"
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
    name: str, texts: Iterator[bytes | Unreadable], context: Context
) -> Iterator[Block | Unreadable]:
    """Join whole lines to blocks; what they look like is judged by the first of them."""
    pending: list[bytes] = []
    size, first, kind = 0, True, ""
    for text in texts:
        if isinstance(text, Unreadable):
            yield text
            continue
        pending.append(text)
        size += len(text) + 1
        if size >= _BLOCK:
            kind = kind or _format(pending, context)
            yield Block(name, first, "lines", kind, b"\n".join(pending))
            pending, size, first = [], 0, False
    if pending:
        kind = kind or _format(pending, context)
        yield Block(name, first, "lines", kind, b"\n".join(pending))


def _format(texts: list[bytes], context: Context) -> str:
    lines = (line for text in texts for line in text.split(b"\n", _PEEK)[:_PEEK])
    return detect(b"", list(islice(lines, _PEEK)), context) or ""


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes | Unreadable]:
    """Yield whole lines joined by LF; a line above 10 MiB is cut into several."""
    rest = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n")
        if cut >= 0:
            text = rest + chunk[:cut]
            rest = chunk[cut + 1 :]
            yield text.replace(b"\r\n", b"\n").removesuffix(b"\r") if b"\r" in text else text
        else:
            rest += chunk
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest.removesuffix(b"\r")


def _elements(name: str, chunks: Iterator[bytes]) -> Iterator[bytes | Unreadable]:
    """Yield the elements of a JSON array, each as one line of JSON, as they are read."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    text, index, opened = "", 0, False
    for chunk in chain(chunks, (b"",)):
        text += decode(chunk, final=not chunk)
        if not opened:
            text, opened = text.lstrip()[1:], True
        end = 0
        for element, end in _whole(text, final=not chunk):  # noqa: B007 - where it stopped
            yield json.dumps(element, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "replace"
            )
            index += 1
        text = text[end:]
        if len(text) > MAX_LINE:
            break
    if text.strip(" \t\r\n,") != "]":
        yield Unreadable(name, f"the JSON array can't be read after {index} elements")


def _whole(text: str, *, final: bool) -> Iterator[tuple[Any, int]]:
    """Yield the elements that ``text`` holds whole, and where each ends."""
    decoder = json.JSONDecoder()
    at = 0
    while True:
        while text[at : at + 1] in _BETWEEN and at < len(text):
            at += 1
        try:
            element, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            return
        if at == len(text) and not final:
            return  # a number may go on
        yield element, at


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unpacked(
    file: str, stream: IO[bytes], progress: Callable[[int], None]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    magic = stream.read(len(_XZ))
    stream.seek(0)
    if magic.startswith(_GZIP):
        with gzip.open(stream) as plain:
            yield file, _bounded(cast("IO[bytes]", plain), stream, progress)
    elif magic == _XZ:
        with lzma.open(stream) as inner:
            yield file, _bounded(inner, stream, progress)
    elif magic.startswith(_ZIP):
        with zipfile.ZipFile(stream) as archive:
            members = sorted(archive.infolist(), key=lambda each: each.filename)
            for member in members[:MAX_MEMBERS]:
                if not member.is_dir():
                    with archive.open(member) as part:
                        name = f"{file}!{member.filename}"
                        yield name, _bounded(part, stream, progress, packed=member.compress_size)
            if len(members) > MAX_MEMBERS:
                msg = f"the archive has more than {MAX_MEMBERS} members: the rest is not read"
                raise Bomb(msg)
    else:
        yield file, _plain(stream, progress)


def _plain(stream: IO[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        progress(len(chunk))
        yield chunk


def _bounded(
    inner: IO[bytes],
    packed_stream: IO[bytes],
    progress: Callable[[int], None],
    *,
    packed: int | None = None,
) -> Iterator[bytes]:
    unpacked = used = 0
    while chunk := inner.read(_CHUNK):
        at = packed_stream.tell()
        progress(max(at - used, 0))
        used = max(at, used)
        unpacked += len(chunk)
        if unpacked > _FREE + MAX_RATIO * (at if packed is None else packed):
            msg = f"the archive holds more than {MAX_RATIO} times its size"
            raise Bomb(msg)
        yield chunk
