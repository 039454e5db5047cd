"""Write a new OFD of one page (GB/T 33190-2016 §7, §9, §11): texts, frames, filled rectangles.

Texts are objects with the advance of each letter, so that every reader sets them alike; the font
is named, not carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from kms.core.gbt33190.markup import NAMESPACES, numbers_text, to_bytes
from kms.core.gbt33190.package import write_package
from kms.models.ecertificates import DocumentFacts, Drawing, DrawnText
from secops.kernel.clock import to_rfc3339

_NAMESPACE: Final = NAMESPACES[0]
_FONT: Final = "宋体"
_FONT_ID: Final = "1"
_PAGE_ID: Final = "2"
_LAYER_ID: Final = "3"
_FIRST_ID: Final = 4
_ASCENT: Final = 0.86
"""Share of a letter's height above its base line."""
_LINE: Final = "0.35"
_BLACK: Final = "0 0 0"
_CREATOR: Final = "govsecops"

_Box = tuple[float, float, float, float]


def draw_ofd(drawing: Drawing, facts: DocumentFacts) -> bytes:
    """Return the OFD; the same drawing and facts, the same bytes.

    Raises ``ValueError`` for a text that XML can't hold.
    """
    files = {
        "OFD.xml": _root(facts),
        "Doc_0/Document.xml": _document(drawing),
        "Doc_0/PublicRes.xml": _resources(),
        "Doc_0/Pages/Page_0/Content.xml": _content(drawing),
    }
    return write_package((name, to_bytes(element)) for name, element in files.items())


def _element(name: str, **attributes: str) -> Any:
    return etree.Element(f"{{{_NAMESPACE}}}{name}", attributes, nsmap={"ofd": _NAMESPACE})


def _add(parent: Any, name: str, text: str | None = None, /, **attributes: str) -> Any:
    element = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    element.text = text
    return element


def _root(facts: DocumentFacts) -> Any:
    root = _element("OFD", Version="1.0", DocType="OFD")
    body = _add(root, "DocBody")
    info = _add(body, "DocInfo")
    _add(info, "DocID", facts.document_id)
    _add(info, "Title", facts.title)
    _add(info, "Author", facts.author)
    _add(info, "CreationDate", to_rfc3339(facts.created_at)[:10])
    _add(info, "Creator", _CREATOR)
    custom = _add(info, "CustomDatas")
    for name, value in facts.custom.items():
        _add(custom, "CustomData", value, Name=name)
    _add(body, "DocRoot", "Doc_0/Document.xml")
    return root


def _document(drawing: Drawing) -> Any:
    root = _element("Document")
    common = _add(root, "CommonData")
    highest = _FIRST_ID + len(drawing.texts) + len(drawing.framed) + bool(drawing.filled)
    _add(common, "MaxUnitID", str(highest))
    _add(
        _add(common, "PageArea"), "PhysicalBox", numbers_text((0, 0, drawing.width, drawing.height))
    )
    _add(common, "PublicRes", "PublicRes.xml")
    _add(_add(root, "Pages"), "Page", ID=_PAGE_ID, BaseLoc="Pages/Page_0/Content.xml")
    return root


def _resources() -> Any:
    root = _element("Res", BaseLoc="Res")
    fonts = _add(root, "Fonts")
    _add(fonts, "Font", ID=_FONT_ID, FontName=_FONT, FamilyName=_FONT, Charset="unicode")
    return root


def _content(drawing: Drawing) -> Any:
    root = _element("Page")
    layer = _add(_add(root, "Content"), "Layer", ID=_LAYER_ID, Type="Body")
    number = _FIRST_ID
    for box in drawing.framed:
        _path(layer, number, box, _outline([(0.0, 0.0, box[2], box[3])]), filled=False)
        number += 1
    if drawing.filled:
        # one path for all: a QR code is hundreds of squares
        area = _around(drawing.filled)
        inside = [(x - area[0], y - area[1], w, h) for x, y, w, h in drawing.filled]
        _path(layer, number, area, _outline(inside), filled=True)
        number += 1
    for place, text in enumerate(drawing.texts, number):
        _text(layer, place, text)
    return root


def _path(layer: Any, number: int, box: _Box, outline: str, *, filled: bool) -> None:
    path = _add(layer, "PathObject", ID=str(number), Boundary=numbers_text(box))
    path.set("LineWidth", _LINE)
    path.set("Stroke", "false" if filled else "true")
    path.set("Fill", "true" if filled else "false")
    _add(path, "FillColor" if filled else "StrokeColor", Value=_BLACK)
    _add(path, "AbbreviatedData", outline)


def _text(layer: Any, number: int, text: DrawnText) -> None:
    width = sum(text.advances) + text.size
    boundary = (text.x, text.y, width, text.size * 1.2)
    element = _add(layer, "TextObject", ID=str(number), Boundary=numbers_text(boundary))
    element.set("Font", _FONT_ID)
    element.set("Size", numbers_text((text.size,)))
    _add(element, "FillColor", Value=_BLACK)
    code = _add(element, "TextCode", text.text, X="0", Y=numbers_text((text.size * _ASCENT,)))
    if text.advances:
        code.set("DeltaX", numbers_text(text.advances))


def _outline(boxes: Sequence[_Box]) -> str:
    parts = []
    for x, y, width, height in boxes:
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        parts.append("M " + " L ".join(numbers_text(corner) for corner in corners) + " C")
    return " ".join(parts)


def _around(boxes: Sequence[_Box]) -> _Box:
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right = max(box[0] + box[2] for box in boxes)
    bottom = max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top
