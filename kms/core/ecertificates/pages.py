"""The page of an e-certificate: where each text goes, and the drawing for one holder.

A holder's data are only ever letters with a place: no renderer reads them as its language.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kms.core.ecertificates.refusals import refuse
from kms.models.ecertificates import (
    Drawing,
    DrawnText,
    Layout,
    LayoutItem,
    TemplateWish,
)

LINE_HEIGHT: Final = 1.4
"""From one base line to the next, in heights of a character."""
_WIDE: Final = frozenset("WFA")
_NARROW: Final = 0.5
_DEFAULT_ROWS: Final = 10
_FIRST_ROW: Final = 74.0
_ROW: Final = 14.0
_QUIET: Final = 4
"""Modules of white around a QR code (ISO/IEC 18004)."""


def default_layout(wish: TemplateWish) -> Layout:
    """Return an A4 page with all fields below one another; raise ``ECertificateError``."""
    if len(wish.fields) > _DEFAULT_ROWS:
        raise refuse(
            f"超过 {_DEFAULT_ROWS} 个数据项时须自行给出版面",
            f"more than {_DEFAULT_ROWS} fields need a layout of their own",
        )
    rows = [
        LayoutItem(30, _FIRST_ROW + place * _ROW, 150, 4.5, f"{field.title}:", field.name, lines=2)
        for place, field in enumerate(wish.fields)
    ]
    items = (
        LayoutItem(20, 28, 170, 10, field="@title", align="center", lines=2),
        LayoutItem(20, 58, 170, 4.5, "编号:", "@number", "center"),
        *rows,
        LayoutItem(110, 222, 80, 5, field="@authority", align="center", lines=2),
        LayoutItem(110, 238, 80, 4.5, field="@issued_on", align="center"),
        LayoutItem(65, 252, 63, 3.3, "有效期:", "@valid", lines=2),
        LayoutItem(20, 280, 170, 3, "证照标识:", "@identifier"),
    )
    return Layout(210, 297, items, 24, 236, 36, 129, 205, 12)


def draw_page(
    layout: Layout, values: Mapping[str, str], code: Sequence[Sequence[int]] = ()
) -> Drawing:
    """Return the page with ``values`` by field and the QR ``code`` (1 is dark, no margin).

    Raises ``ECertificateError`` where a text does not fit.
    """
    texts = [text for item in layout.items for text in _texts(item, values)]
    frame, width, height = layout.frame, layout.width, layout.height
    framed = ((frame, frame, width - 2 * frame, height - 2 * frame),) if frame else ()
    return Drawing(width, height, tuple(texts), tuple(_squares(layout, code)), framed)


def _texts(item: LayoutItem, values: Mapping[str, str]) -> Iterator[DrawnText]:
    content = item.text + (values.get(item.field, "") if item.field else "")
    lines = list(_wrapped(content, item.width / item.size))
    if len(lines) > item.lines:
        raise refuse(
            f"“{item.field or item.text}” 的内容在版面上放不下",
            f"the text of {item.field or item.text} does not fit on the page",
        )
    for number, line in enumerate(lines):
        widths = [_width(letter) * item.size for letter in line]
        left = item.x + ((item.width - sum(widths)) / 2 if item.align == "center" else 0.0)
        top = item.y + number * item.size * LINE_HEIGHT
        yield DrawnText(left, top, item.size, line, tuple(widths[:-1]))


def _wrapped(content: str, room: float) -> Iterator[str]:
    """Yield lines no wider than ``room`` characters; a Chinese text breaks anywhere."""
    line, used = "", 0.0
    for letter in content:
        width = _width(letter)
        if line and used + width > room + 1e-9:
            yield line
            line, used = "", 0.0
        line, used = line + letter, used + width
    if line:
        yield line


def _width(letter: str) -> float:
    return 1.0 if unicodedata.east_asian_width(letter) in _WIDE else _NARROW


def _squares(
    layout: Layout, code: Sequence[Sequence[int]]
) -> Iterator[tuple[float, float, float, float]]:
    """Yield the dark runs of each row of the QR code, its quiet zone inside the square."""
    if not code:
        return
    side = layout.qr_size / (len(code) + 2 * _QUIET)
    for down, row in enumerate(code):
        across = 0
        for dark, run in itertools.groupby(row, bool):
            length = len(list(run))
            if dark:
                x = layout.qr_x + (across + _QUIET) * side
                yield x, layout.qr_y + (down + _QUIET) * side, length * side, side
            across += length
