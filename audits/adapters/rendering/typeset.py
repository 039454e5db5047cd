"""A report as PDF/A-3b, set by typst, with the document that it was made of attached."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audits.adapters.rendering.own_papers import ReadPdf, write_paper
from audits.adapters.rendering.paper import Paper
from audits.adapters.rendering.plain_values import plain_paper
from audits.errors import FontUnavailable
from secops.adapters.typesetting import (
    FONTS,
    NotSet,
    Typeface,
    drawable,
    open_typeface,
    set_picture,
    set_source,
    spelt,
)
from secops.kernel.canonical import canonical
from secops.kernel.clock import SECOND, from_rfc3339

TEMPLATE: Final = Path(__file__).with_name("report.typ")
_ATTACHED: Final = Path(__file__).with_name("attached.typ")
"""One line that comes before every template, an office's too: it attaches the document."""

_PICTURE: Final = Path(__file__).with_name("picture.typ")
ATTACHED: Final = "assessment.json"
_PPI: Final = 192
_LONG: Final = re.compile(r"[!-~]{17,}")
_PIECE: Final = re.compile(r".{8}(?=.)")
_STANDARDS: Final = ("a-3b",)
"""Archives take it, and it may carry files (ISO 19005-3)."""


@dataclass(frozen=True, slots=True)
class TypstPages:
    """Sets reports with the first of ``fonts`` that is there."""

    read_pdf: ReadPdf
    fonts: Sequence[Path] = FONTS

    def pdf(self, paper: Paper, document: Mapping[str, Any]) -> bytes:
        """Return the PDF; the same document gives the same bytes. Raises ``FontUnavailable``."""
        typeface = self._typeface()
        data = _data(plain_paper(paper), document, typeface)
        source = b"\n".join((_ATTACHED.read_bytes().strip(), TEMPLATE.read_bytes()))
        try:
            return set_source(source, data, typeface, at=_at(document), standards=_STANDARDS)
        except NotSet as error:
            raise FontUnavailable(str(error)) from error

    def own_pdf(
        self, template: bytes, fields: Mapping[str, Any], document: Mapping[str, Any]
    ) -> bytes:
        """Return the PDF of an office's ``template``.

        Raises ``FontUnavailable``, ``TemplateRejected``.
        """
        typeface = self._typeface()
        question = {
            "before": _ATTACHED.read_text().strip(),
            "data": _data(fields, document, typeface),
            "font": str(typeface.file),
            "at": _at(document),
            "standards": _STANDARDS,
        }
        return write_paper(template, question, self.read_pdf)

    def picture(self, svg: str) -> bytes:
        """Return a chart as PNG, for programs that draw no SVG. Raises ``FontUnavailable``."""
        typeface = self._typeface()
        drawn = spelt(svg, drawable(typeface.file))
        try:
            return set_picture(_PICTURE, {"svg": drawn}, typeface, ppi=_PPI)
        except NotSet as error:
            raise FontUnavailable(str(error)) from error

    def _typeface(self) -> Typeface:
        try:
            return open_typeface(self.fonts)
        except NotSet as error:
            raise FontUnavailable(str(error)) from error


def _at(document: Mapping[str, Any]) -> int:
    return from_rfc3339(str(document["made_at"])) // SECOND


def _data(
    values: Mapping[str, Any], document: Mapping[str, Any], typeface: Typeface
) -> dict[str, Any]:
    """Return what a template finds: ``values`` as the font can show them, and what is attached."""
    data = _breakable(spelt(values, drawable(typeface.file)))
    data["attached"] = {
        "name": ATTACHED,
        "content": canonical(document).decode(),
        "words": f"{values['title']} {document['id']}",
    }
    return data


def _breakable(data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` with the long words of rows made so that a line may end inside them."""
    for chapter in data["chapters"]:
        for block in chapter["blocks"]:
            if block["is"] == "Grid":
                for row in block["rows"]:
                    row["cells"] = [_pieced(cell) for cell in row["cells"]]
    rows = {name: each for name, each in data.items() if isinstance(each, list)}
    return data | {
        name: _pieced(each) for name, each in rows.items() if name not in ("cover", "chapters")
    }


def _pieced(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pieced(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_pieced(each) for each in value]
    return _LONG.sub(_pieces, value)


def _pieces(word: re.Match[str]) -> str:
    return _PIECE.sub("\\g<0>\u200b", word[0])
