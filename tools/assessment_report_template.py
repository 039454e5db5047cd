#!/usr/bin/env python3
"""Write the DOCX templates: of assessment reports, and of the filing data sheet.

A report has a first page, contents, chapters and annexes; the sheet a table under each heading.
An office that has a report form of its own begins from the first in a word processor; the words in
braces (docxtpl) are what the product fills in, docs/manual/reports.md lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

ROOT: Final = Path(__file__).resolve().parents[1]
PLACE: Final = ROOT / "audits" / "adapters" / "rendering" / "report.docx"
SHEET: Final = PLACE.with_name("filing_sheet.docx")
_TEXT, _HEADS = ("SimSun", "Times New Roman"), ("SimHei", "Arial")
_SMALL: Final = Pt(9)
_INK: Final = RGBColor(0x1B, 0x24, 0x30)


def write_template(place: Path) -> None:
    """Write the template of reports to ``place``."""
    document = _begun()
    _macro(document)
    document.add_paragraph("{{ title }}", style="Title")
    document.add_paragraph("{{p blocks(cover) }}")
    _contents(document)
    _chapters(document, "chapters")
    wide = document.add_section(WD_SECTION.NEW_PAGE)
    wide.orientation = WD_ORIENT.LANDSCAPE
    wide.page_width, wide.page_height = Mm(297), Mm(210)
    _chapters(document, "annexes")
    document.save(str(place))


def write_sheet(place: Path) -> None:
    """Write the template of the filing data sheet to ``place``."""
    document = _begun()
    add = document.add_paragraph
    add("{{ title }}", style="Title")
    add("{{ cover[0].text }}", style="Heading 2")
    add("{%p for chapter in chapters %}")
    add("{{ chapter.heading }}", style="Heading 1")
    add("{%p for block in chapter.blocks %}")
    add('{%p if block.is == "Facts" %}')
    _facts(document, style="Table Grid")
    add("{%p else %}")
    add("{{ block.text }}")
    add("{%p endif %}")
    add("{%p endfor %}")
    add("{%p endfor %}")
    document.save(str(place))


def _begun() -> Any:
    """Return an empty document of A4 with our fonts and a footer."""
    document = Document()
    _styles(document)
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(25)
    page.top_margin = page.bottom_margin = Mm(22)
    _footer(page)
    return document


def _styles(document: Any) -> None:
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Caption"):
        style = document.styles[name]
        asian, latin = _TEXT if name == "Normal" else _HEADS
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in list(fonts.attrib):
            del fonts.attrib[attribute]
        fonts.set(qn("w:eastAsia"), asian)
        for script in ("w:ascii", "w:hAnsi", "w:cs"):
            fonts.set(qn(script), latin)
        style.font.color.rgb = _INK
    document.styles["Normal"].font.size = Pt(10.5)
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    document.styles["Normal"].paragraph_format.line_spacing = 1.1
    document.styles["Title"].font.size = Pt(22)
    document.styles["Heading 1"].font.size = Pt(15)
    document.styles["Heading 2"].font.size = Pt(12)
    document.styles["Caption"].font.size = Pt(10)
    document.styles["Caption"].paragraph_format.keep_with_next = True


def _footer(page: Any) -> None:
    paragraph = page.footer.paragraphs[0]
    paragraph.add_run("{{ footer }}    ").font.size = _SMALL
    _field(paragraph, "PAGE", "1")


def _field(paragraph: Any, code: str, shown: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = shown
    run.append(text)
    field.append(run)
    paragraph._p.append(field)  # noqa: SLF001 - python-docx has no fields


def _macro(document: Any) -> None:
    """Write how a block looks, which the pages below use by name."""
    add = document.add_paragraph
    add("{%p macro blocks(all) %}")
    add("{%p for block in all %}")
    add('{%p if block.is == "Facts" %}')
    _facts(document)
    add('{%p elif block.is == "Figure" %}')
    add("{{ block.picture }}").alignment = 1
    add('{%p elif block.is == "Grid" %}')
    add("{{ block.caption }} ({{ block.count }})", style="Caption")
    _grid(document)
    add("{{ block.more }}")
    add('{%p elif block.kind == "heading" %}')
    add("{{ block.text }}", style="Heading 2")
    add('{%p elif block.kind == "warning" %}')
    add("").add_run("{{ block.text }}").bold = True
    add("{%p else %}")
    add("{{ block.text }}")
    add("{%p endif %}")
    add("{%p endfor %}")
    add("{%p endmacro %}")


def _facts(document: Any, style: str | None = None) -> None:
    table = document.add_table(rows=3, cols=2, style=style)
    table.autofit = False
    texts = (
        ("{%tr for row in block.rows %}", ""),
        ("{{ row[0] }}", "{{ row[1] }}"),
        ("{%tr endfor %}", ""),
    )
    for row, cells in zip(table.rows, texts, strict=True):
        for cell, text, width in zip(row.cells, cells, (Mm(40), Mm(120)), strict=True):
            cell.text = text
            cell.width = width


def _grid(document: Any) -> None:
    table = document.add_table(rows=4, cols=3)
    table.style = "Table Grid"
    table.autofit = False
    rows = (
        ("{%tc for head in block.heads %}", "{{ head.text }}", "{%tc endfor %}"),
        ("{%tr for row in block.rows %}", "", ""),
        ("{%tc for cell in row.cells %}", "{{ cell.text }}", "{%tc endfor %}"),
        ("{%tr endfor %}", "", ""),
    )
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = ""
            run = cell.paragraphs[0].add_run(text)
            run.font.size = _SMALL
            spacing = cell.paragraphs[0].paragraph_format
            spacing.space_before = spacing.space_after = Pt(2)
            spacing.line_spacing = 1.0
    _row(table.rows[0], "head", "E6F0FB", bold=True)
    _row(table.rows[2], "cell", "{{ cell.fill }}")


def _row(row: Any, name: str, fill: str, *, bold: bool = False) -> None:
    """Make a row's written cell as wide as the data says, and the row stay on one page."""
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no such setting
    properties.append(OxmlElement("w:cantSplit"))
    if bold:
        properties.append(OxmlElement("w:tblHeader"))
    cell = row.cells[1]
    cell.paragraphs[0].runs[0].bold = bold
    inner = cell._tc.get_or_add_tcPr()  # noqa: SLF001 - as above
    width = inner.get_or_add_tcW()
    width.set(qn("w:w"), f"{{{{ {name}.width }}}}")
    width.set(qn("w:type"), "dxa")
    shade = OxmlElement("w:shd")
    for key, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", fill)):
        shade.set(qn(key), value)
    inner.append(shade)


