"""Pages of the register: what was typed comes back as text, forms keep it, files come and go."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.fakes.console_site import ConsoleSite

SYSTEM = {
    "name": "<script>alert(1)</script>{{7*7}}",
    "s_level": "3",
    "a_level": "2",
    "filed_at": "2020-01-05",
    "extensions_asked": "yes",
    "extensions_cloud": "yes",
    "uses_asked": "yes",
}


def test_a_system_its_asset_and_supplier_go_through_their_forms(console: ConsoleSite) -> None:
    keeper = console.reader("system-admin")
    made = keeper.post("/systems", SYSTEM)
    where = made.headers["location"]
    page = keeper.get(where).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
    assert "已逾期" in page
    keeper.post(where, {"version": "1", "owner": "张三", "unit": "大数据局", "name": "门户"})
    page = keeper.get(where).text
    assert "云计算" in page  # boxes that a form does not show are not cleared
    keeper.post(f"{where}/assets", {"name": "web-01", "kind": "host", "log_sources": "nginx"})
    page = keeper.get(where).text
    asset = page[page.index(f"{where}/assets/") :].partition('"')[0]
    keeper.post(asset, {"version": "1", "place": "A 机房"})
    assert "A 机房" in keeper.get(asset).text
    stale = keeper.post(asset, {"version": "1", "place": "B 机房"})
    assert stale.status == 409
    keeper.post(
        f"{where}/suppliers",
        {
            "supplier": "某公司",
            "person": "王五",
            "purpose": "运维",
            "account": "analyst",
            "starts_at": "2020-01-01",
            "ends_at": "2020-02-01",
        },
    )
    page = keeper.get(where).text
    assert "账户仍可用" in page
    assert "账户仍可用" in keeper.get("/systems/suppliers").text
    access = page[page.index(f"{where}/suppliers/") :].partition('"')[0]
    keeper.post(access, {"version": "1"})
    assert "已终止" in keeper.get(where).text
    assert "nginx" in keeper.get("/systems/log-sources").text
    assert "门户" in keeper.get(f"{where}/filing-sheet").text
    book = keeper.get(f"{where}/filing-sheet?format=xlsx")
    assert zipfile.is_zipfile(io.BytesIO(book.body))
    assert "filing-sheet?format=docx" in keeper.get(f"{where}/filing-sheet").text
    paper = keeper.get(f"{where}/filing-sheet?format=docx")
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO(paper.body)).namelist()
    assert keeper.get(f"{where}/filing-sheet?format=exe").status == 400
    assert keeper.post(f"{asset}/retire", {"version": "2", "reason": "报废"}).status == 303
    assert keeper.post(f"{where}/retire", {"version": "2", "reason": "下线"}).status == 303
    assert "下线" in keeper.get(where).text


def test_who_only_reads_sees_no_form_and_changes_nothing(console: ConsoleSite) -> None:
    auditor = console.reader("auditor")
    assert 'action="/systems"' not in auditor.get("/systems").text
    assert auditor.post("/systems", SYSTEM).status == 403
    assert auditor.get("/systems/import").status == 403


def test_a_table_is_previewed_refused_and_imported(console: ConsoleSite) -> None:
    keeper = console.reader("system-admin")
    bad = "所属系统,资产名称,类别,重要程度\n本平台,db-77,host,9\n".encode()
    page = keeper.upload("/systems/import", {"do": "import"}, {"table": bad})
    assert "应为 1 至 5 的数字" in page.text
    assert "db-77" not in keeper.get("/systems/this").text
    good = bad.replace(b",9", b",4")
    assert "已导入" in keeper.upload("/systems/import", {"do": "import"}, {"table": good}).text
    assert "db-77" in keeper.get("/systems/this").text
    assert "db-77" in keeper.get("/systems/export?table=assets").text


def test_a_record_is_uploaded_found_read_and_withdrawn(console: ConsoleSite) -> None:
    keeper, auditor = console.reader("system-admin"), console.reader("auditor")
    fields = {
        "title": "<b>演练</b>",
        "kind": "drill",
        "held_on": "2026-01-02",
        "items": "L3-HRS1-07 L3-HRS1-08",
    }
    made = keeper.upload("/records", fields, {"document": b"%PDF"})
    where = made.headers["location"]
    page = auditor.get(where).text
    assert "&lt;b&gt;演练&lt;/b&gt;" in page
    assert "L3-HRS1-08" in page
    assert where in auditor.get("/records?kind=drill&item=L3-HRS1-08").text
    assert where not in auditor.get("/records?kind=training").text
    document = auditor.get(f"{where}/document")
    assert (document.body, document.headers["content-type"]) == (
        b"%PDF",
        "application/octet-stream",
    )
    assert auditor.post(f"{where}/withdraw", {"version": "1", "reason": "x"}).status == 403
    keeper.post(f"{where}/withdraw", {"version": "1", "reason": "扫描件不清"})
    assert "扫描件不清" in auditor.get(where).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?information_state=grave&service_citizens=grave", "S5A2G5"),
        ("?information_state=grave", "各须至少选择一项"),
    ],
)
def test_the_aid_for_grading_says_its_doubts(console: ConsoleSite, query: str, said: str) -> None:
    page = console.reader("auditor").get(f"/systems/grading{query}").text
    assert said in page
    assert ("GA/T 1389-2017" in page) == ("citizens" in query)
