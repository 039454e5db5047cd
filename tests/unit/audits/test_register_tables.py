"""Tables imported whole or not at all; workbooks that compute, run, link or swell are refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from audits.adapters.spreadsheets import Workbooks
from audits.core.register.tables import read_csv, read_table
from audits.errors import ChangedMeanwhile, TableRefused, TooManyKept
from audits.service.systems import tables
from secops.kernel.errors import Conflict
from secops.kernel.pages import PageRequest
from tests.fakes.register import KEEPER, READER, STRANGER, RegisterRig, register_rig

GOOD = {
    "系统": [
        ["系统名称", "S级", "A级", "备案日期", "数据级别"],
        ["政务门户", "3", "2", "2025-06-30", "重要数据"],
    ],
    "资产": [
        ["所属系统", "资产名称", "类别", "重要程度", "日志来源"],
        ["政务门户", "web-01", "服务器与终端", "4", "nginx;sshd"],
        ["本平台", "db-01", "database", "", ""],
    ],
    "说明": [["随便写"]],
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RegisterRig]:
    with register_rig(tmp_path) as opened:
        yield opened


def book(sheets: dict[str, list[list[str]]]) -> bytes:
    return Workbooks().write(sheets)


def names(rig: RegisterRig) -> list[str]:
    return [system.name for system in rig.register.systems.live_systems(READER)]


def assets(rig: RegisterRig, system_id: str) -> list[str]:
    page = rig.register.assets.list_assets(READER, system_id, PageRequest())
    return [asset.name for asset in page.items]


def test_a_workbook_brings_systems_and_their_assets_in_one_act(rig: RegisterRig) -> None:
    report = rig.register.tables.preview_systems(KEEPER, book(GOOD))
    assert (report.count("add"), report.faulty, report.ignored) == (3, (), ("说明",))
    assert names(rig) == ["本平台"]
    rig.register.tables.import_systems(KEEPER, book(GOOD))
    assert names(rig) == ["本平台", "政务门户"]
    portal = rig.register.systems.live_systems(READER)[1]
    assert (portal.level, portal.data_grade, portal.version) == (3, "important", 1)
    assert assets(rig, portal.id) == ["web-01"]
    assert assets(rig, "this") == ["db-01"]
    view = rig.register.systems.show_system(READER, portal.id)
    assert [(v.version, v.action) for v in view.versions] == [(1, "import_systems")]


def test_one_faulty_row_keeps_everything_out(rig: RegisterRig) -> None:
    bad = {**GOOD, "资产": [*GOOD["资产"], ["没有的系统", "x", "host", "7", ""]]}
    report = rig.register.tables.preview_systems(KEEPER, book(bad))
    (row,) = report.faulty
    assert (row.kind, row.number, [f.column.zh for f in row.faults]) == ("assets", 4, ["重要程度"])
    with pytest.raises(TableRefused, match="1 rows are faulty, the first is 4"):
        rig.register.tables.import_systems(KEEPER, book(bad))
    assert names(rig) == ["本平台"]


def test_what_was_exported_comes_in_unchanged_and_changes_what_was_changed(
    rig: RegisterRig,
) -> None:
    rig.register.tables.import_systems(KEEPER, book(GOOD))
    for language in ("zh", "en"):
        exported = rig.register.tables.export_systems(READER, language)
        report = rig.register.tables.preview_systems(KEEPER, exported)
        assert (report.count("same"), len(report.rows), report.faulty) == (4, 4, ())
    table = rig.register.tables.export_table(READER, "assets", "zh").decode()
    changed = table.replace("web-01", "web-02")
    report = rig.register.tables.import_systems(KEEPER, changed.encode())
    assert [(r.action, r.fields) for r in report.rows] == [("same", ()), ("change", ("name",))]
    report = rig.register.tables.preview_systems(KEEPER, changed.encode())
    assert [f.column.zh for row in report.faulty for f in row.faults] == ["版本"]


def test_rows_are_held_against_what_is_registered(rig: RegisterRig) -> None:
    rig.register.tables.import_systems(KEEPER, book(GOOD))
    portal = rig.register.systems.live_systems(READER)[1]
    (web,) = rig.scopes.scope(READER, portal.id).assets
    rows = [
        ["编号", "版本", "所属系统", "资产名称", "类别"],
        ["", "", "政务门户", "web-01", "host"],
        [web.id, "1", "本平台", "web-09", "host"],
        ["ast_unknown", "1", "政务门户", "web-08", "host"],
        ["", "", "没有", "web-07", "host"],
        [web.id, "1", "", "web-06", "host"],
    ]
    report = rig.register.tables.preview_systems(KEEPER, book({"资产": rows}))
    assert [(r.action, [f.column.zh for f in r.faults]) for r in report.rows] == [
        ("faulty", ["资产名称"]),
        ("faulty", ["所属系统"]),
        ("faulty", ["编号"]),
        ("faulty", ["所属系统"]),
        ("faulty", ["编号"]),
    ]
    taken = {"系统": [["系统名称", "S级", "A级"], ["政务门户", "1", "1"]]}
    report = rig.register.tables.preview_systems(KEEPER, book(taken))
    assert [f.column.zh for f in report.faulty[0].faults] == ["系统名称"]


def test_this_platform_is_registered_by_its_row(rig: RegisterRig) -> None:
    table = rig.register.tables.export_table(READER, "systems", "zh").decode()
    changed = table.replace("this,0,本平台,3,3,", "this,0,本平台,3,3,张三")
    rig.register.tables.import_systems(KEEPER, changed.encode())
    assert rig.scopes.scope(READER, "this").system.owner == "张三"
    assert rig.scopes.scope(READER, "this").system.version == 1


def test_another_organisations_export_holds_nothing_of_ours(rig: RegisterRig) -> None:
    rig.register.tables.import_systems(KEEPER, book(GOOD))
    exported = rig.register.tables.export_systems(STRANGER, "zh")
    assert "政务门户" not in str(Workbooks().read(exported))


def test_a_change_between_preview_and_storing_undoes_everything(
    rig: RegisterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.register.tables.import_systems(KEEPER, book(GOOD))
    portal = rig.register.systems.live_systems(READER)[1]
    rows = [
        ["编号", "版本", "系统名称", "责任人"],
        [portal.id, "1", "政务门户", "张三"],
    ]
    fresh = {"系统": rows, "资产": [GOOD["资产"][0], ["本平台", "new", "host", "", ""]]}

    def somebody_is_quicker(self: tables.RegisterTables, tx: Any, *_: object) -> None:
        system = self.register.stores.systems.get(tx, "org_a", portal.id)
        self.register.stores.systems.change(tx, replace(system, version=2))

    monkeypatch.setattr(tables.RegisterTables, "_check_room", somebody_is_quicker)
    with pytest.raises(ChangedMeanwhile):
        rig.register.tables.import_systems(KEEPER, book(fresh))
    assert assets(rig, "this") == ["db-01"]


def test_an_organisation_keeps_so_many(rig: RegisterRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ASSETS", 1)
    with pytest.raises(TooManyKept):
        rig.register.tables.import_systems(KEEPER, book(GOOD))
    assert issubclass(TooManyKept, Conflict)
    assert names(rig) == ["本平台"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_an_exported_workbook_computes_nothing_whatever_a_name_begins_with(
    rig: RegisterRig, begin: str
) -> None:
    name = f'{begin}HYPERLINK("http://x","y")'
    content = Workbooks().write({"系统": [["系统名称"], [name]]})
    loaded = openpyxl.load_workbook(io.BytesIO(content))
    cell = loaded["系统"]["A2"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")
    assert rig.register.tables.export_table(READER, "systems", "zh").startswith(b"\xef\xbb\xbf")


def with_formula() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "系统"
    sheet.append(["系统名称", "S级", "A级"])
    sheet.append(["=1+1", 3, 3])
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()


def repacked(**parts: bytes) -> bytes:
    """Return the good workbook with parts added or replaced."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(GOOD))) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


