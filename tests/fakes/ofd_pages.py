"""Unsigned OFDs of several pages with sizes, as an office program would write them."""

from __future__ import annotations

from typing import Any

from tests.fakes.ofd import NS, Files

A4 = "0 0 210 297"


def paged_document(count: int = 1, **changes: Any) -> Files:
    """Return a document of ``count`` A4 pages without a list of signatures."""
    folder = changes.get("folder", "Doc_0")
    stem = f"{folder}/" if folder else ""
    entries = "".join(
        f'<ofd:Page ID="{number}" BaseLoc="Pages/Page_{number}/Content.xml"/>'
        for number in range(1, count + 1)
    )
    area = f"<ofd:PageArea><ofd:PhysicalBox>{changes.get('box', A4)}</ofd:PhysicalBox>"
    common = f"<ofd:CommonData><ofd:MaxUnitID>99</ofd:MaxUnitID>{area}</ofd:PageArea>"
    texts = {
        "OFD.xml": f'<?xml version="1.0" encoding="UTF-8"?><ofd:OFD {NS} Version="1.0" '
        'DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>07723bc91fdf4078a17588d63c419bea'
        f"</ofd:DocID></ofd:DocInfo><ofd:DocRoot>{stem}Document.xml</ofd:DocRoot>"
        f"{changes.get('after_root', '')}</ofd:DocBody></ofd:OFD>",
        f"{stem}Document.xml": f"<ofd:Document {NS}>{common}</ofd:CommonData>"
        f"<ofd:Pages>{changes.get('pages', entries)}</ofd:Pages></ofd:Document>",
    }
    own_area = changes.get("area", "")
    for number in range(1, count + 1):
        texts[f"{stem}Pages/Page_{number}/Content.xml"] = (
            f'<ofd:Page {NS}>{own_area}<ofd:Content><ofd:Layer ID="{10 + number}">'
            "</ofd:Layer></ofd:Content></ofd:Page>"
        )
    return {name: text.encode() for name, text in texts.items()}
