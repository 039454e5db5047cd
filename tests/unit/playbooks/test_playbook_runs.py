"""Runs: planned, approved by another person, executed, answered, cancelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.errors import (
    BlastExceeded,
    ChangedMeanwhile,
    ChannelUnknown,
    NotYetRunnable,
    PlanChanged,
    PlaybookInvalid,
    PlaybookNotFound,
    RunNotFound,
    RunStateRefused,
    TargetProtected,
    VariableMissing,
)
from playbooks.models import CheckedPlaybook, Incident, Run
from playbooks.service import NewIncident, RunRequest, StepAnswer, require_playbook
from playbooks.service.notices.templates import notice_content
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import LOCK, NOTIFY, REVOKE, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

BOSS_AND_ANALYST = replace(ANALYST, roles=frozenset({"analyst", "security-admin"}))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


def incident(home: House) -> str:
    return home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1")).id


def checked(document: dict[str, Any]) -> CheckedPlaybook:
    return require_playbook(json.dumps(document).encode())


def wanted(home: House, document: dict[str, Any] | None = None, **variables: str) -> RunRequest:
    return RunRequest(incident(home), checked(document or playbook()), variables)


def approve(home: House, run: Run) -> Run:
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    return home.services.runner.advance(run.id)


def test_a_dry_run_shows_the_exact_difference_and_changes_nothing(home: House) -> None:
    request = wanted(home)
    before = home.acts()
    plan = home.services.runs.plan_run(ANALYST, request)
    assert [(s.action, s.targets[0].before, s.targets[0].after) for s in plan.steps] == [
        ("session.revoke", "live sessions", "no live session"),
        ("account.lock", "active", "locked"),
        ("notify.send", "", "Contained"),
    ]
    assert plan.steps[0].targets[0].label == "zhang.san (2)"
    assert plan.variables == {"__account__": "zhang.san"}
    assert plan.needs_approval
    assert home.containment.calls == []
    assert home.acts() == before
    assert home.services.runs.list_runs(ANALYST, None, PageRequest(10)).items == []
    assert home.services.runs.plan_run(ANALYST, request) == plan


def test_an_approved_run_contains_the_account_and_every_step_is_in_the_ledger(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    assert run.state == "awaiting_approval"
    assert home.services.runner.advance(run.id).state == "awaiting_approval"
    assert home.containment.calls == []
    ended = approve(home, run)
    assert (ended.state, ended.approver_id) == ("done", APPROVER.id)
    assert home.containment.calls == ["revoke acc_zhang", "lock acc_zhang"]
    assert home.containment.sessions_of("acc_zhang") == ()
    view = home.services.runs.show_run(AUDITOR, run.id)
    assert set(view.states.values()) == {"done"}
    assert [(e.kind, e.state) for e in view.journal] == [("intent", ""), ("outcome", "done")] * 3
    steps = [leaf for leaf in home.leaves() if leaf["action"] == "playbooks.perform_step"]
    assert [leaf["outcome"] for leaf in steps] == ["intent", "done"] * 3
    assert {leaf["details"]["plan_sha256"] for leaf in steps} == {run.plan.sha256}
    assert {leaf["details"]["approver_id"] for leaf in steps} == {APPROVER.id}
    inbox = home.services.inbox.list_notifications(ANALYST, PageRequest(10)).items
    assert [n.text for n in inbox] == ["zhang.san is locked"]
    shown = home.services.incidents.show_incident(ANALYST, run.incident_id)
    assert shown.timeline[-1].text == "剧本运行结束:done"
    report = home.services.reports.report_incident(ANALYST, run.incident_id).decode()
    assert "account:acc\\_zhang" in report
    evidence = home.services.evidence.drill_state(AUDITOR)
    assert (evidence.runs_done, evidence.runs_approved_by_another) == (1, 1)


def test_nobody_approves_their_own_run(home: House) -> None:
    run = home.services.runs.request_run(BOSS_AND_ANALYST, wanted(home))
    with pytest.raises(SelfApproval):
        home.services.runs.approve_run(
            BOSS_AND_ANALYST, run.id, grant=True, plan_sha256=run.plan.sha256
        )
    assert home.services.runner.advance(run.id).state == "awaiting_approval"
    assert home.containment.calls == []


def test_an_approver_of_another_role_or_organisation_is_refused(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    for actor in (AUDITOR, person("li", "analyst"), person("he", "system-admin")):
        with pytest.raises(Forbidden):
            home.services.runs.approve_run(actor, run.id, grant=True, plan_sha256=run.plan.sha256)
    stranger = person("sun", "security-admin", "org_other")
    with pytest.raises(RunNotFound):
        home.services.runs.approve_run(stranger, run.id, grant=True, plan_sha256=run.plan.sha256)
    with pytest.raises(RunNotFound):
        home.services.runs.show_run(person("sun", "auditor", "org_other"), run.id)


def test_approving_another_hash_than_the_present_plans_is_refused(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    with pytest.raises(PlanChanged):
        home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256="0" * 64)


def test_a_world_that_changed_after_the_approval_voids_it(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    values = home.containment._load()["accounts"]["acc_zhang"]
    values["locked"] = True
    again = home.services.runner.advance(run.id)
    assert (again.state, again.error, again.approver_id) == (
        "awaiting_approval",
        "plan_changed",
        None,
    )
    assert again.plan.sha256 != run.plan.sha256
    assert again.approval_id != run.approval_id
    assert home.containment.calls == []
    assert "playbooks.void_approval" in home.acts()
    with pytest.raises(PlanChanged):
        home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert approve(home, again).state == "done"


def test_one_more_session_of_the_attacker_does_not_void_the_approval(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.containment.sign_in("acc_zhang", "ses_more")
    assert approve(home, run).state == "done"
    assert home.containment.sessions_of("acc_zhang") == ()


def test_an_approval_expires_before_and_after_the_decision(home: House) -> None:
    early = home.services.runs.request_run(ANALYST, wanted(home))
    home.clock.advance(24 * 3_600 + 1)
    home.services.runner.advance_all()
    assert home.services.runs.show_run(ANALYST, early.id).run.state == "expired"
    second = RunRequest(early.incident_id, require_playbook(json.dumps(playbook()).encode()))
    late = home.services.runs.request_run(ANALYST, second)
    home.services.runs.approve_run(APPROVER, late.id, grant=True, plan_sha256=late.plan.sha256)
    home.clock.advance(24 * 3_600 + 1)
    assert home.services.runner.advance(late.id).state == "expired"
    assert home.containment.calls == []


def test_a_rejected_run_never_starts(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    rejected = home.services.runs.approve_run(
        APPROVER, run.id, grant=False, plan_sha256=run.plan.sha256, reason="先核实"
    )
    assert (rejected.state, rejected.error) == ("cancelled", "rejected")
    assert home.services.runner.advance(run.id).state == "cancelled"
    with pytest.raises(RunStateRefused):
        home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    with pytest.raises(RunStateRefused):
        home.services.runs.cancel_run(ANALYST, run.id, reason="x")
    assert home.containment.calls == []


def test_what_waits_for_approval_is_listed(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    (waiting,) = home.services.runs.pending_approvals(APPROVER)
    assert (waiting.subject, waiting.subject_hash) == (f"run:{run.id}", run.plan.sha256)


def test_a_protected_account_is_not_planned(home: House) -> None:
    home.containment.add("acc_zhang", "zhang.san", protected="最后一名安全管理员")
    with pytest.raises(TargetProtected):
        home.services.runs.plan_run(ANALYST, wanted(home))


def test_a_target_that_became_protected_fails_the_run(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.containment.add("acc_zhang", "zhang.san", protected="最后一名安全管理员")
    ended = approve(home, run)
    assert (ended.state, ended.error) == ("failed", "playbooks.target_protected")
    assert home.containment.calls == []


def test_a_neighbour_that_is_away_when_a_run_starts_only_delays_it(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.containment.down = True
    assert approve(home, run).state == "approved"
    home.containment.down = False
    home.services.runner.advance_all()
    assert home.services.runs.show_run(ANALYST, run.id).run.state == "done"


def test_unknown_accounts_channels_and_variables_are_refused_when_planning(home: House) -> None:
    with pytest.raises(NotFound):
        home.services.runs.plan_run(ANALYST, wanted(home, __account__="nobody"))
    document = playbook()
    document["workflow"][NOTIFY]["step_extensions"][EXTENSION]["args"]["channel"] = "pager"
    known = home.services.runs.list_runs(ANALYST, None, PageRequest(5)).items
    checked = require_playbook(json.dumps(document).encode())
    other = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    with pytest.raises(ChannelUnknown):
        home.services.runs.plan_run(
            ANALYST, RunRequest(other.id, checked, {"__account__": "zhang.san"})
        )
    with pytest.raises(VariableMissing):
        home.services.runs.plan_run(ANALYST, RunRequest(other.id, checked))
    with pytest.raises(Invalid):
        home.services.runs.plan_run(ANALYST, RunRequest(other.id, checked, {"account": "x"}))
    long = {"__account__": "x" * 3_000}
    with pytest.raises(Invalid):
        home.services.runs.plan_run(ANALYST, RunRequest(other.id, checked, long))
    assert known == []


def test_a_value_from_a_log_can_not_bring_in_another_variable(home: House) -> None:
    document = playbook()
    document["playbook_variables"]["__secret__"] = {"type": "string", "value": "s3"}
    home.containment.add("acc_evil", "__secret__:value")
    plan = home.services.runs.plan_run(
        ANALYST, wanted(home, document, __account__="__secret__:value")
    )
    assert plan.steps[2].args["text"] == "__secret__:value is locked"


def test_a_constant_keeps_its_value(home: House) -> None:
    document = playbook()
    document["playbook_variables"]["__account__"] = {
        "type": "string",
        "value": "zhang.san",
        "constant": True,
    }
    plan = home.services.runs.plan_run(ANALYST, wanted(home, document, __account__="li.si"))
    assert plan.variables == {"__account__": "zhang.san"}


def test_the_shortest_time_for_an_approval_counts(home: House) -> None:
    document = playbook()
    for name, seconds in ((REVOKE, 600), (LOCK, 300)):
        document["workflow"][name]["step_extensions"][EXTENSION]["approval"] = {
            "expires_s": seconds
        }
    document["created"] = "2026-01-01T00:00:00.000001Z"  # a warning, no hindrance
    plan = home.services.runs.plan_run(ANALYST, wanted(home, document))
    assert plan.expires_s == 300


def test_a_limit_on_targets_holds(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["blast"] = {"max": 1}
    home.services.runs.plan_run(ANALYST, wanted(home, document))
    binder = home.services.runs._planner._binder
    twice = binder._actions["account.lock"].inspect("org_root", {"account": "zhang.san"}) * 2
    binder._actions = {**binder._actions, "account.lock": _Fixed(twice)}
    request = RunRequest(
        home.services.incidents.open_incident(ANALYST, NewIncident(title="x")).id,
        require_playbook(json.dumps(document).encode()),
        {"__account__": "zhang.san"},
    )
    with pytest.raises(BlastExceeded):
        home.services.runs.plan_run(ANALYST, request)


class _Fixed:
    def __init__(self, targets: Any) -> None:
        self.targets = targets

    def inspect(self, org_id: str, args: Any) -> Any:
        return self.targets


def test_a_notice_is_drafted_once_by_the_requester_and_never_issued(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["commands"] = [{"type": "secops", "command": "notice.issue"}]
    arguments = document["workflow"][LOCK]["step_extensions"][EXTENSION]["args"] = {
        "template": "urgent_incident"
    }
    run = approve(home, home.services.runs.request_run(ANALYST, wanted(home, document)))
    assert run.state == "done"
    (notice,) = home.services.notices.views.list_notices(ANALYST, "", PageRequest(9)).items
    assert (notice.state, notice.authors, notice.number) == ("review", (ANALYST.id,), 0)
    assert (notice.content.units, notice.content.incident_id) == (("org_root",), run.incident_id)
    both = replace(ANALYST, roles=frozenset({"security-admin"}))
    with pytest.raises(SelfApproval):
        home.services.notices.issuing.decide_notice(both, notice.id, notice.digest, grant=True)
    arguments["template"] = "unknown"
    with pytest.raises(Invalid, match="urgent_incident"):
        home.services.runs.plan_run(ANALYST, RunRequest(run.incident_id, checked(document)))


def test_words_of_an_incident_are_values_in_a_notice() -> None:
    incident = Incident("inc_1", "org_root", "{cause}\n{incident}", "triage", "high", "a", 0, 0)
    template = {
        "title": "关于“{incident}”",
        "body": "{incident}:{cause}",
        "severity": "low",
        "urgent": False,
    }
    content = notice_content(template, incident)
    assert content.title == "关于“{cause} {incident}”"
    assert content.body == "{cause} {incident}:正在查明"


def test_foreign_commands_and_results_are_refused_by_name(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["commands"] = [{"type": "ssh", "command": "reboot"}]
    request = wanted(home, document)
    with pytest.raises(NotYetRunnable, match="ssh"):
        home.services.runs.plan_run(ANALYST, request)
    document["workflow"][LOCK]["commands"] = [{"type": "manual", "command": "look"}]
    document["workflow"][LOCK]["out_args"] = ["__account__"]
    checked = require_playbook(json.dumps(document).encode())
    with pytest.raises(NotYetRunnable, match="late_bound"):
        home.services.runs.plan_run(ANALYST, RunRequest(request.incident_id, checked))


def test_a_failing_step_is_retried_with_the_same_key_then_fails_the_run(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["retry"] = {
        "max": 2,
        "backoff_ms": 1000,
    }
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    home.containment.inert = True
    waiting = approve(home, run)
    assert waiting.state == "failed"  # the first step has no retry
    view = home.services.runs.show_run(ANALYST, run.id)
    assert view.journal[-1].details["error"] == "not_verified"
    assert view.states[REVOKE] == "failed"


def test_a_retry_waits_its_time_and_may_succeed(home: House) -> None:
    document = playbook()
    document["workflow"][REVOKE]["step_extensions"][EXTENSION]["retry"] = {
        "max": 2,
        "backoff_ms": 60_000,
    }
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    home.containment.inert = True
    assert approve(home, run).state == "waiting"
    home.containment.inert = False
    assert home.services.runner.advance(run.id).state == "waiting"
    home.clock.advance(61)
    assert home.services.runner.advance(run.id).state == "done"
    journal = home.services.runs.show_run(ANALYST, run.id).journal
    assert [e.attempt for e in journal[:4]] == [1, 1, 2, 2]
    assert len({e.key for e in journal[:4]}) == 1


def test_a_delay_is_waited_for(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["delay"] = 5_000
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    assert approve(home, run).state == "waiting"
    assert home.containment.calls == ["revoke acc_zhang"]
    home.clock.advance(5)
    assert home.services.runner.advance(run.id).state == "done"


def test_a_failure_goes_the_way_the_playbook_names(home: House) -> None:
    document = playbook()
    step = document["workflow"][REVOKE]
    step["on_success"] = step.pop("on_completion")
    step["on_failure"] = NOTIFY
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    home.containment.inert = True
    ended = approve(home, run)
    assert ended.state == "done"
    assert home.services.runs.show_run(ANALYST, run.id).states == {
        REVOKE: "failed",
        LOCK: "ready",
        NOTIFY: "done",
    }


def test_the_exception_way_runs_its_steps_and_still_fails(home: House) -> None:
    document = playbook()
    document["workflow_exception"] = NOTIFY
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    home.containment.inert = True
    assert approve(home, run).state == "failed"
    states = home.services.runs.show_run(ANALYST, run.id).states
    assert states[f"{NOTIFY}!"] == "done"
    assert states[NOTIFY] == "ready"


def test_a_step_by_hand_waits_for_a_person_and_goes_on(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["commands"] = [
        {"type": "manual", "command": "ring __account__:value"},
        {"type": "manual", "description": "write it down"},
    ]
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    assert run.plan.steps[1].args == {"instructions": "ring zhang.san\nwrite it down"}
    waiting = approve(home, run)
    assert (waiting.state, waiting.error) == ("waiting", "ask")
    assert home.services.runner.advance(run.id).state == "waiting"
    with pytest.raises(RunStateRefused):
        home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(NOTIFY, "done"))
    with pytest.raises(Invalid):
        home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(LOCK, "maybe"))  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        home.services.runs.resolve_step(AUDITOR, run.id, StepAnswer(LOCK, "done"))
    home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(LOCK, "done", "本人否认"))
    with pytest.raises(RunStateRefused):
        home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(LOCK, "failed"))
    assert home.services.runner.advance(run.id).state == "done"
    entry = home.services.runs.show_run(ANALYST, run.id).journal[3]
    assert entry.details == {"answered_by": ANALYST.id, "note": "本人否认"}


def test_a_step_by_hand_that_nobody_answers_runs_out(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["commands"] = [{"type": "manual", "command": "ring"}]
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    assert approve(home, run).state == "waiting"
    home.clock.advance(6)
    home.services.runner.advance_all()
    view = home.services.runs.show_run(ANALYST, run.id)
    assert view.run.state == "failed"
    assert view.journal[-1].details["error"] == "timeout"


def test_a_cancelled_run_begins_no_further_step(home: House) -> None:
    document = playbook()
    document["workflow"][LOCK]["delay"] = 5_000
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    approve(home, run)
    home.services.runs.cancel_run(ANALYST, run.id, reason="误报")
    home.clock.advance(60)
    assert home.services.runner.advance(run.id).state == "cancelled"
    assert home.containment.calls == ["revoke acc_zhang"]


def test_a_run_cancelled_while_a_call_is_in_flight_tells_its_outcome_and_stops(
    home: House,
) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    real = home.containment.revoke_sessions

    def cancel_meanwhile(account_id: str, order: Any) -> int:
        home.services.runs.cancel_run(ANALYST, run.id, reason="误报")
        return real(account_id, order)

    home.containment.revoke_sessions = cancel_meanwhile  # type: ignore[method-assign]
    assert approve(home, run).state == "cancelled"
    journal = home.services.runs.show_run(ANALYST, run.id).journal
    assert [(e.kind, e.state) for e in journal] == [("intent", ""), ("outcome", "done")]


def test_a_late_answer_counts_as_a_timeout(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    real = home.containment.revoke_sessions

    def slow(account_id: str, order: Any) -> int:
        home.clock.advance(6)
        return real(account_id, order)

    home.containment.revoke_sessions = slow  # type: ignore[method-assign]
    assert approve(home, run).state == "failed"
    details = home.services.runs.show_run(ANALYST, run.id).journal[-1].details
    assert (details["error"], details["revoked"]) == ("timeout", 2)


def test_a_fault_in_an_adapter_is_unknown_and_asks_a_person(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))

    def faulty(account_id: str, order: Any) -> int:
        raise KeyError(account_id)

    home.containment.revoke_sessions = faulty  # type: ignore[method-assign]
    assert approve(home, run).state == "waiting"
    view = home.services.runs.show_run(ANALYST, run.id)
    assert view.states[REVOKE] == "unknown"
    home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(REVOKE, "done", "已核实"))
    assert home.services.runner.advance(run.id).state == "done"


def test_another_runner_keeps_its_run(home: House, tmp_path: Path) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    lease = home.spine.parts.leases.acquire(f"playbooks.run.{run.id}", "another", 60)
    assert lease is not None
    assert home.services.runner.advance(run.id).state == "approved"
    home.spine.parts.leases.release(lease)
    assert home.services.runner.advance(run.id).state == "done"


def test_runs_that_can_not_go_on_keep_no_other_waiting(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.service.runs.runner.BATCH", 2)
    request = wanted(home)
    asked = [home.services.runs.request_run(ANALYST, request) for _ in range(3)]
    for run in asked:
        home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
        home.clock.advance(1)
    leases = home.spine.parts.leases
    held = [leases.acquire(f"playbooks.run.{run.id}", "another", 60) for run in asked[:2]]
    runner = home.services.runner
    assert runner.advance_all(), "a full batch: there may be more"
    assert not runner.advance_all()
    states = [home.services.runs.show_run(ANALYST, run.id).run.state for run in asked]
    assert states == ["approved", "approved", "done"]
    for lease in held:
        leases.release(lease)  # type: ignore[arg-type] - all were free
    assert not runner.advance_all(), "set aside for a moment"
    home.clock.advance(3)
    runner.advance_all()
    looked_again = home.services.runs.show_run(ANALYST, asked[0].id).run
    assert (looked_again.state, looked_again.error) == ("awaiting_approval", "plan_changed")


def test_a_runner_that_was_taken_over_writes_nothing_more(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    stores, transactions = home.surroundings.stores, home.spine.parts.transactions
    ended = approve(home, run)
    entry = replace(home.services.runs.show_run(ANALYST, run.id).journal[-1], seq=7)
    with pytest.raises(ChangedMeanwhile):
        transactions.run(lambda tx: stores.runs.append(tx, entry, fence=ended.fence - 1))
    first = replace(entry, seq=1)
    with pytest.raises(ChangedMeanwhile):
        transactions.run(lambda tx: stores.runs.append(tx, first, fence=ended.fence))


def test_only_a_vouched_playbook_runs_without_approval(home: House) -> None:
    document = playbook()
    for name in (REVOKE, LOCK):
        document["workflow"][name]["step_extensions"][EXTENSION]["approval"] = {"when": "none"}
    request = wanted(home, document)
    assert home.services.runs.plan_run(ANALYST, request).needs_approval
    home.services.playbooks.import_playbook(ANALYST, json.dumps(document).encode())
    content = request.playbook.content_hash
    with pytest.raises(Forbidden):
        home.services.playbooks.approve_playbook(ANALYST, content)
    assert home.services.playbooks.approve_playbook(APPROVER, content).state == "approved"
    with pytest.raises(Conflict):
        home.services.playbooks.approve_playbook(APPROVER, content)
    run = home.services.runs.request_run(ANALYST, request)
    assert run.state == "approved"
    assert home.services.runner.advance(run.id).state == "done"


def test_who_imported_a_playbook_does_not_approve_it(home: House) -> None:
    entry = home.services.playbooks.import_playbook(
        BOSS_AND_ANALYST, json.dumps(playbook()).encode()
    ).entry
    with pytest.raises(SelfApproval):
        home.services.playbooks.approve_playbook(BOSS_AND_ANALYST, entry.content_hash)
    again = home.services.playbooks.import_playbook(ANALYST, json.dumps(playbook()).encode())
    assert again.entry == entry
    assert home.acts().count("playbooks.import_playbook") == 1


def test_bad_playbooks_and_clear_passwords_are_not_imported(home: House) -> None:
    with pytest.raises(PlaybookInvalid, match="colour"):
        home.services.playbooks.import_playbook(
            ANALYST, json.dumps({**playbook(), "colour": 1}).encode()
        )
    document = playbook()
    document["authentication_info_definitions"] = {
        "user-auth--b7ddc2ea-9f6a-4e82-8eaa-be202e942090": {"type": "user-auth", "password": "x"}
    }
    with pytest.raises(PlaybookInvalid, match="password"):
        home.services.playbooks.import_playbook(ANALYST, json.dumps(document).encode())
    with pytest.raises(PlaybookNotFound):
        home.services.playbooks.find(ANALYST, "nothing")


NESTED = "playbook-action--99999999-9999-4999-8999-999999999999"


def nesting(wanted_id: str, **values: Any) -> dict[str, Any]:
    document = playbook()
    document["id"] = "playbook--99999999-9999-4999-8999-999999999999"
    document["workflow"][REVOKE]["on_completion"] = NESTED
    document["workflow"][NESTED] = {
        "type": "playbook-action",
        "playbook_id": wanted_id,
        "on_completion": NOTIFY,
        **values,
    }
    del document["workflow"][LOCK]
    return document


def test_a_nested_playbook_is_put_in_place(home: House) -> None:
    inner = home.services.playbooks.packaged()["notify_duty"]
    document = nesting(inner.id)
    document["playbook_variables"]["__incident__"] = {"type": "string"}
    document["playbook_variables"]["__title__"] = {"type": "string"}
    document["workflow"][NESTED]["in_args"] = ["__incident__", "__title__"]
    run = home.services.runs.request_run(ANALYST, wanted(home, document))
    actions = [step.action for step in run.plan.steps]
    assert actions == ["session.revoke", "playbook", "notify.send", "notify.send"]
    assert run.plan.steps[2].path.startswith(f"{NESTED}/action--")
    assert approve(home, run).state == "done"


def test_nested_playbooks_must_be_known_finite_and_of_the_version_asked_for(home: House) -> None:
    incident_id = incident(home)

    def refused(document: dict[str, Any], error: type[Exception], text: str) -> None:
        checked = require_playbook(json.dumps(document).encode())
        with pytest.raises(error, match=text):
            home.services.runs.plan_run(ANALYST, RunRequest(incident_id, checked))

    inner = home.services.playbooks.packaged()["notify_duty"]
    refused(nesting("playbook--12345678-1234-4234-8234-123456789abc"), PlaybookNotFound, "regist")
    old = nesting(inner.id, playbook_version="2020-01-01T00:00:00Z")
    refused(old, PlaybookNotFound, "version")
    results = nesting(inner.id, out_args=["__account__"])
    refused(results, NotYetRunnable, "late")
    own = nesting("playbook--99999999-9999-4999-8999-999999999999")
    entry = home.services.playbooks.import_playbook(ANALYST, json.dumps(own).encode()).entry
    home.services.playbooks.approve_playbook(APPROVER, entry.content_hash)
    refused(own, NotYetRunnable, "nested in itself")


def test_a_plan_has_an_upper_limit_of_steps(home: House) -> None:
    document = playbook()
    steps = document["workflow"]
    before = REVOKE
    for number in range(101):
        name = f"action--{number:08x}-0000-4000-8000-000000000000"
        steps[name] = {**steps[LOCK]}
        steps[before] = {**steps[before], "on_completion": name}
        before = name
    del steps[LOCK]
    with pytest.raises(TooLarge):
        home.services.runs.plan_run(ANALYST, wanted(home, document))


class _Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


def _die_before_the_outcome(home: House, run: Run, calls: int) -> None:
    """Run until the outcome of call number ``calls`` would be written, and die there."""
    runs = home.surroundings.stores.runs
    real = runs.append
    seen = 0

    def append(tx: Any, entry: Any, *, fence: int) -> None:
        nonlocal seen
        seen += entry.kind == "outcome"
        if seen == calls:
            raise _Killed
        real(tx, entry, fence=fence)

    runs.append = append  # type: ignore[method-assign]
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    with pytest.raises(_Killed):
        home.services.runner.advance(run.id)
    runs.append = real  # type: ignore[method-assign]


def test_an_idempotent_call_without_outcome_is_repeated(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    _die_before_the_outcome(home, run, 1)
    assert home.services.runner.advance(run.id).state == "done"
    assert home.containment.calls == ["revoke acc_zhang", "revoke acc_zhang", "lock acc_zhang"]
    assert set(home.containment.effects.values()) == {1}
    outcome = home.services.runs.show_run(ANALYST, run.id).journal[1]
    assert outcome.details["recovered"] == "repeated"


@pytest.mark.parametrize(("there", "calls"), [(True, 1), (False, 2)])
def test_a_readable_call_without_outcome_is_read_back(
    home: House,
    there: bool,  # noqa: FBT001 - parametrised
    calls: int,
) -> None:
    actions = home.services.runner._performer._actions
    revoke = actions["session.revoke"]
    revoke.recovery = lambda _: "readable"  # type: ignore[method-assign]
    revoke.holds = lambda _: there  # type: ignore[method-assign]
    run = home.services.runs.request_run(ANALYST, wanted(home))
    _die_before_the_outcome(home, run, 1)
    assert home.services.runner.advance(run.id).state == "done"
    assert home.containment.calls.count("revoke acc_zhang") == calls


def test_what_can_not_be_read_back_is_unknown(home: House) -> None:
    revoke = home.services.runner._performer._actions["session.revoke"]
    revoke.recovery = lambda _: "readable"  # type: ignore[method-assign]
    run = home.services.runs.request_run(ANALYST, wanted(home))
    _die_before_the_outcome(home, run, 1)
    home.containment.down = True
    assert home.services.runner.advance(run.id).state == "waiting"
    assert home.services.runs.show_run(ANALYST, run.id).states[REVOKE] == "unknown"


def test_the_inbox_takes_a_repeated_notification_once(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    _die_before_the_outcome(home, run, 3)
    assert home.services.runner.advance(run.id).state == "done"
    assert len(home.services.inbox.list_notifications(ANALYST, PageRequest(10)).items) == 1


def test_a_lost_lease_stops_the_runner(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    leases = home.spine.parts.leases
    renew = leases.renew
    leases.renew = lambda lease, seconds: None  # type: ignore[method-assign]
    assert approve(home, run).state == "running"
    assert home.containment.calls == []
    leases.renew = renew  # type: ignore[method-assign]
    assert home.services.runner.advance(run.id).state == "done"


def test_two_deciders_at_once_leave_the_run_to_the_first(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    runner = home.services.runner
    real, reads = runner._read, 0

    def read(run_id: str) -> Run:
        nonlocal reads
        reads += 1
        if reads == 2:  # between the look from outside and the lease
            home.services.runs.cancel_run(ANALYST, run_id, reason="误报")
        return real(run_id)

    runner._read = read  # type: ignore[method-assign]
    assert runner.advance(run.id).state == "cancelled"
    assert home.containment.calls == []


def test_an_approval_that_was_spent_elsewhere_does_not_start_a_run(home: House) -> None:
    run = home.services.runs.request_run(ANALYST, wanted(home))
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    approvals = home.spine.parts.approvals
    home.spine.parts.transactions.run(
        lambda tx: approvals.use(tx, str(run.approval_id), run.plan.sha256)
    )
    ended = home.services.runner.advance(run.id)
    assert (ended.state, ended.error) == ("expired", "approval_not_valid")
