"""The pages of rectification and risks: hostile texts harmless, files without formulas."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import pytest

from audits.models.risks import RiskFacts
from audits.service.rectification.waivers import NewWaiver
from audits.service.risks.register import NewRisk
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from tests.fakes.console_site import ConsoleSite
from tests.fakes.playbooks_house import person

EVIL = "=HYPERLINK(1)<script>alert(1)</script>{{7919*6841}}"
SCAN = f'name,severity,host\n"{EVIL}",critical,web1\n'.encode()


@pytest.fixture(scope="module")
def entered(console: ConsoleSite) -> tuple[str, str]:
    """Enter a risk and a waiver with hostile texts; return the ids."""
    house = console.site.house
    now = house.parts.clock.now()
    asker = replace(person("asker", "analyst", ROOT_ORG), level=2, auth_time=now)
    services = house.audits.rectification
    risk = services.risks.add_risk(asker, NewRisk(RiskFacts(EVIL, EVIL, "leak", EVIL), 4, 5))
    waiver = services.waivers.request_waiver(asker, NewWaiver("L3-CES1-06", EVIL, now + DAY))
    return risk.id, waiver.id


def test_hostile_texts_are_shown_as_texts(console: ConsoleSite, entered: tuple[str, str]) -> None:
    reader = console.reader("security-admin")
    risk, waiver = entered
    for path in ("/risks", f"/risks/{risk}", "/waivers", f"/waivers/{waiver}", "/rectification"):
        page = reader.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "54173879" not in page.text
    assert "/risks?cell=4-5" in reader.get("/risks").text


def test_exported_tables_hold_no_formula(console: ConsoleSite, entered: tuple[str, str]) -> None:
    reader = console.reader("security-admin")
    assert "'=HYPERLINK" in reader.get("/risks?format=csv").text
    for path in ("/risks", "/waivers", f"/risks/{entered[0]}"):
        answer = reader.get(f"{path}?format=xlsx")
        book = openpyxl.load_workbook(io.BytesIO(answer.body))
        cells = [cell for row in book.active.iter_rows() for cell in row if cell.value]
        assert {cell.data_type for cell in cells} == {"s"}


def test_a_scan_is_uploaded_and_a_task_walks_through_its_page(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    fields = {"format": "csv", "scope": "页面", "scanned_at": "2020-01-01T08:00", "system": "this"}
    answer = analyst.upload("/risks/findings", {**fields, "column_title": "name"}, {"file": SCAN})
    assert answer.status == 303
    assert "&lt;script&gt;" in analyst.get("/risks/findings?state=open").text
    made = analyst.post("/rectification", {"source": "scan", "system": "this", "owner": "analyst"})
    assert made.status == 303
    page = analyst.get("/rectification?state=overdue").text
    here = "/rectification/rct_" + page.partition("/rectification/rct_")[2].partition('"')[0]
    assert "<script>alert" not in analyst.get(here).text
    proof = analyst.upload(f"{here}/proof", {"version": "1", "text": EVIL}, {"file": b"proof"})
    assert proof.status == 303
    shown = analyst.get(here).text
    digest = shown.partition(f"{here}/proof/")[2].partition('"')[0]
    file = analyst.get(f"{here}/proof/{digest}")
    assert (file.body, file.headers["content-type"]) == (b"proof", "application/octet-stream")
    assert analyst.post(f"{here}/act", {"act": "recheck"}).status == 303
    assert analyst.post(f"{here}/act", {"act": "dance"}).status == 400


def test_a_decision_takes_another_person_and_a_fresh_factor(
    console: ConsoleSite, entered: tuple[str, str]
) -> None:
    waiver = console.site.house.audits.rectification.waivers.desk.stores.waivers
    reader, here = console.reader("security-admin"), f"/waivers/{entered[1]}"
    transactions = console.site.house.parts.transactions
    stored = transactions.read(lambda tx: waiver.get(tx, ROOT_ORG, entered[1]))
    assert f'value="{stored.digest}"' in reader.get(here).text
    stale = reader.post(f"{here}/decision", {"digest": "0" * 64, "decision": "grant"})
    assert stale.status in (303, 401, 409)
    analyst = console.reader("analyst")
    assert analyst.post(f"{here}/decision", {"decision": "grant"}).status == 403
    assert console.reader("staff").get("/risks").status == 403


def test_a_scope_of_scans_is_retired_by_who_may_import(console: ConsoleSite) -> None:
    analyst, auditor = console.reader("analyst"), console.reader("auditor")
    fields = {"format": "csv", "scope": EVIL, "scanned_at": "2020-01-01T08:00", "system": "this"}
    analyst.upload("/risks/findings", {**fields, "column_title": "name"}, {"file": SCAN})
    where, form = "/risks/findings/scopes/retire", {"system": "this", "scope": EVIL}
    assert f'action="{where}"' not in auditor.get("/risks/findings").text
    assert auditor.post(where, {**form, "reason": "x"}).status == 403
    assert analyst.post(where, {**form, "reason": ""}).status == 400
    assert analyst.post(where, {**form, "reason": f"合同到期{EVIL}"}).status == 303
    assert analyst.post(where, {**form, "reason": "x"}).status == 409
    for reader in (analyst, auditor):
        page = reader.get("/risks/findings").text
        assert "合同到期" in page
        assert "<script>alert" not in page
    assert "已停用" in analyst.get("/risks/findings?state=retired").text
    house = console.site.house
    made = house.audits.assessments.assess(house.act_as("auditor"), "gbt22239", 3)
    assert [one["title"] for one in made.annexes.records if one["kind"] == "vuln.scan"].count(
        EVIL
    ) == 1
