"""A report as PDF/A-3b, set by typst, with the document that it was made of attached."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audits.adapters.rendering.paper import Paper
from audits.adapters.rendering.plain_values import plain_paper
from audits.errors import FontUnavailable
from secops.adapters.typesetting import (
    FONTS,
    NotSet,
    Typeface,
    drawable,
    open_typeface,
    set_pdf,
    set_picture,
    spelt,
)
from secops.kernel.canonical import canonical
from secops.kernel.clock import SECOND, from_rfc3339

TEMPLATE: Final = Path(__file__).with_name("report.typ")
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

    fonts: Sequence[Path] = FONTS

    def pdf(self, paper: Paper, document: Mapping[str, Any]) -> bytes:
        """Return the PDF; the same document gives the same bytes. Raises ``FontUnavailable``."""
        typeface = self._typeface()
        data = _breakable(spelt(plain_paper(paper), drawable(typeface.file)))
        words = f"{paper.title} {document['id']}"
        data["attached"] = {
            "name": ATTACHED,
            "content": canonical(document).decode(),
            "words": words,
        }
        at = from_rfc3339(str(document["made_at"])) // SECOND
        try:
            return set_pdf(TEMPLATE, data, typeface, at=at, standards=_STANDARDS)
        except NotSet as error:
            raise FontUnavailable(str(error)) from error

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


def _breakable(data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` with its tables' long words made so that a line may end inside them."""
    for chapter in data["chapters"]:
        for block in chapter["blocks"]:
            if block["is"] == "Grid":
                for row in block["rows"]:
                    row["cells"] = [_LONG.sub(_pieces, cell) for cell in row["cells"]]
    return data


def _pieces(word: re.Match[str]) -> str:
    return _PIECE.sub("\\g<0>\u200b", word[0])
