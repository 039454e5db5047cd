"""Reports as DOCX and PDF: what is in them, and what can't break out of them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document

from playbooks.adapters.printing import DocxReports, TypstReports
from playbooks.adapters.printing.lines import MAX_ROWS, printable
from playbooks.errors import FontUnavailable
from playbooks.models.custody import NewEvidence
from playbooks.models.reports import PrintedReport, Section
from playbooks.service import Judgement, NewFiling, NewIncident, NewTask
from secops.adapters.typesetting import FONTS, MAX_CELL
from secops.kernel.errors import Invalid
from tests.fakes.playbooks_house import ANALYST, House, house
from tools.report_template import PLACE, write_template

needs_font = pytest.mark.skipif(
    not any(font.is_file() for font in FONTS), reason="no Chinese font (fonts-wqy-microhei)"
)
HOSTILE = "<w:b/>& {{ 7*7 }} {% raw %} #panic() \x00\x1b\u202e末 😀"
SHOWN = "<w:b/>& {{ 7*7 }} {% raw %} #panic() \\u0000\\u001b\\u202e末 "


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def report_of(*rows: tuple[str, ...], language: str = "zh") -> PrintedReport:
    section = Section("基本情况", ("项目", "内容"), rows)
    return PrintedReport("报告", (section,), {"SM3": "ab"}, "内容摘要", language, 0)  # type: ignore[arg-type]


def tables(content: bytes) -> list[list[list[str]]]:
    document = Document(io.BytesIO(content))
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]


def pdf_text(content: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext (Debian: poppler-utils)")
    path = folder / "printed.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def test_what_a_log_said_is_text_in_a_docx() -> None:
    content = DocxReports().print_report(report_of(("名称", HOSTILE)))
    assert tables(content) == [[["项目", "内容"], ["名称", f"{SHOWN}😀"]]]


@needs_font
def test_what_a_log_said_is_text_in_a_pdf_and_no_letter_is_left_out(
    tmp_path: Path,
) -> None:
    printed = TypstReports().print_report(report_of(("名称", HOSTILE)))
    lines = pdf_text(printed, tmp_path)
    assert "".join(f"{SHOWN}U+1F600".split()) in "".join(lines.split())


def test_a_table_too_long_is_cut_and_says_so() -> None:
    rows = tuple((str(number), "x" * (MAX_CELL + 1)) for number in range(MAX_ROWS + 7))
    (section,) = printable(report_of(*rows))["sections"]
    assert (len(section["rows"]), section["more"]) == (MAX_ROWS, "另有 7 行未列出")
    assert section["rows"][0][1] == "x" * MAX_CELL + "…"
    (english,) = printable(report_of(*rows, language="en"))["sections"]
    assert english["more"] == "7 more rows are left out"


def test_without_a_font_no_pdf_is_made(tmp_path: Path) -> None:
    with pytest.raises(FontUnavailable, match="no font file"):
        TypstReports((tmp_path / "none.ttc",)).print_report(report_of())
    (tmp_path / "bad.ttc").write_bytes(b"no font")
    with pytest.raises(FontUnavailable, match="no font that can be used"):
        TypstReports((tmp_path / "bad.ttc",)).print_report(report_of())


def test_the_template_is_the_one_its_tool_writes(tmp_path: Path) -> None:
    write_template(tmp_path / "made.docx")
    made, kept = (
        [[cell.text for row in table.rows for cell in row.cells] for table in document.tables]
        + [paragraph.text for paragraph in document.paragraphs]
        for document in (Document(str(tmp_path / "made.docx")), Document(str(PLACE)))
    )
    assert made == kept


def test_a_first_report_says_what_is_known_and_names_what_is_not(home: House) -> None:
    service, reports = home.services.incidents, home.services.reports
    key = service.open_incident(ANALYST, NewIncident(alert_id="alr_1")).id
    value = json.loads(reports.report_incident(ANALYST, key, output="json", kind="first"))
    assert (value["kind"], value["unknown"]) == ("first", [3, 4, 6, 7, 8])
    facts, clocks, items, unknown = tables(
        reports.report_incident(ANALYST, key, output="docx", kind="first")
    )
    assert ["单位", "本单位"] in facts
    assert clocks[1][:2] == ["首报", "属地省级网信部门"]
    assert items[4] == ["4", "原因的初步分析", "待填写"]
    assert [row[0] for row in unknown[1:]] == ["3", "4", "6", "7", "8"]
    service.judge_incident(ANALYST, key, Judgement(cause="弱口令"))
    home.services.filings.file_report(ANALYST, key, NewFiling("first_report"))
    _, clocks, items, unknown = tables(
        reports.report_incident(ANALYST, key, output="docx", kind="first")
    )
    assert items[4][2] == "弱口令"
    assert "已报送" in clocks[1][2]
    assert [row[0] for row in unknown[1:]] == ["3", "6", "7", "8"]


@needs_font
def test_a_full_report_is_printed_with_its_digest(home: House) -> None:
    reports = home.services.reports
    key = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1")).id
    home.clock.advance(5 * 3_600)
    home.services.tasks.add_task(ANALYST, key, NewTask("隔离主机", "contained"))
    kept = home.services.locker.keep_evidence(ANALYST, NewEvidence(key, "auth.log", b"log"))
    learned = Judgement(lessons="口令须轮换\n\n备份须离线")
    home.services.incidents.judge_incident(ANALYST, key, learned)
    assert reports.report_incident(ANALYST, key, output="pdf").startswith(b"%PDF-")
    content = reports.report_incident(ANALYST, key, output="docx", language="en")
    found = {table[0][0]: table[1:] for table in tables(content)[5:]}
    assert [row[0] for row in found["Task"]] == ["隔离主机"]
    assert found["Evidence"][0][2:4] == [kept.sha256, kept.sm3]
    assert [row[0] for row in found["Text"]] == ["口令须轮换", "备份须离线"]
    assert len(found["Kind"]) == 2
    assert "overdue" in tables(content)[1][1][2]
    leaf = home.leaves()[-1]
    assert (leaf["details"]["format"], leaf["details"]["kind"]) == ("docx", "full")
    lines = [paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs]
    assert f"SHA-256: {leaf['details']['sha256']}" in lines
    with pytest.raises(Invalid):
        reports.report_incident(ANALYST, key, kind="half")  # type: ignore[arg-type]
