"""Actions that take away, give back, collect and wait, run for real over a home."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest

from playbooks.core.cacao20.vocabulary import ACTIONS, INVERSES
from playbooks.errors import NotYetRunnable, RunStateRefused, TargetProtected
from playbooks.models import JournalEntry, Run
from playbooks.ports import RestrainedKind
from playbooks.service import (
    NewIncident,
    RunRequest,
    StepAnswer,
    StepDecision,
    require_playbook,
)
from playbooks.service.actions import Call, make_actions
from playbooks.service.actions.restraints import WORDS
from secops.crypto.hashes import sm3
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Forbidden, Invalid, NotFound, Unavailable
from secops.kernel.permissions.playbooks import EVIDENCE_READ
from tests.fakes.cacao import END, LOCK, REVOKE, START, action, playbook
from tests.fakes.found_logs import FakeLogs
from tests.fakes.orders import order_of
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

UNDO = "action--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER_END = "end--eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
TOKEN = "0123456789abcdef0123456789abcdef"
SUBJECTS: Mapping[str, RestrainedKind] = {
    "account.lock": "account",
    "account.require-step-up": "step-up",
    "client.suspend": "client",
    "address.block": "address",
    "key.suspend": "key",
    "seal.suspend": "seal",
}
_NUMBERS = count()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("containing")) as opened:
        yield opened


@pytest.fixture
def home(opened: House) -> House:
    opened.containment.inert = False
    return opened


def fresh(home: House, command: str) -> dict[str, str]:
    """Return the args of ``command`` for a subject that nobody has touched."""
    kind, name = SUBJECTS[command], f"subject-{next(_NUMBERS)}"
    if kind in ("account", "step-up"):
        home.containment.add(f"id-{name}", name, sessions=2)
    else:
        home.containment.subject(kind, f"id-{name}", name)
    (argument,) = ACTIONS[command]
    return {argument: name}


def logs_of(home: House) -> FakeLogs:
    assert isinstance(home.surroundings.ports.logs, FakeLogs)
    return home.surroundings.ports.logs


def alone(command: str, args: dict[str, str], **extension: Any) -> dict[str, Any]:
    """Return a playbook of one action."""
    document = playbook()
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOCK},
        LOCK: action(command, args, END, **extension),
        END: {"type": "end"},
    }
    return document


def lasting(command: str, args: dict[str, str], **undo: Any) -> dict[str, Any]:
    """Return a playbook whose action is taken back after ten minutes."""
    document = alone(command, args, compensate=UNDO, ttl_s=600)
    document["workflow"][UNDO] = action(INVERSES[command], args, OTHER_END, **undo)
    document["workflow"][OTHER_END] = {"type": "end"}
    return document


def request(home: House, document: dict[str, Any], actor: Any = ANALYST) -> Run:
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="strange"))
    checked = require_playbook(json.dumps(document).encode())
    return home.services.runs.request_run(actor, RunRequest(incident.id, checked))


def approved(home: House, document: dict[str, Any]) -> Run:
    run = request(home, document)
    approve = home.services.runs.approve_run
    return approve(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)


def finish(home: House, document: dict[str, Any]) -> Run:
    return home.services.runner.advance(approved(home, document).id)


def held(home: House, command: str, args: Mapping[str, str]) -> bool:
    (name,) = args.values()
    seen = home.containment.look(SUBJECTS[command], ANALYST.org_id, name)
    assert seen is not None
    return seen.held


def journal(home: House, run: Run) -> list[JournalEntry]:
    return list(home.services.runs.show_run(AUDITOR, run.id).journal)


def test_every_action_has_its_class_and_every_restraint_its_inverse(home: House) -> None:
    made = make_actions(home.surroundings, home.services.locker.keep)
    assert set(made) - {"http-api"} == set(ACTIONS)
    assert set(WORDS) == set(INVERSES) == set(SUBJECTS)
    for command, words in WORDS.items():
        assert ACTIONS[command] == ACTIONS[INVERSES[command]] == {words.argument}


# taking away and giving back


@pytest.mark.parametrize("command", SUBJECTS)
def test_what_a_run_took_away_it_gives_back_when_its_time_is_over(
    home: House, command: str
) -> None:
    args = fresh(home, command)
    run = finish(home, lasting(command, args))
    assert (run.state, held(home, command, args)) == ("done", True)
    home.clock.advance(600)
    home.services.runner.advance_all()
    assert not held(home, command, args)
    taken, given = (entry for entry in journal(home, run) if entry.kind == "outcome")
    assert (taken.state, given.state, taken.target) == ("done", "done", given.target)
    target = run.plan.steps[0].targets[0]
    assert target.before != target.after


@pytest.mark.parametrize("command", ["account.require-step-up", "seal.suspend"])
def test_a_run_gives_back_what_it_took_and_not_what_another_took(home: House, command: str) -> None:
    args = fresh(home, command)
    finish(home, alone(command, args))
    finish(home, lasting(command, args))
    home.clock.advance(600)
    home.services.runner.advance_all()
    assert held(home, command, args)
    assert finish(home, alone(INVERSES[command], args)).state == "done"
    assert not held(home, command, args)


@pytest.mark.parametrize("command", ["account.lock", "key.suspend"])
def test_an_effect_that_can_not_be_read_back_is_a_failure(home: House, command: str) -> None:
    home.containment.inert = True
    run = finish(home, alone(command, fresh(home, command)))
    assert run.state == "failed"
    assert journal(home, run)[-1].details["error"] == "not_verified"


@pytest.mark.parametrize("command", ["account.lock", "key.suspend"])
def test_giving_back_is_approved_before_whatever_the_playbook_says(
    home: House, command: str
) -> None:
    args = fresh(home, command)
    assert request(home, alone(INVERSES[command], args)).state == "awaiting_approval"
    with pytest.raises(NotYetRunnable, match="approved before"):
        request(home, alone(INVERSES[command], args, approval={"when": "none"}))
    free = lasting(command, args, approval={"when": "none"})
    assert request(home, free).plan.steps[-1].approval is False


@pytest.mark.parametrize(
    ("command", "taken"),
    [
        ("seal.resume", "seal.suspend"),
        ("key.resume", "key.suspend"),
        ("account.unlock", "account.lock"),
    ],
)
def test_a_compensation_gives_back_only_what_its_step_took(
    home: House, command: str, taken: str
) -> None:
    document = lasting("key.suspend", fresh(home, "key.suspend"))
    document["workflow"][UNDO] = action(command, fresh(home, taken), OTHER_END)
    with pytest.raises(NotYetRunnable, match="something else"):
        request(home, document)


def test_who_asked_gives_nothing_back_by_no_account_of_theirs(home: House) -> None:
    args = fresh(home, "key.suspend")
    finish(home, alone("key.suspend", args))
    run = request(home, alone("key.resume", args))
    twin = person("twin", "security-admin")
    home.persons.one(twin.id, ANALYST.id)
    boss = replace(ANALYST, roles=frozenset({"analyst", "security-admin"}))
    for actor in (twin, boss):
        with pytest.raises(SelfApproval):
            home.services.runs.approve_run(actor, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "awaiting_approval"
    assert held(home, "key.suspend", args)


@pytest.mark.parametrize("command", ["account.lock", "key.suspend"])
def test_what_came_to_hold_a_subject_after_the_approval_voids_it(home: House, command: str) -> None:
    args = fresh(home, command)
    finish(home, alone(command, args))
    run = approved(home, alone(INVERSES[command], args))
    finish(home, alone(command, args))  # meanwhile a second run holds it, too
    again = home.services.runner.advance(run.id)
    assert (again.state, again.error) == ("awaiting_approval", "plan_changed")
    assert held(home, command, args)


@pytest.mark.parametrize("command", ["account.lock", "key.suspend"])
def test_a_subject_that_was_taken_away_after_the_approval_voids_it(
    home: House, command: str
) -> None:
    args = fresh(home, command)
    run = approved(home, alone(command, args))
    finish(home, alone(command, args))
    again = home.services.runner.advance(run.id)
    assert (again.state, again.error) == ("awaiting_approval", "plan_changed")


def test_an_approval_of_giving_back_is_too_old_after_its_time(home: House) -> None:
    args = fresh(home, "key.suspend")
    finish(home, alone("key.suspend", args))
    run = approved(home, alone("key.resume", args, approval={"expires_s": 60}))
    home.clock.advance(61)
    assert home.services.runner.advance(run.id).state == "expired"
    assert held(home, "key.suspend", args)


@pytest.mark.parametrize("kind", ["client", "address", "key", "seal"])
def test_what_is_protected_is_no_target(home: House, kind: RestrainedKind) -> None:
    command = next(word for word, its in SUBJECTS.items() if its == kind)
    (argument,) = ACTIONS[command]
    home.containment.subject(kind, "ours", "ours", protected="one of the product's own")
    with pytest.raises(TargetProtected, match="product's own"):
        request(home, alone(command, {argument: "ours"}))


@pytest.mark.parametrize("name", ["nobody", "x" * 301])
@pytest.mark.parametrize("command", ["account.lock", "seal.suspend"])
def test_what_is_not_there_is_no_target(home: House, command: str, name: str) -> None:
    (argument,) = ACTIONS[command]
    with pytest.raises(NotFound):
        request(home, alone(command, {argument: name}))


# tokens


def test_a_token_ends_by_its_name(home: House) -> None:
    run = finish(home, alone("token.revoke", {"token": TOKEN}))
    assert (run.state, home.containment.calls[-1]) == ("done", f"end token {TOKEN}")
    assert home.containment.is_token_revoked(TOKEN)
    again = request(home, alone("token.revoke", {"token": TOKEN}))
    assert again.plan.steps[0].targets[0].before == "ended"


def test_what_names_no_token_is_refused_before_anybody_is_asked(home: House) -> None:
    with pytest.raises(Invalid):
        request(home, alone("token.revoke", {"token": "secret:portal:1"}))


# evidence


def collecting(query: str) -> dict[str, Any]:
    document = alone("evidence.collect", {"query": query})
    document["playbook_variables"]["__sha256__"] = {"type": "string"}
    document["workflow"][LOCK]["out_args"] = ["__sha256__"]
    return document


def test_what_a_query_finds_is_kept_with_both_digests_and_needs_no_approval(home: House) -> None:
    run = request(home, collecting("source.ip:203.0.113.9"))
    assert run.plan.steps[0].approval is False
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "done"
    outcome = journal(home, run)[-1]
    item, content = home.services.locker.read_evidence(AUDITOR, outcome.details["evidence"])
    assert (item.incident_id, item.kind, item.key) == (run.incident_id, "extract", outcome.key)
    assert outcome.details["sha256"] == item.sha256 == hashlib.sha256(content).hexdigest()
    assert outcome.details["sm3"] == item.sm3 == sm3(content).hex()
    assert outcome.details["set"] == {"__sha256__": item.sha256}
    head, *lines = content.splitlines()
    assert orjson.loads(head)["query"] == "source.ip:203.0.113.9"
    assert (orjson.loads(head)["events"], lines) == (2, [*logs_of(home).lines])
    _, window, _ = logs_of(home).asked[-1]
    incident = home.services.incidents.show_incident(ANALYST, run.incident_id).incident
    assert (incident.discovered_at - window[0], window[1]) == (24 * 3_600_000_000, run.created_at)


def test_what_was_kept_is_not_searched_again(home: House) -> None:
    step_action = make_actions(home.surroundings, home.services.locker.keep)["evidence.collect"]
    run = finish(home, collecting("*"))
    searched = len(logs_of(home).asked)
    logs_of(home).lines += (b'{"message":"three"}',)
    step = run.plan.steps[0]
    call = Call(step, step.targets[0], order_of(run, journal(home, run)[-1].key))
    assert step_action.recovery(step) == "readable"
    assert step_action.holds(call)
    assert step_action.perform(call).details["sha256"] == journal(home, run)[-1].details["sha256"]
    assert len(logs_of(home).asked) == searched


def test_a_query_that_can_not_be_read_is_refused_at_the_plan(home: House) -> None:
    with pytest.raises(Invalid):
        request(home, collecting("("))


# waiting


def waiting(permission: str = EVIDENCE_READ) -> dict[str, Any]:
    document = alone("approval.wait", {"permission": permission})
    document["workflow"][LOCK]["on_completion"] = REVOKE
    document["workflow"][REVOKE] = action("token.revoke", {"token": f"{next(_NUMBERS):032}"}, END)
    return document


def has_gone_on(home: House, run: Run) -> bool:
    return home.containment.is_token_revoked(run.plan.steps[1].args["token"])


def asked(home: House, run: Run, *, grant: bool = True) -> StepDecision:
    entry = journal(home, run)[-1]
    return StepDecision(entry.path, str(entry.details["sha256"]), grant=grant)


def test_a_run_waits_for_the_holder_of_the_named_permission(home: House) -> None:
    run = finish(home, waiting())
    assert (run.state, run.error, has_gone_on(home, run)) == ("waiting", "approve", False)
    decision, approve = asked(home, run), home.services.steps.approve_step
    with pytest.raises(Forbidden):
        approve(APPROVER, run.id, decision)
    both = replace(ANALYST, roles=frozenset({"analyst", "auditor"}))
    with pytest.raises(SelfApproval):
        approve(both, run.id, decision)
    approve(AUDITOR, run.id, decision)
    with pytest.raises(RunStateRefused):
        approve(AUDITOR, run.id, decision)
    assert home.services.runner.advance(run.id).state == "done"
    assert has_gone_on(home, run)
    assert home.services.steps.replay_run(AUDITOR, run.id).differences == ()


def test_a_run_that_is_not_allowed_to_go_on_stops(home: House) -> None:
    run = finish(home, waiting())
    home.services.steps.approve_step(AUDITOR, run.id, asked(home, run, grant=False))
    assert home.services.runner.advance(run.id).state == "failed"
    assert not has_gone_on(home, run)


def test_nobody_waits_for_a_permission_that_nobody_holds(home: House) -> None:
    with pytest.raises(NotYetRunnable, match="no role"):
        request(home, waiting("playbooks.everything"))


def test_whose_word_is_waited_for_is_not_decided_by_what_a_log_line_says(home: House) -> None:
    document = waiting("__found__:value")
    document["playbook_variables"]["__found__"] = {"type": "string"}
    document["workflow"][REVOKE]["out_args"] = ["__found__"]
    with pytest.raises(NotYetRunnable, match="from the start"):
        request(home, document)


def test_a_wait_ends_with_its_time(home: House) -> None:
    run = finish(home, waiting())
    home.clock.advance(24 * 3_600 + 1)
    assert home.services.runner.advance(run.id).state == "failed"
    with pytest.raises(RunStateRefused):
        home.services.steps.approve_step(AUDITOR, run.id, StepDecision(LOCK, "0", grant=True))


def test_an_undo_of_a_step_is_named_by_the_step_it_takes_back(home: House) -> None:
    args = fresh(home, "key.suspend")
    run = finish(home, lasting("key.suspend", args))
    seen = home.containment.look("key", ANALYST.org_id, args["key"])
    assert seen is not None
    taking = journal(home, run)[0]
    assert seen.holders == (taking.key,)
    home.clock.advance(600)
    home.services.runner.advance_all()
    giving = journal(home, run)[-1]
    assert (giving.path, giving.key == taking.key) == (f"{taking.path}~", False)


# whose word gives back


def held_account(home: House) -> tuple[str, dict[str, str]]:
    """Return the id of an account that a waiting run will lock, and the args for it."""
    args = fresh(home, "account.lock")
    found = home.containment.look("account", ANALYST.org_id, args["account"])
    assert found is not None
    return found.id, args


def then_by_hand(document: dict[str, Any]) -> dict[str, Any]:
    """Return it with a step by hand after the first one."""
    document["workflow"][LOCK]["on_completion"] = REVOKE
    by_hand = {**action("session.revoke", {"account": "x"}, END)}
    by_hand["commands"] = [{"type": "manual", "command": "look"}]
    by_hand.pop("step_extensions")
    document["workflow"][REVOKE] = by_hand
    return document


def test_nobody_frees_an_account_of_their_own(home: House) -> None:
    account, args = held_account(home)
    finish(home, alone("account.lock", args))
    run = request(home, alone("account.unlock", args))
    home.persons.one(account, APPROVER.id)
    approve = home.services.runs.approve_run
    with pytest.raises(SelfApproval):
        approve(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert "playbooks.approve_run" in home.refused()
    approve(APPROVER, run.id, grant=False, plan_sha256=run.plan.sha256)
    assert held(home, "account.lock", args)


def test_who_is_held_back_by_a_run_neither_stops_it_nor_answers_for_it(home: House) -> None:
    account, args = held_account(home)
    run = finish(home, then_by_hand(lasting("account.lock", args)))
    assert (run.state, run.error) == ("waiting", "ask")
    twin = person("twin-of-the-locked", "analyst")
    home.persons.one(account, twin.id)
    runs, before = home.services.runs, len(home.refused())
    with pytest.raises(SelfApproval):
        runs.cancel_run(twin, run.id, reason="a false alarm")
    with pytest.raises(SelfApproval):
        runs.resolve_step(twin, run.id, StepAnswer(REVOKE, "failed"))
    assert home.refused()[before:] == [
        "playbooks.cancel_run",
        "playbooks.resolve_step",
    ]
    assert held(home, "account.lock", args)
    runs.cancel_run(ANALYST, run.id, reason="a false alarm")
    assert home.services.runner.advance(run.id).state == "compensated"
    assert not held(home, "account.lock", args)


def test_a_late_step_is_neither_allowed_nor_refused_by_whom_the_run_holds(home: House) -> None:
    account, args = held_account(home)
    document = lasting("account.lock", args)
    document["workflow"][LOCK]["on_completion"] = REVOKE
    document["workflow"][REVOKE] = action("approval.wait", {"permission": EVIDENCE_READ}, END)
    run = finish(home, document)
    twin = person(f"twin-{account}", "auditor")
    home.persons.one(account, twin.id)
    for grant in (True, False):
        with pytest.raises(SelfApproval):
            home.services.steps.approve_step(twin, run.id, asked(home, run, grant=grant))
    assert held(home, "account.lock", args)


@pytest.mark.parametrize("command", ["account.lock", "key.suspend"])
def test_what_came_to_hold_a_subject_while_the_run_waited_is_not_given_back(
    home: House, command: str
) -> None:
    args = fresh(home, command)
    finish(home, alone(command, args))
    document = then_by_hand(alone("notify.send", {"channel": "inbox", "title": "t", "text": "t"}))
    document["workflow"][REVOKE]["on_completion"] = UNDO
    document["workflow"][UNDO] = action(INVERSES[command], args, END)
    run = finish(home, document)
    finish(home, alone(command, args))  # while the run waits, a second one holds it, too
    home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(REVOKE, "done"))
    assert home.services.runner.advance(run.id).state == "failed"
    assert journal(home, run)[-1].details["error"] == "playbooks.plan_changed"
    assert held(home, command, args)


def test_what_could_not_be_read_back_is_given_back_all_the_same(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = fresh(home, "key.suspend")
    run, look = approved(home, lasting("key.suspend", args)), home.containment.look

    def unreadable(*asked: Any) -> Any:
        if any("suspend key" in call for call in home.containment.calls[before:]):
            monkeypatch.undo()
            raise Unavailable
        return look(*asked)

    before = len(home.containment.calls)
    monkeypatch.setattr(home.containment, "look", unreadable)
    assert home.services.runner.advance(run.id).state == "compensated"
    assert not held(home, "key.suspend", args)
