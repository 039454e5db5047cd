"""Parts of a report in PDF (ISO 32000-1): what each page says of each item, objects, attachments.

Only what our own renderer writes is read: objects in the open, streams bare or deflated, glyphs of
two bytes with a ToUnicode map. In another file pages have no items, and objects still have names.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from audits.core.report_parts.parts import Part, cut_by_item, part
from audits.core.report_parts.shown import hexadecimal_bytes, letters, literal_bytes, shown_text
from audits.core.report_parts.structured import json_parts
from audits.errors import ReportRejected
from audits.models.reports import PdfRead

MAX_OBJECTS: Final = 100_000
MAX_FONTS: Final = 64
MAX_GLYPHS: Final = 1 << 16
MAX_UNPACKED: Final = 64 << 20

_OBJECT: Final = re.compile(rb"(?:^|[\r\n])(\d{1,9}) (\d{1,5}) obj\b")
_STREAM: Final = re.compile(rb"\bstream\r?\n")
_LENGTH: Final = re.compile(rb"/Length (\d{1,9})\b(?! \d)")
_PAGE: Final = re.compile(rb"/Type ?/Page\b(?!s)")
_EMBEDDED: Final = re.compile(rb"/Type ?/EmbeddedFile\b(?!s)")
_LINK: Final = re.compile(rb"/Subtype ?/Link\b")
_ACTION: Final = re.compile(rb"/A ?<<")
"""Links inside the file have a destination, and no action."""

_CONTENTS: Final = re.compile(rb"/Contents ?\[?((?: ?\d{1,9} \d{1,5} R)+)")
_REFERENCE: Final = re.compile(rb"(\d{1,9}) \d{1,5} R")
_FONTS: Final = re.compile(rb"/Font ?<<(.{0,8000}?)>>", re.DOTALL)
_FONT: Final = re.compile(rb"/([A-Za-z0-9_.+-]{1,64}) (\d{1,9}) \d{1,5} R")
_TO_UNICODE: Final = re.compile(rb"/ToUnicode (\d{1,9}) \d{1,5} R")
_RESOURCES: Final = re.compile(rb"/Resources (\d{1,9}) \d{1,5} R")
_SHOWN: Final = re.compile(
    rb"/([A-Za-z0-9_.+-]{1,64}) -?[\d.]{1,16} Tf"
    rb"|\(((?:[^()\\]|\\.){0,65535})\)|<([0-9A-Fa-f]{2,65534})>",
    re.DOTALL,
)
_PAIRS: Final = re.compile(rb"<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4,64})>\s")
_RANGES: Final = re.compile(rb"<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4})> ?<([0-9A-Fa-f]{4,8})>")


@dataclass(frozen=True, slots=True)
class _Object:
    head: bytes
    data: bytes
    sound: bool


class _Reader:
    """A PDF file's pages and what they show, within limits for the whole file."""

    def __init__(self, objects: Mapping[int, _Object], ids: Collection[str]) -> None:
        self._objects = objects
        self._ids = ids
        self._left = MAX_UNPACKED
        self._characters = {
            number: _characters(self._to_unicode(each))
            for number, each in objects.items()
            if b"/ToUnicode" in each.head
        }
        if len(self._characters) > MAX_FONTS:
            raise ReportRejected(f"it has more than {MAX_FONTS} fonts")

    def parts(self) -> Iterator[Part]:
        """Yield the parts of all pages."""
        for number, page in enumerate(self._pages(), 1):
            yield from self._page(number, page)

    def text(self) -> str:
        """Return what all pages show, one after the other."""
        return "\n".join(
            shown_text(b"\n".join(each.data for each in self._drawn(page)), self._fonts(page))
            for page in self._pages()
        )

    def _pages(self) -> list[_Object]:
        return [each for each in self._objects.values() if _PAGE.search(each.head)]

    def _drawn(self, page: _Object) -> list[_Object]:
        """Return the streams that draw a page."""
        found = _CONTENTS.search(page.head)
        streams = [
            self._objects.get(int(n)) for n in _REFERENCE.findall(found[1] if found else b"")
        ]
        drawn = [each for each in streams if each is not None]
        self._left -= sum(len(each.data) for each in drawn)
        if self._left < 0:
            raise ReportRejected(f"its pages draw more than {MAX_UNPACKED} bytes")
        return drawn

    def _page(self, number: int, page: _Object) -> Iterator[Part]:
        """Yield one part for what the page says of each item, and one for all that it draws."""
        drawn = self._drawn(page)
        data = b"\n".join(each.data for each in drawn)
        if not all(each.sound for each in drawn):
            yield part(f"page {number}", b"unreadable" + data)
            return
        pieces = cut_by_item(_text(data, self._fonts(page)), self._ids)
        named = ["", *pieces[1::2]]
        for name, said in zip(named, pieces[::2], strict=True):
            where = f"page {number}: {name or 'before its items'}"
            yield part(where, said.encode(errors="replace"), items=(name,) if name else ())
        yield part(f"page {number}", b"", marks=data or b"\x00", items=dict.fromkeys(named[1:]))

    def _fonts(self, page: _Object) -> dict[bytes, dict[int, str]]:
        """Return the map from glyphs to characters of each font that the page may use."""
        found = _RESOURCES.search(page.head)
        holder = self._objects.get(int(found[1]), page) if found else page
        fonts = _FONTS.search(holder.head)
        named = _FONT.findall(fonts[1] if fonts else b"")
        return {name: self._characters.get(int(number), {}) for name, number in named}

    def _to_unicode(self, font: _Object) -> bytes:
        found = _TO_UNICODE.search(font.head)
        stream = self._objects.get(int(found[1])) if found else None
        return stream.data if stream else b""


