"""Pictures: drawn with a real font, marked, never blank."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from kms.adapters.pictures import FONTS, PillowPainter
from kms.errors.seals import FontMissing, PictureRejected
from kms.models.seal_registry import SHAPES, SealShape
from kms.models.seals import MARKING
from kms.ports.seals import PictureRequest

needs_font = pytest.mark.skipif(
    not any(path.is_file() for path in FONTS), reason="no Chinese font: fonts-wqy-microhei"
)


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
