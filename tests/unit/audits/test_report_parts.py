"""Files of reports that are hostile or odd, taken apart by both implementations alike."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.report_parts import office, part_record, parts_of, pdf, read_pdf
from audits.core.report_parts.office import unpacked
from audits.core.report_parts.parts import cut_by_item, read_parts
from audits.core.report_parts.shown import shown_text
from audits.core.reports import (
    check_lists,
    evidence_leaves,
    finding_leaves,
    read_signatures,
    target_of,
)
from audits.errors import ReportRejected
from tools import verify_report as tool

IDS = ("L3-CES1-01", "L3-CES1-02")


def parts(form: str, content: bytes) -> dict[str, list[str]]:
    """Return the items of each part by its name; the tool must find the same parts."""
    ours = [part_record(each) for each in parts_of(form, content, IDS)]
    assert ours == [[*one[:3], list(one[3])] for one in tool.READERS[form](content, IDS)]
    return {name: items for name, _, _, items in ours}


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def pdf_of(*objects: bytes) -> bytes:
    return b"%PDF-1.7\n" + b"".join(
        b"%d 0 obj\n%b\nendobj\n" % (number, each) for number, each in enumerate(objects, 1)
    )


def stream(data: bytes, head: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<</Length %d%b/Filter/FlateDecode>>\nstream\n%b\nendstream" % (
        len(packed),
        head,
        packed,
    )


# HTML


def test_elements_within_an_item_belong_to_it_and_one_without_an_end_ends_somewhere() -> None:
    page = b'<h2>A</h2><div data-item="L3-CES1-01"><div>x</div></div>y<h2>B</h2><p data-item="q">z'
    assert parts("html", page) == {
        "section A": [],
        "item L3-CES1-01": ["L3-CES1-01"],
        "item q": [],
    } | {"section B": []}
    assert parts("html", b"") == {}
    assert list(parts("html", b"<h2>A</h2>")) == ["section A"]


# JSON


def test_elements_of_lists_are_named_by_item_property_code_or_number() -> None:
    value = {
        "findings": [{"props": [{"name": "item", "value": IDS[0]}]}, {"props": [{"name": "x"}]}],
        "classes": [{"code": "CES"}],
        "results": [{"uuid": "u", "observations": [{"item": IDS[1]}]}],
    }
    assert [name for name in parts("json", json.dumps(value).encode()) if "bytes" not in name] == [
        f" findings {IDS[0]}".strip(),
        "findings 2",
        "classes CES",
        "results u uuid",
        f"results u observations {IDS[1]}",
    ]


@pytest.mark.parametrize("content", [b'{"a":"\\ud800"}', b"\xff", b'{"a":1,"a":1}', b"[" * 99_999])
def test_what_is_no_sound_json_is_refused(content: bytes) -> None:
    with pytest.raises(ReportRejected):
        parts_of("json", content, IDS)
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind: the tool's caller catches all
        tool.READERS["json"](content, IDS)


# DOCX and XLSX


def test_tables_within_tables_and_stray_ends_do_no_harm() -> None:
    cell = "<w:tc><w:p><w:r><w:t>L3-CES1-01</w:t></w:r></w:p></w:tc>"
    body = (
        f"</w:tr><w:tr><w:tc><w:tbl><w:tr>{cell}</w:tr></w:tbl></w:tc></w:tr><w:p><w:pPr>"
        '<w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>B</w:t></w:r></w:p><w:p><w:r>'
        "<w:t>L3-CES1-02 here</w:t></w:r></w:p><w:tr><w:tc></w:tc></w:tr>"
    )
    found = parts("docx", zipped(word__document_xml=b"", **{"word/document.xml": body.encode()}))
    assert found["top: row L3-CES1-01"] == [IDS[0]]
    assert found["section B"] == [IDS[1]]
    assert found["B: row empty"] == []


def test_cells_show_shared_inline_and_computed_texts() -> None:
    sheet = (
        b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>in</t></is></c>'
        b'<c r="C1"><f>1+1</f><v>2</v></c></row><row r="2"><c r="A2" t="s"><v>9</v></c></row>'
        b'<row r="3"><c r="A3" s="1"/></row>'
    )
    book = {
        "xl/workbook.xml": b'<sheet name="S" sheetId="1" r:id="rId1"/>',
        "xl/_rels/workbook.xml.rels": b'<Relationship Id="rId1" Target="/xl/worksheets/a.xml"/>',
        "xl/worksheets/a.xml": sheet,
        "xl/sharedStrings.xml": b"<si><t>L3-CES1-01</t></si>",
    }
    found = parts("xlsx", zipped(**book))
    assert found["sheet S: row L3-CES1-01"] == [IDS[0]]
    assert "sheet S: row shared string 9" in found


def test_a_damaged_member_is_read_as_far_as_it_goes() -> None:
    body = b"".join(b"<w:tr><w:tc><w:t>row %d</w:t></w:tc></w:tr>" % n for n in range(900))
    whole = zipped(**{"word/document.xml": body})
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    assert "top: row row 1" in parts("docx", bytes(flipped))


def test_a_member_that_breaks_within_its_limit_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes(200_000)
    damaged = bytearray(zipped(a=body))
    at = damaged.index(b"PK\x01\x02")
    damaged[at + 16] ^= 1  # the checksum in the directory: all of it is still there
    assert len(unpacked(bytes(damaged))["a"]) == len(body)
    monkeypatch.setattr("audits.core.report_parts.office.MAX_UNPACKED", 1_000)
    with pytest.raises(ReportRejected, match="unpacks to more"):
        unpacked(bytes(damaged))


def test_what_is_salvaged_stays_within_its_limit() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = bomb.compress(bytes(1 << 20)) + bomb.flush()
    assert len(office._salvaged(deflated, 5_000)) <= 2 * 5_001


def test_too_many_doubled_or_encrypted_members_are_refused() -> None:
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"")
    with pytest.raises(ReportRejected, match="one twice"):
        unpacked(twice.getvalue())
    locked = bytearray(zipped(a=b"x"))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ReportRejected, match="packed in a way"):
        unpacked(bytes(locked))


# PDF

CMAP = (
    b"1 beginbfrange\n<0001> <0002> <0041>\nendbfrange\n1 beginbfchar\n<0003> <00420043>\nendbfchar"
)


def pages(text: bytes, cmap: bytes = CMAP) -> bytes:
    return pdf_of(
        b"<</Type/Page/Contents 2 0 R/Resources<</Font<</f0 3 0 R>>>>>>",
        stream(b"BT /f0 9 Tf " + text + b" ET"),
        b"<</Type/Font/ToUnicode 4 0 R>>",
        stream(cmap),
    )


def test_glyphs_become_characters_by_ranges_and_pairs() -> None:
    same = [
        pages(b"<000100020003>Tj"),
        pages(b"(\\000\\001\\000\\002\\000\\003)Tj"),
        pages(b"<0001>Tj /f0 8 Tf [<0002>3<0003>]TJ"),
        pages(b"() Tj <000100020003>Tj"),
    ]
    first = [parts_of("pdf", each, IDS)[0].content for each in same]
    assert len(set(first)) == 1
    assert parts_of("pdf", pages(b"<00010003>Tj"), IDS)[0].content != first[0]
    for each in same:
        parts("pdf", each)


def test_objects_inside_streams_damaged_streams_and_odd_attachments_are_named() -> None:
    inside = b"<</Length 24>>\nstream\n\n9 0 obj\nx\nendobj\n    \nendstream"
    odd = stream(b"no json", b"/Type/EmbeddedFile")
    tail = zlib.compress(b"x") + b"more"
    long = b"<</Length %d/Filter/FlateDecode>>\nstream\n%b\nendstream" % (len(tail), tail)
    page = b"<</Type/Page/Contents 3 0 R>>"
    found = parts("pdf", pdf_of(inside, odd, long, page))
    assert "attachment" in found
    assert {"object 1", "object 2", "object 3", "page 1"} <= set(found)
    assert "object 9" not in found


def test_limits_of_pdf_files_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_UNPACKED", 5_000)
    big = stream(bytes(4_000))
    with pytest.raises(ReportRejected, match="unpacks to more"):
        parts_of("pdf", pdf_of(big, big), IDS)
    raw = b"<</Length 6000>>\nstream\n%b\nendstream" % bytes(6_000)
    with pytest.raises(ReportRejected, match="unpacks to more"):
        parts_of("pdf", pdf_of(raw), IDS)
    page = b"<</Type/Page/Contents[2 0 R 2 0 R]>>"
    with pytest.raises(ReportRejected, match="draw more"):
        parts_of("pdf", pdf_of(page, big), IDS)
    fonts = [b"<</ToUnicode 99 0 R>>"] * 65
    with pytest.raises(ReportRejected, match="fonts"):
        parts_of("pdf", pdf_of(*fonts), IDS)


# Lists and proofs


@pytest.mark.parametrize(
    "value", [{}, [1], [["a", "b", "", []]], [["a", "0" * 64, "", [1]]], ["abcd"]]
)
def test_malformed_lists_of_parts_are_refused(value: Any) -> None:
    with pytest.raises(ReportRejected):
        read_parts(value)


def test_without_ids_nothing_is_cut() -> None:
    assert cut_by_item("a b", ()) == ["a b"]
    assert tool.cut_by_item("a b", ()) == ["a b"]


def test_documents_and_proofs_without_their_parts_are_refused() -> None:
    with pytest.raises(ReportRejected, match="no items"):
        finding_leaves({"items": [1]})
    with pytest.raises(ReportRejected, match="no evidence"):
        evidence_leaves({})
    with pytest.raises(ReportRejected, match="unknown kind"):
        target_of({"kind": "letter"})
    with pytest.raises(ReportRejected, match="malformed"):
        read_signatures({"signatures": [{"algorithm": base64.b64encode(b"x").decode()}]})
    document = {"items": [], "facts": {}}
    with pytest.raises(ReportRejected, match="roots"):
        check_lists({"findings": []}, {}, document)


FONT = {b"F1": {0x4142: "甲", 0x4143: "乙", 0x2829: "丙", 0x41: "丁"}}


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        (b"/F1 9 Tf [(AB) 3 <4143>] TJ", "甲乙"),
        (rb"/F1 9 Tf (\(\)) Tj (()) Tj (AC) Tj", "丙丙乙"),
        (rb"/F1 9 Tf (\101\102) Tj <41> Tj", "甲丁"),
        (b"/F1 9 Tf /Span<</Alt(AB)/E((AB)>>)>>BDC (AC) Tj EMC", "乙"),
        (b"/F1 9 Tf /Span<</ActualText<4142>/P<</Q(AB)>>>>BDC (AC) Tj EMC", "乙"),
        (b"/F1 9 Tf (AB) Tj (AC", "甲乙"),
        (b"/F2 9 Tf (AB) Tj", "\ufffd"),
        (b"(AB) Tj", "\ufffd"),
    ],
)
def test_a_page_says_what_it_draws_and_not_what_it_says_aside(drawn: bytes, shown: str) -> None:
    assert shown_text(drawn, FONT) == shown


@given(st.binary(max_size=300))
def test_any_bytes_show_some_text(drawn: bytes) -> None:
    assert isinstance(shown_text(drawn, FONT), str)
    with pytest.raises(ReportRejected):
        read_pdf(drawn)
