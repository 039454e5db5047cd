"""Where a seal will stand: the same place and refusals as sealing, and nothing is sealed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from kms.adapters.pdf import PdfProcesses, TypstPreviews
from kms.errors.seals import DocumentRejected, SealNotFound
from kms.models.stamps import EdgePlace, Stamping, StampPlace
from kms.ports.pdf import PdfPlace
from kms.ports.previews import BlankPage, PreviewStamp
from kms.service.seals import SealPreviews
from secops.kernel.errors import Forbidden, TooLarge, TooMany
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_pages import assemble, paged_pdf
from tests.fakes.previews import PlainPreviews
from tests.fakes.seal_registry import AUDITOR, HOLDER, World, build, person
from tests.fakes.sealing import PixelPainter
from tests.unit.kms.test_pdf_processes import bomb

POINTS = 72 / 25.4
AT = Stamping((StampPlace(-1, 120, 200),))
OFD = pack(paged_document(3))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("previews"), PixelPainter(), pdf=object())
    yield made
    made.spine.close()


@pytest.fixture(scope="module")
def seal_id(world: World) -> str:
    return world.make().id


@pytest.fixture
def pages() -> PlainPreviews:
    return PlainPreviews()


@pytest.fixture
def previews(world: World, pages: PlainPreviews) -> SealPreviews:
    return SealPreviews(world.parts, world.registry, pages)


def test_a_pdfs_page_is_asked_for_with_the_seals_picture(
    world: World, seal_id: str, previews: SealPreviews, pages: PlainPreviews
) -> None:
    before = len(world.acts())
    seen = previews.preview_stamp(HOLDER, seal_id, paged_pdf(2), AT)
    assert (seen.page, seen.pages, seen.blank) == (1, 2, False)
    (place,) = pages.places
    assert (place.page, place.x, place.y, place.width, place.height) == (-1, 120, 200, 42, 42)
    assert len(world.acts()) == before


def test_of_an_ofd_the_page_of_the_first_picture_is_drawn(
    seal_id: str, previews: SealPreviews, pages: PlainPreviews
) -> None:
    seen = previews.preview_stamp(AUDITOR, seal_id, OFD, AT)
    assert (seen.page, seen.pages, seen.blank) == (3, 3, True)
    (page,) = pages.blank
    assert (page.width, page.height) == (210, 297)
    assert list(page.stamps) == [PreviewStamp((120, 200, 42, 42))]


def test_a_slice_across_the_edges_is_drawn_as_a_slice(
    seal_id: str, previews: SealPreviews, pages: PlainPreviews
) -> None:
    previews.preview_stamp(HOLDER, seal_id, OFD, Stamping(edge=EdgePlace(100)))
    (stamp,) = pages.blank[0].stamps
    assert (stamp.box, stamp.clip) == ((196, 100, 42, 42), (0, 0, 14, 42))


@pytest.mark.parametrize(
    ("document", "stamping"),
    [
        (OFD, Stamping((StampPlace(9, 1, 1),))),
        (b"PK rubbish", AT),
        (paged_pdf(), Stamping(edge=EdgePlace(1))),
        (paged_pdf(), Stamping((StampPlace(1, float("nan"), 1),))),
    ],
    ids=["no such page", "no OFD", "edges of a PDF", "no number"],
)
def test_what_could_not_be_sealed_is_not_drawn(
    seal_id: str, previews: SealPreviews, document: bytes, stamping: Stamping
) -> None:
    with pytest.raises(DocumentRejected):
        previews.preview_stamp(HOLDER, seal_id, document, stamping)


def test_only_who_may_see_the_seal_sees_it_on_a_page(seal_id: str, previews: SealPreviews) -> None:
    with pytest.raises(Forbidden):
        previews.preview_stamp(person("stranger", "staff"), seal_id, paged_pdf(), AT)
    foreign = person("other", "seal-holder", org="org_other")
    with pytest.raises((Forbidden, SealNotFound)):
        previews.preview_stamp(foreign, seal_id, paged_pdf(), AT)


def test_previews_are_limited_in_size_and_number(seal_id: str, previews: SealPreviews) -> None:
    previews._limit.per_minute = 1
    with pytest.raises(TooLarge):
        previews.preview_stamp(HOLDER, seal_id, b"%PDF" + bytes(20 << 20), AT)
    with pytest.raises(TooMany):
        previews.preview_stamp(HOLDER, seal_id, paged_pdf(), AT)


# the pictures


@pytest.fixture(scope="module")
def drawing() -> Iterator[TypstPreviews]:
    processes = PdfProcesses()
    yield TypstPreviews(processes)
    processes.close()


def red() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 255)).save(out, "png")
    return out.getvalue()


def place(**changes: Any) -> PdfPlace:
    fields = {"page": 1, "x": 120.0, "y": 200.0, **changes}
    return PdfPlace(red(), 42, 42, **fields)


def colour(picture: bytes, x: float, y: float) -> Any:
    """Return the colour at a place in mm of an A4 page."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return image.getpixel((int(x / 210 * image.width), int(y / 297 * image.height)))


