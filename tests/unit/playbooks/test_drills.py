"""Drills: planned, approved by another, run with marked alerts that touch nothing real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.core.drill import MARK, marked
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.drills import DrillInvalid, DrillMixed, DrillStateRefused, DrillUnknown
from playbooks.models import PlaybooksOptions
from playbooks.models.drills import Drill, DrillAlert, DrillPlan
from playbooks.models.notifications import ChannelDraft
from playbooks.service import NewIncident, RunRequest, require_playbook
from playbooks.service.notifications import NewSubscription
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

ADMIN = person("li", "system-admin")
FOREIGN = person("he", "analyst", "org_b")
PLAN = DrillPlan(
    "年度爆破演练", "外部地址爆破", (DrillAlert("SSH 爆破", "high"), DrillAlert("后门", "critical"))
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, options=PlaybooksOptions(site="https://soc.example")) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        opened.containment.add("acc_drill", "drill.user", sessions=1)
        opened.containment.add("acc_last", "last.admin", protected="the last security-admin")
        yield opened


def door(home: House) -> Any:
    return home.surroundings.ports.drills


def planned(home: House, plan: DrillPlan = PLAN) -> Drill:
    return home.services.drills.plan_drill(ANALYST, plan)


def approved(home: House, plan: DrillPlan = PLAN) -> Drill:
    drill = planned(home, plan)
    return home.services.drills.approve_drill(
        APPROVER, drill.id, grant=True, plan_sha256=drill.plan_sha256, reason="同意"
    )


def running(home: House, plan: DrillPlan = PLAN) -> Drill:
    return home.services.drills.start_drill(ANALYST, approved(home, plan).id)


def test_a_drill_goes_from_plan_to_report(home: House) -> None:
    drill, service = running(home), home.services.drills
    home.clock.advance(90)
    door(home).acknowledge(0)
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_drill_0"))
    service.note_drill(ANALYST, drill.id, "值班员两分钟内响应", finding=False)
    service.note_drill(ANALYST, drill.id, "联系方式过期", finding=True)
    service.end_drill(ANALYST, drill.id)
    report = service.report_drill(AUDITOR, drill.id)
    assert report["title"] == f"{MARK}年度爆破演练"
    assert (report["acknowledged"], report["seconds_to_acknowledge"]) == (1, 90)
    assert report["findings"] == ["联系方式过期"]
    assert report["incidents"] == [incident.id]
    assert [one["status"] for one in report["alerts"]] == ["closed", "closed"]
    assert [one["kind"] for one in report["timeline"]] == [
        *("state", "state", "state", "injected", "injected"),
        *("note", "finding", "state"),
    ]
    assert [one.id for one in service.list_drills(AUDITOR, PageRequest(5)).items] == [drill.id]
    assert json.loads(json.dumps(report)) == report


def test_a_report_without_anybody_who_took_an_alert_up_says_so(home: House) -> None:
    drill = planned(home)
    report = home.services.drills.report_drill(AUDITOR, drill.id)
    assert (report["acknowledged"], report["seconds_to_acknowledge"]) == (0, None)


def test_nobody_approves_their_own_drill_nor_another_plan_than_they_saw(home: House) -> None:
    service, drill = home.services.drills, planned(home)
    seen = {"plan_sha256": drill.plan_sha256, "reason": "x"}
    both = replace(ANALYST, roles=frozenset({"analyst", "security-admin"}))
    with pytest.raises(SelfApproval):
        service.approve_drill(both, drill.id, grant=True, **seen)
    home.persons.one(ANALYST.id, APPROVER.id)
    with pytest.raises(SelfApproval):
        service.approve_drill(APPROVER, drill.id, grant=True, **seen)
    other = person("sun", "security-admin")
    with pytest.raises(DrillStateRefused, match="another"):
        service.approve_drill(other, drill.id, grant=True, plan_sha256="00", reason="x")
    with pytest.raises(Forbidden):
        service.approve_drill(ANALYST, drill.id, grant=True, **seen)
    with pytest.raises(DrillStateRefused):
        service.start_drill(ANALYST, drill.id)
    assert service.approve_drill(other, drill.id, grant=False, **seen).state == "rejected"
    with pytest.raises(DrillStateRefused):
        service.start_drill(ANALYST, drill.id)
    with pytest.raises(DrillStateRefused):
        service.note_drill(ANALYST, drill.id, "x", finding=True)
    with pytest.raises(DrillUnknown):
        service.show_drill(person("he", "auditor", "org_b"), drill.id)
    with pytest.raises(DrillUnknown):
        service.start_drill(FOREIGN, drill.id)


BAD_PLANS: tuple[dict[str, Any], ...] = (
    {"title": " "},
    {"title": "x" * 151},
    {"scenario": "x" * 4_001},
    {"alerts": ()},
    {"alerts": (DrillAlert("x", "low"),) * 51},
    {"alerts": (DrillAlert("", "low"),)},
    {"alerts": (DrillAlert("x", "huge"),)},
    {"accounts": ("nobody",)},
    {"accounts": ("last.admin",)},
    {"accounts": ("zhang.san",) * 21},
)


def test_a_plan_that_can_not_be_exercised_is_refused(home: House) -> None:
    for bad in BAD_PLANS:
        with pytest.raises(DrillInvalid):
            planned(home, replace(PLAN, **bad))


def test_starting_again_injects_what_is_missing_and_nothing_twice(home: House) -> None:
    drill = running(home)
    assert home.services.drills.start_drill(ANALYST, drill.id) == drill
    view = home.services.drills.show_drill(AUDITOR, drill.id)
    assert len(view.alerts) == 2
    assert [one.kind for one in view.notes].count("injected") == 2
    stored = home.surroundings.stores.drills
    with pytest.raises(ChangedMeanwhile):
        home.spine.parts.transactions.run(lambda tx: stored.change(tx, drill))
    with pytest.raises(Invalid):
        home.services.drills.note_drill(ANALYST, drill.id, " ", finding=False)


def test_a_drills_incident_is_marked_from_its_beginning_and_counts_nowhere(home: House) -> None:
    running(home)
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_drill_0"))
    assert incident.drill
    assert incident.title.startswith(MARK)
    assert marked(incident.title) == incident.title
    state = home.services.evidence.incident_state(AUDITOR)
    assert (state.total, state.drills, state.overdue) == (0, 1, 0)
    with pytest.raises(DrillMixed):
        home.services.incidents.link_alert(ANALYST, incident.id, "alr_1")
    real = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
    with pytest.raises(DrillMixed):
        home.services.incidents.link_alert(ANALYST, real.id, "alr_drill_1")
    with pytest.raises(DrillMixed):
        home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_2", drill=True))


def contained(home: House, account: str) -> list[str]:
    """Run the containment playbook for the drill's incident and return what was really called."""
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_drill_0"))
    checked = require_playbook(json.dumps(playbook()).encode())
    request = RunRequest(incident.id, checked, {"__account__": account})
    run = home.services.runs.request_run(ANALYST, request)
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "done"
    return [str(one) for one in home.containment.calls]


