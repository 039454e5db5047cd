"""Reports in every form: what stands in them, and what can't break out of them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import openpyxl
import orjson
import pytest
from docx import Document
from docx.oxml.ns import qn
from lxml import etree, html

from audits.adapters.rendering import Renderer
from audits.adapters.rendering.look import MAX_OBJECTS, Look
from audits.adapters.rendering.outline import paper_of
from audits.adapters.rendering.paper import Facts, Grid, Sentence
from audits.adapters.rendering.sheets import workbook
from audits.core.oscal import OSCAL
from audits.core.report_parts import read_pdf
from audits.errors import FontUnavailable
from audits.models.forms import FORMS, Form
from secops.adapters.typesetting import FONTS, MAX_CELL
from secops.kernel.catalogue import Language
from secops.kernel.clock import DAY, to_rfc3339
from tests.fakes.report_documents import (
    HOSTILE,
    hostile_document,
    report_document,
    short,
    small_document,
)
from tools.assessment_report_template import PLACE, write_template

needs_font = pytest.mark.skipif(
    not any(font.is_file() for font in FONTS), reason="no Chinese font (fonts-wqy-microhei)"
)
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(OSCAL, read_pdf)


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return [item["id"] for item in report_document()["items"]]


def docx_text(content: bytes) -> str:
    body = Document(io.BytesIO(content)).element.body
    return "\n".join(
        "".join(each.text or "" for each in paragraph.iter(qn("w:t")))
        for paragraph in body.iter(qn("w:p"))
    )


def xlsx_rows(content: bytes) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[*row] for row in sheet.iter_rows(values_only=True)] for sheet in book}


def pdf_text(content: bytes, pages: Sequence[str] = ()) -> str:
    command = shutil.which("pdftotext") or pytest.skip("no pdftotext (poppler-utils)")
    done = subprocess.run(
        [command, *pages, "-layout", "-", "-"], input=content, capture_output=True, check=True
    )
    return done.stdout.decode()


def test_every_form_has_a_renderer_and_a_name() -> None:
    assert set(FORMS) == set(get_args(Form)) == set(Renderer(OSCAL, read_pdf)._forms)
    assert len({kind.suffix for kind in FORMS.values()}) == len(FORMS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_says_how_much_was_checked_and_what_that_is_worth(
    language: Language,
) -> None:
    paper = paper_of(report_document(), language)
    said = "\n".join(
        f"{block.text}" if isinstance(block, Sentence) else "\n".join(map(": ".join, block.rows))
        for block in paper.cover
        if isinstance(block, Sentence | Facts)
    )
    wanted = {
        "zh": ("自动判定 68", "半自动 71", "仅人工 72", "推算", "未核查 42", "不是等级测评报告"),
        "en": ("automatic 68", "half 71", "manual 72", "estimate", "not assessed: 42", "no assess"),
    }
    for words in (*wanted[language], "GB/T 22239-2019", "127 / 169", "75.15%", "S3A3G3"):
        assert words in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_report_calls_itself_an_assessors_or_says_passed(language: Language) -> None:
    document = report_document()
    for standard in ("gbt22239", "gbt39786"):
        paper = paper_of(document | {"standard": standard}, language)
        said = repr(paper)
        assert said.count("等级测评报告") == said.count("不是等级测评报告")
        for claim in ("通过测评", "合规认证", "认证通过", "密评报告", "is certified", "has passed"):
            assert claim not in said


@pytest.mark.parametrize(
    ("window", "period", "asked"),
    [
        ((0, 2 * DAY), (2 * DAY, 3 * DAY), "… 1970-01-03T00:00:00Z"),
        ((DAY, 2 * DAY), (DAY, 3 * DAY), "1970-01-02T00:00:00Z … 1970-01-03T00:00:00Z"),
        (None, (3 * DAY, 3 * DAY), ""),
    ],
)
def test_an_open_window_of_evidence_has_no_beginning_to_print(
    window: tuple[int, int] | None, period: tuple[int, int], asked: str
) -> None:
    document = report_document()
    for item in document["items"]:
        for each in (*item["evidence"], *(e for one in item["objects"] for e in one["evidence"])):
            each["taken_at"] = to_rfc3339(3 * DAY)
            each["origin"]["window"] = window and [to_rfc3339(at) for at in window]
    blocks = [block for chapter in paper_of(document, "en").chapters for block in chapter.blocks]
    facts = dict(row for block in blocks if isinstance(block, Facts) for row in block.rows)
    assert facts["Period of evidence"] == " … ".join(to_rfc3339(at) for at in period)
    index = next(block for block in reversed(blocks) if isinstance(block, Grid))
    assert {row.cells[3] for row in index.rows} == {
        "\n".join(filter(None, ("sample", "sshd -T", asked)))
    }


def test_chapters_follow_the_official_order() -> None:
    document = report_document()
    headings = [chapter.heading for chapter in paper_of(document, "zh").chapters]
    assert headings[:11] == [
        "声明",
        "结论表",
        "总体评价",
        "主要问题及建议",
        "1 项目概述",
        "2 被测对象",
        "3 单项测评(自查)",
        "4 整体测评",
        "5 风险分析",
        "6 结论(推算)",
        "7 整改建议",
    ]
    assert headings[11].startswith("附录 A")
    crypto = paper_of(document | {"standard": "gbt39786"}, "zh").chapters
    assert [chapter.heading for chapter in crypto][2:6] == [
        "1 概述",
        "2 系统情况",
        "3 范围与方法",
        "4 单元测评(自查)",
    ]


def test_an_unassessed_item_is_nowhere_compliant() -> None:
    document = report_document()
    unassessed = {item["id"] for item in document["items"] if item["status"] == "unassessed"}
    for chapter in paper_of(document, "zh").chapters:
        for block in chapter.blocks:
            for row in block.rows if isinstance(block, Grid) else ():
                if row.item in unassessed and row.tone:
                    assert "未核查" in row.cells
                    assert "符合" not in row.cells


def test_a_derived_id_is_marked_wherever_it_stands() -> None:
    document = report_document()
    for item in document["items"]:
        item["official_id"] = item["class_code"] != "MMS"
    for chapter in paper_of(document, "zh").chapters:
        for block in chapter.blocks:
            for row in block.rows if isinstance(block, Grid) else ():
                for cell in row.cells:
                    assert not re.search(r"L3-MMS1-\d\d(?! †)", cell)
                    assert not re.search(r"L3-CES1-\d\d †", cell)


def test_what_a_page_leaves_out_is_said() -> None:
    document = report_document()
    item = document["items"][0]
    item["objects"] = [
        {**item["objects"][0], "id": f"ast_{n}", "name": f"主机{n}"}
        for n in range(MAX_OBJECTS + 30)
    ]
    records = next(
        chapter for chapter in paper_of(document, "zh").chapters if chapter.heading.endswith("记录")
    )
    (block,) = [block for block in records.blocks[:1] if isinstance(block, Grid)]
    assert "另有 30 个对象未列出" in block.rows[0].cells[3]
    assert f"对象 {MAX_OBJECTS + 30} 个:符合 {MAX_OBJECTS + 30}" in block.rows[0].cells[4]
    assert len(xlsx_rows(workbook(Look.at(document, "zh")))["对象结果"]) > MAX_OBJECTS + 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_every_item_and_runs_nothing(
    renderer: Renderer, ids: list[str], language: Language
) -> None:
    page = renderer.render(hostile_document(), "html", language)
    tree = html.fromstring(page.decode())
    marked = {str(each.get("data-item")) for each in tree.iter() if each.get("data-item")}
    assert set(ids) <= marked
    tags = {each.tag for each in tree.iter() if isinstance(each.tag, str)}
    assert not tags & {"script", "b", "img", "link", "iframe", "object", "form", "base"}
    assert not [
        name
        for each in tree.iter()
        for name, value in each.attrib.items()
        if name.startswith("on") or (name in ("href", "src") and not value.startswith("#"))
    ]
    assert "default-src 'none'" in page.decode()
    assert b"{{ 7*7 }}" in page
    assert "\u202e" not in page.decode()
    assert {each.get("id") for each in tree.iter("h2")} >= {"c1", "c20"}
    assert len(list(tree.iter("svg"))) == 2


def test_a_workbook_has_no_formula_and_every_item_in_the_sheet_of_its_class(
    renderer: Renderer, ids: list[str]
) -> None:
    content = renderer.render(hostile_document(), "xlsx", "zh")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in packed.read(name)
                assert b"<hyperlink" not in packed.read(name)
        assert b"quotePrefix" in packed.read("xl/styles.xml")
    sheets = xlsx_rows(content)
    found = [
        row[0]
        for name, rows in sheets.items()
        if re.search(r" [A-Z]{3}$", name)
        for row in rows[1:]
    ]
    assert found == ids
    book = openpyxl.load_workbook(io.BytesIO(content))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n"}
    assert book["安全计算环境 CES"].freeze_panes == "B2"
    assert book["安全计算环境 CES"].auto_filter.ref == "A1:L35"
    for name in ("汇总", "高风险", "重大隐患", "整改", "不适用", "资产", "证据索引", "统计"):
        assert name in sheets


def test_the_sheet_of_units_says_d_a_and_k() -> None:
    document = report_document() | {"standard": "gbt39786"}
    document["items"][0]["objects"][0]["dak"] = {"d": True, "a": True, "k": None}
    rows = xlsx_rows(workbook(Look.at(document, "zh")))["D A K"]
    assert rows[1] == [document["items"][0]["id"], "示例服务器", "是", "是", "", "1"]


@needs_font
def test_a_word_file_names_every_item_and_is_no_template_of_what_it_says(
    renderer: Renderer, ids: list[str]
) -> None:
    content = renderer.render(hostile_document(), "docx", "zh")
    said = docx_text(content)
    rows = [
        each.text or ""
        for each in Document(io.BytesIO(content)).element.body.iter(qn("w:t"))
        if each.getparent().getparent().getparent().tag == qn("w:tc")
    ]
    assert set(ids) <= {row.split()[0] for row in rows if row.split()}
    assert "<b>&\"'`]]>{{ 7*7 }}{% raw %}#panic()" in said
    assert "\\u202etxt.exe\\u0000\\u001b\\u0007" in said
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            if name.endswith((".xml", ".rels", ".svg")):
                etree.fromstring(packed.read(name))
            assert b'TargetMode="External"' not in packed.read(name)
        assert "word/media/radar.svg" in packed.namelist()
        assert 'w:eastAsia="SimSun"' in packed.read("word/styles.xml").decode()


def test_the_word_template_in_the_tree_is_the_one_that_the_tool_writes(tmp_path: Path) -> None:
    write_template(tmp_path / "again.docx")
    kept, again = (
        zipfile.ZipFile(each).read("word/document.xml") for each in (PLACE, tmp_path / "again.docx")
    )
    assert kept == again


@needs_font
def test_a_pdf_names_every_item_and_carries_the_document(
    renderer: Renderer, ids: list[str], tmp_path: Path
) -> None:
    document = report_document()
    content = renderer.render(document, "pdf", "zh")
    said = pdf_text(content)
    assert [each for each in ids if each not in said] == []
    first = pdf_text(content, ["-f", "1", "-l", "1"])
    for words in ("可自动判定 68", "半自动 71", "仅人工 72", "推算", "不是等级测评报告", "75.15%"):
        assert words.replace(" ", "") in first.replace(" ", "")
    (tmp_path / "report.pdf").write_bytes(content)
    detach = shutil.which("pdfdetach") or pytest.skip("no pdfdetach (poppler-utils)")
    subprocess.run(
        [detach, "-save", "1", "-o", tmp_path / "out.json", tmp_path / "report.pdf"],
        check=True,
        capture_output=True,
    )
    assert orjson.loads((tmp_path / "out.json").read_bytes()) == document


@needs_font
def test_a_pdf_says_what_was_entered_and_computes_none_of_it(renderer: Renderer) -> None:
    said = pdf_text(renderer.render(short(hostile_document()), "pdf", "zh")).replace("\n", "")
    assert "{{7*7}}{%raw%}#panic()" in said.replace(" ", "").replace("\u200b", "")
    assert "\u202e" not in said


@needs_font
@pytest.mark.parametrize("form", ["html", "pdf", "docx", "xlsx"])
def test_the_same_document_gives_the_same_bytes(renderer: Renderer, form: Form) -> None:
    first = renderer.render(short(report_document()), form, "zh")
    assert renderer.render(short(report_document()), form, "zh") == first


@needs_font
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_of_nothing_is_written_too(
    renderer: Renderer, form: Form, language: Language
) -> None:
    assert len(renderer.render(small_document(), form, language)) > 500


@pytest.mark.parametrize("form", ["html", "xlsx"])
def test_a_very_long_text_is_cut_and_says_so(renderer: Renderer, form: Form) -> None:
    document = report_document()
    document["items"][0]["reason"] = {"zh": "长" * 100_000, "en": "x" * 100_000}
    content = renderer.render(document, form, "zh")
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = packed.read("xl/sharedStrings.xml")
    longest = max(len(run) for run in re.findall("长+", content.decode()))
    assert longest == MAX_CELL
    assert f"{'长' * MAX_CELL}…" in content.decode()


def test_without_a_font_pages_and_workbooks_are_written_and_a_pdf_is_refused() -> None:
    renderer = Renderer(OSCAL, read_pdf, fonts=(Path("/nowhere.ttc"),))
    assert renderer.render(small_document(), "html", "zh")
    assert renderer.render(small_document(), "xlsx", "zh")
    with pytest.raises(FontUnavailable, match="no font file"):
        renderer.render(report_document(), "pdf", "zh")
    with pytest.raises(FontUnavailable):
        renderer.render(report_document(), "docx", "zh")


def test_the_hostile_text_is_hostile() -> None:
    assert HOSTILE.startswith("=")
    assert hostile_document()["items"][0]["reason"]["zh"] == HOSTILE
