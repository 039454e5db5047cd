"""Triage on the command line and over HTTP: the same services, the same JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from detectors.api.triage import TriageServices, triage_routes
from detectors.commands.detectors import group
from detectors.service import DetectorsServices
from detectors.service.rules.exceptions import ExceptionService
from detectors.service.rules.forecast import ForecastService
from detectors.service.triage.entities import EntityService
from detectors.service.triage.suppression import SuppressionService
from detectors.store.alerts import DatabaseAlerts
from detectors.store.risks import DatabaseRisks
from detectors.store.triage import DatabaseExceptions, DatabaseSuppressions
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    detection_house,
    own_rule,
    own_rules,
)

LINE = (
    "Nov 22 {hour:02d}:00:00 web sshd[9]: Accepted publickey for root from 198.51.100.9 port 5 ssh2"
)
ACTORS = {"analyst": ANALYST, "security-admin": SECURITY_ADMIN}


@dataclass(frozen=True, slots=True)
class Opened:
    """A home as commands see it."""

    kept: DetectorsServices

    @property
    def services(self) -> tuple[DetectorsServices]:
        return (self.kept,)

    def act_as(self, account: str | None) -> Actor:
        return ACTORS[account or "analyst"]

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Faces:
    house: DetectionHouse
    services: DetectorsServices

    @property
    def rule_id(self) -> str:
        return self.house.rules.library().detectors[0].header.id

    def see(self, *hours: int) -> None:
        self.house.store([LINE.format(hour=hour) for hour in hours])
        while self.house.runs.tick():
            pass

    def say(self, *words: str, actor: str = "analyst") -> Result:
        session = Session(Path("/nonexistent"), actor, lambda _: Opened(self.services))  # type: ignore[arg-type, return-value]
        result = CliRunner().invoke(group, list(words), obj=session, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    def json(self, *words: str) -> Any:
        return orjson.loads(self.say(*words, "--json").stdout)

    def ask(self, operation: str, body: Any = None, actor: Actor = ANALYST, **args: str) -> Any:
        services = self.services
        routes = triage_routes(
            TriageServices(
                services.reports,
                services.forecasts,
                services.exceptions,
                services.suppressions,
                services.entities,
            )
        )
        route = next(each for each in routes if each.operation == operation)
        content = orjson.dumps(body) if body is not None else b""
        query = args.pop("query", "")
        request = Request(route.method, route.path, query, body=content, args=args, actor=actor)
        return orjson.loads(route.handler(request).body)


@pytest.fixture
def faces(tmp_path: Path) -> Iterator[Faces]:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        parts, alerts = house.spine.parts, DatabaseAlerts()
        kept: dict[str, Any] = {field.name: None for field in fields(DetectorsServices)}
        kept |= {
            "rules": house.rules,
            "runs": house.runs,
            "alerts": house.alerts,
            "reports": house.reports,
            "forecasts": ForecastService(parts, house.logs, house.rules),
            "exceptions": ExceptionService(parts, DatabaseExceptions(), house.rules),
            "suppressions": SuppressionService(parts, DatabaseSuppressions(), alerts, house.rules),
            "entities": EntityService(parts, DatabaseRisks(), alerts),
        }
        yield Faces(house, DetectorsServices(**kept))


def test_a_rules_state_of_affairs_is_the_same_on_both_faces(faces: Faces) -> None:
    faces.see(2, 3)
    shown = faces.json("show-rule", faces.rule_id)
    assert shown == faces.ask("report_rule", rule_id=faces.rule_id)
    assert (shown["events"], shown["problems"], shown["gaps"]) == (2, [], [])
    assert faces.json("report-rules")["items"] == faces.ask("report_rules")["items"] == [shown]
    assert "fields missing: none" in faces.say("show-rule", faces.rule_id).output
    assert "Rules" in faces.say("report-rules").output


def test_a_forecast_of_a_file_and_of_an_id_agree(faces: Faces) -> None:
    faces.house.store([LINE.format(hour=hour) for hour in range(2, 7)])
    by_file = faces.json("forecast", str(own_rule("ssh_root_sign_in")))["items"][0]
    by_id = faces.json("forecast", faces.rule_id)["items"][0]
    over_http = faces.ask("forecast_rule", rule_id=faces.rule_id)
    for each in (by_file, by_id, over_http):
        each.pop("cost")
    assert by_file == by_id == over_http
    assert (by_id["alerts"], by_id["alerts_per_day"]["mean"]) == (5, 5.0)
    assert "5.0 alerts a day" in faces.say("forecast", faces.rule_id).output
    with pytest.raises(Invalid):
        faces.say("forecast", faces.rule_id, "--since", "yesterday")
    with pytest.raises(Invalid):
        faces.ask("forecast_rule", rule_id=faces.rule_id, query="since=yesterday")


def test_an_exception_is_asked_for_granted_and_ended(faces: Faces) -> None:
    condition = '{"source.ip": "198.51.100.9"}'
    words = ("--owner", "ops", "--reason", "scanner", "--rule", faces.rule_id)
    faces.say("request-exception", condition, *words)
    (asked,) = faces.json("list-exceptions")["items"]
    assert (asked["state"], asked["condition"]) == ("pending", {"source.ip": "198.51.100.9"})
    grant = ("decide-exception", asked["id"], "--grant", "--reason", "seen")
    assert "active" in faces.say(*grant, actor="security-admin").output
    faces.see(2)
    (held,) = faces.ask("list_exceptions")["items"]
    assert (held["state"], held["hits"]) == ("active", 1)
    assert "revoked" in faces.say("revoke-exception", asked["id"], "--reason", "gone").output
    for bad in ("not json", '["a"]'):
        with pytest.raises(Invalid):
            faces.say("request-exception", bad, *words)
    assert "revoked" in faces.say("list-exceptions").output


def test_an_exception_goes_the_same_way_over_http(faces: Faces) -> None:
    body = {"rule_id": "*", "condition": {"a": "b"}, "owner": "o", "reason": "r", "days": 3}
    asked = faces.ask("request_exception", body)
    decision = {"grant": False, "reason": "too wide"}
    decided = faces.ask("decide_exception", decision, SECURITY_ADMIN, exception_id=asked["id"])
    assert decided["state"] == "rejected"
    other = faces.ask("request_exception", body)
    ended = faces.ask("revoke_exception", {"reason": "no need"}, exception_id=other["id"])
    assert ended["state"] == "revoked"


def test_a_suppression_is_added_seen_and_lifted(faces: Faces) -> None:
    faces.say(
        "add-suppression", "--by", "source.ip", "--window", "86400", "--owner", "o", "--reason", "r"
    )
    faces.see(2, 3, 4)
    (found,) = faces.json("list-suppressions")["items"]
    shown = faces.json("show-suppression", found["id"])
    assert shown == faces.ask("show_suppression", suppression_id=found["id"])
    assert [each["count"] for each in shown["groups"]] == [2]
    assert "active" in faces.say("list-suppressions").output
    assert "Kept quiet" in faces.say("show-suppression", found["id"]).output
    lifted = faces.say("lift-suppression", found["id"], "--reason", "known no more")
    assert "2 alerts raised" in lifted.output
    body = {"rule_id": "*", "by": ["user.name"], "window_seconds": 60, "days": 1}
    added = faces.ask("add_suppression", {**body, "owner": "o", "reason": "r"})
    reason = {"reason": "r"}
    assert faces.ask("lift_suppression", reason, suppression_id=added["id"]) == {"raised": 0}
    assert len(faces.ask("list_suppressions")["items"]) == 2


def test_entities_show_their_risk_and_its_history(faces: Faces) -> None:
    faces.see(2)
    listed = faces.json("list-entities")["items"]
    assert listed == faces.ask("list_entities")["items"]
    assert {each["entity"]: each["risk"] for each in listed}["account:root"] == 40
    words = ("set-criticality", "account:root", "2", "--reason", "it is root")
    assert "risk 64" in faces.say(*words, actor="security-admin").output
    shown = faces.json("show-entity", "account:root")
    assert shown == faces.ask("show_entity", entity="account:root")
    assert [point["risk"] for point in shown["history"]][-1] == 64
    assert "criticality 2.0" in faces.say("show-entity", "account:root").output
    assert "account:root" in faces.say("list-entities").output
    body = {"criticality": 1, "reason": "r"}
    assert faces.ask("set_criticality", body, SECURITY_ADMIN, entity="account:root")["risk"] == 40


@pytest.mark.parametrize(
    ("operation", "body", "args"),
    [
        ("request_exception", {"condition": "x"}, {}),
        ("request_exception", {"condition": {}, "rule_id": 1}, {}),
        ("decide_exception", {"grant": "yes"}, {"exception_id": "e"}),
        ("add_suppression", {"by": "source.ip"}, {}),
        (
            "add_suppression",
            {"by": ["source.ip"], "rule_id": "*", "window_seconds": True},
            {},
        ),
        ("set_criticality", {"criticality": "2"}, {"entity": "account:a"}),
    ],
)
def test_bodies_of_another_shape_are_refused(
    faces: Faces, operation: str, body: Any, args: dict[str, str]
) -> None:
    ask: Callable[..., Any] = faces.ask
    with pytest.raises(Invalid):
        ask(operation, body, SECURITY_ADMIN, **args)
