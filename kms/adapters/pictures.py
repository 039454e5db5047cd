"""Seal pictures drawn by Pillow: red on a transparent ground, smoothed, with the marking."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kms.errors.seals import FontMissing, PictureRejected
from kms.models.seal_registry import MAX_NAME, MIN_NAME
from kms.ports.seals import PictureRequest
from secops.adapters.typesetting import NotSet, drawable, font_file

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FONTS: Final = tuple(
    Path("/usr/share/fonts") / name
    for name in (
        "opentype/noto/NotoSerifCJK-Regular.ttc",
        "truetype/arphic/uming.ttc",
        "truetype/wqy/wqy-microhei.ttc",
        "truetype/wqy/wqy-zenhei.ttc",
        "opentype/noto/NotoSansCJK-Regular.ttc",
        "truetype/droid/DroidSansFallbackFull.ttf",
    )
)
"""Song type first, which official seals are cut in (国发〔1999〕25号)."""

_RED: Final = (214, 0, 15)
_DEGREES: Final = 16
"""Of transparency, for smooth edges: a fifth of the bytes of 256."""
_PIXELS: Final = 12
"""Per millimetre in the finished picture: 300 dpi."""
_SMOOTH: Final = 4
"""Drawn this many times larger, then scaled down."""
_POINTS: Final = 5
_STAR: Final = 14 / 42
"""The star's diameter over the seal's: 14 mm in one of 42 (国发〔1999〕25号)."""
_BORDER: Final = 1.2
_ROUND_MARK: Final = 0.26
_OVAL_MARK: Final = 0.08
"""How far below the middle the marking stands, of the height."""
_NAME_SEAL: Final = 4
"""A square seal of a name has at most so many characters, and they fill it."""
_NAME_STEP: Final = math.radians(34)
_CODE_STEP: Final = math.radians(6.5)
_MAX_PICTURE: Final = 1 << 20
_MAX_SIDE: Final = 2_000
"""Points: 42 mm at 1,200 dpi. Unpacked, with all layers at once, that stays under 100 MB."""
_WHITE: Final = 235
"""What is lighter than this is the ground of a scanned picture."""
_INK: Final = (0.01, 0.75)
"""Least and greatest part of a picture that is drawn."""
_GLYPH: Final = 4
"""Millimetres of a letter that is only looked for."""
_FULL_SWEEP: Final = math.radians(250)
_OVAL_SWEEP: Final = math.radians(215)
"""How much of the border the longest name takes; marking and number have the rest."""


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
            _paint_code(canvas, request.code)
        return canvas.png()

    def normalise(self, picture: bytes, request: PictureRequest) -> bytes:
        """Return the filed ``picture`` in the seal's size, red on nothing, with the marking."""
        canvas = _Canvas(self._font_path(), request.width, request.height)
        canvas.put(_read_picture(picture))
        if request.shape == "square":
            _mark(canvas, request.marking)
        elif request.marking:
            small, width = min(request.width, request.height), request.width * 0.42
            y = request.height * (_ROUND_MARK if request.shape == "round" else _OVAL_MARK)
            canvas.clear(y, small * 0.1, width)
            canvas.line(request.marking, small * 0.085, y, width)
        return canvas.png()

    def _font_path(self) -> Path:
        try:
            return font_file(self._fonts)
        except NotSet as error:
            raise FontMissing(str(error)) from error


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

    def require_glyphs(self, text: str) -> None:
        """Raise ``PictureRejected`` if the font has no drawing for a character."""
        draws = drawable(self._font, _GLYPH * self._scale)
        for character in text:
            if not character.isprintable() or not draws(character):
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
        if not text:
            return
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

    def put(self, mask: Image.Image) -> None:
        """Put a grey picture of ink, as large as it fits, into the middle."""
        from PIL import Image  # noqa: PLC0415

        factor = min(self._mask.width / mask.width, self._mask.height / mask.height)
        size = max(1, round(mask.width * factor)), max(1, round(mask.height * factor))
        scaled = mask.resize(size, Image.Resampling.LANCZOS)
        corner = (self._mask.width - size[0]) // 2, (self._mask.height - size[1]) // 2
        self._mask.paste(scaled, corner)

    def clear(self, y: float, height: float, width: float) -> None:
        """Take what was drawn off a band around (0, ``y``)."""
        left, top = self._at(-width / 2, y - height / 2)
        right, bottom = self._at(width / 2, y + height / 2)
        self._draw.rectangle((left, top, right, bottom), fill=0)

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
    canvas.frame(0.3, _BORDER, ellipse=True)
    tall = small * 0.155
    inset = 0.3 + _BORDER + small * 0.03 + tall / 2
    across, down = canvas.width / 2 - inset, canvas.height / 2 - inset
    widest = _FULL_SWEEP if star else _OVAL_SWEEP
    places = _along_ellipse(across, down, len(name), min(widest, _NAME_STEP * len(name)))
    step = _distance(places[0], places[1])
    wide = min(tall * 0.78, step * 0.92)
    for character, place in zip(name, places, strict=True):
        canvas.character(character, (wide, tall), place)
    if star:
        canvas.star(small * _STAR / 2, 0.0)
    room = 1.0 * across if star else 1.4 * across
    canvas.line(marking, small * 0.085, canvas.height * (_ROUND_MARK if star else _OVAL_MARK), room)


