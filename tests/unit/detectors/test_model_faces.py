"""Models and judged sign-ins over HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from detectors.api.models import model_routes
from detectors.commands.detectors import group
from detectors.models.anomalies import LOGIN_MODEL
from detectors.service import DetectorsServices
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.anomaly_house import AnomalyHouse, anomaly_house, attempts
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN

Ask = Callable[..., Any]
ACTORS = {"analyst": ANALYST, "security-admin": SECURITY_ADMIN}
WHY = ["source.country:4120:0", "agent.browser:2000:1"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnomalyHouse]:
    """A trained home with one sign-in that was stepped up and passed."""
    with anomaly_house(tmp_path_factory.mktemp("faces") / "home") as opened:
        opened.live()
        opened.training.train(system_actor("detectors"), LOGIN_MODEL)
        facts = replace(attempts()[0].facts, at=opened.clock.now() - 1)
        opened.sign_in(facts, "passed", alert=True, risk=998_000, model="mdl_x", why=WHY)
        yield opened


@pytest.fixture
def ask(house: AnomalyHouse) -> Ask:
    routes = {route.operation: route for route in model_routes(house.models)}

    def asked(
        operation: str, query: str = "", body: Any = None, actor: Actor = ANALYST, **args: str
    ) -> Any:
        route = routes[operation]
        content = orjson.dumps(body) if body is not None else b""
        request = Request(route.method, route.path, query, body=content, args=args, actor=actor)
        return orjson.loads(route.handler(request).body)

    return asked


@dataclass
class Opened:
    house: AnomalyHouse

    @property
    def parts(self) -> Parts:
        return self.house.parts

    @property
    def services(self) -> Sequence[object]:
        named: dict[str, Any] = {field.name: None for field in fields(DetectorsServices)}
        return (DetectorsServices(**{**named, "models": self.house.models}),)

    def act_as(self, account: str | None) -> Actor:
        return ACTORS[account or "analyst"]

    def close(self) -> None:
        return


@pytest.fixture
def run(house: AnomalyHouse) -> Callable[..., Result]:
    def invoked(*arguments: str, actor: str = "analyst") -> Result:
        session = Session(house.parts.home, actor, lambda _: Opened(house))
        runner = CliRunner()
        result = runner.invoke(group, list(arguments), obj=session, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return invoked


def test_models_are_listed_and_shown_with_their_cards(ask: Ask) -> None:
    (item,) = ask("list_models")["items"]
    shown = ask("show_model", model_id=item["id"])
    assert shown == item
    assert (shown["kind"], shown["state"], shown["signed_by"]) == ("login", "active", ["fake"])
    assert shown["card"]["events"] > 300
    assert shown["card"]["figures"]["trees"] == 60
    with pytest.raises(NotFound):
        ask("show_model", model_id="mdl_none")


def test_a_training_needs_a_kind_that_there_is(ask: Ask) -> None:
    with pytest.raises(Invalid):
        ask("ask_training", body={}, actor=SECURITY_ADMIN)
    with pytest.raises(NotFound):
        ask("ask_training", body={"kind": "weather"}, actor=SECURITY_ADMIN)
    asked = ask("ask_training", body={"kind": "use"}, actor=SECURITY_ADMIN)
    assert asked == {"kind": "use", "asked": True}


def test_a_risky_sign_in_is_told_with_its_reasons_and_without_an_address(ask: Ask) -> None:
    (login,) = ask("list_logins")["items"]
    assert (login["answer"], login["alert"], login["risk"]) == ("passed", True, 0.998)
    assert login["why"] == WHY
    assert login["session"].startswith("ses_")
    assert attempts()[0].facts.address not in json.dumps(login)
    assert len(ask("list_logins", "all=true")["items"]) == 200


def test_a_judgement_comes_back_as_it_was_given(ask: Ask) -> None:
    body = {"verdict": "bad", "reason": "on leave"}
    said = ask("judge_login", body=body, session_id="ses_1")
    assert (said["session"], said["verdict"], said["by"]) == ("ses_1", "bad", ANALYST.id)
    for wrong in ({}, {"verdict": "ugly", "reason": "x"}, {"verdict": "bad"}):
        with pytest.raises(Invalid):
            ask("judge_login", body=wrong, session_id="ses_1")


def test_the_command_line_says_the_same(run: Callable[..., Result], ask: Ask) -> None:
    listed = json.loads(run("list-models", "--json").stdout)
    assert listed == ask("list_models")
    model = listed["items"][0]["id"]
    assert json.loads(run("show-model", model, "--json").stdout)["id"] == model
    assert json.loads(run("list-logins", "--json").stdout) == ask("list_logins")


def test_people_read_tables(run: Callable[..., Result], ask: Ask) -> None:
    model = ask("list_models")["items"][0]["id"]
    assert model[:8] in run("list-models").stdout.replace("\n", "")
    shown = run("show-model", model).stdout
    assert "learned_after_days" in shown
    assert "passed" in run("list-logins").stdout
    said = run("judge-login", "ses_2", "--good", "--reason", "asked the owner")
    assert "ses_2: good" in said.stderr
    with pytest.raises(Exception, match="--good or --bad"):
        run("judge-login", "ses_2", "--reason", "x")


def test_a_person_trains_a_model_now(run: Callable[..., Result], ask: Ask) -> None:
    made = json.loads(run("train-model", "login", "--json", actor="security-admin").stdout)
    states = {item["id"]: item["state"] for item in ask("list_models")["items"]}
    assert states[made["id"]] == "active"
    assert sorted(states.values()) == ["active", "retired"]
