"""Tasks, waivers, risks and scans over HTTP and on the command line: the same services."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from audits.api.rectification import rectification_routes
from audits.api.risks import risk_routes
from audits.commands import rectification as task_commands
from audits.commands import risks as risk_commands
from audits.commands import scans as scan_commands
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, to_rfc3339
from secops.kernel.errors import Forbidden, Invalid, LengthRequired
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.rectification_house import (
    ANALYST,
    APPROVER,
    AUDITOR,
    FAILING,
    FindingsHouse,
    open_findings_house,
)

SCAN = "name,severity,host\n=cmd()|calc,高危,web1\n".encode()
RISK = {
    "title": "勒索",
    "asset_name": "业务库",
    "threat": "malware",
    "weakness": "备份同网段",
    "likelihood": 4,
    "impact": 5,
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FindingsHouse]:
    with open_findings_house(tmp_path) as opened:
        yield opened


def ask(house: FindingsHouse, operation: str, body: Any = None, **more: Any) -> Any:
    """Return the JSON that a route answers; ``args`` and ``query`` are of the request."""
    routes = (*rectification_routes(house.services), *risk_routes(house.services))
    route = next(each for each in routes if each.operation == operation)
    content = body if isinstance(body, bytes) else orjson.dumps(body or {})
    request = Request(
        route.method,
        route.path,
        more.get("query", ""),
        {"content-length": str(len(content))},
        content,
        actor=more.get("actor", ANALYST),
        args=more.get("args", {}),
    )
    return orjson.loads(route.handler(request).body)


def test_a_task_goes_its_way_over_http(house: FindingsHouse) -> None:
    wish = {"assessment": house.fail(), "owner": "wang", "items": [FAILING]}
    (task,) = ask(house, "make_tasks", wish)["made"]
    args = {"task_id": task["id"]}
    due = to_rfc3339(house.clock.now() + DAY)
    moved = ask(
        house,
        "assign_task",
        {"version": 1, "reason": "归口", "due": due},
        args=args,
        actor=APPROVER,
    )
    assert (moved["due_at"], moved["overdue"]) == (due, False)
    house.clock.advance(1)
    content = base64.b64encode(b"proof").decode()
    proof = {"version": 2, "text": "已改", "filename": "a.txt", "content": content}
    assert ask(house, "give_proof", proof, args=args)["state"] == "proof_given"
    failed = ask(house, "recheck_task", args=args, actor=AUDITOR)
    assert (failed["outcome"], failed["task"]["state"]) == ("failed", "reopened")
    shown = ask(house, "show_task", args=args)
    assert [event["deed"] for event in shown["history"]][-1] == "recheck_task"
    (listed,) = ask(house, "list_tasks", query="state=reopened&limit=1")["items"]
    assert listed["id"] == task["id"]
    with pytest.raises(Forbidden):
        ask(house, "make_tasks", wish, actor=AUDITOR)


def test_bodies_of_another_shape_are_refused(house: FindingsHouse) -> None:
    args = {"task_id": "rct_1"}
    for operation, body in (
        ("make_tasks", {"owner": "wang"}),
        ("make_tasks", {"assessment": "a", "owner": "wang", "items": "L3"}),
        ("make_tasks", {"assessment": "a", "owner": "wang", "due": "tomorrow"}),
        ("give_proof", {"version": 1, "text": "x", "content": "%"}),
        ("give_proof", {"version": True, "text": "x"}),
        ("give_proof", {"version": 1, "text": "x", "path": "/etc/passwd"}),
        ("add_risk", {**RISK, "impact": 6}),
    ):
        with pytest.raises(Invalid):
            ask(house, operation, body, args=args)
    with pytest.raises(Invalid, match="level"):
        ask(house, "list_risks", query="level=9")


def test_a_waiver_is_asked_for_and_decided_over_http(house: FindingsHouse) -> None:
    expires = to_rfc3339(house.clock.now() + 30 * DAY)
    waiver = ask(house, "request_waiver", {"item": FAILING, "reason": "下月", "expires": expires})
    args, decision = {"waiver_id": waiver["id"]}, {"sha256": waiver["digest"], "grant": True}
    decided = ask(house, "decide_waiver", decision, args=args, actor=APPROVER)
    assert (decided["state"], decided["expires_at"]) == ("approved", expires)
    revocation = {"version": decided["version"], "reason": "已换"}
    ask(house, "revoke_waiver", revocation, args=args)
    assert ask(house, "show_waiver", args=args)["state"] == "revoked"
    assert len(ask(house, "list_waivers")["items"]) == 1


def test_a_risk_goes_its_way_over_http(house: FindingsHouse) -> None:
    risk = ask(house, "add_risk", RISK)
    args = {"risk_id": risk["id"]}
    rated = ask(house, "rate_risk", {"version": 1, "likelihood": 3, "impact": 5}, args=args)
    due = to_rfc3339(house.clock.now() + DAY)
    plan = {"version": rated["version"], "treatment": "reduce", "plan": "离线", "owner": "wang"}
    treated = ask(house, "treat_risk", {**plan, "due": due}, args=args)
    wish = {"version": treated["version"], "reason": "成本", "until": due}
    asked = ask(house, "ask_acceptance", wish, args=args)
    decision = {"sha256": asked["digest"], "grant": True}
    accepted = ask(house, "decide_acceptance", decision, args=args, actor=APPROVER)
    assert (accepted["state"], accepted["treatment_text"]["zh"]) == ("accepted", "接受")
    assert len(ask(house, "show_risk", args=args)["history"]) == 5
    matrix = ask(house, "risk_matrix")
    assert (matrix["counts"][2][4], matrix["levels"][2][4]) == (1, 4)
    assert ask(house, "list_risks", query="level=4")["items"][0]["id"] == risk["id"]


def test_a_scan_is_the_body_and_its_length_is_known(house: FindingsHouse) -> None:
    at = to_rfc3339(house.clock.now())
    query = f"format=csv&scope=net&scanned_at={at}&column.title=name"
    scan = ask(house, "import_scan", SCAN, query=query)
    assert (scan["findings"], scan["added"]) == (1, 1)
    (finding,) = ask(house, "list_findings", query="state=open")["items"]
    assert finding["severity_text"]["zh"] == "高危"
    assert len(ask(house, "list_scans")["items"]) == 1
    assert len(ask(house, "make_scan_tasks", {"owner": "sun"})["made"]) == 1
    assert len(ask(house, "fill_risks")["added"]) == 1
    for wrong in ("format=csv", f"{query}&x=1"):
        with pytest.raises(Invalid):
            ask(house, "import_scan", SCAN, query=wrong)
    (scope,) = ask(house, "list_scan_scopes", query="system=this")["items"]
    assert (scope["scope"], scope["standing"], scope["state"]) == ("net", 1, "used")
    last = ask(house, "retire_scan_scope", {"scope": "net", "reason": "合同到期"})
    assert (last["id"], last["retired_reason"]) == (scan["id"], "合同到期")
    (scope,) = ask(house, "list_scan_scopes")["items"]
    assert (scope["state"], scope["retired_at"]) == ("retired", last["retired_at"])
    for body in ({"scope": "net"}, {"scope": "net", "reason": 1}, {"scope": 1, "reason": "x"}):
        with pytest.raises(Invalid):
            ask(house, "retire_scan_scope", body)
    route = next(r for r in risk_routes(house.services) if r.operation == "import_scan")
    with pytest.raises(LengthRequired):
        route.handler(Request("POST", route.path, query, body=SCAN, actor=ANALYST))


class FindingsSession(Session):
    """A session whose house has rectification only."""

    def __init__(self, house: FindingsHouse, home: Path, caller: Actor) -> None:
        super().__init__(home, None, lambda _: pytest.fail("the house is opened"))
        self._rectification, self._caller = house.services, caller

    @property
    def actor(self) -> Actor:
        return self._caller

    def services(self, kind: type) -> Any:
        del kind
        return SimpleNamespace(rectification=self._rectification)


@pytest.fixture
def run(house: FindingsHouse, tmp_path: Path) -> Any:
    def invoke(command: click.Command, *words: object, actor: Actor = ANALYST) -> Result:
        session = FindingsSession(house, tmp_path, actor)
        return CliRunner().invoke(command, [str(word) for word in words], obj=session)

    return invoke


def test_a_task_goes_its_way_on_the_command_line(
    house: FindingsHouse, run: Any, tmp_path: Path
) -> None:
    commands, assessment = task_commands, house.fail()
    made = run(commands.make_tasks, assessment, "--owner", "wang", "--item", FAILING)
    name = made.stdout.split()[1]
    file = tmp_path / "proof.txt"
    file.write_text("off")
    house.clock.advance(1)
    proof = run(commands.give_proof, name, "--version", 1, "--text", "已改", "--file", file)
    assert proof.stdout == f"{name} {FAILING} proof_given\n"
    failed = run(commands.recheck_task, name, actor=AUDITOR)
    assert (failed.exit_code, failed.stdout) == (1, f"{name} failed reopened\n")
    shown = orjson.loads(run(commands.show_task, name, "--json").stdout)
    assert (shown["rounds"], len(shown["history"])) == (1, 3)
    assert "reopened" in run(commands.show_task, name).stdout
    listed = orjson.loads(run(commands.list_tasks, "--state", "unclosed", "--json").stdout)
    assert [task["id"] for task in listed["items"]] == [name]
    moved = run(commands.assign_task, name, "--version", 3, "--reason", "归口", "--owner", "sun")
    assert moved.exit_code == 0
    again = orjson.loads(run(commands.make_tasks, assessment, "--owner", "wang", "--json").stdout)
    assert again["standing"] == 1


def test_waivers_and_risks_on_the_command_line(house: FindingsHouse, run: Any) -> None:
    until = to_rfc3339(house.clock.now() + DAY)
    asked = run(
        task_commands.request_waiver, FAILING, "--reason", "x", "--expires", until, "--json"
    )
    waiver = orjson.loads(asked.stdout)
    words = (waiver["id"], "--sha256", waiver["digest"])
    decided = run(task_commands.decide_waiver, *words, actor=APPROVER)
    assert decided.stdout == f"{waiver['id']} {FAILING} approved\n"
    revoked = run(task_commands.revoke_waiver, waiver["id"], "--version", 2, "--reason", "x")
    assert "revoked" in revoked.stdout
    assert waiver["id"] in run(task_commands.list_waivers, "--json").stdout
    rates = ("--likelihood", 4, "--impact", 5)
    facts = ("--asset", "库", "--threat", "malware", "--weakness", "同网段")
    risk = orjson.loads(run(risk_commands.add_risk, "勒索", *facts, *rates, "--json").stdout)["id"]
    assert run(risk_commands.rate_risk, risk, "--version", 1, *rates).exit_code == 0
    plan = ("--treatment", "avoid", "--plan", "下线", "--owner", "wang", "--due", until)
    left = ("--residual-likelihood", 1, "--residual-impact", 2)
    assert run(risk_commands.treat_risk, risk, "--version", 2, *plan, *left).exit_code == 0
    ending = (risk, "--version", 3, "--reason", "已下线")
    closed = run(risk_commands.close_risk, *ending, actor=APPROVER)
    assert closed.stdout.split()[2] == "closed"
    assert "勒索" in run(risk_commands.show_risk, risk).stdout
    assert risk in run(risk_commands.list_risks, "--json").stdout
    assert "L5" in run(risk_commands.risk_matrix).stdout


def test_scans_on_the_command_line(house: FindingsHouse, run: Any, tmp_path: Path) -> None:
    file, at = tmp_path / "scan.csv", to_rfc3339(house.clock.now())
    file.write_bytes(SCAN)
    words = (file, "--format", "csv", "--scope", "内网", "--scanned-at", at)
    assert run(scan_commands.import_scan, *words, "--column", "host").exit_code == 2
    read = run(scan_commands.import_scan, *words, "--column", "asset=host")
    assert "1 findings, 1 new, 0 gone" in read.stdout
    assert "web1" in run(scan_commands.list_findings, "--json").stdout
    assert "内网" in run(scan_commands.list_scans, "--json").stdout
    retire = (scan_commands.retire_scan_scope, "内网")
    assert run(*retire).exit_code == 2
    assert run(*retire, "--reason", "合同到期").stdout.startswith("内网: retired after scn_")
    assert "合同到期" in run(scan_commands.list_scan_scopes, "--json").stdout
    assert "web1" in run(scan_commands.list_findings, "--state", "retired", "--json").stdout
    assert run(task_commands.make_scan_tasks, "--owner", "sun").stdout.startswith("made rct_")
    filled = run(risk_commands.fill_risks)
    assert filled.stdout.startswith("added rsk_")
