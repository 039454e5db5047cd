#!/usr/bin/env python3
"""Write the DOCX template of the incident report: headings, and a table for each section.

An office that has a form of its own edits the file in a word processor; the words in braces
(docxtpl) are what the product fills in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from docx import Document
from docx.oxml.ns import qn

ROOT: Final = Path(__file__).resolve().parents[1]
PLACE: Final = ROOT / "playbooks" / "adapters" / "printing" / "incident_report.docx"
_FONT: Final = "SimSun"


def write_template(place: Path) -> None:
    """Write the template to ``place``."""
    document = Document()
    for name in ("Normal", "Title", "Heading 1"):
        fonts = document.styles[name].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), _FONT)
    document.add_paragraph("{{ title }}", style="Title")
    document.add_paragraph("{%p for section in sections %}")
    document.add_paragraph("{{ section.heading }}", style="Heading 1")
    table = document.add_table(rows=4, cols=3)
    table.style = "Table Grid"
    rows = (
        ("{%tc for name in section.columns %}", "{{ name }}", "{%tc endfor %}"),
        ("{%tr for row in section.rows %}", "", ""),
        ("{%tc for cell in row %}", "{{ cell }}", "{%tc endfor %}"),
        ("{%tr endfor %}", "", ""),
    )
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph("{{ section.more }}")
    document.add_paragraph("{%p endfor %}")
    document.add_paragraph("{{ digest_heading }}", style="Heading 1")
    document.add_paragraph("{%p for line in digests %}")
    document.add_paragraph("{{ line }}")
    document.add_paragraph("{%p endfor %}")
    document.save(str(place))


if __name__ == "__main__":
    write_template(PLACE)
