"""Bindings alert → playbook: agreed by two, held back by budgets, rests, drills and a switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.binding import (
    change_hash,
    difference,
    fits,
    in_force,
    is_restrained,
    require_terms,
)
from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.errors import ChangedMeanwhile, PlanChanged
from playbooks.errors.bindings import (
    AutomaticRunSettled,
    BindingInvalid,
    BindingNotFound,
    BindingTooFree,
    ChangeOutdated,
    PauseRefused,
)
from playbooks.errors.signatures import PlaybookUnsigned
from playbooks.models import AlertSummary, Plan, PlannedStep
from playbooks.models.bindings import (
    Answer,
    Binding,
    BindingTerms,
    read_terms,
    terms_document,
)
from playbooks.service import NewIncident, RunRequest
from playbooks.service.bindings import ChangeDecision, answering
from playbooks.store import tables
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.pages import PageRequest
from tests.fakes.alert_summaries import alert
from tests.fakes.cacao import END, LOCK, NOTIFY, REVOKE, action, playbook
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

UNLOCK = "action--99999999-9999-4999-8999-999999999999"
SECOND_ADMIN = person("sun", "security-admin")
OTHER_ANALYST = person("li", "analyst")
PAGE = PageRequest(200)


def restrained(**changes: Any) -> dict[str, Any]:
    """Return a playbook whose every step expires, is capped and can be taken back."""
    document = playbook()
    account = {"account": "__account__:value"}
    lock = action("account.lock", account, NOTIFY)
    lock["step_extensions"][EXTENSION] |= {
        "compensate": UNLOCK,
        "ttl_s": 600,
        "blast": {"max": 1, "per_s": 1},
    }
    revoke = action("session.revoke", account, LOCK)
    revoke["step_extensions"][EXTENSION] |= {"blast": {"max": 1, "per_s": 1}}
    document["workflow"] |= {
        REVOKE: revoke,
        LOCK: lock,
        UNLOCK: action("account.unlock", account, END),
    }
    return {**document, **changes}


STEP = PlannedStep("action--1", "x", "action", "http-api", {}, (), 1, "end:done", "end:failed")
PLAN = Plan("p", "m", "c", "i", "r", {}, {}, "action--1", (STEP,), needs_approval=True, expires_s=1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, signed_only=True) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


def registered(home: House, document: dict[str, Any]) -> str:
    entry = home.services.playbooks.import_playbook(ANALYST, json.dumps(document).encode()).entry
    if entry.state == "draft":
        home.services.playbooks.approve_playbook(APPROVER, entry.content_hash)
    return entry.content_hash


def terms(home: House, document: dict[str, Any] | None = None, **changes: Any) -> BindingTerms:
    kept = home.services.playbooks.content("org_root", registered(home, document or restrained()))
    return BindingTerms(
        **{
            "name": "暴力破解自动锁定",
            "playbook_id": kept.id,
            "playbook_version": kept.modified,
            "content_hash": kept.content_hash,
            "autonomy": "act",
            "rules": ("rule-ssh-brute-force",),
            "arguments": {"__account__": "account"},
            "valid_until": home.clock.now() + 30 * DAY,
            **changes,
        }
    )


def agreed(home: House, *args: Any, **changes: Any) -> Binding:
    service = home.services.autonomy.bindings
    asked = service.propose_binding(ANALYST, terms(home, *args, **changes))
    assert asked.change is not None
    return service.decide_binding(
        APPROVER, asked.id, ChangeDecision(asked.change.sha256, grant=True)
    )


def raised(home: House, name: str = "alr_1", **values: Any) -> list[Answer]:
    """Deliver the alert to the answerer and return what is kept of the answers."""
    told = home.alerts.kept.setdefault(name, alert(name))
    told = home.alerts.kept[name] = replace(told, **values)
    announcement = AlertRaised(
        told.org_id, told.id, told.rule_id, told.severity, dict(told.subjects)
    )
    home.services.autonomy.answerer.alert_raised(Delivery(1, home.clock.now(), announcement))
    found = home.services.autonomy.bindings.answers_of(ANALYST, name)
    return [answer for _, answer in found]


def locked(home: House) -> bool:
    state = home.containment.look("account", "org_root", "zhang.san")
    return state is not None and state.held


# -- agreeing ------------------------------------------------------------------------------


def test_a_binding_is_in_force_by_another_persons_approval_of_its_exact_difference(
    home: House,
) -> None:
    service = home.services.autonomy.bindings
    asked = service.propose_binding(ANALYST, terms(home))
    assert (asked.state, asked.version) == ("proposed", 0)
    assert asked.change is not None
    assert raised(home) == []
    right = ChangeDecision(asked.change.sha256, grant=True)
    for actor, decision, error in (
        (APPROVER, replace(right, sha256="0" * 64), ChangeOutdated),
        (ANALYST, right, Forbidden),
        (person("wang", "security-admin"), right, SelfApproval),
        (AUDITOR, right, Forbidden),
    ):
        with pytest.raises(error):
            service.decide_binding(actor, asked.id, decision)
    home.persons.one("acc_wang", "acc_sun")
    with pytest.raises(SelfApproval):
        service.decide_binding(SECOND_ADMIN, asked.id, right)
    done = service.decide_binding(APPROVER, asked.id, right)
    assert (done.state, done.version, done.approved_by) == ("active", 1, APPROVER.id)
    with pytest.raises(ChangeOutdated):
        service.decide_binding(APPROVER, asked.id, right)


def test_terms_change_by_approval_only_and_count_as_they_were_until_then(home: House) -> None:
    service = home.services.autonomy.bindings
    binding = agreed(home)
    wider = replace(binding.terms, per_hour=50)
    asked = service.propose_binding(OTHER_ANALYST, wider, binding_id=binding.id)
    assert asked.change is not None
    assert asked.terms == binding.terms
    assert difference(asked.terms, asked.change.terms) == (("per_hour", "5", "50"),)
    with pytest.raises(ChangeOutdated):
        service.propose_binding(ANALYST, wider, binding_id=binding.id)
    narrower = service.propose_binding(
        OTHER_ANALYST, replace(wider, per_hour=1), binding_id=binding.id
    )
    assert narrower.change is not None
    with pytest.raises(ChangeOutdated):
        service.decide_binding(
            APPROVER, binding.id, ChangeDecision(asked.change.sha256, grant=True)
        )
    rejected = service.decide_binding(
        APPROVER, binding.id, ChangeDecision(narrower.change.sha256, grant=False)
    )
    assert (rejected.terms, rejected.version, rejected.change) == (binding.terms, 1, None)
    leaving = service.withdraw_binding(ANALYST, binding.id)
    assert leaving.change is not None
    assert leaving.state == "active"
    gone = service.decide_binding(
        APPROVER, binding.id, ChangeDecision(leaving.change.sha256, grant=True)
    )
    assert gone.state == "withdrawn"
    assert raised(home) == []
    with pytest.raises(ChangeOutdated):
        service.propose_binding(ANALYST, wider, binding_id=binding.id)


def test_a_proposal_whose_time_is_over_stands_in_nobodys_way(home: House) -> None:
    service = home.services.autonomy.bindings
    binding = agreed(home)
    service.propose_binding(ANALYST, replace(binding.terms, per_hour=2), binding_id=binding.id)
    home.clock.advance(8 * 86_400)
    again = service.propose_binding(
        OTHER_ANALYST, replace(binding.terms, per_hour=3), binding_id=binding.id
    )
    assert again.change is not None
    assert again.change.requested_by == OTHER_ANALYST.id


def test_refused_approvals_stand_in_the_ledger(home: House) -> None:
    service, myself = home.services.autonomy, person("wang", "security-admin")
    asked = service.bindings.propose_binding(ANALYST, terms(home))
    assert asked.change is not None
    with pytest.raises(SelfApproval):
        service.bindings.decide_binding(
            myself, asked.id, ChangeDecision(asked.change.sha256, grant=True)
        )
    service.pauses.pause_bindings(ANALYST, "停")
    service.pauses.request_resume(ANALYST, "好")
    with pytest.raises(SelfApproval):
        service.pauses.decide_resume(myself, grant=True)
    entry = home.services.playbooks.import_playbook(
        ANALYST, json.dumps(restrained(name="x")).encode()
    ).entry
    with pytest.raises(SelfApproval):
        home.services.playbooks.approve_playbook(myself, entry.content_hash)
    assert home.refused() == [
        "playbooks.approve_binding",
        "playbooks.resume_bindings",
        "playbooks.approve_playbook",
    ]


def test_a_rejected_first_proposal_never_was(home: House) -> None:
    service = home.services.autonomy.bindings
    asked = service.propose_binding(ANALYST, terms(home))
    assert asked.change is not None
    done = service.decide_binding(
        APPROVER, asked.id, ChangeDecision(asked.change.sha256, grant=False)
    )
    assert done.state == "withdrawn"
    assert [one.id for one in service.list_bindings(AUDITOR, PAGE).items] == [asked.id]
    assert service.show_binding(AUDITOR, asked.id) == done
    with pytest.raises(BindingNotFound):
        service.show_binding(person("x", "analyst", "org_town"), asked.id)


def test_terms_that_are_too_wide_or_make_no_sense_are_refused(home: House) -> None:
    good = terms(home)
    changes: list[dict[str, Any]] = [
        {"name": " "},
        {"autonomy": "everything"},
        {"rules": ()},
        {"severities": ("huge",)},
        {"kinds": ("drill",)},
        {"per_hour": 0},
        {"per_hour": 101},
        {"cooldown_s": -1},
        {"rules": ("r",) * 51},
        {"rules": ("x" * 201,)},
        {"arguments": {"account": "account"}},
        {"arguments": {"__unknown__": "account"}},
        {"valid_until": None},
        {"valid_from": 5, "valid_until": 5},
        {"valid_from": 0, "valid_until": 367 * DAY},
        {"playbook_version": "2020-01-01T00:00:00.000Z"},
        {"playbook_id": "x"},
        {"playbook_version": "x"},
        {"content_hash": "x"},
    ]
    for change in changes:
        with pytest.raises(BindingInvalid):
            home.services.autonomy.bindings.propose_binding(ANALYST, replace(good, **change))


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        (LOCK, {"compensate": None}),
        (LOCK, {"blast": None}),
        (LOCK, {"ttl_s": None, "compensate": None}),
        (REVOKE, {"blast": None}),
    ],
)
def test_what_lasts_or_is_uncapped_acts_only_after_an_approval(
    home: House, name: str, extension: dict[str, Any]
) -> None:
    document = restrained()
    own = document["workflow"][name]["step_extensions"][EXTENSION]
    for key in (*extension, *(("ttl_s",) if "compensate" in extension else ())):
        own.pop(key, None)
    if name == LOCK and "blast" not in extension:
        del document["workflow"][UNLOCK]
    with pytest.raises(BindingTooFree):
        home.services.autonomy.bindings.propose_binding(ANALYST, terms(home, document))
    assert agreed(home, document, autonomy="approve").state == "active"


@pytest.mark.parametrize("granting", ["account.unlock", "key.resume", "address.unblock"])
def test_nothing_that_grants_ever_acts_by_itself(home: House, granting: str) -> None:
    document = restrained()
    argument = {"account.unlock": "account", "key.resume": "key", "address.unblock": "address"}
    document["workflow"][REVOKE] = action(granting, {argument[granting]: "__account__:value"}, LOCK)
    document["workflow"][REVOKE]["step_extensions"][EXTENSION] |= {"blast": {"max": 1, "per_s": 1}}
    with pytest.raises(BindingTooFree):
        home.services.autonomy.bindings.propose_binding(ANALYST, terms(home, document))


@pytest.mark.parametrize(("method", "free"), [("GET", True), ("POST", False)])
def test_a_call_acts_by_itself_only_if_it_reads(method: str, free: bool) -> None:  # noqa: FBT001 - parametrised
    plan = replace(PLAN, steps=(replace(STEP, action="http-api", args={"method": method}),))
    assert is_restrained(plan) == free


def test_an_unsigned_playbook_is_bound_to_nothing_and_a_retired_one_only_suggested(
    home: House,
) -> None:
    good = terms(home)
    draft = home.services.playbooks.import_playbook(
        ANALYST, json.dumps(restrained(name="draft")).encode()
    ).entry
    with pytest.raises(PlaybookUnsigned):
        home.services.autonomy.bindings.propose_binding(
            ANALYST, replace(good, content_hash=draft.content_hash)
        )
    agreed(home)
    home.services.playbooks.retire_playbook(APPROVER, good.content_hash)
    (answer,) = raised(home)
    assert (answer.outcome, answer.reason) == ("suggested", "playbooks.playbook_unsigned")
    assert not locked(home)


# -- answering -----------------------------------------------------------------------------


def test_what_acts_begins_at_once_and_is_confirmed_afterwards(home: House) -> None:
    binding = agreed(home)
    (answer,) = raised(home)
    assert (answer.outcome, answer.reason) == ("acted", "")
    assert home.services.runner.advance(answer.run_id).state == "done"
    assert locked(home)
    run = home.services.runs.show_run(ANALYST, answer.run_id).run
    assert (run.requester_id, run.approver_id) == (ANALYST.id, APPROVER.id)
    automatic = home.services.autonomy.automatic
    confirm = automatic.confirm_run
    with pytest.raises(PlanChanged):
        confirm(APPROVER, run.id, grant=True, plan_sha256="0")
    with pytest.raises(SelfApproval):
        confirm(person("wang", "security-admin"), run.id, grant=True, plan_sha256=run.plan.sha256)
    confirm(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    with pytest.raises(AutomaticRunSettled):
        confirm(APPROVER, run.id, grant=False, plan_sha256=run.plan.sha256)
    home.clock.advance(31 * 60 - 1_500)
    automatic.take_back_overdue()
    kept = automatic.show_automatic_run(AUDITOR, run.id)
    assert kept is not None
    assert (kept.state, kept.binding_id) == ("confirmed", binding.id)
    incident = home.services.incidents.show_incident(ANALYST, answer.incident_id)
    assert any("自动处置" in line.text for line in incident.timeline)
    (leaf,) = [one for one in home.leaves() if one["action"] == "playbooks.answer_alert"]
    assert leaf["details"]["binding_version"] == 1


@pytest.mark.parametrize("begun", [True, False])
def test_what_nobody_approves_in_thirty_minutes_is_taken_back(home: House, begun: bool) -> None:  # noqa: FBT001 - parametrised
    document = restrained()
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["ttl_s"] = 86_400
    agreed(home, document)
    (answer,) = raised(home)
    if begun:
        home.services.runner.advance(answer.run_id)
        assert locked(home)
    home.clock.advance(30 * 60 + 1)
    assert not home.services.autonomy.automatic.take_back_overdue()
    ended = home.services.runner.advance(answer.run_id)
    assert ended.state == ("compensated" if begun else "cancelled")
    assert not locked(home)
    assert not home.services.autonomy.automatic.take_back_overdue()
    assert home.acts().count("playbooks.take_back_run") == 1
    with pytest.raises(AutomaticRunSettled):
        home.services.autonomy.automatic.confirm_run(
            APPROVER, ended.id, grant=True, plan_sha256=ended.plan.sha256
        )


def test_a_rejection_afterwards_takes_back_at_once(home: House) -> None:
    agreed(home)
    (answer,) = raised(home)
    run = home.services.runner.advance(answer.run_id)
    confirm = home.services.autonomy.automatic.confirm_run
    (target,) = next(step.targets for step in run.plan.steps if step.action == "account.lock")
    home.persons.one(SECOND_ADMIN.id, target.target.removeprefix("account:"))
    with pytest.raises(SelfApproval):
        confirm(SECOND_ADMIN, run.id, grant=False, plan_sha256=run.plan.sha256)
    assert locked(home)
    confirm(APPROVER, run.id, grant=False, plan_sha256=run.plan.sha256, reason="误报")
    assert home.services.runner.advance(run.id).state == "compensated"
    assert not locked(home)


def test_an_approval_that_comes_too_late_confirms_nothing(home: House) -> None:
    agreed(home)
    (answer,) = raised(home)
    run = home.services.runner.advance(answer.run_id)
    home.clock.advance(30 * 60 + 1)
    with pytest.raises(NotPending):
        home.services.autonomy.automatic.confirm_run(
            APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256
        )


def test_approve_opens_an_incident_and_waits_suggest_only_says_so(home: House) -> None:
    agreed(home, autonomy="approve")
    agreed(home, autonomy="suggest", name="只建议")
    asked, suggested = sorted(raised(home), key=lambda one: one.outcome)
    assert (asked.outcome, suggested.outcome) == ("asked", "suggested")
    run = home.services.runs.show_run(ANALYST, asked.run_id).run
    assert run.state == "awaiting_approval"
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "done"
    assert suggested.run_id == ""
    told = home.services.incidents.show_incident(ANALYST, asked.incident_id)
    assert [one.alert_id for one in told.alerts] == ["alr_1"]


def test_a_second_delivery_and_a_second_node_change_nothing(home: House, tmp_path: Path) -> None:
    agreed(home)
    first = raised(home)
    assert raised(home) == first
    with house(tmp_path, signed_only=True, signatures=home.signatures, owner="runner-2") as node:
        assert raised(node) == first
    runs = home.services.runs.list_runs(ANALYST, None, PAGE).items
    assert len(runs) == 1


def test_two_nodes_at_the_same_moment_make_one_run(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(home)
    answers = home.surroundings.stores.autonomy.answers
    inner: list[list[Answer]] = []
    take = type(answers).take

    def meanwhile(self: Any, tx: Any, answer: Answer) -> bool:
        if not inner:
            inner.append([answer])
            raise ChangedMeanwhile
        return take(self, tx, answer)

    monkeypatch.setattr(type(answers), "take", meanwhile)
    (answer,) = raised(home)
    assert answer.outcome == "acted"
    assert len(home.services.runs.list_runs(ANALYST, None, PAGE).items) == 1


def test_an_alert_of_a_known_incident_stays_with_it(home: House) -> None:
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    agreed(home)
    (answer,) = raised(home)
    assert answer.incident_id == incident.id


def test_an_alert_that_others_are_always_quicker_with_is_delivered_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(home)

    def quicker(self: Any, tx: Any, answer: Answer) -> bool:
        raise ChangedMeanwhile

    monkeypatch.setattr(type(home.surroundings.stores.autonomy.answers), "take", quicker)
    with pytest.raises(ChangedMeanwhile):
        raised(home)
    monkeypatch.undo()
    assert [one.outcome for one in raised(home)] == ["acted"]


def test_past_its_budget_waits_also_what_a_person_could_just_run(home: House) -> None:
    document = playbook()
    for step in document["workflow"].values():
        if step["type"] == "start":
            step["on_completion"] = NOTIFY
    for gone in [name for name in document["workflow"] if name in (REVOKE, LOCK, UNLOCK)]:
        del document["workflow"][gone]
    agreed(home, document, per_hour=1, arguments={}, cooldown_s=0)
    outcomes = [raised(home, f"alr_n{number}")[0] for number in range(3)]
    assert [one.outcome for one in outcomes] == ["acted", "asked", "asked"]
    run = home.services.runner.advance(outcomes[1].run_id)
    assert (run.state, run.plan.needs_approval) == ("awaiting_approval", False)
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "done"


def test_a_draft_never_acts_by_itself_where_the_settings_let_drafts_run(tmp_path: Path) -> None:
    with house(tmp_path, signed_only=False) as home:
        home.containment.add("acc_zhang", "zhang.san", sessions=2)
        draft = home.services.playbooks.import_playbook(
            ANALYST, json.dumps(restrained(name="draft")).encode()
        ).entry
        wanted = replace(terms(home), content_hash=draft.content_hash)
        with pytest.raises(BindingTooFree):
            home.services.autonomy.bindings.propose_binding(ANALYST, wanted)
        agreed(home)
        home.services.playbooks.retire_playbook(APPROVER, terms_hash(home))
        (answer,) = raised(home)
        assert (answer.outcome, answer.reason) == ("asked", "not_restrained")
        assert not locked(home)


def terms_hash(home: House) -> str:
    (binding,) = home.services.autonomy.bindings.list_bindings(ANALYST, PAGE).items
    return binding.terms.content_hash


def test_the_same_entities_rest_after_an_answer(home: House) -> None:
    agreed(home, cooldown_s=600)
    assert [one.outcome for one in raised(home)] == ["acted"]
    assert [one.outcome for one in raised(home, "alr_2")] == ["cooled_down"]
    home.containment.add("acc_li", "li.si", sessions=1)
    other = raised(home, "alr_3", subjects={"account": "li.si"})
    assert [one.outcome for one in other] == ["acted"]
    home.clock.advance(601)
    home.services.runner.advance_all()
    assert [one.outcome for one in raised(home, "alr_4")] == ["acted"]
    assert [one.outcome for one in raised(home, "alr_2")] == ["cooled_down"]


def test_a_drill_is_never_answered(home: House) -> None:
    agreed(home)
    assert raised(home, kind="drill") == []
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_2"))
    drilled = replace(incident, drill=True, version=incident.version + 1)
    home.spine.parts.transactions.run(
        lambda tx: home.surroundings.stores.incidents.change(tx, drilled)
    )
    (answer,) = raised(home, "alr_2")
    assert (answer.outcome, answer.reason) == ("suggested", "drill")
    assert home.services.runs.list_runs(ANALYST, incident.id, PAGE).items == []


def test_a_protected_target_is_suggested_and_never_touched(home: House) -> None:
    home.containment.add("acc_root", "root.admin", sessions=1, protected="最后一名安全管理员")
    agreed(home)
    (answer,) = raised(home, subjects={"account": "root.admin"})
    assert (answer.outcome, answer.reason) == ("suggested", "playbooks.target_protected")
    assert home.services.runs.list_runs(ANALYST, None, PAGE).items == []


def test_a_binding_out_of_its_time_or_of_another_organisation_answers_nothing(
    home: House,
) -> None:
    agreed(home, valid_until=home.clock.now() + DAY)
    foreign = raised(home, "alr_9", org_id="org_town")
    assert foreign == []
    home.clock.advance(86_401)
    assert raised(home) == []


# -- held back -----------------------------------------------------------------------------


def many(home: House, count: int) -> dict[str, int]:
    outcomes: dict[str, int] = {}
    for number in range(count):
        name = f"user{number}"
        home.containment.add(f"acc_{number}", name, sessions=1)
        for answer in raised(home, f"alr_s{number}", subjects={"account": name}):
            outcomes[answer.outcome] = outcomes.get(answer.outcome, 0) + 1
    return outcomes


def storm(home: House, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(answering, "ASKED_PER_HOUR", 4)
    agreed(home, per_hour=3)
    agreed(home, per_hour=100, name="第二个", cooldown_s=0)
    monkeypatch.setattr(answering, "TOTAL_PER_HOUR", 5)
    outcomes = many(home, count)
    assert outcomes == {"acted": 5, "asked": 4, "suggested": 2 * count - 9}
    runs = home.services.runs.list_runs(ANALYST, None, PAGE).items
    assert len(runs) == 9
    told = home.services.inbox.list_notifications(ANALYST, PAGE).items
    assert len([one for one in told if "上限" in one.title]) == 2
    by_binding = [run for run in runs if run.state == "approved"]
    assert len(by_binding) == 5


def test_a_storm_can_not_do_more_than_the_budget(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm(home, monkeypatch, 40)
    home.clock.advance(3_599)
    home.containment.add("acc_early", "early", sessions=1)
    early = raised(home, "alr_early", subjects={"account": "early"})
    assert [one.reason for one in early] == ["budget", "budget"], "any hour, not the clock's"
    home.clock.advance(1)
    many(home, 40)
    assert len(home.services.runs.list_runs(ANALYST, None, PAGE).items) == 9, "answered before"
    home.services.autonomy.answerer.forget()
    home.containment.add("acc_new", "new", sessions=1)
    fresh = raised(home, "alr_new", subjects={"account": "new"})
    assert [one.outcome for one in fresh] == ["acted", "acted"]


@pytest.mark.deep
def test_ten_thousand_alerts_can_not_do_more_than_the_budget(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    storm(home, monkeypatch, 10_000)


def test_the_switch_stops_at_once_also_what_was_ordered_and_has_not_begun(home: House) -> None:
    agreed(home)
    (ordered,) = raised(home)
    pauses = home.services.autonomy.pauses
    with pytest.raises(Forbidden):
        pauses.pause_bindings(AUDITOR, "x")
    with pytest.raises(Invalid):
        pauses.pause_bindings(ANALYST, " ")
    assert pauses.pause_bindings(ANALYST, "误报过多").paused
    assert home.services.runner.advance(ordered.run_id).state == "cancelled"
    assert not locked(home)
    (answer,) = raised(home, "alr_2")
    assert (answer.outcome, answer.reason) == ("suggested", "paused")
    assert pauses.show_pause(AUDITOR).reason == "误报过多"


def test_to_go_on_takes_another_person_and_a_new_pause_voids_the_request(home: House) -> None:
    pauses = home.services.autonomy.pauses
    with pytest.raises(PauseRefused):
        pauses.request_resume(ANALYST, "x")
    pauses.pause_bindings(APPROVER, "停")
    with pytest.raises(PauseRefused):
        pauses.decide_resume(APPROVER, grant=True)
    pauses.request_resume(APPROVER, "已处理")
    with pytest.raises(PauseRefused):
        pauses.request_resume(ANALYST, "again")
    with pytest.raises(SelfApproval):
        pauses.decide_resume(APPROVER, grant=True)
    pauses.pause_bindings(ANALYST, "再停")
    with pytest.raises(PauseRefused):
        pauses.decide_resume(SECOND_ADMIN, grant=True)
    pauses.request_resume(ANALYST, "已处理")
    assert pauses.decide_resume(APPROVER, grant=False).paused
    pauses.request_resume(ANALYST, "已处理")
    assert not pauses.decide_resume(APPROVER, grant=True).paused
    assert not pauses.show_pause(ANALYST).paused


def test_the_roots_switch_stops_every_organisation_and_only_the_root_lifts_it(
    home: House,
) -> None:
    pauses = home.services.autonomy.pauses
    agreed(home)
    (ordered,) = raised(home)

    def move(tx: Any) -> None:
        for table in (tables.runs, tables.automatic_runs):
            tx.execute(table.update().values(org_id="org_town"))

    home.spine.parts.transactions.run(move)
    pauses.pause_bindings(ANALYST, "全部停")
    assert home.services.runner.advance(ordered.run_id).state == "cancelled"
    town = person("li", "security-admin", "org_town")
    assert pauses.show_pause(town).org_id == "org_root"
    with pytest.raises(PauseRefused):
        pauses.request_resume(town, "x")


# -- looking -------------------------------------------------------------------------------


def test_a_dry_test_names_what_it_would_have_answered_and_changes_nothing(home: House) -> None:
    wanted = terms(home, severities=("high",))
    home.alerts.kept["alr_2"] = replace(home.alerts.kept["alr_2"], severity="low")
    before = home.acts()
    tried = home.services.autonomy.bindings.try_binding(AUDITOR, wanted)
    assert (tried.looked_at, tried.matched, tried.cut) == (2, (("alr_1", "SSH 暴力破解"),), False)
    assert home.acts() == before


def test_a_binding_names_the_playbook_as_it_is_now(home: House) -> None:
    content = registered(home, restrained())
    bare = BindingTerms("x", "", "", "", rules=("r",))
    named = home.services.autonomy.bindings.terms_for(ANALYST, restrained()["id"], bare)
    assert named.content_hash == content


ALERTS = st.builds(
    AlertSummary,
    id=st.just("a"),
    org_id=st.just("o"),
    title=st.just("t"),
    rule_id=st.sampled_from(["r1", "r2"]),
    severity=st.sampled_from(["low", "high"]),
    created_at=st.just(START),
    first_event_at=st.just(START),
    subjects=st.dictionaries(st.sampled_from(["account", "host"]), st.sampled_from(["ab", "b"])),
    kind=st.sampled_from(["rule", "drill", "anomaly"]),
)
TERMS = st.builds(
    BindingTerms,
    name=st.just("n"),
    playbook_id=st.just(playbook()["id"]),
    playbook_version=st.just(playbook()["modified"]),
    content_hash=st.just("0" * 64),
    autonomy=st.just("suggest"),
    rules=st.lists(st.sampled_from(["r1", "r3"]), min_size=1).map(tuple),
    severities=st.lists(st.sampled_from(["low", "high"])).map(tuple),
    kinds=st.lists(st.sampled_from(["rule", "anomaly"])).map(tuple),
    entities=st.dictionaries(st.just("account"), st.sampled_from(["a*", "ab", "*"])),
    valid_from=st.none() | st.integers(0, DAY - 1),
    valid_until=st.none() | st.integers(DAY, 2 * DAY),
)


@given(TERMS, ALERTS)
def test_terms_come_back_as_they_were_and_never_fit_a_drill(
    wanted: BindingTerms, told: AlertSummary
) -> None:
    require_terms(wanted)
    again = read_terms(terms_document(wanted))
    assert change_hash("b", 1, None, again) == change_hash("b", 1, None, wanted)
    assert fits(again, told) == fits(wanted, told)
    assert not (fits(wanted, told) and told.kind == "drill")
    if fits(wanted, told):
        assert told.rule_id in wanted.rules
        assert {"account"} & wanted.entities.keys() <= told.subjects.keys()
    assert difference(wanted, again) == ()
    assert in_force(wanted, DAY) == (wanted.valid_until != DAY)
    assert difference(None, wanted)[0][:2] == ("name", "")


def test_a_request_for_a_run_is_still_people_s_business(home: House) -> None:
    content = registered(home, restrained())
    found = home.services.playbooks.content("org_root", content)
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    wanted = RunRequest(incident.id, found, {"__account__": "zhang.san"})
    run = home.services.runs.request_run(ANALYST, wanted)
    assert home.services.autonomy.automatic.show_automatic_run(ANALYST, run.id) is None
