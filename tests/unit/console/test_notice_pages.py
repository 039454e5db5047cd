"""Pages of notices and early warnings in a real house: a real seal, a real page, real checks."""

from __future__ import annotations

import re

import pytest

from kms.models.seals import VerificationReport
from secops.kernel.actors import ROOT_ORG
from secops.kernel.logs import Window
from tests.fakes.console_site import ConsoleSite, Page


def first(pattern: str, page: Page) -> str:
    found = re.search(pattern, page.text)
    assert found is not None, page.text[-3_000:]
    return found[1]


@pytest.fixture(scope="module")
def notice(console: ConsoleSite) -> str:
    """A notice to the house itself, drafted from an incident, approved, sealed and issued."""
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    house = console.site.house
    from playbooks.service import NewIncident  # noqa: PLC0415 - only here

    incident = house.playbooks.incidents.open_incident(
        house.act_as("analyst"), NewIncident(title="主页被<篡改>")
    )
    assert f"/notices/new?incident={incident.id}" in analyst.get(f"/incidents/{incident.id}").text
    form = analyst.get(f"/notices/new?incident={incident.id}")
    assert "关于“主页被&lt;篡改&gt;”的通报" in form.text
    rule = house.detectors.rules.list_rules(house.act_as("analyst"))[0].header.id
    wish = {
        "title": "关于弱口令的通报",
        "body": "发现弱口令。\n请整改。",
        "severity": "high",
        "urgent": "on",
        f"unit:{ROOT_ORG}": "on",
        "check": f"detector:{rule}",
        "incident": incident.id,
        "version": "0",
    }
    assert analyst.post("/notices", {**wish, "title": ""}).status == 422
    place = analyst.post("/notices", wish).headers["location"]
    version = first(r'name="version" value="(\d+)"', analyst.get(f"{place}/revision"))
    revised = {**wish, "title": "关于弱口令风险的通报", "version": version}
    assert analyst.post(f"{place}/revision", revised).status == 303
    assert analyst.post(f"{place}/revision", wish).status == 409
    assert analyst.post(f"{place}/act", {"act": "submit"}).status == 303
    digest = first(r'name="digest" value="([0-9a-f]{64})"', security.get(place))
    assert f'action="{place}/decide"' not in analyst.get(place).text
    grant = {"digest": digest, "decision": "grant"}
    assert security.post(f"{place}/decide", {"digest": digest}).status == 400
    assert security.post(f"{place}/decide", grant).status == 303
    holder = console.reader("seal-holder")
    seal = first(r'<option value="(seal_[^"]+)"', holder.get(place))
    assert holder.post(f"{place}/issue", {"seal": "sel_none"}).status == 409
    assert holder.post(f"{place}/issue", {"seal": seal}).status == 303
    return place


def verified(console: ConsoleSite, content: bytes) -> VerificationReport:
    return console.site.house.kms.seal_verification.verify_seal(content, None)


def test_the_sealed_file_verifies_and_one_changed_byte_does_not(
    console: ConsoleSite, notice: str
) -> None:
    analyst = console.reader("analyst")
    page = analyst.get(notice)
    assert re.search(r"〔\d{4}〕\d+ 关于弱口令风险的通报", page.text)
    file = analyst.get(f"{notice}/file")
    assert (file.status, file.headers["content-type"]) == (200, "application/pdf")
    assert verified(console, file.body).valid
    at = file.body.index(b"stream") + 40
    forged = file.body[:at] + bytes([file.body[at] ^ 1]) + file.body[at + 1 :]
    assert not verified(console, forged).valid
    shown = analyst.post(f"{notice}/seal")
    assert "验章通过" in shown.text
    assert "证书链:通过" in shown.text


