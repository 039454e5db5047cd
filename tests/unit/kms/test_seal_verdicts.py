"""The verdict as a signed PDF: what it says, who may have it, and that it verifies itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kms.adapters.pdf import PdfProcesses, PyHankoFiles, TypstVerdicts, rendering
from kms.adapters.pdf import verdict_pages as texts
from kms.adapters.pictures import FONTS
from kms.errors.seals import FontMissing, SealRejected
from kms.models.seals import NUMBERS, SignatureVerdict, Step, VerificationReport
from kms.models.stamps import StampRequest
from kms.models.verdicts import REMEDIES, STEP_NAMES, FileDigests, VerdictPage
from kms.ports.pdf import ReadPdf
from kms.service.seals import SealVerdicts
from secops.adapters.typesetting import NotSet, open_typeface
from secops.crypto.hashes import sha256, sm3
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, TooLarge, TooMany
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.seal_registry import APPLICANT, AUDITOR, HOLDER, World, build, person
from tests.fakes.sealing import DOCUMENT, PixelPainter
from tests.fakes.verdict_pages import PlainPages

HAS_FONT = any(path.is_file() for path in FONTS)
needs_font = pytest.mark.skipif(not HAS_FONT, reason="no Chinese font (fonts-wqy-microhei)")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("verdicts"), PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


@pytest.fixture(scope="module")
def sealed(world: World) -> bytes:
    wish = StampRequest(paged_pdf())
    return world.stamping.stamp_document(HOLDER, world.make().id, wish).document


@pytest.fixture
def pages() -> PlainPages:
    return PlainPages()


@pytest.fixture
def verdicts(world: World, pages: PlainPages) -> SealVerdicts:
    return SealVerdicts(world.parts, world.verification, pages)


@pytest.fixture(scope="module")
def processes() -> Iterator[PdfProcesses]:
    made = PdfProcesses()
    yield made
    made.close()


def test_the_pdf_is_signed_by_a_key_of_the_instance_and_verifies(
    world: World, verdicts: SealVerdicts, pages: PlainPages, sealed: bytes
) -> None:
    made = verdicts.report_verdict(AUDITOR, sealed)
    assert made.report.valid
    (page,) = pages.pages
    assert page.report == made.report
    assert page.file == FileDigests(len(sealed), sm3(sealed).hex(), sha256(sealed).hex())
    assert page.document is None
    own = world.verification.verify_seal(made.document, None)
    assert own.valid
    assert own.signatures[0].signer == "CN=验章结论,OU=测试/内部用,O=govsecops,C=CN"


def test_a_no_is_signed_as_well(verdicts: SealVerdicts, sealed: bytes) -> None:
    changed = sealed.replace(b"(Notice 1)", b"(Notice 7)")
    assert not verdicts.report_verdict(AUDITOR, changed).report.valid


def test_what_a_detached_value_was_put_on_is_named(
    world: World, verdicts: SealVerdicts, pages: PlainPages
) -> None:
    value = world.use(world.make(name="临江县教育局")).value
    assert verdicts.report_verdict(AUDITOR, value, DOCUMENT).report.valid
    document = pages.pages[0].document
    assert document is not None
    assert document.sm3 == sm3(DOCUMENT).hex()


def test_each_is_a_leaf_with_digests_and_no_names(
    world: World, verdicts: SealVerdicts, sealed: bytes
) -> None:
    made = verdicts.report_verdict(APPLICANT, sealed)
    act = [each for each in world.acts() if each["action"] == "kms.report_verdict"][-1]
    assert act["details"] == {
        "file_sm3": sm3(sealed).hex(),
        "valid": True,
        "verdict_sm3": sm3(made.document).hex(),
    }


def test_who_may_not_gets_none_and_is_recorded(
    verdicts: SealVerdicts, pages: PlainPages, sealed: bytes
) -> None:
    with pytest.raises(Forbidden):
        verdicts.report_verdict(person("stranger", "staff"), sealed)
    assert pages.pages == []


def test_an_account_has_so_many_a_minute(
    world: World, verdicts: SealVerdicts, sealed: bytes
) -> None:
    verdicts._limit.per_minute = 2
    with pytest.raises(TooLarge):
        verdicts.report_verdict(AUDITOR, bytes((20 << 20) + 1))
    verdicts.report_verdict(AUDITOR, sealed)
    with pytest.raises(TooMany):
        verdicts.report_verdict(AUDITOR, sealed)
    verdicts.report_verdict(APPLICANT, sealed)


def test_each_year_has_a_key_of_its_own(
    world: World, verdicts: SealVerdicts, sealed: bytes
) -> None:
    verdicts.report_verdict(AUDITOR, sealed)
    world.clock.advance(366 * DAY // SECOND)
    verdicts.report_verdict(AUDITOR, sealed)
    signers = {name for name in world.keys.p256 if name.startswith("verdict-signer")}
    assert signers == {"verdict-signer-2026", "verdict-signer-2027"}


class BlindFiles(PdfInProcess):
    def read(self, document: bytes) -> ReadPdf:
        return ReadPdf(())


def test_a_verdict_that_does_not_verify_is_not_given_out(
    world: World, pages: PlainPages, sealed: bytes
) -> None:
    parts = replace(world.parts, pdf=BlindFiles())
    verdicts = SealVerdicts(parts, world.verification, pages)
    before = len(world.acts())
    with pytest.raises(SealRejected, match="not given out"):
        verdicts.report_verdict(AUDITOR, sealed)
    reported = [each["action"] for each in world.acts()[before:]]
    assert "kms.report_verdict" not in reported


# the page


def page_of(report: VerificationReport, document: FileDigests | None = None) -> VerdictPage:
    digests = FileDigests(12, "ab" * 32, "cd" * 32)
    return VerdictPage(report, digests, document, 1_767_225_600_000_000, "https://x", ("CN=根",))


def step(what: Any, why: str = "原因", *, ok: bool | None) -> Step:
    return Step(what, ok=ok, why=Text(why, "reason"))


def report_of(*steps: Step, count: int = 1, name: str = "印章") -> VerificationReport:
    verdict = SignatureVerdict("CN=周", name, None, steps, (Text("提醒", "note"),))
    return VerificationReport("ofd", 4, (verdict,) * count, (Text("文件", "file"),))


def test_each_step_has_a_name_and_a_remedy() -> None:
    assert (set(STEP_NAMES), set(REMEDIES)) == (set(NUMBERS), set(NUMBERS))


def test_a_remedy_stands_where_a_step_is_not_passed() -> None:
    report = report_of(step("structure", ok=True), step("digest", ok=False), step("chain", ok=None))
    (shown,) = texts._data(page_of(report))["signatures"]
    assert [each["remedy"]["zh"] for each in shown["steps"]] == [
        "",
        REMEDIES["digest"].zh,
        REMEDIES["chain"].zh,
    ]


def test_what_turns_text_around_is_written_out_and_what_is_long_is_cut() -> None:
    report = report_of(step("structure", "a\u202eb" + "长" * 700, ok=False), name="x\u0000y")
    (shown,) = texts._data(page_of(report))["signatures"]
    why = shown["steps"][0]["why"]["zh"]
    assert why.startswith("a\\u202eb长")
    assert len(why) == 601
    assert {"name": "印章 seal", "value": "x\\u0000y", "fixed": False} in shown["facts"]


def test_more_signatures_than_are_shown_are_counted() -> None:
    data = texts._data(page_of(report_of(step("structure", ok=True), count=60)))
    assert len(data["signatures"]) == 50
    assert data["warnings"][-1]["en"] == "60 signatures, 50 of them shown"


def text_of(document: bytes, tmp_path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext (Debian: poppler-utils)")
    path = tmp_path / "verdict.pdf"
    path.write_bytes(document)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


@needs_font
def test_the_page_says_everything_and_takes_nothing_as_markup(
    processes: PdfProcesses, tmp_path: Path
) -> None:
    hostile = '#panic("x") $y$ *b* \\ ] " <l> @r'
    report = report_of(step("structure", ok=True), step("digest", hostile, ok=False), name=hostile)
    page = page_of(report, FileDigests(7, "12" * 32, "34" * 32))
    said = text_of(TypstVerdicts(processes).render(page), tmp_path)
    for expected in (
        "电子印章验证结论",
        "无效 / NOT valid",
        "ab" * 32,
        "34" * 32,
        hostile,
        "通过",
        "不通过",
        REMEDIES["digest"].zh[:12],
        "CN=周",
        "提醒",
        "2026-01-01T00:00:00Z",
        "测试/内部用",
    ):
        assert expected in said


@needs_font
@pytest.mark.deep
def test_fifty_signatures_are_set_within_the_limits(processes: PdfProcesses) -> None:
    steps = tuple(step(what, "很长的说明" * 30, ok=False) for what in NUMBERS)
    document = TypstVerdicts(processes).render(page_of(report_of(*steps, count=50)))
    assert document.startswith(b"%PDF")


@needs_font
@pytest.mark.service
def test_pdfsig_and_our_own_verifier_accept_a_real_verdict(
    world: World, processes: PdfProcesses, sealed: bytes, tmp_path: Path
) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("no pdfsig (Debian: poppler-utils)")
    parts = replace(world.parts, pdf=PyHankoFiles(processes))
    pages = TypstVerdicts(processes)
    made = SealVerdicts(parts, world.verification, pages).report_verdict(AUDITOR, sealed)
    path = tmp_path / "verdict.pdf"
    path.write_bytes(made.document)
    done = subprocess.run(
        ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" in done.stdout
    assert "Total document signed" in done.stdout
    assert world.verification.verify_seal(made.document, None).valid


def test_without_a_font_there_is_no_verdict(processes: PdfProcesses, tmp_path: Path) -> None:
    pages = TypstVerdicts(processes, fonts=(tmp_path / "none.ttf",))
    with pytest.raises(FontMissing, match=r"none\.ttf"):
        pages.render(page_of(report_of(step("structure", ok=True))))


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.ttf"
    file.write_bytes(b"no font")
    with pytest.raises(NotSet, match="holds no font"):
        rendering.render({"judged_at": 0}, [str(file)], "verdict")


@needs_font
def test_a_warning_of_the_typesetter_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    typeface = replace(open_typeface(FONTS), family="A Font That Is Not There")
    monkeypatch.setattr(rendering, "open_typeface", lambda _: typeface)
    data = texts._data(page_of(report_of(step("structure", ok=True))))
    with pytest.raises(NotSet, match="unknown font"):
        rendering.render(data, [str(path) for path in FONTS], "verdict")
