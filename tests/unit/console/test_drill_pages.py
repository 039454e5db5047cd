"""A drill through the real detectors: its alerts are marked, seen, and touch no real figure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from detectors.core.sigma.parser import parse_file
from detectors.models.alerts import AlertFilter
from detectors.models.rules import RuleFile
from detectors.store.history import DatabaseRuleHistory
from playbooks.service import NewIncident
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.actors import ROOT_ORG
from secops.kernel.pages import PageRequest
from tests.fakes.console_site import ConsoleSite
from tests.fakes.playbooks_house import person


def figures(console: ConsoleSite) -> dict[str, Any]:
    """Return every production figure that counts alerts or incidents."""
    house = console.site.house
    analyst, auditor = (
        replace(person(role, role), level=3, auth_time=house.parts.clock.now())
        for role in ("analyst", "auditor")
    )
    queue = house.detectors.queue.count_alerts(analyst, AlertFilter(status="open"))
    whole = house.detectors.alerts.list_alerts(analyst, AlertFilter(), PageRequest(200))
    return {
        "open": (queue.total, queue.facets, queue.statuses),
        "listed": [one.id for one in whole.items],
        "by_rule": house.parts.transactions.read(
            lambda tx: dict(DatabaseRuleHistory().alerts_by_rule(tx, ROOT_ORG, 0))
        ),
        "entities": house.detectors.entities.list_entities(analyst, PageRequest()).items,
        "incidents": house.playbooks.evidence.incident_state(auditor).total,
    }


def test_a_drill_is_run_from_its_pages_and_no_figure_moves(console: ConsoleSite) -> None:
    analyst, boss = console.reader("analyst"), console.reader("security-admin")
    before = figures(console)
    form = {
        "title": "爆破演练",
        "scenario": "x",
        "alerts": "high:爆破\ncritical:后门",
        "accounts": "",
    }
    assert analyst.post("/drills", {**form, "alerts": "爆破"}).status == 422
    here = analyst.post("/drills", form).headers["location"]
    page = boss.get(here).text
    plan = re.findall(r'name="plan" value="([0-9a-f]{64})"', page)[0]
    assert 'name="plan"' not in analyst.get(here).text
    decision = {"plan": plan, "decision": "grant", "reason": "同意"}
    assert boss.post(f"{here}/decision", decision).status == 303
    assert analyst.post(f"{here}/start").status == 303
    assert analyst.post(f"{here}/start").status == 303
    page = analyst.get(here).text
    alerts = re.findall(r'href="/alerts/(alr_[0-9a-f]+)"', page)
    assert len(alerts) == 2
    assert figures(console) == before
    assert "【演练 DRILL】爆破" in analyst.get(f"/alerts/{alerts[0]}").text
    queue = analyst.get(f"/alerts?rule=drill:{here.rpartition('/')[2]}").text
    assert "【演练 DRILL】后门" in queue
    assert "【演练 DRILL】" not in analyst.get("/alerts").text
    incident = console.site.house.playbooks.incidents.open_incident(
        person("analyst", "analyst"), NewIncident(alert_id=alerts[0])
    )
    assert incident.drill
    assert "【演练 DRILL】" in analyst.get(f"/incidents/{incident.id}").text
    assert analyst.post(f"{here}/notes", {"text": "电话过期", "kind": "finding"}).status == 303
    assert analyst.post(f"{here}/end").status == 303
    assert analyst.post(f"{here}/end").status == 303, (
        "asked again, it closes what a crash left open"
    )
    assert "电话过期" in analyst.get(here).text
    report = analyst.get(f"{here}/report")
    assert '"mark": "【演练 DRILL】"' in report.text
    assert incident.id in report.text
    assert "爆破演练" in boss.get("/drills").text
    assert figures(console) == before


def test_what_is_approved_on_a_page_of_response_is_so_by_a_fresh_second_factor(
    console: ConsoleSite,
) -> None:
    asked = {
        route.operation: (route.level, route.fresh_seconds)
        for route in console.site.routes
        if route.handler.__module__.startswith("secops.console.playbooks.")
        and route.operation.startswith(("approve_", "decide_", "confirm_", "lift_"))
    }
    assert asked["approve_drill_form"] == (2, FRESH_SECONDS)
    assert set(asked.values()) == {(2, FRESH_SECONDS)}


def test_no_rule_hides_its_alerts_behind_a_drills_name() -> None:
    text = (
        "title: t\nid: 'drill:x'\nlogsource: {product: linux}\n"
        "detection: {a: {b: c}, condition: a}\n"
    )
    parsed = parse_file(RuleFile("r.yml", text.encode()))
    assert parsed.rules == ()
    assert "kept for drills" in parsed.problems[0].what
