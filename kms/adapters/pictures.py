"""Seal pictures drawn by Pillow: red on a transparent ground, smoothed, with the marking."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kms.errors.seals import FontMissing, PictureRejected
from kms.models.seal_registry import MAX_NAME, MIN_NAME
from kms.ports.seals import PictureRequest

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FONTS: Final = tuple(
    Path("/usr/share/fonts") / name
    for name in (
        "truetype/wqy/wqy-microhei.ttc",
        "truetype/wqy/wqy-zenhei.ttc",
        "opentype/noto/NotoSerifCJK-Regular.ttc",
        "opentype/noto/NotoSansCJK-Regular.ttc",
        "truetype/arphic/uming.ttc",
        "truetype/droid/DroidSansFallbackFull.ttf",
    )
)
_RED: Final = (214, 0, 15)
_DEGREES: Final = 16
"""Of transparency, for smooth edges: a fifth of the bytes of 256."""
_PIXELS: Final = 12
"""Per millimetre in the finished picture: 300 dpi."""
_SMOOTH: Final = 4
"""Drawn this many times larger, then scaled down."""
_POINTS: Final = 5
_NOT_A_CHARACTER: Final = "\U0010ffff"
_FULL_SWEEP: Final = math.radians(250)
"""How much of the border the longest name takes; the marking has the rest."""


class PillowPainter:
    """Draws with the first of ``fonts`` that is there."""

    def __init__(self, fonts: Sequence[Path] = FONTS) -> None:
        self._fonts = fonts

    def paint(self, request: PictureRequest) -> bytes:
        """Return the PNG of ``request``."""
        canvas = _Canvas(self._font_path(), request.width, request.height)
        name = "".join(request.name.split())
        if not MIN_NAME <= len(name) <= MAX_NAME:
            msg = f"a seal's text has {MIN_NAME} to {MAX_NAME} characters, not {len(name)}"
            raise PictureRejected(msg)
        canvas.require_glyphs(name + request.marking)
        if request.shape == "square":
            _paint_square(canvas, name, request.marking)
        else:
            _paint_ring(canvas, name, request.marking, star=request.shape == "round")
        return canvas.png()

    def _font_path(self) -> Path:
        found = next((path for path in self._fonts if path.is_file()), None)
        if found is None:
            looked = ", ".join(str(path) for path in self._fonts)
            msg = f"no font file at {looked}"
            raise FontMissing(msg)
        return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a character stands: centre in mm from the middle, turned by radians."""

    x: float
    y: float
    turn: float