def test_the_seal_is_drawn_where_it_will_stand_and_over_the_page(drawing: TypstPreviews) -> None:
    shaded = paged_pdf().replace(
        b"BT /F1 24 Tf 72 720 Td (Notice 1) Tj ET", b"0 0 1 rg 0 0 595 842 re f              "
    )
    seen = drawing.preview_pdf(shaded, place())
    assert (seen.page, seen.pages, seen.blank) == (1, 1, False)
    assert colour(seen.picture, 141, 221) == (255, 0, 0)
    for x, y in ((110, 221), (141, 190), (172, 221), (141, 250)):
        assert colour(seen.picture, x, y) == (0, 0, 255)


def test_the_visible_part_of_a_page_is_drawn(drawing: TypstPreviews) -> None:
    document = paged_pdf(page="/CropBox [100 100 400 400]")
    picture = drawing.preview_pdf(document, place(x=0.0, y=0.0)).picture
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert image.width == image.height
    assert image.getpixel((image.width // 10, image.height // 10)) == (255, 0, 0)


def test_a_blank_page_shows_whole_pictures_and_slices(drawing: TypstPreviews) -> None:
    stamps = (
        PreviewStamp((10.0, 10.0, 42.0, 42.0)),
        PreviewStamp((196.0, 100.0, 42.0, 42.0), (0.0, 0.0, 14.0, 42.0)),
    )
    picture = drawing.preview_blank(BlankPage(210, 297, red(), stamps))
    assert colour(picture, 30, 30) == (255, 0, 0)
    assert colour(picture, 203, 120) == (255, 0, 0)
    assert colour(picture, 100, 120) == (255, 255, 255)


def test_a_huge_page_becomes_a_small_picture(drawing: TypstPreviews) -> None:
    document = paged_pdf(pages="/MediaBox [0 0 14400 14400]")
    image = Image.open(io.BytesIO(drawing.preview_pdf(document, place()).picture))
    assert max(image.size) <= 1_000


def drawn_pdf(content: bytes, extra: bytes = b"null") -> bytes:
    """Return a PDF of one page that draws the object ``extra`` as /I."""
    return assemble(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
            (
                b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R"
                b" /Resources << /XObject << /I 5 0 R >> >> >>"
            ),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            extra,
        ]
    )


def huge_picture() -> bytes:
    packed = zlib.compress(bytes(120 << 20), 1)
    return (
        b"<< /Type /XObject /Subtype /Image /Width 11000 /Height 11000 /ColorSpace /DeviceGray"
        b" /BitsPerComponent 8 /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
        % (len(packed), packed)
    )


ITSELF = (
    b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /I 5 0 R >> >>"
    b" /Length 5 >>\nstream\n/I Do\nendstream"
)


@pytest.mark.parametrize(
    "document",
    [
        b"%PDF rubbish",
        bomb(),
        paged_pdf(page="/Rotate 90"),
        paged_pdf(pages="/MediaBox [0 0 20000 20000]"),
        paged_pdf().replace(b"BT /F1 24 Tf 72 720 Td", b"q " * 11),
        drawn_pdf(b"q 500 0 0 500 0 0 cm /I Do Q", huge_picture()),
        drawn_pdf(b"/I Do", ITSELF),
    ],
    ids=["rubbish", "bomb", "rotated", "beyond all", "unbalanced", "picture", "draws itself"],
)
def test_a_hostile_page_is_refused_or_drawn_and_nothing_else_happens(
    drawing: TypstPreviews, document: bytes
) -> None:
    try:
        picture = drawing.preview_pdf(document, place()).picture
    except DocumentRejected:
        picture = b"\x89PNG"
    assert picture.startswith(b"\x89PNG")
    assert drawing.preview_pdf(paged_pdf(), place()).pages == 1