def read_pdf(content: bytes) -> PdfRead:
    """Return what a PDF file of our renderer shows, carries and links to.

    Raises ``ReportRejected`` for one that can't be read within the limits.
    """
    objects, _ = _objects(content)
    heads = [each.head for each in objects.values()]
    carried = (each.data for each in objects.values() if _EMBEDDED.search(each.head))
    outside = any(_LINK.search(head) and _ACTION.search(head) for head in heads)
    return PdfRead(_Reader(objects, ()).text(), tuple(carried), outside)


def pdf_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of a PDF file."""
    objects, rest = _objects(content)
    parts = list(_Reader(objects, ids).parts())
    plain = bytearray()
    for name, each in objects.items():
        parts += _attachment(each, ids)
        if each.data:
            parts.append(part(f"object {name}", b"", marks=each.head + b"\x00" + each.data))
        else:
            plain += b"%d\x00%d\x00" % (name, len(each.head)) + each.head
    parts.append(part("objects without streams", b"", marks=bytes(plain) or b"\x00"))
    parts.append(part("between the objects", b"", marks=rest or b"\x00"))
    return parts


def _objects(content: bytes) -> tuple[dict[int, _Object], bytes]:
    """Return the objects by number, and the bytes that belong to none."""
    starts = list(_OBJECT.finditer(content))
    if not starts or len(starts) > MAX_OBJECTS:
        raise ReportRejected("it is no PDF file with readable objects")
    objects: dict[int, _Object] = {}
    left, place, rest = MAX_UNPACKED, 0, []
    for start in starts:
        if start.start() < place:  # it stood inside a stream
            continue
        rest.append(content[place : start.start()])
        each, place = _object(content, start.end(), left)
        left -= len(each.data)
        if left < 0:
            raise ReportRejected(f"it unpacks to more than {MAX_UNPACKED} bytes")
        # a later object of the same number is what readers show
        objects[int(start[1])] = each
    return objects, b"".join([*rest, content[place:]])


def _object(content: bytes, start: int, left: int) -> tuple[_Object, int]:
    """Return the object whose dictionary begins at ``start``, and where it ends."""
    end = content.find(b"endobj", start)
    end = len(content) if end < 0 else end
    stream = _STREAM.search(content, start, end)
    if stream is None:
        return _Object(content[start:end], b"", sound=True), end + len(b"endobj")
    head = content[start : stream.start()]
    length = _LENGTH.search(head)
    stop = stream.end() + int(length[1]) if length else content.find(b"endstream", start)
    stop = stop if 0 <= stop <= len(content) else len(content)
    raw = content[stream.end() : stop]
    closing = content.find(b"endobj", stop)
    closing = len(content) if closing < 0 else closing
    tail = content[stop:closing]
    if b"/FlateDecode" not in head:
        return _Object(head + tail, raw, sound=True), closing + len(b"endobj")
    data, sound = _inflated(raw, left)
    return _Object(head + tail, data, sound), closing + len(b"endobj")


def _inflated(raw: bytes, left: int) -> tuple[bytes, bool]:
    """Return at most ``left`` + 1 bytes of a deflated stream, or its bytes as they are."""
    work = zlib.decompressobj()
    try:
        data = work.decompress(raw, left + 1)
    except zlib.error:
        return raw, False
    if len(data) > left:
        raise ReportRejected(f"it unpacks to more than {MAX_UNPACKED} bytes")
    if not work.eof or work.unused_data:
        return raw, False
    return data, True


def _characters(cmap: bytes) -> dict[int, str]:
    """Return the characters of glyphs (Adobe Technical Note 5411, bfchar and bfrange)."""
    known: dict[int, str] = {}
    left = MAX_GLYPHS
    for low, high, first in _RANGES.findall(cmap):
        start = int(low, 16)
        for offset in range(min(int(high, 16) - start + 1, left)):
            known[start + offset] = chr(min(int(first, 16) + offset, 0x10FFFF))
            left -= 1
    for glyph, characters in _PAIRS.findall(_RANGES.sub(b"", cmap))[:MAX_GLYPHS]:
        text = bytes.fromhex(characters.decode()[: len(characters) // 4 * 4])
        known[int(glyph, 16)] = text.decode("utf-16-be", errors="replace")
    return known


def _text(data: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> str:
    """Return what a content stream shows, in the order in which it draws."""
    font: Mapping[int, str] = {}
    shown: list[str] = []
    for name, literal, hexadecimal in _SHOWN.findall(data):
        if name:
            font = fonts.get(name, {})
            continue
        codes = literal_bytes(literal) if literal else hexadecimal_bytes(hexadecimal)
        shown += letters(codes, font)
    return "".join(shown)


def _attachment(each: _Object, ids: Collection[str]) -> list[Part]:
    if not _EMBEDDED.search(each.head) or not each.sound:
        return []
    try:
        return json_parts(each.data, ids, "attachment")
    except ReportRejected:
        return [part("attachment", each.data)]
