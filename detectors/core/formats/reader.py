"""Files and streams as records: lines are cut, numbered and read; bad ones are named.

A bad line is a ``Reject`` with its place and reason; nothing here ends the reading of the
rest. Memory stays bounded whatever a line's length.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from detectors.core.formats import evtx
from detectors.core.formats.audit_events import read_audit, read_audit_piece
from detectors.core.formats.auditd import parse_auditd
from detectors.core.formats.detect import EVTX, HEAD, LINE_PARSERS, detect
from detectors.core.formats.line import Line, Record, Reject
from detectors.core.formats.record import BadLine, Context, Parsed, Parser

MAX_LINE: Final = 1 << 20
"""Bytes of a line that is still read (1 MiB)."""
KEPT_OF_LONG: Final = 16 << 20
"""Bytes of a longer line that go into the rejects file."""
_PORTION_LINES: Final = 1_024
_PORTION_BYTES: Final = 1 << 18
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF16: Final = {
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
}


def read_lines(chunks: Iterable[bytes], index: int = 0, offset: int = 0) -> Iterator[Line]:
    r"""Cut ``chunks`` at LF (a CR before it is dropped); a last line without LF counts.

    ``index`` and ``offset`` are those of the first line.
    """
    pending = bytearray()
    dropped = 0
    for chunk in chunks:
        whole = chunk.split(b"\n")
        rest = whole.pop()
        if whole and (pending or dropped):
            whole[0] = bytes(pending) + whole[0]
            pending.clear()
        for raw in whole:
            length = len(raw) + dropped
            yield Line(index, offset, length, raw.removesuffix(b"\r"))
            index, offset, dropped = index + 1, offset + length + 1, 0
        pending += rest
        if len(pending) > KEPT_OF_LONG:
            dropped += len(pending) - KEPT_OF_LONG
            del pending[KEPT_OF_LONG:]
    if pending:
        yield Line(index, offset, len(pending) + dropped, bytes(pending.removesuffix(b"\r")))


def without_bom(chunks: Iterator[bytes], encoding: str | None) -> tuple[Iterator[bytes], str]:
    """Return ``chunks`` as bytes that can be cut at LF, and their encoding ("" unknown).

    UTF-16 (by BOM or by name) becomes UTF-8 on the way; a BOM, which the first chunk must
    hold whole, is dropped.
    """
    first = next(chunks, b"")
    chosen = _UTF16.get((encoding or "").lower(), encoding or "")
    for bom, name in _BOMS:
        if first.startswith(bom) and (not encoding or chosen == name):
            first, chosen = first[len(bom) :], name
            break
    if chosen.startswith("utf-16"):
        return _transcode(_chain(first, chunks), chosen), "utf-8"
    return _chain(first, chunks), chosen


def read_records(
    chunks: Iterator[bytes], format_name: str, context: Context
) -> Iterator[Record | Reject]:
    """Read a whole file, by ``format_name`` or as what it looks like (``auto``).

    Blank lines are no records. What no format reads is one reject per line.
    """
    first = b""
    while len(first) < HEAD and (more := next(chunks, b"")):
        first += more
    chosen = format_name
    if chosen in ("auto", EVTX) and (chosen == EVTX or first.startswith(evtx.MAGIC)):
        yield from _read_evtx(b"".join(_chain(first, chunks)), context)
        return
    data, encoding = without_bom(_chain(first, chunks), context.encoding)
    context = replace(context, encoding=encoding or None)
    lines = read_lines(data)
    if chosen != "auto":
        yield from read_with(LINE_PARSERS[chosen], lines, context)
        return
    head = _take(lines, 200)
    found = detect(b"", [line.raw[:MAX_LINE] for line in head], context)
    parser = _unknown if found is None else LINE_PARSERS[found]
    yield from read_with(parser, _then(head, lines), context)


def read_with(parser: Parser, lines: Iterable[Line], context: Context) -> Iterator[Record | Reject]:
    """Read ``lines`` by ``parser``; records of one audit event are joined."""
    if parser is parse_auditd:
        yield from read_audit(lines, context)
        return
    quiet = replace(context, prepare=None)
    for some in _portions(lines):
        raws = [line.raw for line in some]
        loud = range(len(raws)) if context.sift is None else context.sift(raws)
        for number, line in enumerate(some):
            if not line.raw.isspace() and line.raw:
                yield read_line(parser, line, context if number in loud else quiet)


def _portions(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield ``lines`` in portions that are prepared together; each takes a few hundred kB."""
    portion: list[Line] = []
    size = 0
    for line in lines:
        portion.append(line)
        size += len(line.raw)
        if size >= _PORTION_BYTES or len(portion) >= _PORTION_LINES:
            yield portion
            portion, size = [], 0
    yield portion


def read_line(parser: Parser, line: Line, context: Context) -> Record | Reject:
    """Read one line by ``parser``, after the context's ``prepare``."""
    prepared = None if context.prepare is None else context.prepare(line.raw)
    raw = line.raw if prepared is None else prepared.raw
    if line.length > MAX_LINE:
        detail = f"{line.length} bytes, {MAX_LINE} are read"
        return Reject(line.index, line.offset, line.length, "line_too_long", detail, raw)
    try:
        parsed = parser(raw, context)
    except BadLine as bad:
        return Reject(line.index, line.offset, line.length, bad.reason, bad.detail, raw)
    return Record(line.index, raw, parsed.at, parsed, prepared)


def read_piece(
    lines: list[Line], format_name: str, context: Context, *, final: bool = True
) -> tuple[list[Record | Reject], int]:
    """Read some lines of a stream, by ``format_name`` or as what they look like.

    Returns how many lines were read: all, unless more may follow (not ``final``) and the last
    ones begin something that isn't whole yet.
    """
    found: str | None = format_name
    if format_name == "auto":
        found = detect(b"", [line.raw[:MAX_LINE] for line in lines], context)
    parser = _unknown if found is None else LINE_PARSERS[found]
    if parser is parse_auditd and not final:
        return read_audit_piece(lines, context)
    return list(read_with(parser, lines, context)), len(lines)


def _read_evtx(content: bytes, context: Context) -> Iterator[Record | Reject]:
    index = 0
    for raw, result, prepared in evtx.read_evtx(content, context):
        if isinstance(result, BadLine):
            yield Reject(index, 0, len(raw), result.reason, result.detail, raw)
        else:
            yield Record(index, raw, result.at, result, prepared)
        index += 1 if raw else 0


def _unknown(_raw: bytes, _context: Context) -> Parsed:
    reason = "unknown_format"
    raise BadLine(reason, "name it with --format")


def _transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _then(head: list[Line], lines: Iterator[Line]) -> Iterator[Line]:
    yield from head
    yield from lines


def _take(lines: Iterator[Line], count: int) -> list[Line]:
    taken = []
    for line in lines:
        taken.append(line)
        if len(taken) == count:
            break
    return taken
