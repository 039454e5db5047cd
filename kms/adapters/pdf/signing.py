"""Inside the worker: put an empty signature with the seal's picture on a page."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime
from typing import Any, Final

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.sign.fields import SigFieldSpec, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigAppearanceSetup,
    SigIOSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.stamp import StaticStampStyle

from kms.ports.pdf import MAX_PAGES
from secops.kernel.clock import SECOND

POINTS: Final = 72 / 25.4
"""In a millimetre."""
_MARGIN: Final = 25.0
_MAX_NAMES: Final = 10_000

Box = tuple[float, float, float, float]
Prepared = tuple[bytes, int, int]
"""A PDF with an empty signature, and where its hex string starts and ends."""


class Refused(ValueError):
    """The PDF takes no signature; the message says why."""


def prepare(document: io.BytesIO, request: dict[str, Any]) -> Prepared:
    """Return the PDF with an empty signature, on a page where it has a place."""
    writer = IncrementalPdfFileWriter(document)
    require_open(writer)
    place = request["place"]
    page, box = (0, None) if place is None else placed(writer, place)[:2]
    name = free_name(writer, "Seal")
    moment = datetime.fromtimestamp(request["signed_at"] // SECOND, UTC)
    placeholder = SignatureObject(
        timestamp=moment, name=request["name"], bytes_reserved=2 * request["reserved"]
    )
    placeholder[generic.pdf_name("/SubFilter")] = generic.pdf_name(f"/{request['subfilter']}")
    appearance = None
    if place is not None:
        appearance = SigAppearanceSetup(_style(writer, place), moment, request["name"])
    field = SigFieldSpec(name, on_page=page, box=box)
    return embedded(writer, field, SigObjSetup(placeholder, appearance_setup=appearance))


def embedded(writer: Any, field: SigFieldSpec, placeholder: SigObjSetup) -> Prepared:
    """Return the PDF with ``placeholder`` in a new ``field``, its value not filled in."""
    name = field.sig_field_name
    steps = PdfCMSEmbedder(field).write_cms(name, writer)
    next(steps)
    steps.send(placeholder)
    prepared, output = steps.send(SigIOSetup("sha256", in_place=True))
    steps.close()
    return output.getvalue(), prepared.reserved_region_start, prepared.reserved_region_end


def free_name(writer: Any, prefix: str) -> str:
    """Return ``prefix`` with the first number that no signature's field has."""
    taken = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
    return next(name for n in range(1, _MAX_NAMES) if (name := f"{prefix}{n}") not in taken)


def require_open(writer: Any) -> None:
    """Raise ``Refused`` for what may not be changed or can't be placed on."""
    if writer.prev.encrypted:
        msg = "an encrypted PDF takes no seal"
        raise Refused(msg)
    if "/DocMDP" in writer.prev.root.get("/Perms", {}):
        msg = "a certified PDF takes no further signature"
        raise Refused(msg)


def placed(writer: Any, place: dict[str, Any]) -> tuple[int, tuple[int, int, int, int], Box]:
    """Return the page's index, and the boxes of picture and page in points, lower left first."""
    count = int(writer.prev.root["/Pages"]["/Count"])
    page = place["page"]
    index = page - 1 if page > 0 else count + page
    if page == 0 or not 0 <= index < count <= MAX_PAGES:
        msg = f"there is no page {page}: the document has {count}"
        raise Refused(msg)
    found = writer.prev.find_page_for_modification(index)[0].get_object()
    if int(_inherited(found, "/Rotate") or 0) % 360:
        msg = f"page {page} is rotated"
        raise Refused(msg)
    if float(found.get("/UserUnit", 1)) != 1:
        msg = f"page {page} has a unit of its own"
        raise Refused(msg)
    left, bottom, right, top = _visible(found)
    across, down = (right - left) / POINTS, (top - bottom) / POINTS
    x = _inside(place["x"], place["width"], across)
    y = _inside(place["y"], place["height"], down)
    corner = left + x * POINTS, top - (y + place["height"]) * POINTS
    size = place["width"] * POINTS, place["height"] * POINTS
    low_x, low_y = round(corner[0]), round(corner[1])
    box = low_x, low_y, low_x + round(size[0]), low_y + round(size[1])
    return index, box, (left, bottom, right, top)


def _visible(page: Any) -> Box:
    """Return what readers show of a page in points: its CropBox, as far as there is paper."""
    paper = [float(each) for each in _inherited(page, "/MediaBox") or ()]
    crop = [float(each) for each in _inherited(page, "/CropBox") or paper]
    left, bottom = map(max, zip(paper[:2], crop[:2], strict=True))
    right, top = map(min, zip(paper[2:], crop[2:], strict=True))
    return left, bottom, right, top


def _inside(start: float | None, length: float, limit: float) -> float:
    if not math.isfinite(limit):
        msg = "the page has no size"
        raise Refused(msg)
    if start is None:
        start = max(0.0, limit - length - _MARGIN)
    if not (math.isfinite(start) and start >= 0 and start + length <= limit):
        msg = f"the seal's {length} mm do not fit at {start:g} of {limit:.0f} mm"
        raise Refused(msg)
    return start


def _inherited(page: Any, name: str) -> Any:
    """Return an entry of a page, or of the nearest node above that has it."""
    for _ in range(64):
        if name in page:
            return page[name]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    return None


def _style(writer: Any, place: dict[str, Any]) -> Any:
    picture = Image.open(io.BytesIO(place["picture"])).convert("RGBA")
    return StaticStampStyle(
        border_width=0,
        background=PdfImage(picture, writer=writer),
        background_layout=SimpleBoxLayoutRule(
            AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, Margins(0, 0, 0, 0)
        ),
    )
