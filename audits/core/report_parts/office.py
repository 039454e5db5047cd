"""Parts of a report in DOCX or XLSX (ISO/IEC 29500): rows named by their item, and members.

Rows are judged by the texts of their cells, so a file that an office program saved anew names the
row that was edited and not all of them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import unescape
from typing import Final

from audits.core.report_parts.parts import Part, cut_by_item, part
from audits.errors import ReportRejected

MAX_ENTRIES: Final = 2_000
MAX_UNPACKED: Final = 64 << 20
_STEP: Final = 64

_ROW: Final = re.compile(rb"<(/?)w:tr\b[^<>]*>")
_STYLE: Final = re.compile(rb'<w:pStyle w:val="(?:Heading|heading|Title|[1-6]")')
_WORDS: Final = re.compile(rb"<w:t(?: [^<>]*)?>([^<>]*)</w:t>")
_CELL: Final = re.compile(rb"<c(?=[ />])([^<>]*)>")
_VALUE: Final = re.compile(rb"<v>([^<>]*)</v>")
_FORMULA: Final = re.compile(rb"<f\b[^<>]*>([^<>]*)</f>")
_SPAN: Final = re.compile(rb"<t(?: [^<>]*)?>([^<>]*)</t>")
_SHEET: Final = re.compile(rb'<sheet\b[^<>]*?\bname="([^"<>]*)"[^<>]*?\br:id="([^"<>]*)"')
_RELATION: Final = re.compile(rb"<Relationship\b[^<>]*>")


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the members of a zip file; raise ``ReportRejected`` beyond its limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            if len(infos) > MAX_ENTRIES or len(names) != len(infos):
                raise ReportRejected("it has too many members, or one twice")
            members: dict[str, bytes] = {}
            left = MAX_UNPACKED
            for info in infos:
                member = _member(content, archive, info, left)
                members[info.filename] = member
                left -= len(member)
                if left < 0:
                    raise ReportRejected(f"it unpacks to more than {MAX_UNPACKED} bytes")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise ReportRejected("it is no sound zip file") from error
    except (NotImplementedError, RuntimeError) as error:
        raise ReportRejected("it is packed in a way that reports are not") from error
    return members


def _member(content: bytes, archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    """Return a member, as far as it can be read: a damaged one still has rows to be named."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ReportRejected("it is packed in a way that reports are not")
    try:
        with archive.open(info) as file:
            return file.read(left + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        start = info.header_offset + 30 + len(info.filename.encode()) + len(info.extra)
        return _salvaged(content[start : start + info.compress_size], left)


def _salvaged(deflated: bytes, left: int) -> bytes:
    """Return what comes out of a deflated stream before it breaks."""
    work, said = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    for at in range(0, len(deflated), _STEP):
        try:
            said += work.decompress(deflated[at : at + _STEP], left + 1)
        except zlib.error:
            break
        if len(said) > left:
            break
    return bytes(said)


def docx_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of a DOCX file."""
    members = unpacked(content)
    body = members.get("word/document.xml", b"")
    return [*_flow(body, ids), *_members(members)]


def _flow(body: bytes, ids: Collection[str]) -> Iterator[Part]:
    start, heading = 0, "top"
    for begin, end in _rows(body):
        heading, parts = _paragraphs(body[start:begin], heading, ids)
        yield from parts
        yield _row(f"{heading}:", body[begin:end], ids)
        start = end
    yield from _paragraphs(body[start:], heading, ids)[1]


def _rows(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the outermost table rows."""
    depth = begin = 0
    for tag in _ROW.finditer(body):
        if not tag[1]:
            begin = begin if depth else tag.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield begin, tag.end()


def _paragraphs(body: bytes, heading: str, ids: Collection[str]) -> tuple[str, list[Part]]:
    """Return the last heading and one part for what stands under each."""
    parts: list[Part] = []
    texts: list[str] = []
    for paragraph in body.split(b"</w:p>"):
        text = _joined(_WORDS, paragraph)
        if _STYLE.search(paragraph) and text.strip():
            _section(parts, heading, texts, ids)
            heading, texts = text.strip(), []
        texts.append(text)
    _section(parts, heading, texts, ids)
    return heading, parts


def _section(parts: list[Part], heading: str, texts: list[str], ids: Collection[str]) -> None:
    if any(texts):
        said = "\n".join(texts)
        named = cut_by_item(said, ids)[1::2]
        parts.append(part(f"section {heading}", said.encode(errors="replace"), items=named))


def _row(where: str, row: bytes, ids: Collection[str]) -> Part:
    cells = row.split(b"</w:tc>")
    return _of_cells(where, [_cell_text(cell) for cell in cells], row, ids)


def _cell_text(cell: bytes) -> str:
    """Return what a cell says, a space between its lines."""
    lines = cell.replace(b"<w:br/>", b"</w:p>").split(b"</w:p>")
    return " ".join(filter(None, (_joined(_WORDS, line) for line in lines)))


def _of_cells(where: str, texts: Sequence[str], row: bytes, ids: Collection[str]) -> Part:
    first = next((text.strip() for text in texts if text.strip()), "empty")
    item = first.split()[0] if first.split() else ""
    said = "\x1f".join(texts).encode(errors="replace")
    return part(f"{where} row {first}", said, marks=row, items=(item,) if item in ids else ())


def _joined(pattern: re.Pattern[bytes], xml: bytes) -> str:
    return unescape(b"".join(pattern.findall(xml)).decode(errors="replace"))


def _members(members: Mapping[str, bytes]) -> Iterator[Part]:
    """Yield one part for each member, by bytes: what no row or section says is in one of these."""
    for name in sorted(members):
        yield part(f"member {name}", b"", marks=members[name] or b"\x00")


def xlsx_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of an XLSX file; shared strings count in the rows that show them."""
    members = unpacked(content)
    strings = members.get("xl/sharedStrings.xml", b"").replace(b"<si/>", b"</si>")
    shared = [_joined(_SPAN, each) for each in strings.split(b"</si>")]
    parts: list[Part] = []
    left = MAX_UNPACKED
    for name, member in _sheets(members):
        for row in members.get(member, b"").split(b"</row>"):
            texts = _shown(row, shared, left)
            left -= sum(map(len, texts))
            if any(texts):
                parts.append(_of_cells(f"sheet {name}:", texts, row, ids))
    return [*parts, *_members(members)]


def _sheets(members: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the sheets' names and members, in the workbook's order."""
    targets = {}
    for relation in _RELATION.findall(members.get("xl/_rels/workbook.xml.rels", b"")):
        named = {
            key: value.decode(errors="replace")
            for key, value in re.findall(rb'\b(Id|Target)="([^"<>]*)"', relation)
        }
        targets[named.get(b"Id", "")] = named.get(b"Target", "")
    for name, relation in _SHEET.findall(members.get("xl/workbook.xml", b"")):
        target = targets.get(relation.decode(errors="replace"), "")
        member = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        yield unescape(name.decode(errors="replace")), member


def _shown(row: bytes, shared: Sequence[str], left: int) -> list[str]:
    """Return the cells' texts, within bounds: many cells may show one long string."""
    texts: list[str] = []
    for text in _cells(row, shared):
        left -= len(text)
        if left < 0:
            raise ReportRejected(f"its cells show more than {MAX_UNPACKED} characters")
        texts.append(text)
    return texts


def _cells(row: bytes, shared: Sequence[str]) -> Iterator[str]:
    starts = list(_CELL.finditer(row))
    ends = [*(start.start() for start in starts[1:]), len(row)][: len(starts)]
    for start, end in zip(starts, ends, strict=True):
        yield _cell(start[1], row[start.end() : end], shared)


def _cell(attributes: bytes, inner: bytes, shared: Sequence[str]) -> str:
    """Return what a cell shows, its formula too where it has one."""
    value = _joined(_VALUE, inner)
    if b't="s"' in attributes and value.isascii() and value.isdigit():
        number = int(value[:9])
        value = shared[number] if number < len(shared) else f"shared string {number}"
    elif b't="inlineStr"' in attributes:
        value = _joined(_SPAN, inner)
    formula = _joined(_FORMULA, inner)
    return f"={formula}\x1e{value}" if formula else value
