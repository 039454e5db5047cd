"""Pages of e-certificates, without a browser: proposed, decided, issued, stopped, verified."""

from __future__ import annotations

import csv
import io
import zipfile

import orjson

from tests.fakes.console_site import ConsoleSite, Page, Reader
from tests.fakes.ecertificate_office import template_record

ISSUE = "/ecertificates/issue"
FORM = {"value_holder": "张三", "value_id_number": "110101199003070011", "value_scope": "食品经营"}


def location(page: Page) -> str:
    assert page.status == 303, page.text
    return page.headers["location"]


def propose(console: ConsoleSite) -> str:
    """Return the page of a template that the demo's seal goes on."""
    house = console.site.house
    seal = house.kms.seal_registry
    from secops.kernel.pages import PageRequest  # noqa: PLC0415 - beside its only use

    (first, *_) = seal.list_seals(house.act_as("auditor"), PageRequest()).items
    record = template_record(first.id, name="食品<i>经营</i>许可证")
    form = {"template": orjson.dumps(record).decode()}
    return location(console.reader("seal-applicant").post("/ecertificate-templates", form))


def in_force(console: ConsoleSite) -> str:
    """Return the id of a template that was proposed and approved on the pages."""
    where = propose(console)
    security = console.reader("security-admin")
    decided = security.post(f"{where}/decide", {"decision": "grant", "reason": "同意"})
    assert location(decided) == where
    return where.rpartition("/")[2]


def test_a_template_is_decided_on_a_page_that_shows_what_it_changes(console: ConsoleSite) -> None:
    where = propose(console)
    seen = console.reader("security-admin").get(where).text
    assert "食品&lt;i&gt;经营&lt;/i&gt;许可证" in seen
    assert "<code>fields.holder</code>" in seen
    assert 'value="grant"' in seen
    assert 'value="grant"' not in console.reader("seal-applicant").get(where).text
    assert "/ecertificate-templates" in console.reader("security-admin").get("/approvals").text
    refused = console.reader("seal-applicant").post(f"{where}/decide", {"decision": "grant"})
    assert refused.status == 403
    decided = console.reader("security-admin").post(
        f"{where}/decide", {"decision": "reject", "reason": "不全"}
    )
    assert location(decided) == where
    assert "已驳回" in console.reader("auditor").get(where).text


def test_a_template_that_is_no_json_is_refused(console: ConsoleSite) -> None:
    applicant = console.reader("seal-applicant")
    for text in ("{", "[]", "{}"):
        assert applicant.post("/ecertificate-templates", {"template": text}).status == 400


def test_one_is_issued_opened_suspended_and_resumed(console: ConsoleSite) -> None:
    template = in_force(console)
    holder = console.reader("seal-holder")
    form = holder.get(f"{ISSUE}?template_id={template}").text
    assert 'name="value_holder"' in form
    assert "<option>食品销售</option>" in form
    where = location(holder.post(ISSUE, {**FORM, "template_id": template}))
    page = holder.get(where).text
    assert "张*" in page
    assert FORM["value_id_number"] not in page
    opened = holder.post(f"{where}/open", {"as": "page"}).text
    assert FORM["value_id_number"] in opened
    link = opened.partition("/verify/ecertificates/")[2].partition('"')[0]
    file = holder.post(f"{where}/open", {"as": "file"})
    assert file.body.startswith(b"PK")
    assert console.reader("auditor").post(f"{where}/open", {"as": "file"}).status == 403

    anybody = Reader(console.site)
    seen = anybody.get(f"/verify/ecertificates/{link}").text
    assert "食品&lt;i&gt;经营&lt;/i&gt;许可证" in seen
    assert "张*" in seen
    assert "张三" not in seen
    same = anybody.upload(f"/verify/ecertificates/{link}", {}, {"file": file.body}).text
    assert "与登记的文件一致" in same
    other = anybody.upload(f"/verify/ecertificates/{link}", {}, {"file": b"x" + file.body})
    assert other.status == 400

    switched = holder.post(f"{where}/switch", {"to": "suspend", "reason": "核查"})
    assert location(switched) == where
    assert "已暂停" in anybody.get(f"/verify/ecertificates/{link}").text
    assert holder.post(f"{where}/resume", {"reason": "自行"}).status == 403
    resumed = console.reader("security-admin").post(f"{where}/resume", {"reason": "核实"})
    assert location(resumed) == where
    again = holder.get(where).text.partition('href="/ecertificates/issue?')[2].partition('"')[0]
    assert 'name="replaces"' in holder.get(f"{ISSUE}?{again.replace('&amp;', '&')}").text
    assert holder.post(f"{where}/switch", {"to": "sell", "reason": "x"}).status == 400


def test_all_unknown_links_look_alike(console: ConsoleSite) -> None:
    anybody = Reader(console.site)
    pages = [
        anybody.get(f"/verify/ecertificates/{token}") for token in ("0" * 32, "x", "%E9%95%BF")
    ]
    assert {page.status for page in pages} == {404}
    texts = {
        page.text.partition("<main")[2].partition("</main>")[0].partition("<code>")[0]
        for page in pages
    }
    assert len(texts) == 1


def test_a_list_is_exported_without_formulas(console: ConsoleSite) -> None:
    template = in_force(console)
    holder = console.reader("seal-holder")
    hostile = {**FORM, "template_id": template, "value_holder": "=1+1", "number": "=cmd|'/c calc'"}
    location(holder.post(ISSUE, hostile))
    exported = console.reader("auditor").get("/ecertificates?format=csv").text
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row]
    assert "'=cmd|'/c calc'" in cells
    assert [cell for cell in cells if cell.startswith("=")] == []


def test_a_batch_is_tried_ordered_worked_through_and_downloaded(console: ConsoleSite) -> None:
    template = in_force(console)
    holder = console.reader("seal-holder")
    bad = "经营者,证件号码,经营项目\n甲,1,食品经营\n=乙,2,卖药\n".encode()
    fields = {"template_id": template, "name": ""}
    tried = holder.upload("/ecertificate-batches/check", fields, {"rows": bad}).text
    assert "不在可选值之中" in tried
    table = holder.upload("/ecertificate-batches/check", {**fields, "as": "file"}, {"rows": bad})
    assert table.headers["content-type"].startswith("text/csv")
    assert "scope" in table.text
    assert holder.upload("/ecertificate-batches", fields, {"rows": bad}).status == 400
    good = bad.replace("卖药".encode(), "食品销售".encode())
    where = location(holder.upload("/ecertificate-batches", fields, {"rows": good}))
    assert "0 / 2" in holder.get(where).text
    console.site.house.kms.ecertificates.runner.tick()
    done = holder.get(where).text
    assert "已完成" in done
    assert "2 / 2" in done
    zipped = holder.get(f"{where}/files/1")
    with zipfile.ZipFile(io.BytesIO(zipped.body)) as archive:
        assert len(archive.namelist()) == 2
    assert holder.get(f"{where}/files/x").status == 400
    assert console.reader("auditor").get(f"{where}/files/1").status == 403
    assert holder.post(f"{where}/switch", {"to": "cancel"}).status == 409
    assert holder.post(f"{where}/switch", {"to": "else"}).status == 400
    assert where in console.reader("auditor").get("/ecertificate-batches").text
    assert holder.upload("/ecertificate-batches", fields, {}).status == 400
