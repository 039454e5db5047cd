"""Pictures: drawn with a real font, marked, never blank."""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kms.adapters.pictures import FONTS, PillowPainter
from kms.errors.seals import FontMissing, PictureRejected
from kms.models.seal_registry import SHAPES, SealShape
from kms.models.seals import MARKING
from kms.ports.seals import PictureRequest

needs_font = pytest.mark.skipif(
    not any(path.is_file() for path in FONTS), reason="no Chinese font: fonts-wqy-microhei"
)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def request(
    shape: SealShape = "round", name: str = "临江县数据局", marking: str = MARKING
) -> PictureRequest:
    width, height = SHAPES[shape]
    return PictureRequest(shape, name, marking, width, height)


def ink(picture: bytes, box: tuple[float, float, float, float] = (0, 0, 1, 1)) -> int:
    """Return how many points of a part of the picture (in fractions) are drawn."""
    image = Image.open(io.BytesIO(picture)).convert("RGBA").getchannel("A")
    width, height = image.size
    part = image.crop(
        (
            round(box[0] * width),
            round(box[1] * height),
            round(box[2] * width),
            round(box[3] * height),
        )
    )
    return sum(part.histogram()[128:])


@needs_font
@pytest.mark.parametrize("shape", ["round", "oval", "square"])
def test_a_seal_is_drawn_in_its_size_in_red_on_nothing(shape: SealShape) -> None:
    picture = PillowPainter().paint(request(shape))
    image = Image.open(io.BytesIO(picture))
    width, height = SHAPES[shape]
    assert image.format == "PNG"
    assert image.size == (width * 12, height * 12)
    assert len(picture) < 30_000
    red, green, blue, alpha = image.convert("RGBA").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 150 > green
    assert blue < 60
    assert 0 < alpha < 255


@needs_font
@pytest.mark.parametrize("shape", ["round", "oval", "square"])
@pytest.mark.parametrize("name", ["江城", "临江县政务服务数据管理局", "长" * 30])
def test_the_marking_is_inside_every_picture(shape: SealShape, name: str) -> None:
    with_it = PillowPainter().paint(request(shape, name))
    without = PillowPainter().paint(request(shape, name, "一"))
    assert ink(with_it) > ink(without)


@needs_font
def test_another_name_is_another_picture() -> None:
    painter = PillowPainter()
    assert painter.paint(request(name="临江县")) != painter.paint(request(name="临河县"))


@needs_font
@pytest.mark.parametrize("name", ["独", "长" * 31, "", "县\n局\x00", "县\U000f0000局"])
def test_a_name_that_can_not_be_drawn_is_refused(name: str) -> None:
    with pytest.raises(PictureRejected):
        PillowPainter().paint(request(name=name))


def test_without_a_chinese_font_there_is_an_error_with_the_remedy() -> None:
    with pytest.raises(FontMissing) as caught:
        PillowPainter((Path("/nonexistent/font.ttc"),)).paint(request())
    assert "apt-get install fonts-wqy-microhei" in caught.value.remedy.zh
    assert "/nonexistent/font.ttc" in caught.value.detail


# what official seals look like (国发〔1999〕25号), by what is measured


