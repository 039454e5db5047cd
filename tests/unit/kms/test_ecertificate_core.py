"""The pure part of e-certificates: identifiers, templates, values, rows, and the drawn page."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.ecertificates.pages import default_layout, draw_page
from kms.core.ecertificates.refusals import ECertificateError
from kms.core.ecertificates.rows import MAX_FILE, MAX_ROWS, Row, read_rows
from kms.core.ecertificates.templates import read_template
from kms.core.ecertificates.values import (
    check_values,
    chinese_date,
    clean_values,
    mask,
    public_values,
)
from kms.core.gbt33190.drawing import draw_ofd
from kms.core.gbt33190.package import OfdPackage
from kms.core.gbt33190.pages import read_document
from kms.core.gbt36904.identifiers import (
    IdentifierError,
    check_character,
    identifier,
    is_identifier,
)
from kms.models.ecertificates import (
    DocumentFacts,
    Layout,
    LayoutItem,
    TemplateField,
    TemplateWish,
)
from secops.kernel.clock import from_rfc3339
from tests.fakes.ecertificate_office import AUTHORITY, TYPE, template_record

REAL = (
    # found in public source code of systems that issue or receive e-certificates
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
)
OFD = "{http://www.ofdspec.org/2016}"
FACTS = DocumentFacts(
    "0" * 32, "许可证", "机关", from_rfc3339("2026-01-31T16:00:00Z"), {"证照标识": "x"}
)
FIELDS = read_template(template_record("seal_1")).fields


def layout(**changes: Any) -> dict[str, Any]:
    """Return a page as JSON: one text, the code, the seal."""
    return {
        "width": 100,
        "height": 80,
        "items": [{"x": 5, "y": 5, "width": 20, "size": 4, "field": "holder"}],
        "qr_x": 5,
        "qr_y": 40,
        "qr_size": 30,
        "seal_x": 50,
        "seal_y": 30,
        **changes,
    }


@pytest.mark.parametrize("text", REAL)
def test_real_identifiers_have_the_check_character_of_mod_37_36(text: str) -> None:
    assert is_identifier(text)
    *parts, check = text.removeprefix("1.2.156.3005.2.").split(".")
    assert check_character("".join(parts)) == check


def test_an_identifier_is_written_as_the_real_ones_are() -> None:
    assert identifier(TYPE, AUTHORITY, "2430599", 1) == REAL[0]


@given(st.integers(0, 60), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_no_single_wrong_character_passes(place: int, letter: str) -> None:
    text = REAL[0]
    place = len("1.2.156.3005.2.") + place % (len(text) - len("1.2.156.3005.2."))
    if text[place] in (letter, "."):
        return
    assert not is_identifier(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "1.2.3", REAL[0] + ".1", REAL[0].lower(), "1.2.156.3005.2.A..B.001.C", "x" * 200]
)
def test_what_is_no_identifier_is_none(text: str) -> None:
    assert not is_identifier(text)


@pytest.mark.parametrize(
    ("type_code", "authority", "serial", "version"),
    [
        (TYPE[:-1], AUTHORITY, "1", 1),
        (TYPE, AUTHORITY.lower(), "1", 1),
        (TYPE, AUTHORITY, "", 1),
        (TYPE, AUTHORITY, "1" * 33, 1),
        (TYPE, AUTHORITY, "1", 0),
        (TYPE, AUTHORITY, "1", 1000),
    ],
)
def test_no_identifier_is_made_of_odd_parts(
    type_code: str, authority: str, serial: str, version: int
) -> None:
    with pytest.raises(IdentifierError):
        identifier(type_code, authority, serial, version)


def test_a_template_without_a_layout_gets_a_page_with_all_fields() -> None:
    wish = read_template(template_record("seal_1"))
    assert wish.layout is not None
    shown = {item.field for item in wish.layout.items}
    assert {field.name for field in wish.fields} < shown
    assert {"@title", "@number", "@identifier", "@valid"} < shown


def test_a_template_reads_back_from_its_own_json() -> None:
    record = template_record("seal_1", layout=layout(frame=2, items=[]), validity_days=None)
    wish = read_template(record)
    assert wish.layout == Layout(100, 80, (), 5, 40, 30, 50, 30, 2)
    assert wish.validity_days is None


def field(**changes: Any) -> dict[str, Any]:
    return {"name": "holder", "title": "持有人", **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"name": ""},
        {"name": 7},
        {"name": "许可\u202e证"},
        {"name": "长" * 61},
        {"type_code": "123"},
        {"authority_code": "abc"},
        {"validity_days": 0},
        {"validity_days": True},
        {"validity_days": 40_000},
        {"fields": []},
        {"fields": "holder"},
        {"fields": ["holder"]},
        {"fields": [field()] * 2},
        {"fields": [field()] * 41},
        {"fields": [field(), field(name="Upper")]},
        {"fields": [field(), field(name="number")]},
        {"fields": [field(name="1a")]},
        {"fields": [field(title="")]},
        {"fields": [field(kind="picture")]},
        {"fields": [field(kind="choice")]},
        {"fields": [field(choices=["a"])]},
        {"fields": [field(kind="choice", choices=[1])]},
        {"fields": [field(required="yes")]},
        {"fields": [field(required=False)]},
        {"fields": [field(max_length=0)]},
        {"fields": [field(max_length=501)]},
        {"fields": [field(public="all")]},
        {"fields": [field(), *(field(name=f"f{n}") for n in range(10))]},
        {"holder_field": "nobody"},
        {"layout": []},
        {"layout": layout(width=10)},
        {"layout": layout(width=float("nan"))},
        {"layout": layout(width="100")},
        {"layout": layout(frame=40)},
        {"layout": layout(frame=-1)},
        {"layout": layout(qr_size=5)},
        {"layout": layout(qr_x=90)},
        {"layout": layout(qr_y=-1)},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 200, "size": 4, "text": "a"}])},
        {"layout": layout(items=[{"x": 5, "y": 79, "width": 20, "size": 4, "text": "a"}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 20, "size": 1, "text": "a"}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 2, "size": 4, "text": "a"}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 20, "size": 4}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 20, "size": 4, "field": "ghost"}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 20, "size": 4, "font": "x"}])},
        {"layout": layout(items=[{"x": 5, "y": 5, "width": 20, "size": 4, "align": "up"}])},
    ],
)
def test_a_template_out_of_its_limits_is_refused_in_both_languages(changes: dict[str, Any]) -> None:
    with pytest.raises(ECertificateError) as refused:
        read_template(template_record("seal_1", **changes))
    assert refused.value.why.zh
    assert refused.value.why.en


def wrong(**values: str) -> dict[str, str]:
    whole = {"holder": "甲", "id_number": "1", "scope": "食品经营", **values}
    return {name: why.en for name, why in check_values(FIELDS, clean_values(whole))}


def test_sound_values_have_no_problem() -> None:
    assert wrong(area="12.5", founded="2024-02-29") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("holder", ""),
        ("holder", "   "),
        ("holder", "甲" * 41),
        ("holder", "甲\n乙"),
        ("holder", "甲\x00"),
        ("holder", "甲\u202e"),
        ("scope", "卖药"),
        ("area", "12,5"),
        ("area", "1e9"),
        ("founded", "2025-02-29"),
        ("founded", "29.2.2024"),
        ("ghost", "x"),
    ],
)
def test_a_wrong_value_is_named_by_its_field(name: str, value: str) -> None:
    assert set(wrong(**{name: value})) == {name}


def test_the_public_sees_what_the_template_shows_and_no_more() -> None:
    values = {"holder": "欧阳春晖", "id_number": "110101199003070011", "scope": "食品经营"}
    assert list(public_values(FIELDS, values)) == [("经营者", "欧***"), ("经营项目", "食品经营")]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("男", "*"),
        ("王五", "王*"),
        ("13812", "1****"),
        ("13812345678", "1*********8"),
        ("欧阳春晖", "欧***"),
        ("110101199003070011", "11" + "*" * 14 + "11"),
    ],
)
def test_a_mask_leaves_a_third_at_most(value: str, masked: str) -> None:
    assert mask(value) == masked


def test_the_day_is_that_of_beijing() -> None:
    assert chinese_date(from_rfc3339("2026-01-31T15:59:59Z")) == "2026年1月31日"
    assert chinese_date(from_rfc3339("2026-01-31T16:00:00Z")) == "2026年2月1日"


def test_rows_are_read_from_csv_by_name_or_title() -> None:
    csv = '经营者,id_number,证照编号\r\n甲, 1 ,JY9\r\n\r\n"乙,丙",2,\r\n'
    expected = [
        Row({"holder": "甲", "id_number": "1"}, "JY9"),
        Row({"holder": "乙,丙", "id_number": "2"}),
    ]
    for encoded in (csv.encode(), csv.encode("utf-8-sig"), csv.encode("gb18030")):
        assert read_rows(encoded, FIELDS) == expected


def test_rows_are_read_from_json_lines() -> None:
    lines = b'{"holder": "a", "number": "N1"}\n\n{"holder": "b"}\n'
    assert read_rows(lines, FIELDS) == [Row({"holder": "a"}, "N1"), Row({"holder": "b"})]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"holder\n",
        b"holder,holder\n1,2\n",
        "经营者,holder\n1,2\n".encode(),
        b"holder,scope\n1\n",
        b'holder\n"a\n',
        b'holder\n"a"b\n',
        b"{]\n",
        b'{"holder": 1}\n',
        b'{"a": "b"}\n[]\n',
        b"\xff\xff\xff",
        ",".join(["a"] * 101).encode(),
        b"x" * (MAX_FILE + 1),
        b"holder\n" + b"a\n" * (MAX_ROWS + 1),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(ECertificateError):
        read_rows(content, FIELDS)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(content: bytes) -> None:
    try:
        rows = read_rows(content, FIELDS)
    except ECertificateError:
        return
    assert all(isinstance(row, Row) for row in rows)


def page(*items: LayoutItem, frame: float = 0.0) -> Layout:
    return Layout(100, 80, items, 5, 40, 30, 50, 30, frame)


def test_a_long_text_goes_on_below_and_one_too_long_is_refused() -> None:
    item = LayoutItem(5, 5, 20, 4, "名:", "holder", lines=2)
    drawn = draw_page(page(item), {"holder": "欧阳春晖ab"})
    assert [text.text for text in drawn.texts] == ["名:欧阳春", "晖ab"]
    assert [text.y for text in drawn.texts] == [5, 5 + 4 * 1.4]
    assert drawn.texts[1].advances == (4.0, 2.0)
    with pytest.raises(ECertificateError):
        draw_page(page(item), {"holder": "长" * 10})


def test_a_centred_text_has_equal_room_on_both_sides() -> None:
    (text,) = draw_page(page(LayoutItem(10, 5, 40, 4, "证照", align="center")), {}).texts
    assert (text.x, text.x + 8) == (26.0, 34.0)


def test_a_qr_code_lies_in_its_square_with_four_modules_of_quiet() -> None:
    drawn = draw_page(page(frame=2), {}, [[1, 1, 0], [0, 0, 0], [0, 0, 1]])
    side = 30 / 11
    assert drawn.filled == (
        (5 + 4 * side, 40 + 4 * side, 2 * side, side),
        (5 + 6 * side, 40 + 6 * side, side, side),
    )
    assert drawn.framed == ((2, 2, 96, 76),)


@given(st.text(max_size=60))
def test_no_datum_leaves_its_text_object(value: str) -> None:
    """Markup, entities, quotes: the page has the same elements whatever a holder is called."""
    values = clean_values({"holder": value})
    if list(check_values((TemplateField("holder", "名", required=False),), values)):
        return
    item = LayoutItem(5, 5, 90, 4, "名:", "holder", lines=9)
    try:
        drawn = draw_page(page(item), values)
    except ECertificateError:
        return
    content = read(draw_ofd(drawn, FACTS), "Doc_0/Pages/Page_0/Content.xml")
    texts = content.findall(f".//{OFD}TextCode")
    assert "".join(text.text or "" for text in texts) == "名:" + values.get("holder", "")
    names = {element.tag.removeprefix(OFD) for element in content.iter()}
    assert names <= {"Page", "Content", "Layer", "TextObject", "FillColor", "TextCode"}


def read(ofd: bytes, name: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(ofd)) as archive:
        return ET.fromstring(archive.read(name))  # noqa: S314 - made by the test


def test_the_ofd_is_one_that_our_reader_takes_and_the_same_every_time() -> None:
    wish = read_template(template_record("seal_1"))
    drawn = draw_page(default_layout(wish), {"holder": "甲", "@title": "许可证"}, [[1, 0], [0, 1]])
    content = draw_ofd(drawn, FACTS)
    assert content == draw_ofd(drawn, FACTS)
    document = read_document(OfdPackage(content))
    assert [(each.width, each.height) for each in document.pages] == [(210, 297)]
    root = read(content, "OFD.xml")
    assert root.findtext(f".//{OFD}Title") == "许可证"
    assert root.find(f".//{OFD}CustomData[@Name='证照标识']").text == "x"
    identifiers = [
        element.get("ID")
        for name in ("Doc_0/Document.xml", "Doc_0/PublicRes.xml", "Doc_0/Pages/Page_0/Content.xml")
        for element in read(content, name).iter()
        if element.get("ID")
    ]
    assert len(set(identifiers)) == len(identifiers)
    highest = read(content, "Doc_0/Document.xml").findtext(f".//{OFD}MaxUnitID")
    assert max(int(each) for each in identifiers) <= int(highest)


def test_each_letter_has_its_place() -> None:
    drawn = draw_page(page(LayoutItem(5, 5, 90, 4, "甲A乙")), {})
    (code,) = read(draw_ofd(drawn, FACTS), "Doc_0/Pages/Page_0/Content.xml").iter(f"{OFD}TextCode")
    assert code.get("DeltaX") == "4 2"


def test_a_template_of_one_letter_draws_no_advances() -> None:
    drawn = draw_page(page(LayoutItem(5, 5, 90, 4, "甲")), {})
    (code,) = read(draw_ofd(drawn, FACTS), "Doc_0/Pages/Page_0/Content.xml").iter(f"{OFD}TextCode")
    assert code.get("DeltaX") is None


def test_more_than_ten_fields_need_a_layout_of_their_own() -> None:
    fields = tuple(TemplateField(f"f{number}", "数据") for number in range(11))
    wish = TemplateWish(TYPE, "证", "机关", AUTHORITY, "", fields, "f0", "seal_1")
    with pytest.raises(ECertificateError):
        default_layout(wish)
