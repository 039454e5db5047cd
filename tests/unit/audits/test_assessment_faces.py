"""Assessments, answers and schedules on the command line and over HTTP: one service each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from audits.api.answers import answer_routes
from audits.api.assessments import assessment_routes
from audits.api.controls import control_routes
from audits.commands import group as audits
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.assessing import AUDITOR, AssessingHouse, assessing_house

WHO = ("--person", "李四", "--reason", "看过现场")
SAID = {"person": "李四", "reason": "看过现场"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AssessingHouse]:
    with assessing_house(tmp_path_factory.mktemp("faces")) as opened:
        opened.services.assessments.assess(AUDITOR, "gbt22239", 3)
        yield opened


class AssessingSession(Session):
    """A session whose house has assessments only."""

    def __init__(self, house: AssessingHouse, home: Path) -> None:
        super().__init__(home, None, lambda _: pytest.fail("the house is opened"))
        self._assessing = house.services

    @property
    def actor(self) -> Actor:
        return AUDITOR

    def services(self, kind: type) -> Any:
        del kind
        return self._assessing


@pytest.fixture
def run(house: AssessingHouse, tmp_path: Path) -> Any:
    def invoke(*words: object) -> str:
        house.clock.advance(1)
        session = AssessingSession(house, tmp_path)
        done = CliRunner().invoke(audits, [str(one) for one in words], obj=session)
        assert (done.exit_code, done.exception) == (0, None), done.output
        return done.stdout or done.stderr

    return invoke


@pytest.fixture
def ask(house: AssessingHouse) -> Any:
    services: Any = house.services
    routes = (
        *answer_routes(services.answers),
        *assessment_routes(services.assessments),
        *control_routes(services),
    )

    def request(operation: str, body: Any = None, query: str = "", **args: str) -> Any:
        house.clock.advance(1)
        route = next(each for each in routes if each.operation == operation)
        content = orjson.dumps(body) if body is not None else b""
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        asked = Request(route.method, route.path, query, headers, content, actor=AUDITOR, args=args)
        answered = route.handler(asked)
        return orjson.loads(answered.body) if answered.body else answered.status

    return request


def test_every_kind_of_answer_is_given_on_the_command_line(run: Any, tmp_path: Path) -> None:
    paper = tmp_path / "certificate.pdf"
    paper.write_bytes(b"%PDF-certificate")
    run("answer-case", "6.4.2.1", "--condition", "--not-triggered", *WHO)
    run("tick-major", "A-01", "--relevant", "--severe", "--not-frequent", *WHO)
    run("tick-major", "L3-PES1-01", "L3-PES1-02", "--relevant", *WHO)
    run("set-high-risk", "L3-PES1-01", *WHO)
    judged = ("--effective", "--approved", "--managed", "--module-level", "2")
    run("judge-unit", "MP-6.1.1", *judged, "--evidence", paper, *WHO)
    listed = orjson.loads(run("list-person-answers", "--limit", "2", "--json"))
    assert [(one["kind"], one["subject"]) for one in listed["items"]] == [
        ("risk", "L3-PES1-01"),
        ("major", "+L3-PES1-01+L3-PES1-02"),
    ]
    rest = run("list-person-answers", "--limit", "9", "--cursor", listed["next"], "--json")
    case = orjson.loads(rest)["items"][-1]
    assert case["answers"] == {
        "condition": True,
        "triggered": False,
        "never": None,
        "mitigated": None,
    }
    (unit,) = orjson.loads(run("list-person-answers", "--standard", "gbt39786", "--json"))["items"]
    assert (unit["answers"]["module_level"], len(unit["evidence"])) == (2, 1)


def test_judgements_assessments_and_schedules_on_the_command_line(run: Any, tmp_path: Path) -> None:
    paper = tmp_path / "acceptance.pdf"
    paper.write_bytes(b"%PDF-acceptance")
    said = run("enter-judgement", "L3-PES1-02", "--status", "compliant", "--evidence", paper, *WHO)
    assert "L3-PES1-02 compliant" in said
    made = orjson.loads(run("assess", "--json"))
    (item,) = [one for one in made["items"] if one["id"] == "L3-PES1-02"]
    assert (item["status"], item["person"]) == ("compliant", "李四")
    first = orjson.loads(run("list-assessments", "--limit", "1", "--json"))
    following = run("list-assessments", "--cursor", first["next"], "--json")
    assert first["items"][0]["id"] == made["id"]
    assert made["id"] not in following
    history = orjson.loads(run("list-history", "L3-PES1-02", "--json"))["items"]
    assert [one["after"] for one in history] == ["compliant", "unassessed"]
    assert orjson.loads(run("list-gaps", "--json"))["items"] == []
    name = run("schedule-assessment", "--level", "3", "--hours", "12").partition(":")[0]
    (scheduled,) = orjson.loads(run("list-schedules", "--json"))["items"]
    assert (scheduled["id"], scheduled["hours"]) == (name, 12)
    run("cancel-schedule", name)
    assert orjson.loads(run("list-schedules", "--json"))["items"] == []


def test_the_same_over_http(ask: Any) -> None:
    made = ask("assess", {"level": 2})
    assert len(made["items"]) == 135
    assert ask("show_assessment", assessment_id=made["id"]) == made
    digest = made["facts"]["iam.users"]
    shown = ask("show_evidence", assessment_id=made["id"], digest=digest)
    assert shown["kind"] == "iam.users"
    assert ask("set_high_risk", {"item": "L3-PES1-03", **SAID})["answers"] == {"high": True}
    page = ask("list_person_answers", query="limit=1")
    assert (page["items"][0]["subject"], len(page["items"])) == ("L3-PES1-03", 1)
    scheduled = ask("schedule_assessment", {"hours": 5})
    assert ask("list_schedules")["items"][0]["id"] == scheduled["id"]
    assert ask("cancel_schedule", schedule_id=scheduled["id"]) == 204
    for body in ({"items": ["L3-PES1-01"] * 501, **SAID}, {"relevant": "yes", **SAID}, {**SAID}):
        with pytest.raises(Invalid):
            ask("tick_major", body)
    missing = {"item": "L3-PES1-01", "status": "compliant", "evidence": "b" * 64, **SAID}
    with pytest.raises(Invalid):
        ask("enter_judgement", missing)
