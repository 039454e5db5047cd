"""StampAnnots (GB/T 33190-2016 §18.2.4): where a seal's picture goes, in whole or in slices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.gbt33190.package import OfdError
from kms.core.gbt33190.pages import OfdPage
from kms.models.stamps import LAST_PAGE, MAX_PLACES, EdgePlace, Stamping, StampPlace

_NARROWEST: Final = 4.0
"""Millimetres of a slice: more pages take several pictures, each over its own pages."""

_MARGIN: Final = 25.0
"""Millimetres from the right and lower edge where nobody chose a place."""

_SLACK: Final = 0.001


@dataclass(frozen=True, slots=True)
class Stamp:
    """One annotation. ``boundary`` and ``clip`` are x, y, width, height in mm."""

    page: str
    boundary: tuple[float, float, float, float]
    clip: tuple[float, float, float, float] | None = None


def place_stamps(
    stamping: Stamping, pages: Sequence[OfdPage], size: tuple[int, int]
) -> tuple[Stamp, ...]:
    """Return the annotations of a picture of ``size`` mm; raise ``OfdError`` if one won't fit."""
    places = stamping.places
    if len(places) > MAX_PLACES:
        msg = f"a signature has at most {MAX_PLACES} places"
        raise OfdError(msg)
    if not places and stamping.edge is None:
        places = (_usual_place(pages[-1], size),)
    stamps = [_at(place, pages, size) for place in places]
    if stamping.edge is not None:
        stamps += _across(stamping.edge, pages, size)
    return tuple(stamps)


def _usual_place(page: OfdPage, size: tuple[int, int]) -> StampPlace:
    x, y = page.width - size[0] - _MARGIN, page.height - size[1] - _MARGIN
    return StampPlace(LAST_PAGE, max(0.0, x), max(0.0, y))


def _at(place: StampPlace, pages: Sequence[OfdPage], size: tuple[int, int]) -> Stamp:
    page = pages[_index(place.page, len(pages))]
    _require_inside(place.x, size[0], page.width, "x")
    _require_inside(place.y, size[1], page.height, "y")
    return Stamp(page.identifier, (page.x + place.x, page.y + place.y, *size))


def _across(edge: EdgePlace, pages: Sequence[OfdPage], size: tuple[int, int]) -> Iterator[Stamp]:
    first, last = _index(edge.first, len(pages)), _index(edge.last, len(pages))
    chosen = pages[first : last + 1]
    if len(chosen) < 2:  # noqa: PLR2004 - an edge joins two pages
        msg = "a seal across edges needs at least two pages"
        raise OfdError(msg)
    most = max(2, int(size[0] / _NARROWEST))
    groups = math.ceil(len(chosen) / most)
    for number in range(groups):
        start = len(chosen) * number // groups
        end = len(chosen) * (number + 1) // groups
        yield from _slices(edge.y, chosen[start:end], size)


def _slices(y: float, pages: Sequence[OfdPage], size: tuple[int, int]) -> Iterator[Stamp]:
    """Yield one slice a page: the picture lies so that its own slice ends at the right edge."""
    width, height = size
    slice_width = width / len(pages)
    for number, page in enumerate(pages):
        _require_inside(y, height, page.height, "y")
        left = page.x + page.width - slice_width * (number + 1)
        yield Stamp(
            page.identifier,
            (left, page.y + y, width, height),
            (slice_width * number, 0, slice_width, height),
        )


def _index(page: int, count: int) -> int:
    index = page - 1 if page > 0 else count + page
    if page == 0 or not 0 <= index < count:
        msg = f"there is no page {page}: the document has {count}"
        raise OfdError(msg)
    return index


def _require_inside(start: float, length: float, limit: float, axis: str) -> None:
    if not (math.isfinite(start) and start >= 0 and start + length <= limit + _SLACK):
        msg = f"the seal's {length} mm do not fit at {axis} = {start} of {limit:g} mm"
        raise OfdError(msg)
