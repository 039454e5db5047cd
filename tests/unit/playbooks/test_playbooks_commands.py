"""The command line of the plane, over a real home with faked neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from playbooks.commands import group
from playbooks.commands.bench import figures
from playbooks.errors import RunNotFound
from playbooks.errors.bindings import BindingInvalid
from secops.kernel.errors import SecopsError
from secops.terminal.session import Session
from tests.fakes.cacao import REVOKE, playbook
from tests.fakes.playbooks_house import House, OpenedHouse, house

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


@pytest.fixture
def run(home: House, tmp_path: Path) -> Run:
    def invoke(*arguments: str, actor: str = "analyst", fails: bool = False) -> Result:
        session = Session(tmp_path, actor, lambda _: OpenedHouse(home))
        result = CliRunner().invoke(group, arguments, obj=session)
        if not fails and result.exception is not None:
            raise result.exception
        return result

    return invoke


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


def test_duties_are_declared_and_reports_filed_on_the_command_line(run: Run) -> None:
    key = run("open-incident", "--title", "主页被篡改").stdout.strip()
    assert run("declare-duty", key, "defect_report").stdout == f"{key} defect_report\n"
    at = answer(run("show-incident", key, "--json"))["discovered_at"]
    line = run("file-report", key, "first_report", "--at", at, "--to", "12387").stdout
    assert line == f"{key} first_report {at}\n"
    filed = answer(run("file-report", key, "defect_report", "--reference", "7", "--json"))
    assert (filed["duty"], filed["reference"]) == ("defect_report", "7")
    assert run("file-report", key, "relay", "--at", "soon", fails=True).exit_code == 2
    second = answer(
        run(
            "declare-duty",
            run("open-incident", "--title", "x").stdout.strip(),
            "defect_report",
            "--json",
        )
    )
    assert second["filed_at"] is None


def test_an_incident_is_opened_moved_judged_noted_shown_and_reported(
    run: Run, tmp_path: Path
) -> None:
    key = run("open-incident", "--alert", "alr_1").stdout.strip()
    assert answer(run("open-incident", "--title", "演练", "--drill", "--json"))["drill"] is True
    assert "已确认" in run("change-state", key, "confirmed").stdout
    assert run("judge-incident", key, "--level", "ordinary").stdout == f"{key} NACRED ordinary\n"
    run("add-note", key, "已联系本人")
    assert "已确认" in run("list-incidents").stdout
    assert len(answer(run("list-incidents", "--state", "open", "--json"))["items"]) == 2
    assert "first_report" in run("show-incident", key).stdout
    shown = answer(run("show-incident", key, "--json"))
    assert [line["kind"] for line in shown["timeline"]] == ["opened", "state", "judged", "note"]
    for ending in ("md", "html", "json"):
        target = tmp_path / f"report.{ending}"
        run("report-incident", key, "-o", str(target), actor="auditor")
        assert key in target.read_text().replace("\\", "")
    assert run("report-incident", key, "-o", "x.exe", fails=True).exit_code == 2


def test_a_playbook_is_planned_asked_for_approved_and_run(
    run: Run, home: House, tmp_path: Path
) -> None:
    key = run("open-incident", "--alert", "alr_1").stdout.strip()
    plan = answer(run("run", "ssh_brute_force_contain", "--incident", key, "--dry-run", "--json"))
    assert "SHA-256" in run("run", "ssh_brute_force_contain", "--incident", key, "--dry-run").stderr
    asked = answer(run("run", "ssh_brute_force_contain", "--incident", key, "--json"))
    assert asked["plan_sha256"] == plan["sha256"]
    refused = run("approve-run", asked["id"], "--plan", plan["sha256"], fails=True)
    assert isinstance(refused.exception, SecopsError)
    assert refused.exception.exit_code == 4
    approved = run("approve-run", asked["id"], "--plan", plan["sha256"], actor="security-admin")
    assert approved.stdout == f"{asked['id']} done\n"
    assert home.containment.calls == ["lock acc_zhang", "revoke acc_zhang"]
    assert "done" in run("list-runs").stdout
    assert answer(run("list-runs", "--incident", key, "--json"))["items"][0]["state"] == "done"
    assert "outcome" in run("show-run", asked["id"]).stdout
    assert answer(run("show-run", asked["id"], "--json"))["steps"]


def test_a_file_is_run_with_variables_rejected_cancelled_or_left_to_the_service(
    run: Run, tmp_path: Path
) -> None:
    key = run("open-incident", "--title", "x").stdout.strip()
    file = tmp_path / "own.json"
    file.write_text(json.dumps(playbook()))
    wanted = ("run", str(file), "--incident", key, "--var", "account=zhang.san")
    asked = answer(run(*wanted, "--json"))
    rejected = run(
        "approve-run",
        asked["id"],
        "--plan",
        asked["plan_sha256"],
        "--reject",
        "--json",
        actor="security-admin",
    )
    assert answer(rejected)["state"] == "cancelled"
    line = run(*wanted)
    assert "approve-run" in line.stderr
    name = line.stdout.split()[0]
    plan = answer(run("show-run", name, "--json"))["plan_sha256"]
    left = run("approve-run", name, "--plan", plan, "--no-start", actor="security-admin")
    assert left.stdout == f"{name} approved\n"
    assert "cancelled" in run("cancel-run", name, "--reason", "误报").stdout
    assert run(*wanted[:-1], "account", fails=True).exit_code == 2


def test_what_needs_no_approval_runs_at_once_and_a_step_by_hand_is_answered(run: Run) -> None:
    key = run("open-incident", "--alert", "alr_1").stdout.strip()
    adopted = run("import-playbook", "notify_duty").stdout.split()
    assert adopted[1] == "draft"
    signed = run("approve-playbook", adopted[0], actor="security-admin").stdout
    assert signed == f"{adopted[0]} approved\n"
    assert run("run", "notify_duty", "--incident", key).stdout.endswith("done\n")
    asked = answer(run("run", "session_takeover_contain", "--incident", key, "--json"))
    run("approve-run", asked["id"], "--plan", asked["plan_sha256"], actor="security-admin")
    steps = answer(run("show-run", asked["id"], "--json"))["steps"]
    path = next(path for path, state in steps.items() if state == "intent")
    assert run("resolve-step", asked["id"], path, "done").stdout == f"{asked['id']} done\n"


def test_a_playbook_is_imported_listed_exported_rejected_and_retired(
    run: Run, tmp_path: Path
) -> None:
    foreign = playbook()
    foreign["workflow"][REVOKE]["commands"] = [{"type": "bash", "command": "id"}]
    foreign["workflow"][REVOKE].pop("step_extensions")
    file = tmp_path / "foreign.json"
    file.write_text(json.dumps(foreign))
    told = run("import-playbook", str(file)).output
    assert f"command_by_hand /workflow/{REVOKE}/commands/0 bash" in told
    name = next(word for word in told.split() if len(word) == 64)
    assert answer(run("import-playbook", str(file), "--json"))["content_hash"] == name
    listed = answer(run("list-playbooks", "--json"))["items"]
    assert [(one["state"], one["signature"]) for one in listed] == [("draft", "unsigned")]
    assert name[:12] in run("list-playbooks").stdout
    run("approve-playbook", name, "--reject", actor="security-admin")
    run("import-playbook", str(file))
    run("approve-playbook", name, actor="security-admin")
    exported = json.loads(run("export-playbook", name).stdout)
    assert exported["signatures"][0]["related_to"] == exported["id"]
    retired = run("retire-playbook", name, actor="security-admin").stdout
    assert retired == f"{name} retired\n"


def test_a_binding_is_tried_proposed_approved_paused_and_withdrawn(
    run: Run, tmp_path: Path
) -> None:
    name = run("import-playbook", "notify_duty").stdout.split()[0]
    run("approve-playbook", name, actor="security-admin")
    file = tmp_path / "binding.json"
    file.write_text(json.dumps({"name": "值班", "playbook": name, "severities": ["high"]}))
    assert run("try-binding", str(file)).output.startswith("2 / 2\n")
    assert len(answer(run("try-binding", str(file), "--json"))["matched"]) == 2
    key, change = run("propose-binding", str(file)).stdout.splitlines()[0].split()
    admin = "security-admin"
    assert (
        run("approve-binding", key, "--change", change, actor=admin).stdout == f"{key} active 1\n"
    )
    again = answer(run("propose-binding", str(file), "--change", key, "--json"))
    assert again["change"]["difference"] == []
    assert answer(run("list-bindings", "--json"))["items"][0]["id"] == key
    assert "值班" in run("list-bindings").stdout
    assert run("withdraw-binding", key).stdout.startswith(f"{key} ")
    assert "paused" in run("pause-bindings", "--reason", "停").output
    assert "paused" in run("resume-bindings", "--reason", "好").output
    assert "resumed" in run("resume-bindings", "--approve", actor=admin).output
    for wrong in ("[]", "{"):
        file.write_text(wrong)
        with pytest.raises(BindingInvalid):
            run("try-binding", str(file))
    with pytest.raises(RunNotFound):
        run("confirm-run", "run_none", "--plan", "x", actor=admin)


def test_the_bench_prints_rates_with_their_circumstances() -> None:
    found = figures()
    assert [figure["unit"] for figure in found] == ["playbooks", "plans", "decisions"]
    assert all(figure["value"] > 0 and figure["circumstances"] for figure in found)


def test_check_needs_no_home_names_places_and_exits_one_for_a_bad_file(
    run: Run, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(playbook()))
    bad.write_text(json.dumps({**playbook(), "colour": "red"}))
    assert run("check", str(good)).exit_code == 0
    result = run("check", str(good), str(bad), fails=True)
    assert result.exit_code == 1
    assert "unknown_key /colour" in result.stderr
    document = answer(run("check", str(bad), "--json", fails=True))
    assert document["files"][0]["problems"][0]["place"] == "/colour"
    assert run("check", str(tmp_path / "none.json"), fails=True).exit_code == 2
    bad.write_text("[]")
    assert "wrong_type /:" in run("check", str(bad), fails=True).stderr