def test_a_playbook_in_a_drill_locks_nobody(home: House) -> None:
    running(home)
    assert contained(home, "zhang.san") == []
    account = home.containment.look("account", ANALYST.org_id, "zhang.san")
    assert account is not None
    assert not account.held
    assert len(home.containment.sessions_of("acc_zhang")) == 2


def test_a_playbook_in_a_drill_really_locks_an_account_of_the_drill(home: House) -> None:
    running(home, replace(PLAN, accounts=("drill.user",)))
    assert len(contained(home, "drill.user")) == 2
    account = home.containment.look("account", ANALYST.org_id, "drill.user")
    assert account is not None
    assert account.held


def test_an_incident_called_a_drill_without_one_takes_nothing_away_either(home: House) -> None:
    incident = home.services.incidents.open_incident(
        ANALYST, NewIncident(title="桌面推演", drill=True)
    )
    checked = require_playbook(json.dumps(playbook()).encode())
    request = RunRequest(incident.id, checked, {"__account__": "zhang.san"})
    run = home.services.runs.request_run(ANALYST, request)
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    assert home.services.runner.advance(run.id).state == "done"
    assert home.containment.calls == []


def test_every_message_of_a_drill_says_so(home: House) -> None:
    draft = ChannelDraft("hook", "generic", "https://hook.example/x", language="en")
    hook = home.services.notifications.channels.create_channel(ADMIN, draft)
    new = NewSubscription("alert", f"channel:{hook.id}", "low")
    home.services.notifications.subscriptions.subscribe(APPROVER, new)
    running(home)
    announcement = AlertRaised(ADMIN.org_id, "alr_drill_0", "drill:x", "high", {})
    home.services.notifications.herald.alert_raised(Delivery(1, home.clock.now(), announcement))
    home.services.notifications.delivery.deliver()
    [(_, body, _)] = home.outbound.posted
    assert json.loads(body)["title"].startswith("[DRILL] An alert")


def test_a_drill_that_ends_while_it_begins_leaves_no_alert_open(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill, inject = approved(home), type(door(home)).inject

    def ended_meanwhile(self: Any, org_id: str, drill_id: str, number: int, alert: Any) -> str:
        monkeypatch.undo()
        home.services.drills.end_drill(ANALYST, drill_id)
        return str(inject(self, org_id, drill_id, number, alert))

    monkeypatch.setattr(type(door(home)), "inject", ended_meanwhile)
    home.services.drills.start_drill(ANALYST, drill.id)
    shown = home.services.drills.show_drill(ANALYST, drill.id)
    assert [one.status for one in shown.alerts] == ["closed"]


def test_ending_again_closes_what_a_crash_left_open(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = running(home)

    def killed(self: Any, org_id: str, drill_id: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(door(home)), "end", killed)
    with pytest.raises(KeyboardInterrupt):
        home.services.drills.end_drill(ANALYST, drill.id)
    monkeypatch.undo()
    assert home.services.drills.end_drill(ANALYST, drill.id).state == "ended"
    shown = home.services.drills.show_drill(ANALYST, drill.id)
    assert {one.status for one in shown.alerts} == {"closed"}
