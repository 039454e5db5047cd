"""The filing data sheet: one content in every form, and nothing in a field breaks out of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.adapters.rendering.filing_papers import TEMPLATE, WordFilingPapers
from audits.adapters.rendering.packages import package_faults
from audits.adapters.spreadsheets import Workbooks
from audits.core.register.filing import filing_sheet
from audits.models.filing import FilingSheet
from audits.models.systems import FILING_DETAILS, Asset, System
from secops.adapters.typesetting import plain
from secops.kernel.catalogue import Language
from secops.kernel.clock import DAY
from tests.fakes.register import READER, RegisterRig, register_rig
from tools.assessment_report_template import SHEET, write_sheet

HOSTILE = (
    "{{ 7 * 7 }}",
    "{%p for block in chapter.blocks %}{{ lipsum }}",
    "{_{ title }_} {_% endif %_}",
    "</w:t></w:r></w:p><w:altChunk r:id='rId1'/>",
    "&amp; <b>&#x202e;</b> ]]> <!-- --",
    "=HYPERLINK(\"http://x\") 'DDEAUTO c:\\cmd.exe'",
    "右\u202e左\u0000\u0007\u0008\u000b\ufffe",
)
SYSTEM = System(
    id="sys_1", org_id="org_a", name="政务服务平台", level=3, s_level=3, a_level=2, version=4
)
WEB = Asset(id="ast_1", org_id="org_a", system_id="sys_1", name="web", kind="host")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RegisterRig]:
    with register_rig(tmp_path) as opened:
        yield opened


def sheet_of(system: System, language: Language = "zh") -> FilingSheet:
    return filing_sheet(system, (WEB,), 20_000 * DAY, language)


def read(content: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the paragraphs outside tables that say something, and the tables' rows."""
    document = Document(io.BytesIO(content))
    rows = [
        (row.cells[0].text, row.cells[1].text) for table in document.tables for row in table.rows
    ]
    return [each.text for each in document.paragraphs if each.text], rows


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_document_says_what_the_sheet_says_in_its_order(language: Language) -> None:
    details = {"unit": "某县大数据中心", "business": "办事\n查询"}
    sheet = sheet_of(replace(SYSTEM, details=details), language)
    paragraphs, rows = read(WordFilingPapers().write(sheet))
    assert [*(row for _, section in sheet.sections for row in section)] == rows
    headings = [heading for heading, _ in sheet.sections]
    assert [each for each in paragraphs if each in headings] == headings
    assert paragraphs[1] == "政务服务平台"
    assert paragraphs[-len(sheet.doubts) :] == [*sheet.doubts]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_that_is_not_known_is_said_to_be_missing(language: Language) -> None:
    known = sheet_of(replace(SYSTEM, details=dict.fromkeys(FILING_DETAILS, "有")), language)
    bare = sheet_of(SYSTEM, language)
    assert {title.into(language) for title in FILING_DETAILS.values()} <= {*bare.missing}
    assert not {title.into(language) for title in FILING_DETAILS.values()} & {*known.missing}
    paragraphs, rows = read(WordFilingPapers().write(bare))
    blank = {"zh": "(未填写)", "en": "(not entered)"}[language]
    assert tuple(title for title, text in rows if text == blank) == bare.missing
    assert all(text for _, text in rows)
    assert {"zh": "、", "en": ", "}[language].join(bare.missing) in paragraphs
    full = replace(
        SYSTEM,
        details=dict.fromkeys(FILING_DETAILS, "有"),
        owner="张三",
        domain="政务",
        filing_number="1",
        filed_at=DAY,
        tested_at=DAY,
        data_grade="2",
        extensions=("cloud",),
    )
    assert sheet_of(full, language).missing == ()
    assert "尚未填写" not in read(WordFilingPapers().write(sheet_of(full)))[0]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_entered_is_text_and_nothing_else(text: str) -> None:
    system = replace(SYSTEM, name=text, owner=text, details={"unit": text, "products": text})
    content = WordFilingPapers().write(sheet_of(system))
    assert package_faults(content) == []
    paragraphs, rows = read(content)
    assert paragraphs[1] == plain(text)
    assert [written for title, written in rows if title in ("备案单位", "责任人", "系统名称")] == [
        plain(text)
    ] * 3
    footer = Document(io.BytesIO(content)).sections[0].footer.paragraphs[0].text
    assert footer.strip() == f"备案数据表 · {plain(text)} · sys_1 · 4"


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_makes_a_document_that_says_it(text: str) -> None:
    system = replace(SYSTEM, details={"business": f"办{text}"})
    rows = dict(read(WordFilingPapers().write(sheet_of(system)))[1])
    lines = (plain(line) for line in f"办{text}".split("\n"))
    assert rows["业务描述"] == "\n".join(filter(None, lines))


def test_the_same_sheet_is_the_same_bytes() -> None:
    first, second = (WordFilingPapers().write(sheet_of(SYSTEM)) for _ in range(2))
    assert first == second
    assert first != WordFilingPapers().write(sheet_of(replace(SYSTEM, version=5)))


def test_the_template_is_what_the_tool_writes(tmp_path: Path) -> None:
    write_sheet(tmp_path / "again.docx")
    first, second = (
        zipfile.ZipFile(each).read("word/document.xml") for each in (SHEET, tmp_path / "again.docx")
    )
    assert TEMPLATE == SHEET
    assert first == second


def test_the_workbook_lists_what_is_missing_too(rig: RegisterRig) -> None:
    book = rig.register.systems.export_filing_sheet(READER, "this", "xlsx", "en")
    rows = [row[0] for row in Workbooks().read(book)["Filing data"] if row]
    assert rows.index("Not entered yet") < rows.index("Doubts and notes")
    assert "Unified social credit code" in rows[rows.index("Not entered yet") :]
