"""Duties declared and reports filed: they start and stop the law's clocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.core.reporting import warning_of
from playbooks.errors import DutyAbsent, DutyFiled, IncidentNotFound, TransitionRefused
from playbooks.models import Clock, PlaybooksOptions
from playbooks.models.options import OperatorKind
from playbooks.service import Judgement, NewFiling, NewIncident, StateChange
from secops.kernel.clock import DAY, HOUR, MINUTE
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.clock import START
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def open_one(home: House, **values: object) -> str:
    new = NewIncident(**{"title": "主页被篡改", **values})  # type: ignore[arg-type]
    return home.services.incidents.open_incident(ANALYST, new).id


def clocks(home: House, incident: str) -> dict[str, Clock]:
    view = home.services.incidents.show_incident(ANALYST, incident)
    return {clock.name: clock for clock in view.clocks}


def handle(home: House, incident: str) -> None:
    for state in ("confirmed", "contained", "eradicated", "recovered", "lessons"):
        home.services.incidents.change_state(ANALYST, incident, state)


def test_a_filed_report_stops_its_clock_and_its_warnings(home: House) -> None:
    incident = open_one(home)
    home.clock.advance(3 * 3_600 + 60)
    assert home.services.inbox.warn_of_clocks() == 1
    filed = home.services.filings.file_report(
        ANALYST, incident, NewFiling("first_report", None, "12387", "第 7 号")
    )
    first = clocks(home, incident)["first_report"]
    assert (first.filed_at, first.overdue, first.late) == (filed.filed_at, False, False)
    home.clock.advance(2 * 3_600)
    assert home.services.inbox.warn_of_clocks() == 0
    assert home.services.evidence.incident_state(AUDITOR).overdue == 0
    leaf = next(one for one in home.leaves() if one["action"] == "playbooks.file_report")
    assert (leaf["details"]["duty"], leaf["details"]["reference"]) == ("first_report", "第 7 号")
    with pytest.raises(DutyFiled):
        home.services.filings.file_report(ANALYST, incident, NewFiling("first_report"))
    assert clocks(home, incident)["first_report"].filed_at == filed.filed_at


def test_a_report_filed_after_its_end_is_late_for_good(home: House) -> None:
    incident = open_one(home)
    home.clock.advance(4 * 3_600 + 1)
    home.services.filings.file_report(ANALYST, incident, NewFiling("first_report"))
    first = clocks(home, incident)["first_report"]
    assert (first.overdue, first.late) == (False, True)


@pytest.mark.parametrize(
    ("kind", "minutes", "to"),
    [
        ("critical", 30, ("国家网信部门", "国务院公安部门")),
        ("state", 60, ("国家网信部门",)),
        ("local", 60, ("国家网信部门", "同级有关部门")),
    ],
)
def test_grave_incidents_are_relayed_upward_once_the_first_report_is_in(
    tmp_path: Path, kind: OperatorKind, minutes: int, to: tuple[str, ...]
) -> None:
    with house(tmp_path, options=PlaybooksOptions(operator_kind=kind)) as home:
        incident = open_one(home)
        home.services.incidents.judge_incident(
            ANALYST, incident, Judgement(reporting_level="considerable")
        )
        home.services.filings.file_report(ANALYST, incident, NewFiling("first_report"))
        assert "relay" not in clocks(home, incident)
        home.services.incidents.judge_incident(
            ANALYST, incident, Judgement(reporting_level="major")
        )
        relay = clocks(home, incident)["relay"]
        assert (relay.due_at, relay.to) == (START + minutes * MINUTE, to)
        home.clock.advance(2 * 3_600)
        relay = clocks(home, incident)["relay"]
        assert (bool(relay.by), relay.overdue) == (True, False)
        assert home.services.inbox.warn_of_clocks() == 0


def test_the_24_hours_of_a_defect_run_from_discovery_once_a_person_says_so(home: House) -> None:
    incident = open_one(home)
    home.services.incidents.judge_incident(ANALYST, incident, Judgement(reporting_level="ordinary"))
    assert clocks(home, incident) == {}
    with pytest.raises(DutyAbsent):
        home.services.filings.file_report(ANALYST, incident, NewFiling("defect_report"))
    home.clock.advance(3_600)
    home.services.filings.declare_duty(ANALYST, incident, "defect_report")
    defect = clocks(home, incident)["defect_report"]
    assert (defect.due_at, defect.source) == (START + DAY, "网络数据安全管理条例 第十条")
    with pytest.raises(DutyFiled):
        home.services.filings.declare_duty(ANALYST, incident, "defect_report")
    home.clock.advance(23 * 3_600)
    assert home.services.inbox.warn_of_clocks() == 1
    home.services.filings.file_report(ANALYST, incident, NewFiling("defect_report"))
    assert not clocks(home, incident)["defect_report"].late
    with pytest.raises(DutyFiled):
        home.services.filings.file_report(ANALYST, incident, NewFiling("defect_report"))
    home.clock.advance(3_600)
    assert home.services.inbox.warn_of_clocks() == 0


def test_closing_an_incident_ends_no_duty_of_its_closing_report(home: House) -> None:
    incident = open_one(home)
    home.services.filings.file_report(ANALYST, incident, NewFiling("first_report"))
    handle(home, incident)
    judged = Judgement(category="NAWEBMOD", level="major", cause="弱口令")
    home.services.incidents.judge_incident(ANALYST, incident, judged)
    with pytest.raises(TransitionRefused, match="lessons"):
        home.services.incidents.change_state(ANALYST, incident, "closed")
    home.services.incidents.judge_incident(ANALYST, incident, Judgement(lessons="口令须轮换"))
    home.services.incidents.change_state(ANALYST, incident, "closed")
    home.clock.advance(30 * 86_400 - 1_800)
    assert home.services.inbox.warn_of_clocks() == 1
    home.services.filings.file_report(ANALYST, incident, NewFiling("closing_report"))
    home.clock.advance(3_600)
    assert home.services.inbox.warn_of_clocks() == 0


def test_a_false_alarm_owes_nothing(home: House) -> None:
    incident = open_one(home)
    home.services.incidents.change_state(ANALYST, incident, "closed", StateChange("误报"))
    assert clocks(home, incident) == {}
    home.clock.advance(5 * 3_600)
    assert home.services.inbox.warn_of_clocks() == 0


def test_warnings_repeat_hourly_then_daily_and_end_after_thirty_days(home: House) -> None:
    clock = Clock("first_report", ("x",), START, "y")
    stages = [
        (stage := warning_of(clock, at)) and stage[0]
        for at in (
            START - HOUR,
            START - HOUR + 1,
            START - 1,
            START,
            START + HOUR - 1,
            START + HOUR,
            START + 23 * HOUR,
            START + DAY,
            START + 31 * DAY - 1,
            START + 31 * DAY,
        )
    ]
    assert stages == [
        None,
        "before",
        "before",
        "at",
        "at",
        "after-1h",
        "after-23h",
        "after-1d",
        "after-30d",
        None,
    ]
    open_one(home, title="演习", drill=True)
    home.clock.advance(4 * 3_600)
    sent = 0
    for _ in range(6):
        sent += home.services.inbox.warn_of_clocks() + home.services.inbox.warn_of_clocks()
        home.clock.advance(1_800)
    assert sent == 3
    titles = [
        one.title for one in home.services.inbox.list_notifications(ANALYST, PageRequest(9)).items
    ]
    assert [title.partition(":")[0] for title in titles] == [
        "(演练)法定时限已超时 2 小时",
        "(演练)法定时限已超时 1 小时",
        "(演练)法定时限已到时限",
    ]


@pytest.mark.parametrize(
    "new",
    [
        NewFiling("unknown"),
        NewFiling("first_report", START - 1),
        NewFiling("first_report", START + DAY),
        NewFiling("first_report", None, "x" * 201),
        NewFiling("first_report", None, "", "x" * 201),
    ],
)
def test_what_can_not_have_been_sent_is_not_filed(home: House, new: NewFiling) -> None:
    incident = open_one(home)
    home.clock.advance(60)
    with pytest.raises(Invalid):
        home.services.filings.file_report(ANALYST, incident, new)
    assert clocks(home, incident)["first_report"].filed_at is None


def test_only_who_works_on_incidents_of_the_organisation_files(home: House) -> None:
    incident, service = open_one(home), home.services.filings
    for actor in (AUDITOR, APPROVER):
        with pytest.raises(Forbidden):
            service.file_report(actor, incident, NewFiling("first_report"))
        with pytest.raises(Forbidden):
            service.declare_duty(actor, incident, "defect_report")
    stranger = person("sun", "analyst", "org_other")
    with pytest.raises(IncidentNotFound):
        service.file_report(stranger, incident, NewFiling("first_report"))
    with pytest.raises(IncidentNotFound):
        service.declare_duty(stranger, incident, "defect_report")
    with pytest.raises(Invalid):
        service.declare_duty(ANALYST, incident, "first_report")