def _paint_code(canvas: _Canvas, code: str) -> None:
    """Write the seal's number along the bottom, from left to right, feet outward."""
    tall = min(canvas.width, canvas.height) * 0.06
    inset = 0.3 + _BORDER + 0.5 + tall / 2
    across, down = canvas.width / 2 - inset, canvas.height / 2 - inset
    if code:
        places = _along_ellipse(across, down, len(code), _CODE_STEP * len(code))
        for character, place in zip(code, places, strict=True):
            below = _Place(place.x, -place.y, -place.turn)
            canvas.character(character, (tall * 0.6, tall), below)


def _paint_square(canvas: _Canvas, name: str, marking: str) -> None:
    """Draw a square seal: columns from right to left, the marking in the lowest line."""
    border = canvas.width * 0.035
    canvas.frame(0.3, border, ellipse=False)
    margin = 0.3 + border + canvas.width * 0.03
    foot = canvas.height * 0.15
    width, height = canvas.width - 2 * margin, canvas.height - 2 * margin - foot
    columns = _columns(name, width / height)
    across = width / len(columns)
    for number, column in enumerate(columns):
        down = height / (len(column) if len(name) <= _NAME_SEAL else len(columns[0]))
        x = width / 2 - (number + 0.5) * across
        for row, character in enumerate(column):
            y = -canvas.height / 2 + margin + (row + 0.5) * down
            size = across * 0.92, down * 0.92
            if len(name) > _NAME_SEAL:
                size = min(size), min(size)
            canvas.character(character, size, _Place(x, y, 0.0))
    _mark(canvas, marking)


def _columns(name: str, proportion: float) -> list[str]:
    """Return the name in columns, the right one first: a surname stands beside two names."""
    if len(name) == _NAME_SEAL - 1:
        return [name[0], name[1:]]
    columns = max(1, round(math.sqrt(len(name) * proportion)))
    rows = math.ceil(len(name) / columns)
    return [name[at : at + rows] for at in range(0, len(name), rows)]


def _mark(canvas: _Canvas, marking: str) -> None:
    """Write the marking, where there is one, into the foot of a picture, over nothing."""
    if not marking:
        return
    margin = 0.3 + canvas.width * 0.065
    foot = canvas.height * 0.15
    y, width = canvas.height / 2 - margin - foot * 0.45, canvas.width - 2 * margin
    canvas.clear(y, foot * 0.85, width * 0.8)
    canvas.line(marking, foot * 0.7, y, width * 0.8)


def _read_picture(picture: bytes) -> Image.Image:
    """Return the ink of a PNG as a grey mask; raise ``PictureRejected``."""
    from PIL import Image, ImageChops, UnidentifiedImageError  # noqa: PLC0415

    if len(picture) > _MAX_PICTURE:
        msg = f"a picture has at most {_MAX_PICTURE >> 20} MiB"
        raise PictureRejected(msg)
    bombs = Image.DecompressionBombError, Image.DecompressionBombWarning
    try:
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as opened:
            # before anything is unpacked, and the size that is unpacked: a header may come late
            # or twice (PNG §5.6 forbids both, Pillow takes them)
            if max(opened.size) > _MAX_SIDE or min(opened.size) < _PIXELS:
                msg = f"a picture has {_PIXELS} to {_MAX_SIDE} points a side"
                raise PictureRejected(msg)
            coloured = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, *bombs) as error:
        msg = "the picture is no sound PNG"
        raise PictureRejected(msg) from error
    darkest = ImageChops.darker(ImageChops.darker(*coloured.split()[:2]), coloured.split()[2])
    drawn = darkest.point([255 if level < _WHITE else 0 for level in range(256)])
    mask = ImageChops.multiply(drawn, coloured.getchannel("A"))
    box = mask.getbbox()
    inked = sum(mask.histogram()[128:]) / (mask.width * mask.height)
    if box is None or not _INK[0] <= inked <= _INK[1]:
        msg = "the picture is empty, or all ink: a seal is drawn on white or on nothing"
        raise PictureRejected(msg)
    return mask.crop(box)


def _along_ellipse(across: float, down: float, count: int, sweep: float) -> list[_Place]:
    """Return ``count`` places at equal distances along the top of an ellipse, left to right."""
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