BILLION = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
HOSTILE: dict[str, Callable[[], bytes]] = {
    "formula": with_formula,
    "macros": lambda: repacked(**{"xl/vbaProject.bin": b"x"}),
    "old macros": lambda: repacked(**{"xl/macrosheets/sheet1.xml": b"<x/>"}),
    "links": lambda: repacked(**{"xl/externalLinks/externalLink1.xml": b"<x/>"}),
    "embedded": lambda: repacked(**{"xl/embeddings/oleObject1.bin": b"x"}),
    "macro type": lambda: repacked(
        **{"[Content_Types].xml": b"<Types>application/vnd.ms-excel.sheet.macroEnabled.12</Types>"}
    ),
    "entities": lambda: repacked(**{"xl/sharedStrings.xml": BILLION}),
    "entities in utf-16": lambda: repacked(
        **{"xl/sharedStrings.xml": BILLION.decode().encode("utf-16")}
    ),
    "bomb": lambda: repacked(**{"xl/media/image1.bin": b"\0" * (65 << 20)}),
    "many parts": lambda: repacked(**{f"x{n}.xml": b"<x/>" for n in range(201)}),
    "cut off": lambda: book(GOOD)[:-100],
    "no workbook": lambda: repacked(**{"xl/workbook.xml": b"<x/>"}),
    "damaged": lambda: repacked(**{"xl/worksheets/sheet1.xml": b"<worksheet><row"}),
    "far rows": lambda: repacked(
        **{
            "xl/worksheets/sheet1.xml": b'<worksheet xmlns="http://schemas.openxmlformats.org/'
            b'spreadsheetml/2006/main"><sheetData><row r="1048576"><c r="A1048576" t="n"><v>1</v>'
            b"</c></row></sheetData></worksheet>"
        }
    ),
    "too large": lambda: b"PK\x03\x04" + b"\0" * (8 << 20),
    "eleven sheets": lambda: book({str(n): [["x"]] for n in range(11)}),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_workbook_is_refused(rig: RegisterRig, attack: str) -> None:
    with pytest.raises(TableRefused):
        rig.register.tables.import_systems(KEEPER, HOSTILE[attack]())
    assert names(rig) == ["本平台"]


def test_numbers_and_days_of_a_spreadsheet_are_read_as_people_see_them() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "系统"
    sheet.append(["系统名称", "S级", "A级", "备案日期", None])
    sheet.append(["门户", 3, 2.0, date(2025, 6, 30)])
    sheet.append(["小数", 2.5, True, "2025-06-30"])
    packed = io.BytesIO()
    workbook.save(packed)
    rows = Workbooks().read(packed.getvalue())["系统"]
    assert rows[1] == ["门户", "3", "2", "2025-06-30"]
    assert rows[2] == ["小数", "2.5", "True", "2025-06-30"]


def test_an_error_in_a_cell_is_refused() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["A1"] = "#REF!"
    sheet["A1"].data_type = "e"
    packed = io.BytesIO()
    workbook.save(packed)
    with pytest.raises(TableRefused, match="error"):
        Workbooks().read(packed.getvalue())


def test_a_csv_of_assets_is_known_by_its_headings() -> None:
    table = read_table(read_csv(b"system,name,kind\nthis,a,host\n"), guarded=True)
    assert [row.kind for row in table.rows] == ["assets"]
