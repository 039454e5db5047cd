"""E-certificates as PDF: set by typst in a child, its font within, signed so that readers see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kms.adapters.pdf import PdfProcesses, TypstDrawings
from kms.adapters.pictures import FONTS
from kms.errors.ecertificates import ECertificateRejected
from kms.errors.seals import FontMissing
from kms.models.ecertificates import DocumentFacts, Drawing, DrawnText
from secops.kernel.pages import PageRequest
from tests.fakes.ecertificate_office import open_office
from tests.fakes.seal_registry import AUDITOR, HOLDER

FACTS = DocumentFacts("0" * 32, 'a"#b', "机关", 0, {"证照标识": "1.2"})

pytestmark = pytest.mark.skipif(
    not any(path.is_file() for path in FONTS), reason="no Chinese font: fonts-wqy-microhei"
)


@pytest.fixture(scope="module")
def processes() -> Iterator[PdfProcesses]:
    made = PdfProcesses()
    yield made
    made.close()


def page(text: str) -> Drawing:
    return Drawing(100, 60, (DrawnText(5, 5, 4, text, ()),), ((5, 30, 2, 2),), ((2, 2, 96, 56),))


def test_an_ecertificate_in_pdf_is_sealed_and_verifies(
    tmp_path: Path, processes: PdfProcesses
) -> None:
    office = open_office(tmp_path, TypstDrawings(processes))
    try:
        template = office.template(format="pdf")
        issued = office.issue(template, holder='#read("/etc/passwd") $x$ *b* \\')
        file = office.file(issued)
        verdict = office.services.verification.verify_ecertificate(
            file, caller="a", token=office.token(issued)
        )
        assert (file[:4], verdict.same, verdict.report.valid) == (b"%PDF", True, True)
        assert b"root:" not in file
        (use,) = office.world.using.list_uses(AUDITOR, office.seal.id, PageRequest()).items
        assert (use.form, use.id) == ("pdf", issued.use_id)
        opened = office.services.registry.open_ecertificate(HOLDER, issued.id)
        assert opened.format == "pdf"
    finally:
        office.world.spine.close()


def test_the_page_carries_its_font_and_is_the_same_every_time(processes: PdfProcesses) -> None:
    made = TypstDrawings(processes).render(page("食品经营许可证"), FACTS)
    assert b"/FontFile2" in made or b"/FontFile3" in made
    assert made == TypstDrawings(processes).render(page("食品经营许可证"), FACTS)


def test_a_letter_that_the_font_has_not_is_never_left_blank(processes: PdfProcesses) -> None:
    with pytest.raises(ECertificateRejected):
        TypstDrawings(processes).render(page("名\U0001f98a"), FACTS)


def test_without_a_font_nothing_is_set(processes: PdfProcesses, tmp_path: Path) -> None:
    with pytest.raises(FontMissing):
        TypstDrawings(processes, [tmp_path / "none.ttf"]).render(page("名"), FACTS)
