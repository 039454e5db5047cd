"""The register and the records over HTTP: texts in, versions out, files as files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from audits.api.records import records_routes
from audits.api.systems import systems_routes
from audits.service.records.documents import suffix_of
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.web.messages import Request, Response
from tests.fakes.register import KEEPER, READER, RegisterRig, register_rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RegisterRig]:
    with register_rig(tmp_path) as opened:
        yield opened


def ask(
    rig: RegisterRig,
    operation: str,
    body: Any = None,
    *,
    actor: Actor = KEEPER,
    query: dict[str, str] | None = None,
    **args: str,
) -> Response:
    routes = (*systems_routes(rig.register), *records_routes(rig.records))
    (route,) = [one for one in routes if one.operation == operation]
    content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    request = Request(
        route.method,
        route.path,
        query_string=urlencode(query or {}),
        body=content,
        args=args,
        actor=actor,
    )
    return route.handler(request)


def told(answer: Response) -> Any:
    return orjson.loads(answer.body)


def test_a_system_is_kept_changed_and_retired(rig: RegisterRig) -> None:
    made = ask(rig, "add_system", {"name": "门户", "s_level": "3", "a_level": "2"})
    assert (made.status, told(made)["sag"]) == (201, "S3A2G3")
    one = told(made)["id"]
    changed = ask(rig, "change_system", {"version": 1, "fields": {"owner": "张三"}}, system_id=one)
    assert told(changed)["version"] == 2
    shown = told(ask(rig, "show_system", actor=READER, system_id=one))
    assert [v["version"] for v in shown["versions"]] == [2, 1]
    assert shown["filing"] == {"at": None, "standing": "unknown"}
    assert [s["id"] for s in told(ask(rig, "list_systems", actor=READER))["items"]] == [one]
    gone = ask(rig, "retire_system", {"version": 2, "reason": "下线"}, system_id=one)
    assert told(gone)["retired_reason"] == "下线"


def test_assets_and_sources_are_told_both_ways(rig: RegisterRig) -> None:
    made = ask(
        rig, "add_asset", {"name": "web", "kind": "host", "log_sources": "nginx"}, system_id="this"
    )
    one = told(made)["id"]
    ask(rig, "change_asset", {"version": 1, "fields": {"place": "A"}}, asset_id=one)
    assert told(ask(rig, "show_asset", asset_id=one))["place"] == "A"
    coverage = told(ask(rig, "show_source_coverage"))
    assert [(s["name"], s["known"]) for s in coverage["sources"]] == [("nginx", False)]
    assert len(told(ask(rig, "list_assets", system_id="this"))["items"]) == 1
    ask(rig, "retire_asset", {"version": 2, "reason": "x"}, asset_id=one)
    assert told(ask(rig, "list_assets", system_id="this"))["items"] == []


def test_a_suppliers_access_is_kept_and_ended(rig: RegisterRig) -> None:
    written = {
        "supplier": "公司",
        "person": "王五",
        "purpose": "运维",
        "starts_at": "2025-12-01",
        "ends_at": "2026-12-01",
    }
    made = told(ask(rig, "add_supplier_access", written, system_id="this"))
    (listed,) = told(ask(rig, "list_supplier_accesses"))["items"]
    assert (listed["state"], listed["ends_at"], listed["late"]) == ("current", "2026-12-01", False)
    ask(rig, "end_supplier_access", {"version": 1}, access_id=made["id"])
    assert told(ask(rig, "list_supplier_accesses"))["items"][0]["state"] == "ended"


def test_a_grading_is_told_with_its_doubt(rig: RegisterRig) -> None:
    harm = {"information": {"society": "serious"}, "service": {"citizens": "grave"}}
    answer = told(ask(rig, "grade_system", harm, actor=READER))
    assert answer["sag"] == "S3A2G3"
    assert any("GA/T 1389-2017" in doubt["zh"] for doubt in answer["doubts"])


def test_tables_come_and_go_as_files(rig: RegisterRig) -> None:
    table = "所属系统,资产名称,类别\n本平台,web,host\n".encode()
    assert told(ask(rig, "preview_systems", table))["added"] == 1
    assert ask(rig, "import_systems", table).status == 201
    book = ask(rig, "export_systems", actor=READER)
    assert zipfile.is_zipfile(io.BytesIO(book.body))
    csv = ask(rig, "export_systems", query={"format": "csv", "kind": "assets"})
    assert "web" in csv.body.decode()
    with pytest.raises(Invalid):
        ask(rig, "export_systems", query={"format": "pdf"})
    sheet = ask(rig, "export_filing_sheet", system_id="this")
    assert zipfile.is_zipfile(io.BytesIO(sheet.body))
    paper = ask(rig, "export_filing_sheet", system_id="this", query={"format": "docx"})
    assert dict(paper.headers)["content-disposition"] == 'attachment; filename="filing.docx"'
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO(paper.body)).namelist()
    with pytest.raises(Invalid):
        ask(rig, "export_filing_sheet", system_id="this", query={"format": "pdf"})


def test_a_record_is_the_body_and_what_it_is_the_query(rig: RegisterRig) -> None:
    query = {
        "kind": "drill",
        "title": "演练",
        "held_on": "2025-12-01",
        "filename": "a.html",
        "items": "L3-HRS1-07",
    }
    made = told(ask(rig, "add_record", b"<script>", query=query))
    assert (made["state"], made["items"]) == ("valid", ["L3-HRS1-07"])
    listed = told(ask(rig, "list_records", actor=READER, query={"kind": "drill"}))
    assert [one["id"] for one in listed["items"]] == [made["id"]]
    content = ask(rig, "read_record", actor=READER, record_id=made["id"])
    assert (content.body, dict(content.headers)["content-type"]) == (
        b"<script>",
        "application/octet-stream",
    )
    gone = ask(rig, "withdraw_record", {"version": 1, "reason": "x"}, record_id=made["id"])
    assert told(gone)["state"] == "withdrawn"
    assert told(ask(rig, "show_record", record_id=made["id"]))["withdrawn_reason"] == "x"


@pytest.mark.parametrize(
    ("operation", "body", "query"),
    [
        ("add_system", {"name": 3}, {}),
        ("add_system", [], {}),
        ("change_system", {"version": "1", "fields": {}}, {}),
        ("change_system", {"version": 1, "fields": []}, {}),
        ("retire_system", {"version": 1, "reason": 3}, {}),
        ("grade_system", {"information": "x", "service": {}}, {}),
        ("grade_system", {"information": {"moon": "x"}, "service": {}}, {}),
        ("add_record", b"x", {"kind": "drill"}),
        (
            "add_record",
            b"x",
            {"kind": "a", "title": "b", "held_on": "c", "filename": "d", "e": "f"},
        ),
        ("withdraw_record", {"version": True, "reason": "x"}, {}),
    ],
)
def test_what_is_not_of_the_documented_shape_is_refused(
    rig: RegisterRig, operation: str, body: Any, query: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        ask(rig, operation, body, query=query, system_id="this", record_id="rec_1")


def test_a_suffix_is_plain_or_none() -> None:
    assert [suffix_of(name) for name in ("a.pdf", "a", "a.p\r\n", "材料.文档")] == [
        ".pdf",
        "",
        "",
        "",
    ]
