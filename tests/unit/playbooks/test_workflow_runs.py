"""Branching, loops, results and compensation, run for real over a home."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.core.record import replay_run
from playbooks.errors import NotYetRunnable, PlanChanged, RunStateRefused
from playbooks.errors.runs import ResultRefused
from playbooks.models import Run
from playbooks.service import (
    NewIncident,
    RunRequest,
    StepAnswer,
    StepDecision,
    require_playbook,
)
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid
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
    document["playbook_variables"]["__risk__"] = {"type": "string", "value": "0"}
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
    with pytest.raises(ResultRefused):
        answer(home, run, LOOK, risk="x" * 2_001)
    assert answer(home, run, LOOK, "failed").state == "failed"


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("integer", "约三千", "-3000"),
        ("integer", "3000 人", "0"),
        ("long", "1e9", "1000000000"),
        ("float", "0,5", "0.5"),
        ("bool", "是", "true"),
    ],
)
def test_a_result_of_the_wrong_type_can_be_written_again(
    home: House, kind: str, wrong: str, right: str
) -> None:
    document = judged()
    document["playbook_variables"]["__risk__"] = {"type": kind, "description": "风险"}
    document["workflow"][FORK]["condition"] = "EXISTS __risk__:value"
    run = begin(home, document)
    looked = next(step for step in run.plan.steps if step.path == LOOK)
    assert looked.asks == {"__risk__": {"type": kind, "text": "风险"}}
    with pytest.raises(ResultRefused):
        answer(home, run, LOOK, risk=wrong)
    shown = home.services.runs.show_run(AUDITOR, run.id)
    assert (shown.run.state, shown.states[LOOK]) == ("waiting", "intent")
    assert answer(home, run, LOOK, risk=right).state == "done"


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


def test_a_compensation_that_fails_is_an_alarm_and_keeps_no_other(home: House) -> None:
    document = undone()
    document["workflow"][SECOND_UNDO] = action("account.lock", {"account": "zhang.san"}, OTHER_END)
    run = begin(home, document)
    home.containment.down = True
    ended = answer(home, run, LOOK, "failed")
    assert (ended.state, ended.error) == ("failed", "compensation_failed")
    assert sent(home) == ["sessions again", "处置补偿失败,需人工处理"]


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


def late() -> dict[str, Any]:
    """A person finds the account; locking it is approved when its name is known."""
    document = playbook()
    document["playbook_variables"]["__found__"] = {"type": "string"}
    lock = action("account.lock", {"account": "__found__:value"}, END, late_bound=["__found__"])
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOOK},
        LOOK: by_hand(LOCK, out_args=["__found__"]),
        LOCK: lock,
        END: {"type": "end"},
    }
    return document


def asked(home: House, run: Run) -> str:
    entry = home.services.runs.show_run(AUDITOR, run.id).journal[-1]
    assert (entry.path, entry.state) == (LOCK, "")
    return str(entry.details["sha256"])


def test_a_value_known_late_is_approved_at_its_step(home: House) -> None:
    run = begin(home, late())
    run = answer(home, run, LOOK, found="zhang.san")
    assert (run.state, run.error, home.containment.calls) == ("waiting", "approve", [])
    sha256, approve = asked(home, run), home.services.steps.approve_step
    with pytest.raises(PlanChanged):
        approve(APPROVER, run.id, StepDecision(LOCK, "0" * 64, grant=True))
    with pytest.raises(RunStateRefused):
        approve(APPROVER, run.id, StepDecision(LOOK, sha256, grant=True))
    boss = replace(ANALYST, roles=frozenset({"analyst", "security-admin"}))
    with pytest.raises(SelfApproval):
        approve(boss, run.id, StepDecision(LOCK, sha256, grant=True))
    approve(APPROVER, run.id, StepDecision(LOCK, sha256, grant=True))
    assert home.services.runner.advance(run.id).state == "done"
    assert home.containment.calls == ["lock acc_zhang"]
    assert home.services.steps.replay_run(AUDITOR, run.id).differences == ()


def test_a_late_step_that_is_refused_or_left_alone_fails(home: House) -> None:
    first = answer(home, begin(home, late()), LOOK, found="zhang.san")
    decision = StepDecision(LOCK, asked(home, first), grant=False)
    home.services.steps.approve_step(APPROVER, first.id, decision)
    assert home.services.runner.advance(first.id).state == "failed"
    assert home.containment.calls == []


def test_what_waits_for_a_person_is_said_with_all_they_need(home: House) -> None:
    document = late()
    document["playbook_variables"]["__found__"]["description"] = "登录名"
    run = begin(home, document)
    (manual,) = home.services.runs.show_run(AUDITOR, run.id).waiting
    assert (manual.kind, manual.path, manual.text) == ("manual", LOOK, "Look at it")
    assert manual.asks == {"__found__": {"type": "string", "text": "登录名"}}
    answer(home, run, LOOK, found="zhang.san")
    (approval,) = home.services.runs.show_run(AUDITOR, run.id).waiting
    assert (approval.kind, approval.path, approval.sha256) == ("approval", LOCK, asked(home, run))
    assert approval.args == {"account": "zhang.san"}
    assert [target.target for target in approval.targets] == ["account:acc_zhang"]
    assert approval.until == home.clock.now() + 24 * 3_600 * SECOND


def test_an_approval_of_a_late_step_expires(home: House) -> None:
    run = answer(home, begin(home, late()), LOOK, found="zhang.san")
    home.clock.advance(24 * 3_600 + 1)
    home.services.runner.advance_all()
    assert home.services.runs.show_run(AUDITOR, run.id).run.state == "failed"
    assert home.containment.calls == []


def test_a_late_target_that_changed_before_the_approval_voids_it(home: House) -> None:
    run = answer(home, begin(home, late()), LOOK, found="zhang.san")
    old = asked(home, run)
    home.containment._load()["accounts"]["acc_zhang"]["locked"] = True
    with pytest.raises(PlanChanged):
        home.services.steps.approve_step(APPROVER, run.id, StepDecision(LOCK, old, grant=True))
    home.services.runner.advance(run.id)
    new = asked(home, run)
    assert new != old
    home.services.steps.approve_step(APPROVER, run.id, StepDecision(LOCK, new, grant=True))
    assert home.services.runner.advance(run.id).state == "done"


@pytest.mark.parametrize("found", ["nobody", "acc_boss"])
def test_a_late_target_that_is_protected_or_not_there_fails_its_step(
    home: House, found: str
) -> None:
    home.containment.add("acc_boss", "boss", protected="the last security administrator")
    assert answer(home, begin(home, late()), LOOK, found=found).state == "failed"
    assert home.containment.calls == []


def test_containment_is_prolonged_before_it_expires(home: House) -> None:
    document = undone()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["ttl_s"] = 600
    run = answer(home, begin(home, document), LOOK)
    prolong = home.services.steps.prolong_containment
    home.clock.advance(500)
    (lasting,) = home.services.runs.show_run(AUDITOR, run.id).waiting
    assert (lasting.kind, lasting.path) == ("containment", LOCK)
    assert lasting.until == home.clock.now() + 100 * SECOND
    with pytest.raises(RunStateRefused):  # sooner would be giving back by one person alone
        prolong(ANALYST, run.id, LOCK, seconds=99)
    later = prolong(ANALYST, run.id, LOCK, seconds=3_600)
    assert later.due_at == home.clock.now() + 3_600 * SECOND
    home.clock.advance(3_599)
    home.services.runner.advance_all()
    assert sent(home) == []
    home.clock.advance(1)
    home.services.runner.advance_all()
    assert sent(home) == ["unlocked"]
    assert home.services.steps.replay_run(AUDITOR, run.id).differences == ()
    with pytest.raises(RunStateRefused):
        prolong(ANALYST, run.id, LOCK, seconds=3_600)
    with pytest.raises(Invalid):
        prolong(ANALYST, run.id, LOCK, seconds=0)


def test_a_record_that_was_changed_does_not_replay(home: House) -> None:
    run = answer(home, begin(home, judged()), LOOK, risk="71")
    assert run.state == "done"
    view = home.services.runs.show_run(AUDITOR, run.id)
    assert home.services.steps.replay_run(AUDITOR, run.id).lines == len(view.journal)
    journal = list(view.journal)
    for number, entry in enumerate(journal):
        forged = {
            "intent": replace(entry, key="0" * 64),
            "outcome": replace(entry, key="0" * 64),
            "decision": replace(entry, details={"choice": "false"}),
        }[entry.kind]
        changed = [*journal[:number], forged, *journal[number + 1 :]]
        assert replay_run(view.run, changed), entry
        assert replay_run(view.run, [*journal[:number], *journal[number + 1 :]]), entry
    assert replay_run(replace(view.run, state="failed"), journal)[0].seq == 0


def test_only_a_finished_run_is_replayed(home: House) -> None:
    run = begin(home, judged())
    with pytest.raises(RunStateRefused):
        home.services.steps.replay_run(AUDITOR, run.id)
    stopped = home.services.runs.cancel_run(ANALYST, run.id, reason="x")
    assert home.services.steps.replay_run(AUDITOR, stopped.id).differences == ()


def test_a_loop_without_end_is_stopped_and_starves_nobody(home: House) -> None:
    loop = "while-condition--dddddddd-dddd-4ddd-8ddd-dddddddddddd"
    document = playbook()
    document["workflow"] = {
        START: {"type": "start", "on_completion": loop},
        loop: {
            "type": "while-condition",
            "condition": "EXISTS __account__:value",
            "on_true": NOTIFY,
            "on_completion": END,
        },
        NOTIFY: say("again", OTHER_END),
        END: {"type": "end"},
        OTHER_END: {"type": "end"},
    }
    run = begin(home, document)
    assert (run.state, len(sent(home))) == ("failed", 50)
    view = home.services.runs.show_run(AUDITOR, run.id)
    assert view.journal[-1].details == {"error": "too_many_turns"}
    assert len({entry.key for entry in view.journal if entry.kind == "intent"}) == 100
