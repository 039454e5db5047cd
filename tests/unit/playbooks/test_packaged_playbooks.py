"""The playbooks of the release, each tried on the incident that stands beside it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from playbooks.adapters.packaged import PackagedLibrary
from playbooks.service import NewIncident, RunRequest, StepAnswer, check_playbook
from secops.kernel.pages import PageRequest
from tests.fakes.alert_summaries import alert
from tests.fakes.playbooks_house import ANALYST, APPROVER, house

NAMES = sorted(PackagedLibrary().playbooks())


def sample(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(
        files("rules.playbooks").joinpath(f"{name}.sample.json").read_bytes()
    )
    return value


def test_there_are_playbooks_and_each_is_checked_without_a_finding() -> None:
    assert NAMES == ["notify_duty", "session_takeover_contain", "ssh_brute_force_contain"]
    for text in PackagedLibrary().playbooks().values():
        checked, problems = check_playbook(text)
        assert checked is not None
        assert problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_packaged_playbook_does_on_its_sample_what_the_sample_says(
    tmp_path: Path, name: str
) -> None:
    told = sample(name)
    with house(tmp_path) as home:
        for account, values in told["accounts"].items():
            home.containment.add(account, account, values["sessions"])
        summary = alert("alr_9", **{k: told["incident"][k] for k in ("title", "severity")})
        object.__setattr__(summary, "subjects", told["incident"]["subjects"])
        home.alerts.kept["alr_9"] = summary
        services = home.services
        incident = services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_9"))
        request = RunRequest(incident.id, services.playbooks.find(ANALYST, name))
        plan = services.runs.plan_run(ANALYST, request)
        assert [step.action for step in plan.steps if step.targets] == told["actions"]
        assert plan.needs_approval == told["needs_approval"]
        run = services.runs.request_run(ANALYST, request)
        if run.state == "awaiting_approval":
            services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=plan.sha256)
        ended = services.runner.advance(run.id)
        while ended.state == "waiting":
            states = services.runs.show_run(ANALYST, run.id).states
            (asked,) = [path for path, state in states.items() if state == "intent"]
            services.runs.resolve_step(ANALYST, run.id, StepAnswer(asked, "done"))
            ended = services.runner.advance(run.id)
        assert ended.state == told["result"]
        effects = told["effects"]
        for account, count in effects["sessions"].items():
            assert len(home.containment.sessions_of(account)) == count
        for account in told["accounts"]:
            state = home.containment.account_state("org_root", account)
            assert state is not None
            assert state.locked == (account in effects["locked"])
        sent = services.inbox.list_notifications(ANALYST, PageRequest(10)).items
        assert len(sent) == effects["notifications"]
        stored = services.playbooks.list_playbooks(ANALYST, PageRequest(10)).items
        assert [(one.signature, one.state) for one in stored] == [("packaged", "approved")]