class _Canvas:
    """A grey mask in which everything is drawn; measures are millimetres."""

    def __init__(self, font: Path, width: int, height: int) -> None:
        from PIL import Image, ImageDraw  # noqa: PLC0415 - Pillow loads when a seal is drawn

        self.width, self.height = width, height
        self._font = font
        self._scale = _PIXELS * _SMOOTH
        self._mask: Image.Image = Image.new("L", (width * self._scale, height * self._scale))
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(self._mask)

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        from PIL import ImageFont  # noqa: PLC0415

        return ImageFont.truetype(str(self._font), max(8, round(size * self._scale)))

    @cached_property
    def _blank(self) -> bytes:
        return bytes(self.font(4).getmask(_NOT_A_CHARACTER))

    def require_glyphs(self, text: str) -> None:
        """Raise ``PictureRejected`` if the font has no drawing for a character."""
        for character in text:
            if not character.isprintable() or bytes(self.font(4).getmask(character)) == self._blank:
                msg = f"the font has no drawing for {character!r}"
                raise PictureRejected(msg)

    def frame(self, inset: float, line: float, *, ellipse: bool) -> None:
        """Draw the border ``inset`` mm inside the edge, ``line`` mm thick."""
        box = (
            inset * self._scale,
            inset * self._scale,
            (self.width - inset) * self._scale - 1,
            (self.height - inset) * self._scale - 1,
        )
        shape = self._draw.ellipse if ellipse else self._draw.rectangle
        shape(box, outline=255, width=round(line * self._scale))

    def star(self, radius: float, y: float) -> None:
        """Draw a five-pointed star around (0, ``y``)."""
        inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(126))
        corners = []
        for index in range(2 * _POINTS):
            angle = math.pi * index / _POINTS
            reach = inner if index % 2 else radius
            corners.append(self._at(reach * math.sin(angle), y - reach * math.cos(angle)))
        self._draw.polygon(corners, fill=255)

    def line(self, text: str, size: float, y: float, limit: float) -> None:
        """Write ``text`` in one line around (0, ``y``), at most ``limit`` mm wide."""
        length = self.font(size).getlength(text) / self._scale
        font = self.font(size * min(1.0, limit / length))
        self._draw.text(self._at(0, y), text, font=font, fill=255, anchor="mm")

    def character(self, text: str, size: tuple[float, float], place: _Place) -> None:
        """Draw one character ``size`` = (width, height) mm at ``place``, filling its box."""
        from PIL import Image, ImageDraw  # noqa: PLC0415

        font = self.font(size[1])
        left, top, right, bottom = (round(edge) for edge in font.getbbox(text, anchor="lt"))
        glyph = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        ImageDraw.Draw(glyph).text((-left, -top), text, font=font, fill=255, anchor="lt")
        em = round(size[1] * self._scale)
        tile = Image.new("L", (max(em, glyph.width), max(em, glyph.height)))
        tile.paste(glyph, ((tile.width - glyph.width) // 2, (tile.height - glyph.height) // 2))
        tile = tile.resize((round(size[0] * self._scale), tile.height), Image.Resampling.LANCZOS)
        turned = tile.rotate(-math.degrees(place.turn), Image.Resampling.BICUBIC, expand=True)
        x, y = self._at(place.x, place.y)
        corner = (round(x - turned.width / 2), round(y - turned.height / 2))
        self._mask.paste(255, corner, turned)

    def png(self) -> bytes:
        """Return the picture in red: one colour in sixteen degrees of transparency."""
        from PIL import Image  # noqa: PLC0415

        size = (self.width * _PIXELS, self.height * _PIXELS)
        mask = self._mask.resize(size, Image.Resampling.LANCZOS)
        degrees = mask.point([(level * (_DEGREES - 1) + 127) // 255 for level in range(256)])
        picture = Image.frombytes("P", size, degrees.tobytes())
        picture.putpalette(_RED * _DEGREES)
        out = io.BytesIO()
        opacity = bytes(degree * 255 // (_DEGREES - 1) for degree in range(_DEGREES))
        picture.save(out, "PNG", optimize=True, transparency=opacity, bits=4)
        return out.getvalue()

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (self.width / 2 + x) * self._scale, (self.height / 2 + y) * self._scale


def _paint_ring(canvas: _Canvas, name: str, marking: str, *, star: bool) -> None:
    """Draw a round (with star) or oval seal: the name along the border, the marking below."""
    small = min(canvas.width, canvas.height)
    border = small * 0.028
    canvas.frame(0.3, border, ellipse=True)
    tall = small * 0.15
    inset = 0.3 + border + small * 0.035 + tall / 2
    across, down = canvas.width / 2 - inset, canvas.height / 2 - inset
    places = _along_ellipse(across, down, len(name))
    step = _distance(places[0], places[1])
    wide = min(tall * 0.78, step * 0.92)
    for character, place in zip(name, places, strict=True):
        canvas.character(character, (wide, tall), place)
    if star:
        canvas.star(small * 0.16, -small * 0.01)
    room = 1.15 * across if star else 1.5 * across
    canvas.line(marking, small * 0.085, canvas.height * (0.29 if star else 0.12), room)


def _paint_square(canvas: _Canvas, name: str, marking: str) -> None:
    """Draw a square seal: columns from right to left, the marking in the lowest line."""
    border = canvas.width * 0.035
    canvas.frame(0.3, border, ellipse=False)
    margin = 0.3 + border + canvas.width * 0.03
    foot = canvas.height * 0.15
    width, height = canvas.width - 2 * margin, canvas.height - 2 * margin - foot
    columns = max(1, round(math.sqrt(len(name) * width / height)))
    rows = math.ceil(len(name) / columns)
    columns = math.ceil(len(name) / rows)
    cell = width / columns, height / rows
    for index, character in enumerate(name):
        column, row = divmod(index, rows)
        x = width / 2 - (column + 0.5) * cell[0]
        y = -canvas.height / 2 + margin + (row + 0.5) * cell[1]
        side = min(cell) * 0.92
        canvas.character(character, (side, side), _Place(x, y, 0.0))
    canvas.line(marking, foot * 0.7, canvas.height / 2 - margin - foot * 0.45, width * 0.92)


def _along_ellipse(across: float, down: float, count: int) -> list[_Place]:
    """Return ``count`` places at equal distances along the top of an ellipse, left to right."""
    sweep = min(_FULL_SWEEP, math.radians(34) * count)
    steps = 2_000
    angles = [-math.pi + 2 * math.pi * index / steps for index in range(steps + 1)]
    reached = [0.0]
    for before, after in itertools.pairwise(angles):
        middle = (before + after) / 2
        piece = math.hypot(across * math.cos(middle), down * math.sin(middle))
        reached.append(reached[-1] + piece * (after - before))
    span = reached[-1] * sweep / (2 * math.pi)
    start = reached[-1] / 2 - span / 2
    places = []
    index = 0
    for number in range(count):
        wanted = start + span * (number + 0.5) / count
        while reached[index] < wanted:
            index += 1
        angle = angles[index]
        normal = math.atan2(math.sin(angle) / across, math.cos(angle) / down)
        places.append(_Place(across * math.sin(angle), -down * math.cos(angle), normal))
    return places


def _distance(one: _Place, other: _Place) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