def test_a_unit_receives_proves_and_another_verifies_by_running_the_rule(
    console: ConsoleSite, notice: str
) -> None:
    integrator, auditor = console.reader("integrator"), console.reader("auditor")
    security = console.reader("security-admin")
    there = notice.replace("/notices/", "/received-notices/")
    assert "关于弱口令风险的通报" in integrator.get("/received-notices").text
    assert "特急" in integrator.get(there).text
    assert "验章通过" in integrator.post(f"{there}/seal").text
    assert integrator.post(f"{there}/receipt").status == 303
    assert integrator.post(f"{there}/receipt").status == 409
    assert integrator.post(f"{there}/response", {"text": "已核实"}).status == 303
    asked = {"kind": "extension", "days": "2", "reason": "设备到货晚"}
    assert integrator.post(f"{there}/petitions", asked).status == 303
    petition = first(rf'action="({notice}/petitions/[^"]+)"', security.get(notice))
    refused = {"decision": "reject", "reason": "来得及"}
    assert security.post(petition, refused).status == 303
    assert integrator.post(f"{there}/rectification", {"text": "已改"}).status == 409
    assert integrator.upload(f"{there}/proofs", {}, {"proof": b"\x89PNG proof"}).status == 303
    assert integrator.post(f"{there}/rectification", {"text": "已改"}).status == 303
    proof = first(rf'href="({notice}/proofs/[^"]+)"', integrator.get(there))
    kept = auditor.get(proof)
    assert (kept.body, kept.headers["content-type"]) == (
        b"\x89PNG proof",
        "application/octet-stream",
    )
    unit = f"{notice}/units/{ROOT_ORG}"
    checked = auditor.post(unit, {"verdict": "recheck"})
    assert "未能判断" in checked.text  # no log came since: silence proves nothing
    assert auditor.post(unit, {"verdict": "close", "reason": ""}).status == 422
    assert auditor.post(unit, {"verdict": "close", "reason": "现场核验"}).status == 303
    analyst = console.reader("analyst")
    assert "办结" in analyst.get(notice).text
    assert analyst.post(f"{notice}/act", {"act": "archive"}).status == 303
    scores = analyst.get("/notice-scores")
    assert "100.0" in scores.text
    assert "按时率" in scores.text
    assert analyst.get("/notice-scores?year=x").status == 422


def test_rules_and_controls_are_run_again_with_the_verifiers_rights(console: ConsoleSite) -> None:
    house = console.site.house
    rechecks = house.playbooks.notices.verifying._desk.ports.rechecks
    auditor, now = house.act_as("auditor"), house.parts.clock.now()
    alerts = house.detectors.runs.run_detectors(house.act_as("analyst"), Window()).alerts
    fired = next(each for each in alerts if each.rule_id)
    found = rechecks.recheck(auditor, f"detector:{fired.rule_id}", 0, now)
    assert (found.passed, "仍有命中" in found.summary.zh) == (False, True)
    silent = next(
        rule.header.id
        for rule in house.detectors.rules.list_rules(auditor)
        if rechecks.recheck(auditor, f"detector:{rule.header.id}", 0, now).passed
    )
    assert "无命中" in rechecks.recheck(auditor, f"detector:{silent}", 0, now).summary.zh
    made = house.audits.assessments.assess(auditor, "gbt22239", 3)
    for verdict in made.verdicts:
        wanted = {"compliant": True, "noncompliant": False}.get(verdict.status)
        if verdict.judge == "machine" and wanted is not None:
            check = f"control:gbt22239:3:{verdict.item.id}"
            assert rechecks.recheck(auditor, check, 0, now).passed is wanted
            break
    else:
        raise AssertionError


def test_a_warning_is_on_everybodys_first_page_in_words(console: ConsoleSite) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    wish = {
        "colour": "orange",
        "title": "勒索软件预警",
        "scope": "全市政务外网",
        "measures": "立即加固",
        "ends": "2099-01-01T08:00",
    }
    assert analyst.post("/early-warnings", wish).status == 422
    assert analyst.post("/early-warnings", {**wish, "ends": ""}).status == 400
    today = first(r'<time datetime="(\d{4}-\d\d-\d\d)', analyst.get("/"))
    year = str(int(today[:4]) + 1)
    ends = f"{year}-01-01T08:00"
    place = analyst.post("/early-warnings", {**wish, "ends": ends}).headers["location"]
    version = first(r'name="version" value="(\d+)"', analyst.get(place))
    change = {**wish, "ends": ends, "act": "revise", "version": version, "measures": "加固"}
    assert analyst.post(f"{place}/act", change).status == 303
    assert analyst.post(f"{place}/act", {"act": "submit"}).status == 303

    def decide() -> None:
        digest = first(r'name="digest" value="([0-9a-f]{64})"', security.get(place))
        grant = {"digest": digest, "decision": "grant"}
        assert security.post(f"{place}/decide", grant).status == 303

    decide()
    assert "勒索软件预警" not in console.reader("staff").get("/").text
    assert analyst.post(f"{place}/act", {"act": "issue"}).status == 303
    home = console.reader("staff").get("/").text
    assert "橙色预警(重大)" in home
    assert "全市政务外网" in home
    wanted = {**wish, "ends": ends, "colour": "red", "act": "adjust"}
    assert analyst.post(f"{place}/act", wanted).status == 303
    decide()
    assert "红色预警(特别重大)" in console.reader("staff").get("/early-warnings").text
    assert security.post(f"{place}/lift", {"reason": "威胁消除"}).status == 303
    assert "勒索软件预警" not in console.reader("staff").get("/").text
    other = analyst.post("/early-warnings", {**wish, "ends": ends}).headers["location"]
    assert analyst.post(f"{other}/act", {"act": "withdraw", "reason": "误拟"}).status == 303
    assert "已撤回" in analyst.get("/early-warnings").text
