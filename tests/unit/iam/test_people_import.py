"""People from a table: how it is written, what is wrong with a row, and a dry run."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.gb11643.id_number import check_character
from iam.core.people_csv.read import MAX_BYTES, decode, read_people
from iam.errors import ImportRefused
from secops.kernel.errors import Forbidden
from secops.kernel.pages import PageRequest
from tests.fakes.iam_home import IamHome
from tests.unit.iam.test_organisations import administrator, organisation

TODAY = date(2026, 3, 1)


def number(index: int) -> str:
    first = f"88888819700101{index:03d}"
    return first + check_character(first)


def table(*rows: str, heading: str = "账号,姓名,身份证号,单位,职务") -> str:
    return "\n".join((heading, *rows)) + "\n"


GOOD = table(
    f"li.lei,李雷,{number(1)},,科员",
    f"han.mei,韩梅梅,{number(2)},临江县,科长",
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_as_it_was_exported(encoding: str) -> None:
    read = read_people(GOOD.encode(encoding), TODAY)
    assert read.encoding == ("gb18030" if encoding == "gb18030" else "utf-8")
    assert [row.new.full_name for row in read.rows if row.new] == ["李雷", "韩梅梅"]
    assert [row.number for row in read.rows] == [2, 3]
    assert all(row.faults == () for row in read.rows)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    read = read_people(GOOD.replace(",", delimiter).encode(), TODAY)
    assert (read.delimiter, len(read.rows)) == (delimiter, 2)


def test_columns_can_be_named_and_unknown_ones_are_told() -> None:
    text = "工号,全名,备注\nli.lei,李雷,x\n"
    with pytest.raises(ImportRefused):
        read_people(text.encode(), TODAY)
    read = read_people(text.encode(), TODAY, {"name": "工号", "full_name": "全名"})
    assert (dict(read.columns), read.unknown) == ({"name": "工号", "full_name": "全名"}, ("备注",))
    for wrong in ({"name": "没有"}, {"password": "工号"}):
        with pytest.raises(ImportRefused):
            read_people(text.encode(), TODAY, wrong)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("a b,李雷,,,", "name"),
        (",李雷,,,", "name"),
        (f"li.lei,李雷,{number(1)[:-1]}Y,,", "document_number"),
        ("li.lei,李雷,123,,", "document_number"),
        (f"li.lei,{'长' * 501},,,", ""),
    ],
)
def test_a_faulty_row_says_where_and_what_to_do(row: str, column: str) -> None:
    (read,) = read_people(table(row).encode(), TODAY).rows
    assert [fault.column for fault in read.faults] == [column]
    assert all(fault.remedy.zh and fault.remedy.en for fault in read.faults)
    assert read.new is None


def test_kinds_of_documents_and_people_are_known_by_their_words() -> None:
    heading = "name,document_type,document_number,kind"
    read = read_people(
        table(
            "a1,护照,E1234567,自然人",
            "a2,驾照,E1234567,",
            "a3,,,机器人",
            heading=heading,
        ).encode(),
        TODAY,
    )
    assert read.rows[0].new is not None
    assert (read.rows[0].new.kind, read.rows[0].new.document.type) == ("natural", "passport")  # type: ignore[union-attr]
    assert [fault.column for fault in read.rows[1].faults] == ["document_type"]
    assert [fault.column for fault in read.rows[2].faults] == ["kind"]


def test_what_stands_twice_in_the_file_is_found() -> None:
    text = table(f"li.lei,甲,{number(1)},,", f"LI.LEI,乙,{number(2)},,", f"wang,丙,{number(1)},,")
    text += f"ｌｉ．ｌｅｉ,丁,{number(3)},,\n"
    rows = read_people(text.encode(), TODAY).rows
    assert [[fault.column for fault in row.faults] for row in rows] == [
        [],
        ["name"],
        ["document_number"],
        ["name"],
    ]
    assert "第 2 行" in rows[1].faults[0].what.zh


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "账号\n".encode(),
        b"\xff\xfe\x00a",
        b"a\0b,c\nd,e\n",
        b'name\n"open',
        b"x" * (MAX_BYTES + 1),
        b"name\n" + b"a\n" * 20_001,
    ],
)
def test_what_is_no_table_is_refused_whole(content: bytes) -> None:
    with pytest.raises(ImportRefused):
        read_people(content, TODAY)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    try:
        text, encoding = decode(content)
        read_people(b"name\n" + content, TODAY)
    except ImportRefused:
        return
    assert text.encode(encoding) or not content.strip(b"\xef\xbb\xbf")


# into a home


def test_a_preview_does_nothing_and_an_import_does_what_it_said(home: IamHome) -> None:
    county, imports = organisation(home, "临江县"), home.services.power.imports
    system = home.actor("system-admin")
    preview = imports.preview_people(system, GOOD.encode("gb18030"))
    assert (preview.dry_run, preview.good, preview.faulty, preview.enrolments) == (True, 2, 0, ())
    accounts = home.services.accounts
    assert len(accounts.list_accounts(system, PageRequest(50))[0].items) == len(home.demo)
    steps: list[int] = []
    done = imports.import_people(system, GOOD.encode(), "all", progress=steps.append)
    assert (done.good, steps) == (2, [2])
    assert [each.account_name for each in done.enrolments] == ["li.lei", "han.mei"]
    assert accounts.get_account(system, "han.mei").org_id == county.id
    assert accounts.get_account(system, "li.lei").state == "pending"
    assert home.services.enrolment.look(done.enrolments[0].token).account_name == "li.lei"


def test_people_who_are_known_are_found_by_their_key(home: IamHome) -> None:
    imports, system = home.services.power.imports, home.actor("system-admin")
    imports.import_people(system, table(f"li.lei,李雷,{number(1)},,").encode(), "all")
    again = imports.preview_people(
        system, table(f"li.lei,李雷,{number(1)},,", f"other,李雷,{number(1)},,").encode()
    )
    assert [[fault.column for fault in row.faults] for row in again.faults] == [
        ["name", "document_number"],
        ["document_number", "document_number"],
    ]


def test_all_or_the_good_rows(home: IamHome) -> None:
    imports, system = home.services.power.imports, home.actor("system-admin")
    mixed = table(f"good,甲,{number(1)},,", "bad name,乙,,,", "lost,丙,,没有的单位,").encode()
    with pytest.raises(ImportRefused):
        imports.import_people(system, mixed, "all")
    done = imports.import_people(system, mixed, "good")
    assert (done.good, done.faulty, len(done.enrolments)) == (1, 2, 1)
    assert [fault.column for row in done.faults for fault in row.faults] == ["name", "organisation"]


def test_an_import_stays_within_reach_and_right(home: IamHome) -> None:
    county = organisation(home, "临江县")
    organisation(home, "邻县")
    local = administrator(home, "local", "system-admin", county.id, 9)
    text = table("one,甲,,邻县,", "two,乙,,临江县,", "three,丙,,,").encode()
    report = home.services.power.imports.preview_people(local, text)
    assert [row.name for row in report.faults] == ["one"]
    home.services.power.imports.import_people(local, text, "good")
    assert home.services.accounts.get_account(local, "three").org_id == county.id
    with pytest.raises(Forbidden):
        home.services.power.imports.preview_people(home.actor("security-admin"), text)


def test_each_person_of_an_import_has_a_leaf(home: IamHome) -> None:
    system = home.actor("system-admin")
    home.services.power.imports.import_people(system, GOOD.replace(",临江县", ",").encode(), "good")
    actions = [leaf["action"] for leaf in home.leaves()]
    assert (actions.count("iam.create_account"), actions[-1]) == (
        len(home.demo) + 2,
        "iam.import_people",
    )


@pytest.mark.deep
def test_ten_thousand_rows_are_imported(home: IamHome) -> None:
    rows = [f"p{index},人{index},,," for index in range(10_000)]
    done = home.services.power.imports.import_people(
        home.actor("system-admin"), table(*rows).encode(), "all"
    )
    assert len(done.enrolments) == 10_000
