"""Entities, exceptions and suppressions on the console."""

from __future__ import annotations

import re

from detectors.models.triage import RiskPoint
from secops.console.detectors.triage import risk_line
from tests.fakes.console_site import ConsoleSite


def test_the_line_of_a_risk_holds_until_it_changes() -> None:
    points = [RiskPoint(0, 50, "a"), RiskPoint(50, 100, "b")]
    assert risk_line(points, 100) == "0,60 0,60 320,60 320,0 640,0 640,0"
    assert risk_line([], 100) == ""


def test_the_riskiest_entities_lead_to_their_history(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    listed = analyst.get("/entities")
    found = re.search(r'href="(/entity\?subject=[^"]+)"', listed.text)
    assert found is not None, listed.text
    page = analyst.get(found[1])
    assert page.status == 200
    assert "<polyline points=" in page.text
    assert "设定重要性" not in page.text
    assert "设定重要性" in console.reader("security-admin").get(found[1]).text
    assert analyst.get("/entity?subject=nobody").status == 400


def test_criticality_is_set_on_the_entitys_page(console: ConsoleSite) -> None:
    security = console.reader("security-admin")
    form = {"subject": "account:nobody", "criticality": "2", "reason": "演练"}
    assert security.post("/entity/criticality", form).status == 303
    assert "<dd>2</dd>" in security.get("/entity?subject=account:nobody").text
    assert security.post("/entity/criticality", {**form, "criticality": "much"}).status == 400


def test_open_alerts_are_counted_by_entity(console: ConsoleSite) -> None:
    page = console.reader("analyst").get("/alerts?group=entity")
    assert page.status == 200
    assert re.search(r'href="/alerts\?subject=address%3A[^"]+">address:', page.text)


def test_an_exception_is_asked_for_by_one_and_granted_by_another(console: ConsoleSite) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    form = {
        "rule": "",
        "condition": '{"source.ip": "203.0.113.250"}',
        "owner": "运维",
        "reason": "扫描器",
        "days": "7",
    }
    assert analyst.post("/exceptions", form).status == 303
    for bad in ({"condition": "x"}, {"condition": "[1]"}, {"days": "many"}):
        assert analyst.post("/exceptions", {**form, **bad}).status == 400
    page = security.get("/exceptions")
    found = re.search(r'action="(/exceptions/exc_[^/"]+)/decide"', page.text)
    assert found is not None, page.text
    assert security.post(f"{found[1]}/decide", {"grant": "yes", "reason": "已核对"}).status == 303
    listed = analyst.get("/exceptions")
    assert "生效中" in listed.text
    assert f'action="{found[1]}/revoke"' in listed.text
    assert analyst.post(f"{found[1]}/revoke", {"reason": "演练结束"}).status == 303
    assert "已终止" in analyst.get("/exceptions").text


def test_a_suppression_is_made_and_lifted(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    form = {
        "rule": "",
        "by": "session.id, client.id",
        "window": "60",
        "owner": "运维",
        "reason": "演练",
        "days": "1",
    }
    made = analyst.post("/suppressions", form)
    assert made.status == 303
    place = made.headers["location"]
    assert "session.id, client.id" in analyst.get(place).text
    assert analyst.post("/suppressions", {**form, "days": "x"}).status == 400
    assert analyst.post(f"{place}/lift", {"reason": "演练结束"}).status == 303
    assert "已解除" in analyst.get("/suppressions").text
