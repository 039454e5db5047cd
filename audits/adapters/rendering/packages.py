"""What a Word file that a stranger made may be before it is opened as a template."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from lxml import etree

MAX_FILE: Final = 4 << 20
_MAX_MEMBERS: Final = 300
_MAX_UNPACKED: Final = 24 << 20
_MAX_TEXT: Final = 4 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9_\[\]. -]+(/[A-Za-z0-9_\[\]. -]+)*\Z")
_ACTIVE: Final = ("vbaProject", "vbaData", "activeX", "embeddings/", "oleObject", "afchunk")
_FIELDS: Final = re.compile(r"\b(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK|MACROBUTTON)\b")
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MAIN: Final = "word/document.xml"
_PARSER: Final = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
    "remove_comments": False,
}


def package_faults(content: bytes) -> list[str]:
    """Return what is wrong with a DOCX file, each with the member it stands in."""
    if len(content) > MAX_FILE:
        return [f"the file is larger than {MAX_FILE} bytes"]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            faults = _listing(archive.infolist())
            return faults or [
                each for info in archive.infolist() for each in _member(archive, info)
            ]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        return [f"it is no sound DOCX file: {type(error).__name__}"]


def _listing(infos: list[zipfile.ZipInfo]) -> list[str]:
    names = [info.filename for info in infos]
    lower = {name.lower() for name in names}
    if len(infos) > _MAX_MEMBERS or len(lower) != len(names):
        return ["it has too many members, or one twice"]
    if sum(info.file_size for info in infos) > _MAX_UNPACKED:
        return [f"it unpacks to more than {_MAX_UNPACKED} bytes"]
    if _MAIN not in names or "[Content_Types].xml" not in names:
        return [f"it has no {_MAIN}"]
    return [f"{name[:80]!r}: a name like this is refused" for name in names if _is_strange(name)]


def _is_strange(name: str) -> bool:
    active = any(word.lower() in name.lower() for word in _ACTIVE)
    return active or ".." in name or not _NAME.match(name.removesuffix("/"))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[str]:
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) != info.file_size:
        yield f"{info.filename}: its size is not what the list says"
        return
    if not info.filename.endswith((".xml", ".rels")):
        return
    if len(content) > _MAX_TEXT:
        yield f"{info.filename}: it is larger than {_MAX_TEXT} bytes"
        return
    try:
        tree = etree.fromstring(content, etree.XMLParser(**_PARSER))
    except etree.XMLSyntaxError as error:
        yield f"{info.filename}: {error}"[:200]
        return
    if tree.getroottree().docinfo.doctype or b"<!ENTITY" in content:
        yield f"{info.filename}: a document type is refused"
    yield from _reaching(info.filename, tree)


def _reaching(name: str, tree: etree._Element) -> Iterator[str]:
    """Yield what would reach out of the file, or run."""
    for relation in tree.iter(_RELATION):
        if relation.get("TargetMode") == "External":
            yield f"{name}: it refers to {str(relation.get('Target'))[:80]!r} outside"
    for part in tree.iter("{http://schemas.openxmlformats.org/package/2006/content-types}Override"):
        if "macroEnabled" in str(part.get("ContentType")):
            yield f"{name}: macros are refused"
    for field in (*tree.iter(f"{_WORD}instrText"), *tree.iter(f"{_WORD}fldSimple")):
        code = f"{field.text or ''} {field.get(f'{_WORD}instr') or ''}"
        if found := _FIELDS.search(code.upper()):
            yield f"{name}: the field {found[0]} is refused"
    for part in tree.iter(f"{_WORD}altChunk"):
        yield f"{name}: {part.tag.rpartition('}')[2]} is refused"