def alpha(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGBA").getchannel("A")


def ring_share(picture: bytes, radius: float, half: float = 0.25) -> float:
    """How much of a ring of the radius (mm), 2 × ``half`` thick, is ink."""
    mask = alpha(picture)
    middle, scale = mask.width / 2, 12
    hits = [
        mask.getpixel((round(middle + r * math.cos(a)), round(middle + r * math.sin(a)))) > 127  # type: ignore[operator]
        for r in ((radius - half) * scale, radius * scale, (radius + half) * scale)
        for a in (math.tau * n / 360 for n in range(360))
    ]
    return sum(hits) / len(hits)


@needs_font
def test_a_round_seal_has_a_border_of_one_and_a_fifth_millimetres_and_a_star_of_fourteen() -> None:
    picture = PillowPainter().paint(request())
    assert ring_share(picture, 20.1, 0.3) == 1
    assert ring_share(picture, 18.9, 0.1) == 0
    mask = alpha(picture)
    star = mask.crop((mask.width // 2 - 100, mask.height // 2 - 100, *[mask.width // 2 + 100] * 2))
    left, top, right, bottom = star.point([255 * (n > 127) for n in range(256)]).getbbox()  # type: ignore[misc]
    assert abs((bottom - top) / 12 - 14 * (1 + math.cos(math.pi / 5)) / 2) < 0.3
    assert abs((right - left) / 12 - 14 * math.sin(math.radians(72))) < 0.3


@needs_font
def test_the_star_has_five_equal_points_and_one_of_them_is_up() -> None:
    mask = alpha(PillowPainter().paint(request()))
    middle = mask.width / 2

    def reach(angle: float) -> int:
        return max(
            (
                r
                for r in range(100)
                if mask.getpixel(
                    (
                        round(middle + r * math.sin(angle)),
                        round(middle - r * math.cos(angle)),
                    )
                )
                > 127  # type: ignore[operator]
            ),
            default=0,
        )

    points = [reach(math.tau * n / 5) for n in range(5)]
    dents = [reach(math.tau * (n + 0.5) / 5) for n in range(5)]
    assert max(points) - min(points) <= 3
    assert min(points) > 78
    assert max(dents) < 36


@needs_font
@pytest.mark.parametrize("shape", ["round", "oval"])
def test_the_number_stands_at_the_bottom_and_nothing_else_changes(shape: SealShape) -> None:
    width, height = SHAPES[shape]
    with_it = PillowPainter().paint(
        PictureRequest(shape, "临江县数据局", MARKING, width, height, "4403990012345")
    )
    without = PillowPainter().paint(request(shape))
    assert ink(with_it, (0.2, 0.75, 0.8, 0.97)) > ink(without, (0.2, 0.75, 0.8, 0.97)) + 300
    assert ink(with_it, (0, 0, 1, 0.6)) == ink(without, (0, 0, 1, 0.6))


@needs_font
def test_a_name_reads_from_left_to_right_along_the_upper_arc() -> None:
    first = PillowPainter().paint(request(name="一一一一一龘"))
    last = PillowPainter().paint(request(name="龘一一一一一"))
    left, right = (0, 0.2, 0.3, 0.6), (0.7, 0.2, 1, 0.6)
    assert ink(first, right) > ink(first, left)
    assert ink(last, left) > ink(last, right)


@needs_font
@pytest.mark.parametrize(("name", "columns"), [("李强", 2), ("王小明", 2), ("王小明印", 2)])
def test_a_name_seal_is_filled_from_the_right_column_on(name: str, columns: int) -> None:
    picture = PillowPainter().paint(request("square", name))
    parts = [ink(picture, (0.08 + 0.42 * n, 0.08, 0.5 + 0.42 * n, 0.8)) for n in range(columns)]
    assert min(parts) > 2_000


@needs_font
def test_of_three_characters_the_surname_stands_alone_on_the_right() -> None:
    of_three = PillowPainter().paint(request("square", "一口口"))
    right, left = (0.5, 0.08, 0.92, 0.8), (0.08, 0.08, 0.5, 0.8)
    assert ink(of_three, left) > 3 * ink(of_three, right)


@needs_font
def test_without_a_marking_there_is_none() -> None:
    for shape in SHAPES:
        assert ink(PillowPainter().paint(request(shape, marking=""))) > 1_000


def filed(
    colour: tuple[int, ...] = (190, 20, 30), ground: tuple[int, ...] = (250, 250, 248)
) -> bytes:
    """A scanned seal: a ring on nearly white paper, off the middle."""
    image = Image.new("RGB", (900, 700), ground[:3])
    ImageDraw.Draw(image).ellipse((200, 100, 700, 600), outline=colour[:3], width=30)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@needs_font
def test_a_filed_picture_becomes_one_of_ours() -> None:
    picture = PillowPainter().normalise(filed(), request())
    image = Image.open(io.BytesIO(picture))
    assert (image.format, image.size, image.mode) == ("PNG", (504, 504), "P")
    corner = image.convert("RGBA").getpixel((2, 2))
    assert corner[3] == 0  # type: ignore[index]
    assert ring_share(picture, 20, 0.4) > 0.9
    middle = (0.25, 0.6, 0.75, 0.82)
    assert ink(picture, middle) > 500
    assert ink(PillowPainter().normalise(filed(), request(marking="")), middle) == 0
    plain = PillowPainter().normalise(filed(), request(marking=""))
    assert ink(PillowPainter().normalise(plain, request(marking=""))) == pytest.approx(
        ink(plain), rel=0.01
    )


def png(size: tuple[int, int], colour: tuple[int, ...]) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size, colour).save(out, "PNG")
    return out.getvalue()


def bomb(side: int = 9_000) -> bytes:
    """A header that announces eighty million points, or ``side`` squared."""
    sound = bytearray(png((100, 100), (0, 0, 0, 0)))
    sound[16:24] = side.to_bytes(4, "big") * 2
    sound[29:33] = zlib.crc32(bytes(sound[12:29])).to_bytes(4, "big")
    return bytes(sound)


def late_header(side: int) -> bytes:
    """Another chunk stands where the sizes are looked for, and names small ones."""
    kind, said = b"prVt", (100).to_bytes(4, "big") * 2
    chunk = len(said).to_bytes(4, "big") + kind + said
    return SIGNATURE + chunk + zlib.crc32(kind + said).to_bytes(4, "big") + bomb(side)[8:]


def second_header(side: int) -> bytes:
    """A sound picture whose header is followed by another one."""
    return filed()[:33] + bomb(side)[8:33] + filed()[33:]


PICTURES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"not a picture",
    "a cut-off PNG": filed()[:200],
    "a GIF": b"GIF89a" + bytes(40),
    "all white": png((300, 300), (255, 255, 255, 255)),
    "all transparent": png((300, 300), (200, 0, 0, 0)),
    "all ink": png((300, 300), (200, 0, 0, 255)),
    "too small": png((5, 5), (200, 0, 0, 255)),
    "too wide": png((2_001, 20), (200, 0, 0, 255)),
    "a bomb": bomb(),
    "a bomb behind another chunk": late_header(9_000),
    "a bomb in a second header": second_header(9_000),
    "a bomb that Pillow warns of": late_header(12_000),
    "a bomb that Pillow refuses": late_header(30_000),
    "too many bytes": filed() + bytes(1 << 20),
}


@needs_font
@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(PictureRejected):
        PillowPainter().normalise(PICTURES[name], request())
