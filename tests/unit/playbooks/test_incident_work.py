"""The work on an incident over HTTP, as the shell installs it: people, tasks, what was seen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from playbooks.commands import group
from playbooks.core.observables import normalise_observable, subject_observable
from playbooks.core.plain_markdown import Block, blocks_of
from playbooks.core.response_times import spread_of
from playbooks.errors import ChangedMeanwhile, IncidentNotFound
from playbooks.errors.custody import (
    MemberRefused,
    MemberRoleRefused,
    ObservableRefused,
    PersonNotFound,
    PlanNotFound,
    PlanStateRefused,
    TaskNotFound,
    TaskRefused,
)
from playbooks.models import PlaybooksOptions
from playbooks.models.incident_work import OBSERVABLE_KINDS
from playbooks.models.response_times import Spread
from playbooks.plane import install
from playbooks.service.incidents import observables, tasks
from playbooks.service.incidents.custody_files import verify_custody_files
from playbooks.service.incidents.openers import AlertOpener
from playbooks.store import timelines
from playbooks.store.tables import emergency_plans
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import AlertRaised, Delivery
from secops.web.messages import Request
from tests.fakes.alert_summaries import alert
from tests.fakes.clock import START
from tests.fakes.playbooks_house import (
    ANALYST,
    APPROVER,
    AUDITOR,
    House,
    OpenedHouse,
    house,
    person,
)

LI = person("li", "analyst")
SUN = person("sun", "analyst", "org_other")
ROOT = Path(__file__).parents[3]
Call = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        for actor in (ANALYST, APPROVER, AUDITOR, LI):
            opened.containment.add(actor.id, actor.name)
        yield opened


@pytest.fixture
def call(home: House) -> Call:
    plane = install(home.spine.parts, home.surroundings.ports, PlaybooksOptions())
    routes = {route.operation: route for route in plane.routes}

    def ask(who: Actor, operation: str, body: Any = None, query: str = "", **args: str) -> Any:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        sent = content if isinstance(content, bytes) else content.encode()
        request = Request("POST", "/", query, {}, sent, args, actor=who)
        response = routes[operation].handler(request)
        kind = response.header("content-type") or ""
        return json.loads(response.body) if "json" in kind else response.body

    return ask


def opened(call: Call, **values: Any) -> str:
    body = {"alert_id": "alr_1"} if not values else {"title": "勒索", **values}
    return str(call(ANALYST, "open_incident", body)["id"])


def test_who_opens_leads_and_each_part_allows_its_deeds(call: Call) -> None:
    key = opened(call)
    move = {"state": "confirmed"}
    with pytest.raises(MemberRoleRefused):
        call(LI, "change_incident_state", move, incident_id=key)
    member = {"account": "li", "role": "observer"}
    assert call(ANALYST, "set_member", member, incident_id=key)["role"] == "observer"
    for operation, body in (
        ("change_incident_state", move),
        ("judge_incident", {"cause": "x"}),
        ("add_task", {"title": "x", "phase": "triage"}),
        ("add_observable", {"kind": "ip", "value": "::1"}),
        ("link_alert", {"alert_id": "alr_2"}),
        ("keep_evidence", b"x"),
        ("file_report", {"duty": "first_report"}),
        ("declare_duty", {"duty": "defect_report"}),
        ("set_member", {"account": "li", "role": "lead"}),
        ("remove_member", {"account": "wang"}),
    ):
        with pytest.raises(MemberRoleRefused):
            call(
                LI,
                operation,
                body,
                "name=x" if operation == "keep_evidence" else "",
                incident_id=key,
            )
    call(ANALYST, "set_member", {"account": "li", "role": "analyst"}, incident_id=key)
    call(LI, "judge_incident", {"cause": "弱口令"}, incident_id=key)
    with pytest.raises(MemberRoleRefused):
        call(LI, "change_incident_state", {"state": "closed", "reason": "x"}, incident_id=key)
    view = call(AUDITOR, "show_incident", incident_id=key)
    members = {member["name"]: member["role"] for member in view["members"]}
    assert members == {"wang": "lead", "li": "analyst"}


def test_the_last_lead_stays_and_a_security_administrator_names_another(call: Call) -> None:
    key = opened(call)
    for operation, body in (
        ("remove_member", {"account": "wang"}),
        ("remove_member", {"account": "li"}),
        ("set_member", {"account": "wang", "role": "analyst"}),
    ):
        with pytest.raises(MemberRefused):
            call(ANALYST, operation, body, incident_id=key)
    with pytest.raises(PersonNotFound):
        call(ANALYST, "set_member", {"account": "nobody", "role": "lead"}, incident_id=key)
    call(APPROVER, "set_member", {"account": "li", "role": "lead"}, incident_id=key)
    call(LI, "remove_member", {"account": "wang"}, incident_id=key)
    with pytest.raises(MemberRoleRefused):
        call(ANALYST, "change_incident_state", {"state": "confirmed"}, incident_id=key)
    with pytest.raises(Forbidden):
        call(AUDITOR, "set_member", {"account": "li", "role": "lead"}, incident_id=key)


def test_tasks_are_changed_as_they_were_read_and_say_who_did_them(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = opened(call)
    new = {"title": "隔离主机", "phase": "contained", "assignee": "li", "due_at": to_rfc3339(START)}
    task = call(ANALYST, "add_task", new, incident_id=key)
    assert (task["assignee"], task["due_at"], task["version"]) == (LI.id, to_rfc3339(START), 1)
    done = {"version": 1, "state": "done", "result": "已隔离"}
    after = call(ANALYST, "change_task", done, task_id=task["id"])
    assert (after["state"], after["done_by"], after["result"]) == ("done", ANALYST.id, "已隔离")
    with pytest.raises(ChangedMeanwhile):
        call(ANALYST, "change_task", done, task_id=task["id"])
    again = {"version": 2, "state": "open", "assignee": ""}
    after = call(ANALYST, "change_task", again, task_id=task["id"])
    assert (after["state"], after["done_by"], after["done_at"], after["assignee"]) == (
        "open",
        "",
        None,
        "",
    )
    for wrong in ({"version": 3, "state": "gone"}, {"version": 0}, {"version": 2**60}):
        with pytest.raises(Invalid):
            call(ANALYST, "change_task", wrong, task_id=task["id"])
    with pytest.raises(TaskNotFound):
        call(SUN, "change_task", {"version": 3}, task_id=task["id"])
    with pytest.raises(IncidentNotFound):
        call(SUN, "add_task", {"title": "x", "phase": "triage"}, incident_id=key)
    monkeypatch.setattr(tasks, "MAX_TASKS", 1)
    with pytest.raises(TaskRefused):
        call(ANALYST, "add_task", {"title": "x", "phase": "triage"}, incident_id=key)


def test_an_alerts_subjects_are_observables_and_lead_to_other_incidents(
    home: House, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.alerts.kept["alr_2"] = replace(alert("alr_2"), subjects={"address": "::ffff:203.0.113.9"})
    first, second = opened(call), str(call(LI, "open_incident", {"alert_id": "alr_2"})["id"])
    call(
        ANALYST,
        "add_observable",
        {"kind": "url", "value": "hxxp://Evil[.]Example:80/a", "first_seen": to_rfc3339(1)},
        incident_id=first,
    )
    view = call(ANALYST, "show_incident", incident_id=first)
    seen = {(one["kind"], one["value"]) for one in view["observables"]}
    assert ("url", "http://evil.example/a") in seen
    shared = {"kind": "ip", "value": "203.0.113.9"}
    call(ANALYST, "add_observable", shared, incident_id=first)
    view = call(ANALYST, "show_incident", incident_id=first)
    assert second in {one["incident_id"] for one in view["sightings"]}
    found = call(AUDITOR, "find_observable", query="kind=ip&value=203[.]0.113.9")["items"]
    assert {one["incident_id"] for one in found} == {first, second}
    assert call(SUN, "find_observable", query="kind=ip&value=203.0.113.9")["items"] == []
    assert "evil.example" not in json.dumps(home.leaves())
    late = {**shared, "last_seen": to_rfc3339(START + 10)}
    with pytest.raises(Invalid):
        call(ANALYST, "add_observable", late, incident_id=first)
    monkeypatch.setattr(observables, "MAX_OBSERVABLES", 1)
    with pytest.raises(ObservableRefused):
        call(ANALYST, "add_observable", {"kind": "host", "value": "pc1"}, incident_id=first)
    call(ANALYST, "add_observable", shared, incident_id=first)


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("ip", "2001:DB8::0001", "2001:db8::1"),
        ("ip", "::ffff:192.0.2.1", "192.0.2.1"),
        ("ip", "[2001:db8::1]", "2001:db8::1"),
        ("domain", "WWW.Example(.)com.", "www.example.com"),
        ("domain", "政务.中国", "xn--zfr164b.xn--fiqs8s"),
        ("url", "HTTPS://u:p@Example.com:443#x", "https://example.com/"),
        ("url", "http://[2001:DB8::1]:8080/a?b", "http://[2001:db8::1]:8080/a?b"),
        ("url", "ftp://host/x", "ftp://host/x"),
        ("email", "A.B[@]Example.COM", "a.b@example.com"),
        ("sha256", "AB" * 32, "ab" * 32),
        ("host", "PC-1", "pc-1"),
        ("account", " 张三 ", "张三"),
    ],
)
def test_the_same_thing_is_written_the_same(kind: str, value: str, written: str) -> None:
    assert normalise_observable(kind, value) == (kind, written)
    assert normalise_observable(kind, written) == (kind, written)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "1"),
        ("ip", "1.2.3"),
        ("ip", "fe80::1%eth0"),
        ("domain", "localhost"),
        ("domain", "a..b"),
        ("domain", "1.2.3.4"),
        ("domain", "x" * 64 + ".com"),
        ("domain", "-a.com"),
        ("url", "javascript:alert(1)"),
        ("url", "http://"),
        ("url", "http://[::1"),
        ("email", "nobody"),
        ("email", "a b@example.com"),
        ("md5", "00"),
        ("sm3", "g" * 64),
        ("other", " "),
        ("other", "a\nb"),
        ("other", "x" * 2_001),
    ],
)
def test_what_is_none_of_its_kind_is_refused(kind: str, value: str) -> None:
    with pytest.raises(Invalid):
        normalise_observable(kind, value)
    assert kind == "phone" or subject_observable("address", "no address") is None


@given(st.sampled_from(sorted(OBSERVABLE_KINDS)), st.text(max_size=60))
def test_writing_an_observable_twice_changes_nothing(kind: str, text: str) -> None:
    try:
        known, written = normalise_observable(kind, text)
    except Invalid:
        return
    assert normalise_observable(known, written) == (known, written)


def test_spans_lie_by_nearest_rank() -> None:
    assert spread_of([]) == Spread(0, None, None, None)
    assert spread_of([7]) == Spread(1, 7, 7, 7)
    assert spread_of(range(1, 11)) == Spread(10, 5, 9, 5)


def closed(home: House, call: Call, alert_id: str, after: int, **change: Any) -> str:
    key = str(call(ANALYST, "open_incident", {"alert_id": alert_id})["id"])
    home.clock.advance(after)
    body = {"state": "closed", "reason": "x", **change}
    call(ANALYST, "change_incident_state", body, incident_id=key)
    return key


def test_response_times_count_from_alerts_to_people_and_leave_out_what_is_none(
    home: House, call: Call
) -> None:
    for number in range(3, 8):
        name = f"alr_{number}"
        home.alerts.kept[name] = replace(alert(name), created_at=START - 60_000_000 * number)
    first = closed(home, call, "alr_3", 120)
    closed(home, call, "alr_4", 0, ending="duplicate", duplicate_of=first)
    closed(home, call, "alr_5", 0, ending="test")
    drill = {"title": "演练", "drill": True}
    call(ANALYST, "open_incident", drill)
    opened(call)
    home.clock.advance(50)
    times = call(AUDITOR, "measure_response")
    assert times["incidents"] == 1
    assert times["acknowledge_seconds"] == {"n": 1, "p50": 240, "p90": 240, "mean": 240}
    assert times["resolve_seconds"]["p50"] == 360
    assert times["contain_seconds"] == {"n": 0, "p50": None, "p90": None, "mean": None}
    assert times["open_age_seconds"]["p50"] == 50
    call(
        ANALYST,
        "change_incident_state",
        {"state": "confirmed", "reason": "复现"},
        incident_id=first,
    )
    assert call(AUDITOR, "measure_response")["incidents"] == 0
    for query in ("since=x", "since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z"):
        with pytest.raises(Invalid):
            call(AUDITOR, "measure_response", query=query)
    with pytest.raises(Forbidden):
        call(person("x", "staff"), "measure_response")


def test_a_duplicate_names_another_incident_of_the_organisation(call: Call) -> None:
    key = opened(call)
    for change in (
        {"ending": "duplicate"},
        {"ending": "test", "duplicate_of": key},
        {"ending": "duplicate", "duplicate_of": key},
    ):
        body = {"state": "closed", "reason": "x", **change}
        with pytest.raises(Invalid):
            call(ANALYST, "change_incident_state", body, incident_id=key)
    body = {"state": "closed", "reason": "x", "ending": "duplicate", "duplicate_of": "inc_9"}
    with pytest.raises(IncidentNotFound):
        call(ANALYST, "change_incident_state", body, incident_id=key)
    with pytest.raises(ChangedMeanwhile):
        call(ANALYST, "judge_incident", {"cause": "x", "version": 9}, incident_id=key)


PLAN: dict[str, Any] = {
    "title": "勒索软件应急预案",
    "content": "# 一、目的\n\n先隔离。",
    "classes": ["MP"],
    "review_at": to_rfc3339(START + 10**13),
    "playbooks": ["contain_account"],
    "tasks": [{"title": "隔离主机", "phase": "contained", "due_minutes": 30}],
}


def approve(call: Call, plan: dict[str, Any], who: Actor = APPROVER, **change: Any) -> Any:
    body = {"version": plan["version"], "sha256": plan["sha256"], "grant": True, **change}
    return call(who, "approve_emergency_plan", body, plan_id=plan["id"])


def test_a_plan_comes_into_force_by_another_person_and_brings_its_tasks(
    home: House, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = call(ANALYST, "write_emergency_plan", PLAN)
    assert (plan["version"], plan["state"]) == (1, "pending")
    with pytest.raises(PlanStateRefused):
        approve(call, plan, sha256="0" * 64)
    home.persons.one("acc_wang", "acc_zhao")
    with pytest.raises(SelfApproval):
        approve(call, plan)
    other = person("qin", "security-admin")
    assert approve(call, plan, other)["state"] == "in_force"
    key = opened(call, severity="high")
    with pytest.raises(PlanStateRefused):
        call(ANALYST, "adopt_emergency_plan", {"plan_id": plan["id"]}, incident_id=key)
    call(ANALYST, "judge_incident", {"category": "MPRANS"}, incident_id=key)
    view = call(ANALYST, "show_incident", incident_id=key)
    assert [one["id"] for one in view["emergency_plans"]] == [plan["id"]]
    (task,) = call(ANALYST, "adopt_emergency_plan", {"plan_id": plan["id"]}, incident_id=key)[
        "tasks"
    ]
    assert (task["title"], task["source"]) == ("隔离主机", f"{plan['id']}@1")
    assert task["due_at"] == to_rfc3339(home.clock.now() + 30 * 60_000_000)
    for number in range(4):  # however much was told since
        call(ANALYST, "add_incident_note", {"text": f"{number}"}, incident_id=key)
    monkeypatch.setattr(timelines, "MAX_TIMELINE", 3)
    shown = call(ANALYST, "show_incident", incident_id=key)["timeline"]
    assert [line["text"] for line in shown] == ["1", "2", "3"]
    with pytest.raises(PlanStateRefused):
        call(ANALYST, "adopt_emergency_plan", {"plan_id": plan["id"]}, incident_id=key)


def test_a_plan_whose_text_was_changed_under_its_approval_is_no_plan(
    home: House, call: Call
) -> None:
    def forge(content: str) -> None:
        values = sa.update(emergency_plans).values(content=content)
        home.spine.parts.transactions.run(lambda tx: tx.execute(values))

    plan = call(ANALYST, "write_emergency_plan", PLAN)
    forge("什么也不做")
    with pytest.raises(PlanStateRefused, match="written"):
        approve(call, plan)
    forge(PLAN["content"])
    approve(call, plan)
    key = opened(call, severity="high")
    call(ANALYST, "judge_incident", {"category": "MPRANS"}, incident_id=key)
    forge("什么也不做")
    with pytest.raises(PlanStateRefused, match="written"):
        call(ANALYST, "adopt_emergency_plan", {"plan_id": plan["id"]}, incident_id=key)


def test_an_organisation_has_so_many_plans_with_so_many_versions(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playbooks.service.incidents import emergency_plans as service  # noqa: PLC0415

    monkeypatch.setattr(service, "MAX_PLANS", 1)
    monkeypatch.setattr(service, "MAX_VERSIONS", 2)
    plan = call(ANALYST, "write_emergency_plan", PLAN)
    with pytest.raises(PlanStateRefused):
        call(ANALYST, "write_emergency_plan", PLAN)
    again = {**PLAN, "plan_id": plan["id"]}
    call(ANALYST, "write_emergency_plan", again)
    with pytest.raises(PlanStateRefused):
        call(ANALYST, "write_emergency_plan", again)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("add_task", {"title": "x", "phase": "triage", "due_at": "9999-12-31T23:59:59Z"}),
        ("add_task", {"title": "x", "phase": "triage", "due_at": "0001-01-01T00:00:00+14:00"}),
        ("add_observable", {"kind": "other", "value": "x", "first_seen": "0001-01-01T00:00:00Z"}),
    ],
)
def test_no_instant_is_kept_that_no_page_could_show(
    call: Call, operation: str, body: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        call(ANALYST, operation, body, incident_id=opened(call))


def test_what_is_in_force_stays_as_it_is_until_the_next_version_is(call: Call) -> None:
    plan = call(ANALYST, "write_emergency_plan", PLAN)
    approve(call, plan)
    second = call(ANALYST, "write_emergency_plan", {**PLAN, "plan_id": plan["id"], "content": "新"})
    third = call(ANALYST, "write_emergency_plan", {**PLAN, "plan_id": plan["id"], "tasks": []})
    with pytest.raises(PlanStateRefused):
        approve(call, second)
    listed = call(AUDITOR, "list_emergency_plans")["items"]
    states = {one["version"]: one["state"] for one in listed}
    assert states == {1: "in_force", 2: "withdrawn", 3: "pending"}
    assert approve(call, third, grant=False)["state"] == "rejected"
    fourth = call(
        ANALYST, "write_emergency_plan", {**PLAN, "plan_id": plan["id"], "format": "text"}
    )
    approve(call, fourth)
    old = call(AUDITOR, "show_emergency_plan", query="version=1", plan_id=plan["id"])
    assert (old["state"], old["sha256"]) == ("superseded", plan["sha256"])
    withdrawn = call(APPROVER, "withdraw_emergency_plan", {"version": 4}, plan_id=plan["id"])
    assert withdrawn["state"] == "withdrawn"
    with pytest.raises(PlanStateRefused):
        call(APPROVER, "withdraw_emergency_plan", {"version": 4}, plan_id=plan["id"])
    with pytest.raises(Invalid):
        call(AUDITOR, "show_emergency_plan", query="version=x", plan_id=plan["id"])
    with pytest.raises(PlanNotFound):
        call(SUN, "show_emergency_plan", plan_id=plan["id"])
    with pytest.raises(Forbidden):
        call(APPROVER, "write_emergency_plan", PLAN)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"content": " "},
        {"content": "x" * 200_001},
        {"classes": []},
        {"classes": ["XX"]},
        {"classes": "MP"},
        {"classes": [5]},
        {"review_at": to_rfc3339(START)},
        {"review_at": to_rfc3339(START + 10**15)},
        {"format": "html"},
        {"tasks": [{"title": "x"}]},
        {"tasks": [{"title": "x", "phase": "closed"}]},
        {"tasks": [{"title": "x", "phase": "triage", "due_minutes": 10**9}]},
        {"tasks": [5]},
    ],
)
def test_a_plan_of_another_shape_is_refused(call: Call, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        call(ANALYST, "write_emergency_plan", {**PLAN, **change})


def test_custody_goes_over_http_and_is_verified_by_files_alone(
    home: House, call: Call, tmp_path: Path
) -> None:
    key = opened(call)
    item = call(ANALYST, "keep_evidence", b"log", "name=auth.log&source=sshd", incident_id=key)
    one = {"evidence_id": item["id"]}
    with pytest.raises(Invalid):
        call(ANALYST, "keep_evidence", b"log", "name=a&colour=red", incident_id=key)
    call(ANALYST, "offer_evidence", {"receiver": "li", "reason": "送检"}, **one)
    call(LI, "withdraw_offer", **one)
    call(ANALYST, "offer_evidence", {"receiver": "li", "reason": "送检"}, **one)
    assert call(LI, "accept_evidence", **one)["holder"] == LI.id
    assert call(AUDITOR, "read_evidence", **one) == b"log"
    assert call(AUDITOR, "verify_custody", incident_id=key)["valid"] is True
    export = call(AUDITOR, "export_custody", incident_id=key)
    pem = call(AUDITOR, "custody_keys").decode()
    verdict = verify_custody_files(json.dumps(export).encode(), pem, {"a": b"log"})
    assert (verdict["files"], verdict["evidence"][0]["links"]) == ({"a": item["id"]}, 2)
    for name, content in (("c.json", json.dumps(export)), ("k.pem", pem), ("a.log", "log")):
        (tmp_path / name).write_text(content)
    (tmp_path / "b.log").write_text("LOG")
    assert _offline(tmp_path, "a.log") == 0
    assert _offline(tmp_path, "b.log") == 1
    export["chains"][0].pop()
    (tmp_path / "c.json").write_text(json.dumps(export))
    assert _offline(tmp_path, "a.log") == 1


def _offline(folder: Path, name: str) -> int:
    words = [str(folder / "c.json"), "--keys", str(folder / "k.pem"), "--file", str(folder / name)]
    tool = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "verify_custody.py"), *words],
        capture_output=True,
        check=False,
    )
    ours = CliRunner().invoke(group, ["verify-custody", *words, "--json"])
    assert (ours.exit_code == 0) is (tool.returncode == 0), tool.stderr
    return tool.returncode


def test_the_work_is_done_on_the_command_line_too(home: House, tmp_path: Path) -> None:
    from secops.terminal.session import Session  # noqa: PLC0415 - as the commands' tests do

    def run(*words: str, actor: str = "analyst") -> str:
        session = Session(tmp_path, actor, lambda _: OpenedHouse(home))
        result = CliRunner().invoke(group, words, obj=session)
        if result.exception is not None:
            raise result.exception
        return result.output

    key = run("open-incident", "--title", "勒索").strip()
    assert "acc_li li analyst" in run("set-member", key, "li")
    run("remove-member", key, "li")
    task = run("add-task", key, "隔离", "--phase", "contained", "--due", "2027-01-01T00:00:00Z")
    assert "done 2" in run("change-task", task.strip(), "--version", "1", "--state", "done")
    assert "ip 192.0.2.1" in run("add-observable", key, "ip", "192.0.2[.]1")
    assert key in run("find-observable", "ip", "192.0.2.1")
    assert json.loads(run("find-observable", "ip", "192.0.2.1", "--json"))["next"] is None
    advice = ("propose-levels", "--target", "important", "--loss", "serious")
    assert "considerable ordinary" in run(*advice, "--figure", "views=1")
    assert json.loads(run(*advice, "--json"))["doubts"]
    assert "resolve" in run("measure-response")
    assert json.loads(run("measure-response", "--json"))["incidents"] == 0
    (tmp_path / "a.log").write_text("x")
    kept = json.loads(run("keep-evidence", key, str(tmp_path / "a.log"), "--json"))
    assert "sm3:" in run("keep-evidence", key, str(tmp_path / "a.log"), "--name", "b.log")
    run("read-evidence", kept["id"], "-o", str(tmp_path / "b.log"))
    assert "acc_zhao" in run("offer-evidence", kept["id"], "zhao", "--reason", "送检")
    run("withdraw-offer", kept["id"])
    run("offer-evidence", kept["id"], "zhao", "--reason", "送检")
    assert " 2 " in run("accept-evidence", kept["id"], actor="security-admin")
    run("export-custody", key, "-o", str(tmp_path / "c.json"))
    run("custody-keys", "-o", str(tmp_path / "k.pem"))
    files = (str(tmp_path / "c.json"), "--keys", str(tmp_path / "k.pem"))
    assert "valid" in run("verify-custody", *files)
    (tmp_path / "p.md").write_text("# 预案")
    words = ("--title", "预案", "--class", "MP", "--review", "2027-01-01T00:00:00Z")
    made = json.loads(
        run(
            "write-emergency-plan",
            str(tmp_path / "p.md"),
            *words,
            "--task",
            "triage:5:看",
            "--json",
        )
    )
    seen = ("--version", "1", "--sha256", made["sha256"])
    assert "in_force" in run("approve-emergency-plan", made["id"], *seen, actor="security-admin")
    assert "预案" in run("list-emergency-plans")
    assert json.loads(run("list-emergency-plans", "--json"))["items"]
    assert "# 预案" in run("show-emergency-plan", made["id"])
    run("judge-incident", key, "--category", "MPRANS", "--lessons", "备份须离线")
    assert "triage 看" in run("adopt-emergency-plan", key, made["id"])
    ending = ("withdraw-emergency-plan", made["id"], "--version", "1")
    assert "withdrawn" in run(*ending, actor="security-admin")


def test_markdown_becomes_blocks_of_plain_text() -> None:
    text = "# 一、**总则** ##\n甲\n乙 __丙__\n\n- 一\n* 二\n1. 三\n2、 四\n####### 七\n<b>x</b>"
    assert blocks_of(text) == (
        Block("heading", ("一、总则",), 1),
        Block("paragraph", ("甲", "乙 丙")),
        Block("bullets", ("一", "二")),
        Block("numbers", ("三", "四")),
        Block("paragraph", ("####### 七", "<b>x</b>")),
    )


@given(st.text(alphabet="#*-_1. \n\ta<", max_size=200))
def test_no_document_is_too_odd_to_be_shown(text: str) -> None:
    kinds = {block.kind for block in blocks_of(text)}
    assert kinds <= {"heading", "paragraph", "bullets", "numbers"}
    assert bool(kinds) is bool(text.strip())


def test_an_incident_that_opened_by_itself_waits_for_no_lead(home: House, call: Call) -> None:
    options = PlaybooksOptions(open_for=frozenset({"high"}))
    opener = AlertOpener(replace(home.surroundings, options=options))
    event = Delivery(1, START, AlertRaised("org_root", "alr_1", "rule", "high", {}))
    opener.alert_raised(event)
    (incident,) = call(ANALYST, "list_incidents")["items"]
    assert incident["acknowledged_at"] is None
    key = incident["id"]
    home.clock.advance(30)
    call(LI, "change_incident_state", {"state": "confirmed"}, incident_id=key)
    view = call(AUDITOR, "show_incident", incident_id=key)
    assert (view["members"], view["acknowledged_by"]) == ([], LI.id)
    assert {one["alert_id"] for one in view["observables"]} == {"alr_1"}
    call(ANALYST, "add_incident_note", {"text": "看到了"}, incident_id=key)
    again = call(AUDITOR, "show_incident", incident_id=key)
    assert again["acknowledged_at"] == view["acknowledged_at"]
