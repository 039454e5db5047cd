"""What somebody would do to a report's file, form by form, as with an ordinary program."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping

from tools import verify_report as tool


def edit_zip(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a zip file with each member as ``change`` (name, content) returns it."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return made.getvalue()


def edit_json(content: bytes, item: str) -> bytes:
    document = json.loads(content)
    (one,) = [one for one in document["items"] if one["id"] == item]
    one["status"], one["status_zh"] = "not_applicable", "不适用"
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def edit_oscal(content: bytes, item: str) -> bytes:
    document = json.loads(content)
    findings = document["assessment-results"]["results"][0]["findings"]
    (one,) = [one for one in findings if one["target"]["target-id"] == item]
    one["target"]["status"] = {"state": "satisfied", "reason": "pass"}
    one["description"] = "已整改"
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def edit_html(content: bytes, item: str) -> bytes:
    where = content.index(b"<td>", content.index(f'data-item="{item}"'.encode())) + 4
    return content[:where] + "已整改 ".encode() + content[where:]


def edit_docx(content: bytes, item: str) -> bytes:
    def change(name: str, member: bytes) -> bytes:
        if name != "word/document.xml":
            return member
        at = member.index(item.encode())
        text = re.compile(rb"(<w:t(?: [^>]*)?>)").search(member, at)
        assert text is not None
        return member[: text.end()] + "已整改".encode() + member[text.end() :]

    return edit_zip(content, change)


def edit_xlsx(content: bytes, item: str) -> bytes:
    """Change the cell beside the item's id, on the first sheet that shows it."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        strings = re.findall(rb"<si>(.*?)</si>", book.read("xl/sharedStrings.xml"), re.DOTALL)
        number = next(n for n, one in enumerate(strings) if f">{item}<".encode() in one)
        sheets = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))

        def change(name: str, member: bytes) -> bytes:
            if name != sheet:
                return member
            cell = re.compile(rb'(t="s"><v>)%d(</v></c><c [^>]*?)t="s"><v>\d+</v>' % number)
            return cell.sub(rb'\g<1>%d\g<2>t="str"><v>edited</v>' % number, member, count=1)

        pattern = re.compile(rb'<v>%d</v></c><c [^>]*?t="s"' % number)
        sheet = next(name for name in sheets if pattern.search(book.read(name)))
    return edit_zip(content, change)


_SHOWN = re.compile(rb"\[\(((?:[^()\\]|\\.){6,})\)", re.DOTALL)


def edit_pdf(content: bytes, item: str) -> bytes:
    """Take the last text off a page that shows ``item``: it stands under the page's last item."""
    shows = _pages_with(content, item)

    def erase(_: bytes, data: bytes) -> bytes | None:
        if data not in shows:
            return None
        *_, last = _SHOWN.finditer(data)
        return data[: last.start(1)] + data[last.end(1) :]

    return _edit_stream(content, erase)


def _pages_with(content: bytes, item: str) -> list[bytes]:
    objects, _ = tool._objects(content)
    fonts = {
        n: tool._glyphs(objects, one[0]) for n, one in objects.items() if b"/ToUnicode" in one[0]
    }
    found = []
    for page, *_ in objects.values():
        if re.search(rb"/Type ?/Page\b(?!s)", page):
            (drawn,) = (one[1] for one in tool._drawn(page, objects))
            if item in tool._text(drawn, tool._page_fonts(page, objects, fonts)):
                found.append(drawn)
    return found


def edit_attachment(content: bytes, item: str) -> bytes:
    """Change the verdict of ``item`` in the document that is attached to a PDF file."""

    def change(head: bytes, data: bytes) -> bytes | None:
        return edit_json(data, item) if b"/EmbeddedFile" in head else None

    return _edit_stream(content, change)


def _edit_stream(content: bytes, change: Callable[[bytes, bytes], bytes | None]) -> bytes:
    """Return a PDF file with the first stream (dictionary, data) that ``change`` changes."""
    for found in re.finditer(rb"<</Length (\d+)([^\r\n]*)>>\s*stream\n", content):
        if b"/FlateDecode" in found[2]:
            end = found.end() + int(found[1])
            changed = change(found[2], zlib.decompress(content[found.end() : end]))
            if changed is not None:
                packed = zlib.compress(changed)
                head = b"<</Length %d%b>>\nstream\n" % (len(packed), found[2])
                return content[: found.start()] + head + packed + content[end:]
    raise AssertionError


EDITS: Mapping[str, Callable[[bytes, str], bytes]] = {
    "json": edit_json,
    "oscal": edit_oscal,
    "html": edit_html,
    "docx": edit_docx,
    "xlsx": edit_xlsx,
    "pdf": edit_pdf,
}
