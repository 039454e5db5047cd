"""The routes of detection, handler by handler, over a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from detectors.api.alerts import alert_routes
from detectors.api.rules import rule_routes
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid, NotFound
from secops.web.messages import Request
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    detection_house,
    own_rules,
)
from tests.functional.test_detector_runs import ROOT_LOGIN, drain, failure

Ask = Callable[..., Any]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DetectionHouse]:
    rules = own_rules("ssh_brute_force", "ssh_root_sign_in", "platform_role_changed")
    with detection_house(tmp_path, rules) as opened:
        opened.store([*(failure(second) for second in range(6)), ROOT_LOGIN])
        yield opened


@pytest.fixture
def ask(house: DetectionHouse) -> Ask:
    routes = {
        route.operation: route
        for route in (
            *alert_routes(house.alerts),
            *rule_routes(house.rules, house.runs, house.reports),
        )
    }

    def asked(
        operation: str, query: str = "", body: Any = None, actor: Actor = ANALYST, **args: str
    ) -> Any:
        route = routes[operation]
        request = Request(
            route.method,
            route.path,
            query,
            body=orjson.dumps(body) if body is not None else b"",
            args=args,
            actor=actor,
        )
        return orjson.loads(route.handler(request).body)

    return asked


def test_alerts_are_listed_shown_and_closed(house: DetectionHouse, ask: Ask) -> None:
    drain(house)
    page = ask("list_alerts", "limit=1&status=open")
    assert len(page["items"]) == 1
    rest = ask("list_alerts", f"cursor={page['next']}")
    assert rest["next"] is None
    alert_id = page["items"][0]["id"]
    assert ask("show_alert", alert_id=alert_id)["lines"][0]["raw"] == ROOT_LOGIN
    closed = ask("close_alert", body={"reason": "planned"}, alert_id=alert_id)
    assert (closed["status"], closed["close_reason"]) == ("closed", "planned")
    assert closed["closed_at"] is not None
    assert ask("list_alerts", "status=closed")["items"][0]["id"] == alert_id
    subject = ask("list_alerts", "subject=address:203.0.113.7&severity=high")
    assert len(subject["items"]) == 1


@pytest.mark.parametrize(
    "query", ["status=new", "severity=grave", "since=now", "limit=0", "cursor=x"]
)
def test_what_is_no_filter_is_refused(ask: Ask, query: str) -> None:
    with pytest.raises(Invalid):
        ask("list_alerts", query)


@pytest.mark.parametrize("body", [{}, {"reason": 5}, {"reason": ""}, {"reason": "x" * 1001}])
def test_closing_wants_a_reason(house: DetectionHouse, ask: Ask, body: Any) -> None:
    drain(house)
    alert_id = ask("list_alerts")["items"][0]["id"]
    with pytest.raises(Invalid):
        ask("close_alert", body=body, alert_id=alert_id)


def test_rules_are_paged_and_switched(ask: Ask) -> None:
    page = ask("list_rules", "limit=2")
    rest = ask("list_rules", f"limit=2&cursor={page['next']}")
    names = [rule["title"] for rule in page["items"] + rest["items"]]
    assert names == sorted(names)
    assert len(names) == 3
    role = next(r for r in page["items"] + rest["items"] if "role" in r["title"])
    assert role["enabled"] is False
    with pytest.raises(Forbidden):
        ask("enable_rule", rule_id=role["id"])
    with pytest.raises(Invalid):
        ask("enable_rule", body={"reason": 7}, actor=SECURITY_ADMIN, rule_id=role["id"])
    enabled = ask(
        "enable_rule", body={"reason": "wanted"}, actor=SECURITY_ADMIN, rule_id=role["id"]
    )
    assert (enabled["enabled"], enabled["decided_by"]) == (True, SECURITY_ADMIN.id)
    assert ask("show_rule", rule_id=role["id"])["enabled"] is True
    off = ask("disable_rule", body={"reason": "noisy"}, actor=SECURITY_ADMIN, rule_id=role["id"])
    assert off["enabled"] is False
    with pytest.raises(NotFound):
        ask("show_rule", rule_id="nothing")


def test_runs_say_what_was_seen_and_what_was_not(ask: Ask) -> None:
    assert len(ask("list_unscanned")["items"]) == 2
    ran = ask("run_detectors")
    assert ran["evaluated"] == {"rules": 2, "events": 7}
    assert ask("list_unscanned")["items"] == []
    page = ask("list_evaluations", "limit=1")
    assert page["items"][0]["last_seq"] == 7
    assert ask("list_evaluations", f"cursor={page['next']}")["next"] is None
