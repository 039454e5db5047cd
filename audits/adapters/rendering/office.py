"""DOCX from a template: ours, or an office's own, in a sandbox that escapes what it writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

DEFAULT: Final = Path(__file__).with_name("report.docx")
_MILLIMETRE: Final = 36_000
"""English metric units."""

_PICTURE_WIDTH: Final = 125 * _MILLIMETRE
_PORTRAIT, _LANDSCAPE = 9_070, 14_000
"""Twentieths of a point between the margins of A4."""

_FILLS: Final = {"compliant": "E2F3E9", "partial": "FFF3DC", "noncompliant": "FDE3E4"}
_PLAIN: Final = "FFFFFF"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_SVG: Final = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
_SVG_EXTENSION: Final = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"


def write_docx(
    fields: Mapping[str, Any], pictures: Mapping[str, bytes], template: Path = DEFAULT
) -> bytes:
    """Return a template of our own filled with ``fields``, tables as wide as their data says.

    ``pictures`` are PNG of the charts by name, for programs that don't draw their SVG.
    """
    from jinja2 import StrictUndefined  # noqa: PLC0415 - only here

    from audits.adapters.rendering.sandbox import Faults  # noqa: PLC0415 - only here

    return fill_docx(
        template.read_bytes(), fields, pictures, undefined=StrictUndefined, faults=Faults()
    )


def fill_docx(
    template: bytes,
    fields: Mapping[str, Any],
    pictures: Mapping[str, bytes],
    *,
    undefined: Any,
    faults: Any,
) -> bytes:
    """Return ``template`` filled with ``fields``; raises what Jinja and docxtpl raise."""
    from docxtpl import DocxTemplate  # noqa: PLC0415 - heavy

    from audits.adapters.rendering.sandbox import Sandbox  # noqa: PLC0415 - only here

    document = DocxTemplate(io.BytesIO(template))
    context = _context(document, fields, pictures)
    document.render(context, jinja_env=Sandbox(faults, undefined), autoescape=True)
    _fit_columns(document)
    document.docx.core_properties.title = str(fields["title"])
    content = io.BytesIO()
    document.save(content)
    return _same_always(content.getvalue())


def _context(
    document: Any, fields: Mapping[str, Any], pictures: Mapping[str, bytes]
) -> dict[str, Any]:
    drawn = {name: _Chart(document, name, str(fields[name]), pictures[name]) for name in pictures}
    chapters = [
        {**chapter, "blocks": list(_blocks(chapter["blocks"], drawn, wide=chapter["wide"]))}
        for chapter in fields["chapters"]
    ]
    return {
        **fields,
        "radar": "",
        "trend": "",
        **drawn,
        "cover": list(_blocks(fields["cover"], drawn, wide=False)),
        "chapters": [chapter for chapter in chapters if not chapter["wide"]],
        "annexes": [chapter for chapter in chapters if chapter["wide"]],
    }


def _blocks(
    blocks: list[dict[str, Any]], drawn: Mapping[str, Any], *, wide: bool
) -> Iterator[dict[str, Any]]:
    """Yield blocks as a Word table needs them: each cell with its width and its ground."""
    for block in blocks:
        match block["is"]:
            case "Grid" if block["rows"]:
                yield _grid(block, _LANDSCAPE if wide else _PORTRAIT)
            case "Figure" if block["name"] in drawn:
                yield {**block, "picture": drawn[block["name"]]}
            case "Facts" | "Sentence":
                yield block
            case _:
                continue


def _grid(block: dict[str, Any], whole: int) -> dict[str, Any]:
    weights = [column["weight"] for column in block["columns"]]
    widths = [whole * weight // sum(weights) for weight in weights]
    rows = [
        {
            "cells": [
                {"text": text, "width": width, "fill": _FILLS.get(row["tone"], _PLAIN)}
                for text, width in zip(row["cells"], widths, strict=True)
            ]
        }
        for row in block["rows"]
    ]
    heads = [
        {"text": column["title"], "width": width}
        for column, width in zip(block["columns"], widths, strict=True)
    ]
    return {**block, "heads": heads, "rows": rows, "count": len(rows)}


def _fit_columns(document: Any) -> None:
    """Make each table's grid as wide as the cells of its first row say."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - heavy

    for table in document.docx.element.body.iter(qn("w:tbl")):
        grid, row = table.find(qn("w:tblGrid")), table.find(qn("w:tr"))
        if grid is None or row is None:
            continue
        widths = [each.find(f"{qn('w:tcPr')}/{qn('w:tcW')}") for each in row.findall(qn("w:tc"))]
        columns = grid.findall(qn("w:gridCol"))
        if len(columns) == len(widths) and all(width is not None for width in widths):
            for column, width in zip(columns, widths, strict=True):
                column.set(qn("w:w"), width.get(qn("w:w")))


class _Chart:
    """A chart where a template names it: SVG, with a PNG for programs that draw none."""

    def __init__(self, document: Any, name: str, svg: str, png: bytes) -> None:
        self._document = document
        self._name = name
        self._svg = svg
        self._png = png

    def __str__(self) -> str:
        """Return the drawing's XML, which ends the run it stands in and begins another."""
        from docx.opc.constants import RELATIONSHIP_TYPE  # noqa: PLC0415 - heavy
        from docx.opc.packuri import PackURI  # noqa: PLC0415 - heavy
        from docx.opc.part import Part  # noqa: PLC0415 - heavy
        from docx.oxml import parse_xml  # noqa: PLC0415 - heavy

        part = self._document.current_rendering_part
        inline = part.new_pic_inline(io.BytesIO(self._png), _PICTURE_WIDTH, None)
        place = PackURI(f"/word/media/{self._name}.svg")
        drawing = Part(place, "image/svg+xml", self._svg.encode(), part.package)
        relation = part.relate_to(drawing, RELATIONSHIP_TYPE.IMAGE)
        blip = inline.find(".//{http://schemas.openxmlformats.org/drawingml/2006/main}blip")
        extension = (
            '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
            f'<a:ext uri="{_SVG_EXTENSION}"><asvg:svgBlip xmlns:asvg="{_SVG}"'
            ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
            f' r:embed="{relation}"/></a:ext></a:extLst>'
        )
        blip.append(parse_xml(extension))
        return (
            f"</w:t></w:r><w:r><w:drawing>{inline.xml}</w:drawing></w:r>"
            '<w:r><w:t xml:space="preserve">'
        )

    __html__ = __str__


def _same_always(content: bytes) -> bytes:
    """Return the file with its members in order and without the time at which it was packed."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as made,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in sorted(made.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(info, made.read(name))
    return packed.getvalue()