def _contents(document: Any) -> None:
    """Write the chapters' headings as a table of contents that a word processor renews."""
    start = document.add_paragraph()
    start.add_run().add_break(WD_BREAK.PAGE)
    for kind in ("begin", "separate"):
        _mark(start, kind)
        if kind == "begin":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = 'TOC \\o "1-1" \\h'
            start.add_run()._r.append(code)  # noqa: SLF001 - python-docx has no fields
    for name in ("chapters", "annexes"):
        document.add_paragraph(f"{{%p for chapter in {name} %}}")
        line = document.add_paragraph("{{ chapter.heading }}")
        line.paragraph_format.space_after = Pt(0)
        line.runs[0].font.size = _SMALL
        document.add_paragraph("{%p endfor %}")
    end = document.add_paragraph()
    _mark(end, "end")
    end.add_run().add_break(WD_BREAK.PAGE)


def _mark(paragraph: Any, kind: str) -> None:
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(mark)  # noqa: SLF001 - python-docx has no fields


def _chapters(document: Any, name: str) -> None:
    document.add_paragraph(f"{{%p for chapter in {name} %}}")
    document.add_paragraph("{{ chapter.heading }}", style="Heading 1")
    document.add_paragraph("{{p blocks(chapter.blocks) }}")
    document.add_paragraph("{%p endfor %}")


if __name__ == "__main__":
    write_template(PLACE)
    write_sheet(SHEET)
