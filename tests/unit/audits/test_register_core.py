"""The register's pure parts: days, fields, facts, the filing sheet, rows of tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.register.changes import changes
from audits.core.register.dates import (
    access_state,
    date_text,
    filing_due,
    read_date,
    retest_due,
    standing,
)
from audits.core.register.facts import claimed, filing_facts, inventory_facts, supplier_facts
from audits.core.register.fields import (
    ASSET_FIELDS,
    DETAIL_FIELDS,
    MAX_LIST,
    SYSTEM_FIELDS,
    asset_texts,
    read_fields,
    shown_texts,
    strangers,
    system_texts,
)
from audits.core.register.filing import filing_sheet, sheet_rows
from audits.core.register.records import (
    BYTES,
    last_day,
    media_type_of,
    record_facts,
    record_row,
    record_state,
)
from audits.core.register.tables import (
    MAX_CELL,
    MAX_ROWS,
    asset_rows,
    harmless,
    read_csv,
    read_table,
    system_rows,
    title_of,
    write_csv,
)
from audits.errors import TableRefused
from audits.models.records import Record
from audits.models.systems import DATA_GRADES, Asset, SupplierAccess, System
from detectors.models.privacy import GRADE_TEXTS
from secops.kernel.clock import DAY

SYSTEM = System(
    id="sys_1",
    org_id="org_a",
    name="门户",
    level=3,
    s_level=3,
    a_level=2,
    extensions=("cloud", "iot"),
    uses=("iam",),
    details={"unit": "大数据局"},
)
ASSET = Asset(
    id="ast_1",
    org_id="org_a",
    system_id="sys_1",
    name="web",
    kind="host",
    importance=4,
    department="运维处",
    place="A",
    owner="张三",
    data_grade="3",
    measures="双人操作",
    log_sources=("nginx", "sshd"),
)
ACCESS = SupplierAccess(
    id="sup_1",
    org_id="org_a",
    system_id="sys_1",
    supplier="公司",
    person="王五",
    purpose="运维",
    starts_at=10 * DAY,
    ends_at=20 * DAY,
    account="wangwu",
)
RECORD = Record(
    id="rec_1",
    org_id="org_a",
    system_id="",
    kind="training",
    evidence_kind="training.record",
    title="培训",
    person="",
    note="",
    items=("L3-HRS1-07",),
    held_at=100 * DAY,
    expires_at=465 * DAY,
    filename="a.pdf",
    media_type="application/pdf",
    size=3,
    sha256="00",
    uploaded_by="acc_1",
    uploaded_at=101 * DAY,
)


def day(text: str) -> int:
    found = read_date(text)
    assert found is not None
    return found


def test_grades_are_those_that_log_sources_are_graded_with() -> None:
    assert {key: (t.zh, t.en) for key, t in GRADE_TEXTS.items()} == {
        key: (t.zh, t.en) for key, t in DATA_GRADES.items()
    }


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2200, 12, 31)))
def test_a_day_that_is_written_is_read_as_itself(when: date) -> None:
    assert date_text(day(str(when))) == str(when)


@pytest.mark.parametrize(
    "text", ["", "2026-2-30", "26-01-01", "2026-01", "1989-12-31", "2201-01-01", "２０２６-01-01"]
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert read_date(text) is None


@pytest.mark.parametrize(
    ("filed", "ends"),
    [
        ("2024-01-05", "2027-01-05"),
        ("2024-02-29", "2027-02-28"),
        ("2023-12-31", "2026-12-31"),
        ("2023/11/30", "2026-11-30"),
    ],
)
def test_a_filing_ends_after_three_years(filed: str, ends: str) -> None:
    due = filing_due(replace(SYSTEM, filed_at=day(filed)), day("2026-11-01"))
    assert date_text(due.at) == ends


@pytest.mark.parametrize(
    ("level", "ends", "how"),
    [
        (1, "", "good"),
        (2, "2027-03-01", "good"),
        (3, "2026-03-01", "late"),
        (4, "2026-03-01", "late"),
    ],
)
def test_the_next_test_is_due_by_the_level(level: int, ends: str, how: str) -> None:
    system = replace(SYSTEM, level=level, tested_at=day("2025-03-01"))
    due = retest_due(system, day("2026-03-01"))
    assert (date_text(due.at), due.standing) == (ends, how)
    unknown = retest_due(replace(system, tested_at=0), 0)
    assert unknown.standing == ("good" if level == 1 else "unknown")


@pytest.mark.parametrize(
    ("ends_at", "how"),
    [(0, "good"), (100 * DAY, "late"), (160 * DAY, "soon"), (160 * DAY + 1, "good")],
)
def test_what_ends_within_sixty_days_ends_soon(ends_at: int, how: str) -> None:
    assert standing(ends_at, 100 * DAY) == how


@pytest.mark.parametrize(
    ("now", "ended_at", "state"),
    [(9, 0, "coming"), (10, 0, "current"), (20, 0, "expired"), (9, 8, "ended")],
)
def test_an_access_stands_by_its_days(now: int, ended_at: int, state: str) -> None:
    assert access_state(replace(ACCESS, ended_at=ended_at * DAY), now * DAY) == state


def test_facts_of_a_system_leave_out_what_nobody_entered() -> None:
    ahead = replace(
        SYSTEM, filing_number="1", filed_at=day("2199-01-01"), tested_at=day("2199-01-01")
    )
    announced = filing_facts(ahead, day("2026-03-01"))
    assert announced["filed"] is False
    assert not {"filing_valid", "test_age_days", "test_in_time"} & set(announced)
    facts = filing_facts(SYSTEM, day("2026-03-01"))
    assert facts == {
        "level": 3,
        "sag": "S3A2G3",
        "filed": False,
        "data_graded": False,
        "owner_named": False,
    }
    filed = replace(
        SYSTEM, filed_at=day("2023-01-01"), filing_number="1", tested_at=day("2025-09-01")
    )
    facts = filing_facts(filed, day("2026-03-01"))
    assert (facts["filed"], facts["filing_valid"], facts["filing_ends_days"]) == (True, False, -59)
    assert (facts["test_age_days"], facts["test_in_time"]) == (181, True)


def test_facts_of_assets_count_what_is_there_and_sources_only_where_readable() -> None:
    bare = Asset(id="ast_2", org_id="org_a", system_id="sys_1", name="db", kind="database")
    facts = inventory_facts((ASSET, bare), {"pg"})
    assert facts == {
        "assets": 2,
        "with_department": 1,
        "with_importance": 1,
        "with_place": 1,
        "with_owner": 1,
        "graded": 1,
        "looked_after": 1,
        "with_log_source": 1,
        "unlisted_log_sources": 1,
    }
    assert "unlisted_log_sources" not in inventory_facts((ASSET,), None)
    assert claimed((ASSET, bare)) == {"nginx": [ASSET], "sshd": [ASSET]}


def test_an_account_is_late_only_where_no_access_with_it_is_in_force() -> None:
    over = replace(ACCESS, ends_at=12 * DAY, approved_by="张三")
    elsewhere = replace(ACCESS, account="")
    facts = supplier_facts((over, elsewhere), {"wangwu": True}, 15 * DAY)
    assert facts == {
        "accesses": 2,
        "current": 1,
        "expired": 1,
        "unapproved": 1,
        "without_account": 1,
        "unknown_accounts": 0,
        "late_accounts": 1,
    }
    again = supplier_facts((over, ACCESS), {"wangwu": True}, 15 * DAY)
    assert again["late_accounts"] == 0
    gone = supplier_facts((over,), {}, 15 * DAY)
    assert (gone["unknown_accounts"], gone["late_accounts"]) == (1, 0)


def test_texts_of_fields_are_read_as_they_were_written() -> None:
    values, faults = read_fields(SYSTEM_FIELDS, system_texts(SYSTEM))
    assert faults == []
    assert replace(SYSTEM, **values) == SYSTEM
    values, faults = read_fields(ASSET_FIELDS, asset_texts(ASSET))
    assert (replace(ASSET, **values), faults) == (ASSET, [])
    assert asset_texts(replace(ASSET, importance=0))["importance"] == ""
    assert read_fields(ASSET_FIELDS, {"importance": ""})[0] == {"importance": 0}


def test_values_are_shown_by_their_titles_and_read_by_them_too() -> None:
    for language in ("zh", "en"):
        shown = shown_texts(SYSTEM_FIELDS, system_texts(SYSTEM), language)
        assert replace(SYSTEM, **read_fields(SYSTEM_FIELDS, shown)[0]) == SYSTEM


def test_a_list_has_bounds_and_a_stranger_is_named() -> None:
    many = ";".join(str(n) for n in range(MAX_LIST + 1))
    assert [f.field for f in read_fields(ASSET_FIELDS, {"log_sources": many})[1]] == ["log_sources"]
    assert strangers((SYSTEM_FIELDS, DETAIL_FIELDS), {"unit": "x", "size": "1"}) == ["size"]


def test_a_change_names_nobody() -> None:
    before = {"owner": "张三", "place": "A"}
    assert changes(before, {"owner": "李四", "place": "A", "kind": "host"}) == {
        "owner": "changed",
        "kind": ["", "host"],
    }


def test_the_filing_sheet_says_what_is_missing_and_that_it_is_not_the_form() -> None:
    filed = replace(SYSTEM, filed_at=day("2024-01-05"), level=1)
    sheet = filing_sheet(filed, (ASSET,), day("2026-03-01"), "zh")
    flat = dict(pair for _, pairs in sheet.sections for pair in pairs)
    assert flat["备案有效期至"] == "2027-01-04 (有效)"
    assert flat["下次测评不晚于"] == "无定期要求"
    assert flat["服务器与终端"] == "1"
    assert flat["扩展要求"] == "云计算;物联网"
    assert "统一社会信用代码" in sheet.missing
    assert "备案单位" not in sheet.missing
    rows = sheet_rows(sheet)
    assert rows[0] == ["一、单位", ""]
    assert ["统一社会信用代码", "(未填写)"] in rows
    assert "不是官方备案表" in rows[-2][0]
    unknown = filing_sheet(SYSTEM, (), 0, "en")
    assert dict(unknown.sections[3][1])["Filing in force until"] == "Not registered"


def test_a_record_stands_by_its_end() -> None:
    states = [record_state(RECORD, now * DAY) for now in (100, 404, 405, 465)]
    assert states == ["valid", "valid", "soon", "expired"]
    assert record_state(replace(RECORD, withdrawn_at=1), 0) == "withdrawn"
    assert record_state(replace(RECORD, expires_at=0), 10**18) == "valid"


def test_records_say_how_many_are_valid_and_when_the_next_ends() -> None:
    old = replace(RECORD, id="rec_2", held_at=10 * DAY, expires_at=20 * DAY)
    paper = replace(RECORD, kind="document", evidence_kind="doc.policy", expires_at=0)
    gone = replace(RECORD, kind="drill", withdrawn_at=1)
    assert record_facts((RECORD, old, paper, gone), 410 * DAY) == {
        "training": {
            "count": 2,
            "valid": 1,
            "expired": 1,
            "ending": 1,
            "newest_age_days": 310,
            "next_expiry_days": 55,
        },
        "document": {
            "count": 1,
            "valid": 1,
            "expired": 0,
            "ending": 0,
            "newest_age_days": 310,
            "doc.policy": 1,
        },
    }


def test_a_records_row_holds_what_a_report_prints() -> None:
    row = record_row(RECORD, 100 * DAY)
    assert (row["id"], row["state"], row["sha256"]) == ("rec_1", "valid", "00")
    assert row["kind_title"] == {"zh": "培训", "en": "Training"}
    assert (row["held_on"], row["expires_on"]) == ("1970-04-11", "1971-04-11")
    assert last_day(0) == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.PDF", "application/pdf"), ("a.html", BYTES), ("a.svg", BYTES), ("pdf", "application/pdf")],
)
def test_pages_and_pictures_with_scripts_are_only_bytes(name: str, kind: str) -> None:
    assert media_type_of(name) == kind


def rows_of(*lines: str) -> dict[str, list[list[str]]]:
    return {"": [line.split(",") for line in lines]}


def test_a_tables_rows_come_back_as_they_were_written() -> None:
    sheet = read_csv(write_csv(system_rows([SYSTEM], "zh")))
    (row,) = read_table(sheet, guarded=True).rows
    assert (row.kind, row.object_id, row.faults) == ("systems", "sys_1", ())
    assert read_fields(SYSTEM_FIELDS, row.values)[0]["extensions"] == ("cloud", "iot")
    sheet = read_csv(write_csv(asset_rows([ASSET], {"sys_1": "门户"}, "en")))
    (row,) = read_table(sheet, guarded=True).rows
    assert (row.kind, row.written["system"], row.faults) == ("assets", "门户", ())


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_leaves_harmless_and_comes_in_only_so(begin: str) -> None:
    text = f"{begin}cmd|' /C calc'!A1"
    assert harmless(text) == f"'{text}"
    heading = ["所属系统", "资产名称", "类别"]
    hostile = {"": [heading, ["门户", text, "host"]]}
    (row,) = read_table(hostile, guarded=True).rows
    assert [fault.field for fault in row.faults] == ["name"]
    (row,) = read_table({"": [heading, ["门户", f"'{text}", "host"]]}, guarded=True).rows
    assert row.written["name"] == text.strip()
    spaced = {"": [heading, ["门户", f"  {text}", "host"]]}
    assert read_table(spaced, guarded=True).rows[0].faults


def test_rows_say_what_they_lack_and_what_they_repeat() -> None:
    table = read_table(
        rows_of(
            "所属系统,资产名称,类别,备注",
            "门户,a,host,x",
            "门户,a,host,x",
            ",b,,",
            ",,,",
        )
    )
    assert table.ignored == ("备注",)
    assert [[f.field for f in row.faults] for row in table.rows] == [
        [],
        ["name"],
        ["system", "kind"],
    ]


def test_a_row_with_an_id_needs_the_version_it_was_exported_with() -> None:
    table = read_table(
        rows_of("编号,版本,系统名称,S级,A级", "sys_1,1,门户,3,3", "sys_2,x,b,3,3", "sys_1,2,c,3,")
    )
    assert [[f.field for f in row.faults] for row in table.rows] == [
        [],
        ["version"],
        ["a_level", "id"],
    ]


def test_sheets_are_known_by_name_or_headings_and_others_left_out() -> None:
    sheets = {
        "说明": [["请填写"]],
        "空": [],
        "系统": [["系统名称", "S级", "A级"], ["门户", "3", "3"]],
    }
    table = read_table(sheets)
    assert table.ignored == ("说明", "空")
    assert [row.kind for row in table.rows] == ["systems"]


def test_a_name_that_is_taken_away_is_refused_and_a_heading_has_its_title() -> None:
    table = read_table(rows_of("编号,版本,系统名称,S级,A级", "sys_1,1,,3,3"))
    assert [(f.field, f.what.en) for f in table.rows[0].faults] == [("name", "It may not be empty")]
    assert title_of("systems", "name").zh == "系统名称"


def test_tables_have_bounds() -> None:
    long = {"": [["所属系统", "资产名称", "类别"], ["门户", "x" * (MAX_CELL + 1), "host"]]}
    assert [f.field for f in read_table(long).rows[0].faults] == ["name"]
    line = ["门户", "x", "host"]
    for refused in (
        {"": [["所属系统", "资产名称", "类别"], *([line] * (MAX_ROWS + 1))]},
        {"": [["所属系统", "资产名称", "类别"]]},
        {"系统": [["系统名称", "系统名称"], ["a", "b"]]},
        {"系统": [["x"] * 81, ["a"]]},
    ):
        with pytest.raises(TableRefused):
            read_table(refused)


@pytest.mark.parametrize("content", [b"\xff\xff\xff", "a,b".encode("utf-16"), b"a\0b", b'a,"b"c'])
def test_what_is_no_text_or_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(TableRefused):
        read_csv(content)


def test_a_table_in_gb18030_is_read() -> None:
    content = "系统名称,S级,A级\n门户,3,2\n".encode("gb18030")
    assert read_table(read_csv(content)).rows[0].written["name"] == "门户"
