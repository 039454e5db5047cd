"""The plane over HTTP, installed as the shell installs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors.bindings import AutomaticRunSettled
from playbooks.models import PlaybooksOptions
from playbooks.plane import install
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid, NotFound
from secops.kernel.permissions import GRANTS
from secops.web.messages import Request
from secops.web.routes import Plane, Route, SignedIn
from tests.fakes.cacao import playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person


class Caller:
    def __init__(self, plane: Plane, home: House) -> None:
        self.routes = {route.operation: route for route in plane.routes}
        self.plane = plane
        self.home = home

    def __call__(self, actor: Actor, operation: str, body: Any = None, **values: str) -> Any:
        query = "&".join(f"{k[2:]}={v}" for k, v in values.items() if k.startswith("q_"))
        args = {k: v for k, v in values.items() if not k.startswith("q_")}
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        request = Request("GET", "/", query, {}, content, args, actor=actor)
        response = self.routes[operation].handler(request)
        self.status = response.status
        kind = response.header("content-type") or ""
        return json.loads(response.body) if "json" in kind else response.body.decode()


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Caller]:
    with house(tmp_path) as home:
        home.containment.add("acc_zhang", "zhang.san", sessions=2)
        plane = install(home.spine.parts, home.surroundings.ports, home.surroundings.options)
        yield Caller(plane, home)


def test_the_whole_answer_to_an_alert_goes_over_http(call: Caller) -> None:
    incident = call(ANALYST, "open_incident", {"alert_id": "alr_1"})
    assert (call.status, incident["state_zh"]) == (201, "待研判")
    key = incident["id"]
    assert (
        call(ANALYST, "change_incident_state", {"state": "confirmed"}, incident_id=key)["state"]
        == "confirmed"
    )
    judged = call(
        ANALYST, "judge_incident", {"level": "ordinary", "cause": "弱口令"}, incident_id=key
    )
    assert judged["cause"] == "弱口令"
    call(ANALYST, "add_incident_note", {"text": "已联系本人"}, incident_id=key)
    call(ANALYST, "link_alert", {"alert_id": "alr_2"}, incident_id=key)
    body = {"incident_id": key, "playbook": "ssh_brute_force_contain"}
    plan = call(ANALYST, "plan_run", body)
    assert [s["action"] for s in plan["steps"]] == ["account.lock", "session.revoke", "notify.send"]
    run = call(ANALYST, "request_run", body)
    assert run["plan_sha256"] == plan["sha256"]
    (waiting,) = call(APPROVER, "list_run_approvals")["items"]
    assert waiting["subject"] == f"run:{run['id']}"
    decision = {"grant": True, "plan_sha256": plan["sha256"]}
    assert call(APPROVER, "approve_run", decision, run_id=run["id"])["state"] == "approved"
    for job in call.plane.jobs:
        assert job.tick() is False
    shown = call(AUDITOR, "show_run", run_id=run["id"])
    assert shown["state"] == "done"
    assert len(shown["journal"]) == 6
    assert call(AUDITOR, "list_runs", q_incident_id=key)["items"][0]["id"] == run["id"]
    view = call(ANALYST, "show_incident", incident_id=key)
    assert view["runs"][0]["steps"] == shown["steps"]
    assert next(c["name"] for c in view["clocks"]) == "first_report"
    page = call(AUDITOR, "report_incident", incident_id=key)
    assert page.startswith("<!doctype html>")
    assert (
        call(AUDITOR, "report_incident", incident_id=key, q_format="json")["report"] == "incident"
    )
    assert call(AUDITOR, "report_incident", incident_id=key, q_format="md").startswith("# ")
    with pytest.raises(Invalid):
        call(AUDITOR, "report_incident", incident_id=key, q_format="exe")
    assert call(ANALYST, "list_incidents", q_state="open")["items"][0]["id"] == key
    assert len(call(ANALYST, "list_notifications")["items"]) == 1


def test_duties_are_declared_and_reports_filed_over_http(call: Caller) -> None:
    key = call(ANALYST, "open_incident", {"title": "主页被篡改"})["id"]
    declared = call(ANALYST, "declare_duty", {"duty": "defect_report"}, incident_id=key)
    assert (call.status, declared["filed_at"]) == (201, None)
    body = {"duty": "first_report", "filed_to": "12387", "reference": "7"}
    for wrong in ({}, {"duty": "x"}, {**body, "filed_at": "yesterday"}):
        with pytest.raises(Invalid):
            call(ANALYST, "file_report", wrong, incident_id=key)
    at = call(ANALYST, "show_incident", incident_id=key)["discovered_at"]
    filed = call(ANALYST, "file_report", {**body, "filed_at": at}, incident_id=key)
    assert (filed["filed_at"], filed["filed_to"], filed["reference"]) == (at, "12387", "7")
    shown = {c["name"]: c for c in call(AUDITOR, "show_incident", incident_id=key)["clocks"]}
    assert shown["first_report"]["filed_at"] == at
    assert shown["defect_report"]["due_at"] is not None


def test_playbooks_are_checked_imported_and_approved_over_http(call: Caller) -> None:
    text = json.dumps(playbook()).encode()
    assert call(ANALYST, "check_playbook", text) == {"valid": True, "problems": []}
    found = call(ANALYST, "check_playbook", b"[]")
    assert found["problems"][0]["code"] == "wrong_type"
    entry = call(ANALYST, "import_playbook", text)
    key = entry["content_hash"]
    assert entry["state"] == "draft"
    assert call(APPROVER, "approve_playbook", content_hash=key)["state"] == "approved"
    assert call(AUDITOR, "show_playbook", content_hash=key)["content"] == playbook()
    assert [p["state"] for p in call(AUDITOR, "list_playbooks")["items"]] == ["approved"]
    body = {"incident_id": call(ANALYST, "open_incident", {"title": "x"})["id"], "playbook": key}
    body["variables"] = {"__account__": "zhang.san"}
    for name in (key, playbook()["id"]):
        assert call(ANALYST, "plan_run", {**body, "playbook": name})["content_hash"] == key
    with pytest.raises(NotFound):
        call(ANALYST, "plan_run", {**body, "playbook": "0" * 64})


def test_bindings_are_proposed_tried_approved_and_paused_over_http(call: Caller) -> None:
    entry = call(ANALYST, "adopt_playbook", name="notify_duty")
    call(APPROVER, "approve_playbook", content_hash=entry["content_hash"])
    wish = {"name": "通知值班", "playbook": "notify_duty", "severities": ["high"]}
    tried = call(AUDITOR, "try_binding", wish)
    assert (tried["looked_at"], len(tried["matched"]), tried["cut"]) == (2, 2, False)
    asked = call(ANALYST, "propose_binding", wish)
    assert call.status == 201
    assert {row["term"] for row in asked["change"]["difference"]} >= {"name", "severities"}
    body = {"sha256": asked["change"]["sha256"], "grant": True}
    active = call(APPROVER, "approve_binding", body, binding_id=asked["id"])
    assert (active["state"], active["version"], active["change"]) == ("active", 1, None)
    changed = call(ANALYST, "change_binding", {**wish, "per_hour": 9}, binding_id=asked["id"])
    assert changed["change"]["difference"] == [{"term": "per_hour", "before": "5", "after": "9"}]
    leaving = call(ANALYST, "withdraw_binding", binding_id=asked["id"])
    assert leaving["change"]["withdraws"]
    assert call(AUDITOR, "show_binding", binding_id=asked["id"])["version"] == 1
    assert [one["id"] for one in call(AUDITOR, "list_bindings")["items"]] == [asked["id"]]
    assert call(AUDITOR, "list_answers")["items"] == []
    assert call(ANALYST, "pause_bindings", {"reason": "停"})["paused"]
    assert call(ANALYST, "request_resume", {"reason": "好"})["resume_waits"]
    assert not call(APPROVER, "approve_resume", {"grant": True})["paused"]
    assert not call(AUDITOR, "show_pause")["paused"]
    for wrong in (
        {},
        {**wish, "colour": 1},
        {**wish, "rules": "r"},
        {**wish, "per_hour": True},
        {**wish, "entities": {"account": 1}},
        {**wish, "valid_until": "tomorrow"},
    ):
        with pytest.raises(Invalid):
            call(ANALYST, "propose_binding", wrong)


def test_an_automatic_run_is_confirmed_over_http(call: Caller) -> None:
    entry = call(ANALYST, "adopt_playbook", name="notify_duty")
    call(APPROVER, "approve_playbook", content_hash=entry["content_hash"])
    assert call(AUDITOR, "export_playbook", content_hash=entry["content_hash"])["signatures"]
    incident = call(ANALYST, "open_incident", {"alert_id": "alr_1"})
    body = {"incident_id": incident["id"], "playbook": "notify_duty"}
    run = call(ANALYST, "request_run", body)
    assert call(AUDITOR, "show_automatic_run", run_id=run["id"]) == {"automatic": None}
    decision = {"grant": True, "plan_sha256": run["plan_sha256"]}
    with pytest.raises(AutomaticRunSettled):
        call(APPROVER, "approve_automatic_run", decision, run_id=run["id"])
    retired = call(APPROVER, "retire_playbook", content_hash=entry["content_hash"])
    assert retired["state"] == "retired"


def test_a_run_is_cancelled_and_a_step_answered_over_http(call: Caller) -> None:
    incident = call(ANALYST, "open_incident", {"alert_id": "alr_1"})
    body = {"incident_id": incident["id"], "playbook": "session_takeover_contain"}
    for _ in range(2):
        run = call(ANALYST, "request_run", body)
        decision = {"grant": True, "plan_sha256": run["plan_sha256"], "reason": "同意"}
        call(APPROVER, "approve_run", decision, run_id=run["id"])
        next(job for job in call.plane.jobs if job.name == "playbooks.runs").tick()
    shown = call(ANALYST, "show_run", run_id=run["id"])
    assert shown["state"] == "waiting"
    asked = next(path for path, state in shown["steps"].items() if state == "intent")
    answer = {"step": asked, "outcome": "done", "note": "不是本人"}
    assert call(ANALYST, "resolve_step", answer, run_id=run["id"])["state"] == "running"
    other = call(ANALYST, "list_runs")["items"][1]["id"]
    cancelled = call(ANALYST, "cancel_run", {"reason": "重复"}, run_id=other)
    assert cancelled["state"] == "cancelled"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("open_incident", {"colour": "red"}),
        ("open_incident", {"drill": "yes"}),
        ("open_incident", {"severity": "huge"}),
        ("open_incident", {"title": 5}),
        ("open_incident", []),
        ("plan_run", {"incident_id": "x"}),
        ("plan_run", {"incident_id": "x", "playbook": "y", "variables": {"a": 1}}),
        ("approve_run", {"grant": 1, "plan_sha256": "x"}),
    ],
)
def test_bodies_of_another_shape_are_refused(call: Caller, operation: str, body: Any) -> None:
    with pytest.raises(Invalid):
        call(ANALYST, operation, body, run_id="run_1")


def test_every_route_asks_for_a_known_permission_and_approvals_for_a_fresh_second_factor(
    call: Caller,
) -> None:
    known = {grant.permission for grant in GRANTS}
    for route in call.plane.routes:
        assert isinstance(route.access, SignedIn) or route.access in known
        if route.operation.startswith(("approve", "decide_", "lift_")):
            assert (route.level, route.fresh_seconds) == (2, 900)


def test_who_has_no_role_gets_nothing(call: Caller) -> None:
    nobody = person("li", "staff")
    body = {
        "open_incident": {"title": "x"},
        "change_incident_state": {"state": "confirmed"},
        "judge_incident": {"cause": "x"},
        "add_incident_note": {"text": "x"},
        "link_alert": {"alert_id": "alr_1"},
        "approve_run": {"grant": True, "plan_sha256": "x"},
        "resolve_step": {"step": "x", "outcome": "done"},
        "cancel_run": {"reason": "x"},
        "declare_duty": {"duty": "defect_report"},
        "file_report": {"duty": "first_report"},
        "approve_step": {"step": "x", "sha256": "x", "grant": True},
        "prolong_containment": {"step": "x", "seconds": 60},
        "plan_run": {"incident_id": "x", "playbook": "notify_duty"},
        "request_run": {"incident_id": "x", "playbook": "notify_duty"},
        "import_playbook": playbook(),
        "set_member": {"account": "li", "role": "lead"},
        "remove_member": {"account": "li"},
        "add_task": {"title": "x", "phase": "triage"},
        "change_task": {"version": 1},
        "add_observable": {"kind": "ip", "value": "::1"},
        "offer_evidence": {"receiver": "li", "reason": "x"},
        "propose_levels": {"target": "important", "loss": "serious"},
        "write_emergency_plan": {"title": "x", "content": "x", "classes": [], "review_at": ""},
        "approve_emergency_plan": {"version": 1, "sha256": "x", "grant": True},
        "withdraw_emergency_plan": {"version": 1},
        "adopt_emergency_plan": {"plan_id": "x"},
        "propose_binding": {"name": "x", "playbook": "notify_duty"},
        "change_binding": {"name": "x", "playbook": "notify_duty"},
        "try_binding": {"name": "x", "playbook": "notify_duty"},
        "approve_binding": {"sha256": "x", "grant": True},
        "pause_bindings": {"reason": "x"},
        "request_resume": {"reason": "x"},
        "approve_resume": {"grant": True},
        "approve_automatic_run": {"grant": True, "plan_sha256": "x"},
    }
    for route in call.plane.routes:
        if isinstance(route.access, SignedIn) or route.operation == "check_playbook":
            continue  # the guard asks there, or the service which of the caller's own it shows
        _refused(call, nobody, route, body.get(route.operation))


def _refused(call: Caller, actor: Actor, route: Route, body: Any) -> None:
    """A body that is read before rights are asked may be refused for its shape instead."""
    values = dict.fromkeys(re.findall("<([a-z_]+)>", route.path), "x")
    values |= {"name": "notify_duty"} if "name" in values else {}
    values |= {"q_year": "2026"} if route.operation == "score_units" else {}
    shapeless = body is None and route.request is not None
    other = (Invalid,) if shapeless else ()
    other = (NotFound,) if route.operation == "approve_step" else other  # its step says who may
    with pytest.raises((Forbidden, *other)):
        call(actor, route.operation, body, **values)


def test_alerts_open_incidents_only_where_the_settings_say_so(call: Caller) -> None:
    parts, ports = call.home.spine.parts, call.home.surroundings.ports
    always = ["playbooks.tell_alerts", "playbooks.answer_alerts"]
    assert sorted(always) == sorted(one.name for one in call.plane.subscriptions)
    wanting = install(parts, ports, PlaybooksOptions(open_for=frozenset({"critical"})))
    names = {one.name for one in wanting.subscriptions}
    assert names == {*always, "playbooks.open_incidents"}
