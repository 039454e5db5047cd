"""Branching, loops, results and compensation, run for real over a home."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.errors import NotYetRunnable, RunStateRefused
from playbooks.models import Run
from playbooks.service import NewIncident, RunRequest, StepAnswer, require_playbook
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import SECOND
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import AGENT, END, LOCK, NOTIFY, REVOKE, START, action, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

UNDO = "action--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
SECOND_UNDO = "action--bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
LOOK = "action--cccccccc-cccc-4ccc-8ccc-cccccccccccc"
FORK = "if-condition--dddddddd-dddd-4ddd-8ddd-dddddddddddd"
OTHER_END = "end--eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
LAST_END = "end--ffffffff-ffff-4fff-8fff-ffffffffffff"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


def say(text: str, following: str = END, **extension: Any) -> dict[str, Any]:
    return action(
        "notify.send", {"channel": "default", "title": text, "text": text}, following, **extension
    )


def by_hand(following: str, **values: Any) -> dict[str, Any]:
    return {
        "type": "action",
        "name": "look",
        "on_completion": following,
        "commands": [{"type": "manual", "command": "Look at it"}],
        "agent": AGENT,
        **values,
    }


def begin(home: House, document: dict[str, Any]) -> Run:
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    checked = require_playbook(json.dumps(document).encode())
    run = home.services.runs.request_run(ANALYST, RunRequest(incident.id, checked))
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    return home.services.runner.advance(run.id)


def answer(home: House, run: Run, path: str, outcome: Any = "done", **values: str) -> Run:
    home.services.runs.resolve_step(
        ANALYST,
        run.id,
        StepAnswer(path, outcome, values={f"__{k}__": v for k, v in values.items()}),
    )
    return home.services.runner.advance(run.id)


def sent(home: House) -> list[str]:
    kept = home.services.inbox.list_notifications(ANALYST, PageRequest(50)).items
    return [one.title for one in reversed(kept)]


def judged() -> dict[str, Any]:
    """A person says how bad it is, and that decides what happens."""
    document = playbook()
    document["playbook_variables"]["__risk__"] = {"type": "integer", "value": "0"}
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOOK},
        LOOK: by_hand(FORK, out_args=["__risk__"]),
        FORK: {
            "type": "if-condition",
            "condition": "__risk__:value >= 70",
            "on_true": LOCK,
            "on_false": NOTIFY,
            "on_completion": END,
        },
        LOCK: action("account.lock", {"account": "__account__:value"}, OTHER_END),
        NOTIFY: say("risk __risk__:value", LAST_END),
        END: {"type": "end"},
        OTHER_END: {"type": "end"},
        LAST_END: {"type": "end"},
    }
    return document


@pytest.mark.parametrize(
    ("risk", "calls", "titles"), [("71", ["lock acc_zhang"], []), ("69", [], ["risk 69"])]
)
def test_what_a_person_found_decides_the_branch(
    home: House, risk: str, calls: list[str], titles: list[str]
) -> None:
    run = begin(home, judged())
    assert run.state == "waiting"
    assert answer(home, run, LOOK, risk=risk).state == "done"
    assert (home.containment.calls, sent(home)) == (calls, titles)
    leaves = json.dumps(home.leaves())
    assert '"__risk__"' not in leaves


def test_a_finding_that_is_no_number_takes_no_branch(home: House) -> None:
    run = begin(home, judged())
    assert answer(home, run, LOOK, risk="__account__:value").state == "failed"
    assert home.containment.calls == []
    view = home.services.runs.show_run(AUDITOR, run.id)
    assert view.journal[-1].details == {"error": "condition_undecidable"}


def test_a_step_with_results_is_not_done_without_them(home: House) -> None:
    run = begin(home, judged())
    with pytest.raises(RunStateRefused):
        answer(home, run, LOOK)
    with pytest.raises(RunStateRefused):
        answer(home, run, LOOK, risk="1", account="root")
    with pytest.raises(RunStateRefused):
        answer(home, run, LOOK, risk="x" * 2_001)
    assert answer(home, run, LOOK, "failed").state == "failed"


def test_a_value_is_never_read_as_a_template(home: House) -> None:
    document = judged()
    document["workflow"][FORK]["condition"] = "EXISTS __none__:value"
    document["playbook_variables"]["__none__"] = {"type": "string"}
    run = begin(home, document)
    assert answer(home, run, LOOK, risk="__account__:value").state == "done"
    assert sent(home) == ["risk __account__:value"]


def undone() -> dict[str, Any]:
    """Revoke and lock, each with its way back, then a step that a person may fail."""
    document = playbook()
    document["workflow"][REVOKE]["step_extensions"][EXTENSION]["compensate"] = UNDO
    lock = document["workflow"][LOCK]
    lock["step_extensions"][EXTENSION]["compensate"] = SECOND_UNDO
    lock["on_completion"] = LOOK
    del document["workflow"][NOTIFY], document["workflow_exception"]
    document["workflow"] |= {
        LOOK: by_hand(END),
        UNDO: say("sessions again", OTHER_END),
        SECOND_UNDO: say("unlocked", OTHER_END),
        OTHER_END: {"type": "end"},
    }
    return document


def test_a_failed_run_takes_back_what_it_did_the_last_first(home: House) -> None:
    run = begin(home, undone())
    ended = answer(home, run, LOOK, "failed")
    assert (ended.state, sent(home)) == ("compensated", ["unlocked", "sessions again"])
    states = home.services.runs.show_run(AUDITOR, run.id).states
    assert (states[REVOKE], states[LOCK], states[LOOK]) == ("compensated", "compensated", "failed")
    assert home.services.runner.advance(run.id) == ended
    assert len(sent(home)) == 2


def test_a_cancelled_run_takes_back_what_it_did(home: House) -> None:
    run = begin(home, undone())
    stopped = home.services.runs.cancel_run(ANALYST, run.id, reason="误报")
    assert stopped.state == "compensating"
    ended = home.services.runner.advance(run.id)
    assert (ended.state, sent(home)) == ("compensated", ["unlocked", "sessions again"])
    assert ended.error == f"cancelled by {ANALYST.id}"


def test_a_compensation_that_fails_stops_with_an_alarm(home: House) -> None:
    document = undone()
    document["workflow"][SECOND_UNDO] = action("account.lock", {"account": "zhang.san"}, OTHER_END)
    run = begin(home, document)
    home.containment.down = True
    ended = answer(home, run, LOOK, "failed")
    assert (ended.state, ended.error) == ("failed", "compensation_failed")
    assert sent(home) == ["处置补偿失败,需人工处理"]


def test_containment_expires_by_the_step_that_takes_it_back(home: House) -> None:
    document = undone()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["ttl_s"] = 600
    run = begin(home, document)
    ended = answer(home, run, LOOK)
    assert (ended.state, sent(home)) == ("done", [])
    assert ended.due_at == home.clock.now() + 600 * SECOND
    home.clock.advance(599)
    home.services.runner.advance_all()
    assert sent(home) == []
    home.clock.advance(1)
    home.services.runner.advance_all()
    assert sent(home) == ["unlocked"]
    after = home.services.runs.show_run(AUDITOR, run.id).run
    assert (after.state, after.due_at, after.finished_at) == ("done", None, ended.finished_at)


def test_two_approvers_are_two_persons_and_neither_asked_for_the_run(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["approval"] = {"n": 2}
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    checked = require_playbook(json.dumps(document).encode())
    run = home.services.runs.request_run(ANALYST, RunRequest(incident.id, checked))
    approve = home.services.runs.approve_run
    first = approve(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert (first.state, first.approvers) == ("awaiting_approval", (APPROVER.id,))
    with pytest.raises(SelfApproval):
        approve(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "awaiting_approval"
    other = person("sun", "security-admin")
    second = approve(other, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert second.approvers == (APPROVER.id, other.id)
    assert home.services.runner.advance(run.id).state == "done"


def test_what_compensates_is_one_action_known_from_the_start(home: House) -> None:
    document = undone()
    document["workflow"][UNDO]["on_completion"] = LOOK
    with pytest.raises(NotYetRunnable, match="one action"):
        begin(home, document)
