"""Inside the worker: a page of a PDF drawn by typst, a seal's picture over it.

What is drawn is looked at and never sealed: the seal's place is computed as for sealing.
"""

from __future__ import annotations

import io
import os
from typing import Any, Final

import typst
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from kms.adapters.pdf.signing import POINTS, Box, placed, require_open

_FOLDER: Final = "/proc/self/fd"
_LONGEST: Final = 1_000
"""Pixels of a page's longer side, at most."""

_DENSEST: Final = 96.0
_INCH: Final = 72.0
_MAX_SIDE: Final = 14_400.0


class NotDrawn(ValueError):
    """The page can't be drawn; the message says why."""


def keep(content: bytes) -> int:
    """Return the number of a file in memory with ``content``; before files are forbidden."""
    number = os.memfd_create("preview")
    with os.fdopen(os.dup(number), "wb") as stream:
        stream.write(content)
    return number


def preview_pdf(document: bytes, place: dict[str, Any], files: list[int]) -> dict[str, Any]:
    """Return the PNG of a page, and which one of how many; ``files`` are PDF and picture."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    require_open(writer)
    index, box, (left, bottom, right, top) = placed(writer, place)
    width, height = right - left, top - bottom
    page = f'image("/{files[0]}", format: "pdf", page: {index + 1}, {_size(width, height)})'
    seal = (box[0] - left, top - box[3], float(box[2] - box[0]), float(box[3] - box[1]))
    drawn = [f"#place({page})", _stamp(files[1], seal, (0.0, 0.0, seal[2], seal[3]))]
    count = int(writer.prev.root["/Pages"]["/Count"])
    return {"picture": _drawn(width, height, drawn), "page": index + 1, "pages": count}


def preview_blank(asked: dict[str, Any], files: list[int]) -> bytes:
    """Return the PNG of an empty page with stamps; measures are mm, ``files`` the picture."""
    drawn = []
    for stamp in asked["stamps"]:
        x, y, width, height = (float(each) * POINTS for each in stamp["box"])
        clip = stamp["clip"] or (0.0, 0.0, *stamp["box"][2:])
        part = tuple(float(each) * POINTS for each in clip)
        drawn.append(_stamp(files[0], (x, y, width, height), (part[0], part[1], part[2], part[3])))
    return _drawn(asked["width"] * POINTS, asked["height"] * POINTS, drawn)


def _stamp(file: int, box: Box, clip: Box) -> str:
    x, y, width, height = box
    picture = f'image("/{file}", format: "png", {_size(width, height)})'
    shown = f"move(dx: {-clip[0]:.2f}pt, dy: {-clip[1]:.2f}pt, {picture})"
    frame = f"box(clip: true, {_size(clip[2], clip[3])}, stroke: 0.6pt + blue, {shown})"
    return f"#place(dx: {x + clip[0]:.2f}pt, dy: {y + clip[1]:.2f}pt, {frame})"


def _drawn(width: float, height: float, content: list[str]) -> bytes:
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        msg = "the page has no size that can be drawn"
        raise NotDrawn(msg)
    edge = "#place(rect(width: 100%, height: 100%, stroke: 0.5pt + gray))"
    source = "\n".join((f"#set page({_size(width, height)}, margin: 0pt)", *content, edge))
    ppi = min(_DENSEST, _LONGEST * _INCH / max(width, height))
    engine: Any = typst
    # numbers of ours alone are in the source, and the folder holds what was kept
    made = engine.compile(
        source.encode(), root=_FOLDER, format="png", ppi=ppi, ignore_system_fonts=True
    )
    if not isinstance(made, bytes):
        msg = "the page is not one picture"
        raise NotDrawn(msg)
    return made


def _size(width: float, height: float) -> str:
    return f"width: {width:.2f}pt, height: {height:.2f}pt"
