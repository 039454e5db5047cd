"""Incidents over a real database: opened, moved, judged, reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.core.gbt20986 import LevelAnswers
from playbooks.errors import (
    AlertLinked,
    AlertNotFound,
    ChangedMeanwhile,
    IncidentNotFound,
    TransitionRefused,
)
from playbooks.models import PlaybooksOptions
from playbooks.service import Judgement, NewIncident, StateChange
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.alert_summaries import alert
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

FIRST = PageRequest(50)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def open_one(home: House, **values: object) -> str:
    new = NewIncident(**{"alert_id": "alr_1", **values})  # type: ignore[arg-type]
    return home.services.incidents.open_incident(ANALYST, new).id


def test_an_alert_becomes_an_incident_with_its_subjects_class_and_clocks(home: House) -> None:
    view = home.services.incidents.show_incident(ANALYST, open_one(home))
    assert view.incident.state == "triage"
    assert view.incident.severity == "high"
    assert view.incident.subjects["account"] == "zhang.san"
    assert view.incident.category == "NACRED"
    assert view.alerts[0].evidence_count == 2
    assert [entry.kind for entry in view.timeline] == ["opened"]
    assert view.next_states == ("closed", "confirmed")
    first = view.clocks[0]
    assert (first.name, first.due_at, first.overdue) == ("first_report", START + 4 * HOUR, False)
    assert home.acts() == ["playbooks.open_incident"]


def test_an_alert_belongs_to_one_incident(home: House) -> None:
    known = open_one(home)
    with pytest.raises(AlertLinked) as refused:
        open_one(home)
    assert refused.value.facts["incident_id"] == known
    home.services.incidents.link_alert(ANALYST, known, "alr_2")
    with pytest.raises(AlertLinked):
        home.services.incidents.link_alert(ANALYST, known, "alr_2")
    view = home.services.incidents.show_incident(ANALYST, known)
    assert [link.alert_id for link in view.alerts] == ["alr_1", "alr_2"]
    with pytest.raises(AlertNotFound):
        home.services.incidents.link_alert(ANALYST, known, "alr_9")


def test_an_incident_lives_from_triage_to_closed_and_every_step_is_told(home: House) -> None:
    incident = open_one(home)
    service = home.services.incidents
    for state in ("confirmed", "contained", "eradicated", "recovered", "lessons"):
        service.change_state(ANALYST, incident, state)
    with pytest.raises(TransitionRefused, match="级别 level, 原因 cause"):
        service.change_state(ANALYST, incident, "closed")
    service.judge_incident(ANALYST, incident, Judgement(level="ordinary", cause="弱口令"))
    closed = service.change_state(ANALYST, incident, "closed", StateChange("已恢复"))
    assert closed.state == "closed"
    assert closed.closed_reason == "已恢复"
    view = service.show_incident(ANALYST, incident)
    assert len(view.timeline) == 8
    assert "playbooks.change_state" in home.acts()
    reopened = service.change_state(ANALYST, incident, "confirmed", StateChange("再次出现"))
    assert reopened.closed_at is None


def test_clocks_depend_on_who_runs_the_system_and_end_reports_follow(tmp_path: Path) -> None:
    with house(tmp_path, options=PlaybooksOptions(operator_kind="critical")) as home:
        incident = open_one(home)
        service = home.services.incidents
        home.clock.advance(3_601)
        first = service.show_incident(ANALYST, incident).clocks[0]
        assert first.due_at == START + HOUR
        assert first.overdue
        for state in ("confirmed", "contained", "eradicated", "recovered", "lessons"):
            service.change_state(ANALYST, incident, state)
        clocks = service.show_incident(ANALYST, incident).clocks
        handled = service.show_incident(ANALYST, incident).incident.handled_at
        assert handled is not None
        assert (clocks[1].name, clocks[1].due_at) == ("closing_report", handled + 30 * DAY)
        service.judge_incident(ANALYST, incident, Judgement(reporting_level="ordinary"))
        assert service.show_incident(ANALYST, incident).clocks == ()


def test_clocks_warn_once_before_at_and_after_their_end(home: House) -> None:
    incident = open_one(home)
    inbox = home.services.inbox
    assert inbox.warn_of_clocks() == 0
    home.clock.advance(3 * 3_600 + 1)
    assert [inbox.warn_of_clocks(), inbox.warn_of_clocks()] == [1, 0]
    home.clock.advance(3_600)
    assert [inbox.warn_of_clocks(), inbox.warn_of_clocks()] == [1, 0]
    titles = [n.title for n in inbox.list_notifications(ANALYST, FIRST).items]
    assert [title.partition(":")[0] for title in titles] == ["法定时限已到时限", "法定时限即将到期"]
    kinds = [e.kind for e in home.services.incidents.show_incident(ANALYST, incident).timeline]
    assert kinds == ["opened", "clock", "clock"]


@pytest.mark.parametrize(
    "judgement",
    [
        Judgement(),
        Judgement(category="XX"),
        Judgement(level="terrible"),
        Judgement(reporting_level="terrible"),
        Judgement(cause=" "),
        Judgement(cause="x" * 5_000),
    ],
)
def test_words_outside_the_standards_are_refused(home: House, judgement: Judgement) -> None:
    incident = open_one(home)
    with pytest.raises(Invalid):
        home.services.incidents.judge_incident(ANALYST, incident, judgement)


@pytest.mark.parametrize(
    "new",
    [
        NewIncident(title=""),
        NewIncident(title="x" * 201),
        NewIncident(title="x", severity="huge"),
        NewIncident(title="x", discovered_at=START + 1),
    ],
)
def test_an_incident_without_an_alert_needs_a_title_and_known_words(
    home: House, new: NewIncident
) -> None:
    with pytest.raises(Invalid):
        home.services.incidents.open_incident(ANALYST, new)


def test_levels_are_proposed_and_drafts_are_marked(home: House) -> None:
    figures = {"personal_info_people": "1000000", "views": "9999"}
    answers = LevelAnswers("important", "serious", figures=figures)
    advice = home.services.levels.propose_levels(ANALYST, answers)
    assert (advice.level, advice.reporting_level) == ("considerable", "considerable")
    assert [reason.en for reason in advice.reasons] == [
        "Important object, serious loss: considerable",
        "Reporting: People whose personal information leaked ≥ 1000000: considerable",
    ]
    assert len(advice.doubts) == 2
    for refused in (LevelAnswers("important", "?"), LevelAnswers("important", "serious", "?")):
        with pytest.raises(Invalid):
            home.services.levels.propose_levels(ANALYST, refused)
    with pytest.raises(Forbidden):
        home.services.levels.propose_levels(person("li", "staff"), answers)


def test_the_list_pages_newest_first_and_filters_by_state(home: House) -> None:
    service = home.services.incidents
    made = []
    for number in range(5):
        home.clock.advance(1)
        made.append(service.open_incident(ANALYST, NewIncident(title=f"事件 {number}")).id)
    page = service.list_incidents(ANALYST, "", PageRequest(2))
    assert [one.id for one in page.items] == [made[4], made[3]]
    assert page.next is not None
    rest = service.list_incidents(ANALYST, "open", PageRequest(10, decode_cursor(page.next)))
    assert [one.id for one in rest.items] == [made[2], made[1], made[0]]
    service.change_state(ANALYST, made[0], "closed", StateChange("误报"))
    assert len(service.list_incidents(ANALYST, "open", FIRST).items) == 4
    assert [one.id for one in service.list_incidents(ANALYST, "closed", FIRST).items] == [made[0]]
    with pytest.raises(Invalid):
        service.list_incidents(ANALYST, "gone", FIRST)
    with pytest.raises(Invalid):
        service.change_state(ANALYST, made[1], "gone")  # type: ignore[arg-type]


def test_another_organisation_sees_nothing_of_an_incident(home: House) -> None:
    incident = open_one(home)
    stranger = person("sun", "analyst", "org_other")
    service = home.services.incidents
    with pytest.raises(IncidentNotFound):
        service.show_incident(stranger, incident)
    with pytest.raises(IncidentNotFound):
        service.change_state(stranger, incident, "confirmed")
    with pytest.raises(IncidentNotFound):
        service.add_note(stranger, incident, "x")
    with pytest.raises(AlertNotFound):
        service.open_incident(stranger, NewIncident(alert_id="alr_2"))
    assert service.list_incidents(stranger, "", FIRST).items == []


def test_who_may_only_read_changes_nothing(home: House) -> None:
    incident = open_one(home)
    service = home.services.incidents
    for actor in (AUDITOR, APPROVER):
        with pytest.raises(Forbidden):
            service.open_incident(actor, NewIncident(title="x"))
        with pytest.raises(Forbidden):
            service.change_state(actor, incident, "confirmed")
        with pytest.raises(Forbidden):
            service.add_note(actor, incident, "x")
        with pytest.raises(Forbidden):
            service.judge_incident(actor, incident, Judgement(cause="x"))
    with pytest.raises(Forbidden):
        service.show_incident(person("li", "staff"), incident)


def test_a_stale_writer_is_told(home: House) -> None:
    incident = open_one(home)
    stores, parts = home.surroundings.stores, home.spine.parts
    old = parts.transactions.read(lambda tx: stores.incidents.get(tx, "org_root", incident))
    home.services.incidents.change_state(ANALYST, incident, "confirmed")
    with pytest.raises(ChangedMeanwhile):
        parts.transactions.run(lambda tx: stores.incidents.change(tx, old))


def test_notes_are_kept_and_only_their_digest_is_in_the_ledger(home: House) -> None:
    incident = open_one(home)
    home.services.incidents.add_note(ANALYST, incident, "张三的电话没有接通")
    view = home.services.incidents.show_incident(ANALYST, incident)
    assert view.timeline[-1].text == "张三的电话没有接通"
    assert "张三" not in json.dumps(home.leaves(), ensure_ascii=False)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_escapes_what_a_log_or_a_person_said(home: House, language: str) -> None:
    incident = home.services.incidents.open_incident(
        ANALYST, NewIncident(title="<script>alert(1)</script> | [x](javascript:1)")
    ).id
    reports = home.services.reports
    page = reports.report_incident(AUDITOR, incident, output="html", language=language).decode()  # type: ignore[arg-type]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    text = reports.report_incident(AUDITOR, incident, language=language).decode()  # type: ignore[arg-type]
    assert "\\<script\\>" in text
    assert "\\[x\\]\\(javascript" in text


def test_a_report_holds_clocks_items_and_digests_and_its_export_is_recorded(home: House) -> None:
    incident = open_one(home)
    content = home.services.reports.report_incident(ANALYST, incident, output="json")
    report = json.loads(content)
    assert report["category"]["zh"] == "网络攻击事件 / 凭据攻击事件"
    assert [item["n"] for item in report["items"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert report["alerts"][0]["alert_id"] == "alr_1"
    assert len(report["digests"]["SM3"]) == 64
    leaf = home.leaves()[-1]
    assert leaf["action"] == "playbooks.report_incident"
    assert leaf["details"]["sha256"] == report["digests"]["SHA-256"]
    with pytest.raises(Invalid):
        home.services.reports.report_incident(ANALYST, incident, output="exe")  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        home.services.reports.report_incident(person("li", "staff"), incident)


def test_a_report_of_an_organisation_below_bears_its_own_name(home: House) -> None:
    below = person("he", "analyst", "org_a")
    incident = home.services.incidents.open_incident(below, NewIncident(title="勒索"))
    content = home.services.reports.report_incident(below, incident.id, output="json")
    assert json.loads(content)["unit"] == "市数据局"
    with pytest.raises(IncidentNotFound):
        home.services.reports.report_incident(ANALYST, incident.id)


def test_a_drill_says_so_in_its_report_and_counts_apart(home: House) -> None:
    incident = home.services.incidents.open_incident(
        ANALYST, NewIncident(title="年度演练", drill=True)
    ).id
    text = home.services.reports.report_incident(ANALYST, incident).decode()
    assert text.startswith("# 网络安全事件报告(演练)")
    evidence = home.services.evidence.incident_state(AUDITOR)
    assert (evidence.total, evidence.drills) == (0, 1)
    assert home.services.evidence.drill_state(AUDITOR).drills == 1


def test_evidence_counts_what_is_there(home: House) -> None:
    done, late = open_one(home), open_one(home, alert_id="alr_2")
    home.clock.advance(60)
    home.services.incidents.change_state(ANALYST, done, "closed", StateChange("误报"))
    home.services.incidents.judge_incident(ANALYST, late, Judgement(level="major"))
    home.clock.advance(5 * 3_600)
    evidence = home.services.evidence.incident_state(AUDITOR)
    assert (evidence.total, evidence.open, evidence.closed) == (2, 1, 1)
    assert (evidence.closed_with_cause, evidence.classified, evidence.overdue) == (1, 1, 1)
    assert (evidence.with_alerts, evidence.with_runs) == (2, 0)
    assert evidence.median_seconds_to_close == 60
    before = evidence.sha256
    home.services.incidents.change_state(ANALYST, late, "confirmed")
    assert home.services.evidence.incident_state(AUDITOR).sha256 != before
    with pytest.raises(Forbidden):
        home.services.evidence.incident_state(ANALYST)


def test_evidence_names_what_closed_incidents_lack(home: House) -> None:
    change, judge = home.services.incidents.change_state, home.services.incidents.judge_incident
    for name, level, lessons in (("alr_1", "major", "改口令"), ("alr_2", "ordinary", None)):
        incident = open_one(home, alert_id=name)
        judge(ANALYST, incident, Judgement(cause="弱口令", level=level, lessons=lessons))
        for state in ("confirmed", "contained", "eradicated", "recovered", "lessons"):
            change(ANALYST, incident, state)
        change(ANALYST, incident, "closed", StateChange("已处置"))
    false = home.services.incidents.open_incident(ANALYST, NewIncident(title="误会")).id
    change(ANALYST, false, "closed", StateChange("误报", ending="false_alarm"))
    evidence = home.services.evidence.incident_state(AUDITOR)
    assert (evidence.closed, evidence.closed_handled) == (3, 2)
    assert (evidence.closed_without_cause, evidence.closed_without_process) == (0, 0)
    assert (evidence.closed_without_evidence, evidence.closed_without_lessons) == (0, 1)


def test_evidence_tells_alerts_without_incident_and_messages_that_did_not_arrive(
    home: House,
) -> None:
    open_one(home, alert_id="alr_2")
    evidence = home.services.evidence
    assert evidence.alerts_without_incident(AUDITOR, ["alr_2", "alr_9"]) == 1
    state = evidence.delivery_state(AUDITOR, 0)
    assert (state.sent, state.urgent_undelivered) == (0, 0)
    for ask in (
        lambda: evidence.alerts_without_incident(ANALYST, []),
        lambda: evidence.delivery_state(ANALYST, 0),
    ):
        with pytest.raises(Forbidden):
            ask()


def test_alerts_of_chosen_severities_open_one_incident_each(tmp_path: Path) -> None:
    options = PlaybooksOptions(open_for=frozenset({"high"}))
    with house(tmp_path, options=options) as home:
        home.alerts.kept["alr_3"] = alert("alr_3", severity="low", incident_class="XX")
        home.alerts.kept["alr_4"] = alert("alr_4", incident_class="XX")
        for name, severity in (
            ("alr_1", "high"),
            ("alr_3", "low"),
            ("alr_4", "high"),
            ("no", "high"),
        ):
            event = Delivery(1, START, AlertRaised("org_root", name, "rule", severity, {}))
            home.services.openers.alert_raised(event)
            home.services.openers.alert_raised(event)
        found = home.services.incidents.list_incidents(ANALYST, "", FIRST).items
        assert sorted(one.category for one in found) == ["", "NACRED"]
        assert {one.opened_by for one in found} == {"playbooks-opener"}
