"""Channels, duty and drills over HTTP and on the command line: the same use cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from playbooks.api import routes
from playbooks.commands import group
from playbooks.errors.drills import DrillInvalid
from playbooks.errors.duty import RosterInvalid
from playbooks.service.drills.documents import entered_plan
from playbooks.service.duty.documents import roster_draft
from playbooks.service.notifications.documents import clock_text, quiet_hours
from secops.kernel.actors import Actor
from secops.kernel.clock import HOUR, to_rfc3339
from secops.kernel.errors import Invalid
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.fakes.playbooks_house import ANALYST, APPROVER, House, OpenedHouse, house, person

ADMIN = person("li", "system-admin")
CANARY = "canary-90d1"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.containment.add("acc_wang", "wang")
        opened.containment.add("acc_zhao", "zhao")
        yield opened


class Caller:
    """Asks the plane's routes as the gateway does."""

    def __init__(self, home: House) -> None:
        self._routes = {route.operation: route for route in routes(home.services)}
        self.status = 0

    def __call__(self, actor: Actor, operation: str, body: Any = None, **values: str) -> Any:
        query = "&".join(f"{k[2:]}={v}" for k, v in values.items() if k.startswith("q_"))
        args = {k: v for k, v in values.items() if not k.startswith("q_")}
        content = b"" if body is None else json.dumps(body).encode()
        request = Request("GET", "/", query, {}, content, args, actor=actor)
        answer = self._routes[operation].handler(request)
        self.status = answer.status
        return json.loads(answer.body) if answer.body else None


@pytest.fixture
def call(home: House) -> Caller:
    return Caller(home)


def channel(call: Caller) -> dict[str, Any]:
    body = {"name": "soc", "kind": "generic", "url": f"https://h.example/{CANARY}", "secret": "s"}
    made: dict[str, Any] = call(ADMIN, "create_channel", body)
    return made


def test_channels_messages_and_subscriptions_over_http(call: Caller, home: House) -> None:
    made = channel(call)
    assert (call.status, made["hint"]) == (201, "h.example")
    assert CANARY not in json.dumps(made)
    one = {"channel_id": made["id"]}
    body = {"name": "soc-2", "kind": "generic", "url": "https://h2.example/", "version": 1}
    assert call(ADMIN, "change_channel", body, **one)["version"] == 2
    assert call(ADMIN, "test_channel", **one)["state"] == "queued"
    assert call(ADMIN, "switch_channel", {"enabled": False, "version": 2}, **one)["version"] == 3
    home.services.notifications.delivery.deliver()
    [stuck] = call(ADMIN, "list_messages", q_state="stuck")["items"]
    assert stuck["trouble"] == "playbooks.channel_disabled"
    message = {"message_id": stuck["id"]}
    assert call(ADMIN, "resend_message", {"reason": "x"}, **message)["state"] == "queued"
    home.services.notifications.delivery.deliver()
    assert call(ADMIN, "drop_message", {"reason": "x"}, **message)["state"] == "dropped"
    assert [each["name"] for each in call(ANALYST, "list_channels")["items"]] == ["soc-2"]
    wanted = {"event": "alert", "target": f"channel:{made['id']}", "quiet": "22:00-07:30"}
    told = call(APPROVER, "subscribe", wanted)
    assert told["quiet"] == "22:00-07:30"
    assert call(ANALYST, "list_subscriptions")["items"] == [told]
    assert call(APPROVER, "unsubscribe", subscription_id=told["id"]) is None
    assert call.status == 204
    with pytest.raises(Invalid):
        call(ADMIN, "create_channel", {"name": "x", "kind": "smtp", "to": [1]})


def test_duty_over_http(call: Caller, home: House) -> None:
    channel(call)
    draft = {"name": "soc", "members": ["wang=soc", "zhao=soc"], "leads": ["zhao"]}
    made = call(APPROVER, "create_roster", {**draft, "policy": ["primary+0", "all+5"]})
    assert made["policy"] == ["primary+0", "all+5"]
    roster = {"roster_id": made["id"]}
    assert call(APPROVER, "change_roster", {**draft, "version": 1}, **roster)["version"] == 2
    now = home.clock.now()
    new = {"starts_at": to_rfc3339(now), "ends_at": to_rfc3339(now + HOUR), "primary": "wang"}
    shift = call(APPROVER, "add_shift", new, **roster)
    assert call(ANALYST, "show_roster", **roster)["on_duty"]["primary_id"] == "acc_wang"
    with pytest.raises(Invalid):
        call(APPROVER, "add_shift", {**new, "starts_at": "now"}, **roster)
    asked = {"place": "primary", "other": "zhao"}
    swap = call(ANALYST, "ask_swap", asked, shift_id=shift["id"])
    assert call(APPROVER, "answer_swap", {"agree": True}, swap_id=swap["id"])["state"] == "agreed"
    [view] = call(ANALYST, "who_is_on_duty")["items"]
    assert view["on_duty"]["primary_id"] == "acc_zhao"
    assert view["holes"] != []
    assert call(APPROVER, "remove_shift", shift_id=shift["id"]) is None
    assert call(ANALYST, "list_escalations") == {"items": [], "next": None}


def test_a_drill_over_http(call: Caller) -> None:
    drill = call(ANALYST, "plan_drill", {"title": "x", "alerts": ["high:y"]})
    one = {"drill_id": drill["id"]}
    decision = {"grant": True, "plan_sha256": drill["plan_sha256"]}
    assert call(APPROVER, "approve_drill", decision, **one)["state"] == "approved"
    assert call(ANALYST, "start_drill", **one)["state"] == "running"
    assert call(ANALYST, "note_drill", {"text": "z", "finding": True}, **one) is None
    assert call(ANALYST, "end_drill", **one)["state"] == "ended"
    assert call(ANALYST, "report_drill", **one)["findings"] == ["z"]
    assert [each["state"] for each in call(ANALYST, "list_drills")["items"]] == ["ended"]


def test_all_of_it_on_the_command_line(home: House, tmp_path: Path) -> None:
    actors = {"li": ADMIN, "zhao": APPROVER, "wang": ANALYST}

    def run(actor: str, *arguments: str) -> str:
        session = Session(tmp_path, actor, lambda _: OpenedHouse(home, actors))
        result = CliRunner().invoke(group, arguments, obj=session)
        if result.exception is not None:
            raise AssertionError(result.output) from result.exception
        return result.stdout

    def first(text: str) -> str:
        return text.split(maxsplit=1)[0]

    address = tmp_path / "robot.url"
    address.write_text(f"https://h.example/{CANARY}\n")
    options = ("--kind", "generic", "--url-file", str(address))
    made = json.loads(run("li", "create-channel", "soc", *options, "--json"))["id"]
    run("li", "test-channel", made)
    assert CANARY not in run("wang", "list-channels", "--json")
    changed = ("--name", "soc", *options, "--version", "1")
    assert run("li", "change-channel", made, *changed) == f"{made} 2\n"
    run("li", "switch-channel", made, "off", "--version", "2")
    home.services.notifications.delivery.deliver()
    listed = json.loads(run("wang", "list-messages", "--state", "stuck", "--json"))["items"]
    run("wang", "resend-message", listed[0]["id"], "--reason", "x")
    home.services.notifications.delivery.deliver()
    assert "dropped" in run("li", "drop-message", listed[0]["id"], "--reason", "x")
    roster = first(
        run("zhao", "create-roster", "soc", "--member", "wang=soc", "--member", "zhao=soc")
    )
    run("zhao", "change-roster", roster, "--name", "b", "--member", "wang=soc", "--version", "1")
    told = first(run("zhao", "subscribe", "clock", f"roster:{roster}", "--quiet", "22:00-07:00"))
    assert "22:00-07:00" in run("wang", "list-subscriptions", "--json")
    run("zhao", "unsubscribe", told)
    now = home.clock.now()
    window = ("--from", to_rfc3339(now), "--to", to_rfc3339(now + HOUR))
    shift = first(run("zhao", "add-shift", roster, *window, "--primary", "wang"))
    assert json.loads(run("wang", "show-roster", roster))["on_duty"]["id"] == shift
    assert json.loads(run("wang", "who-is-on-duty", "--json"))["items"][0]["holes"] != []
    assert "acc_wang" in run("wang", "who-is-on-duty")
    run("zhao", "remove-shift", shift)
    assert json.loads(run("wang", "list-escalations", "--json"))["items"] == []
    planned = run("wang", "plan-drill", "x", "--alert", "high:y").split()
    run("zhao", "approve-drill", planned[0], "--plan", planned[1])
    run("wang", "start-drill", planned[0])
    run("wang", "note-drill", planned[0], "z", "--finding")
    run("wang", "end-drill", planned[0])
    assert json.loads(run("wang", "report-drill", planned[0]))["findings"] == ["z"]
    assert planned[0] in run("wang", "list-drills", "--json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 0)),
        ("22:00-07:30", (1_320, 450)),
        ("25:00-07:00", (1_500, 420)),
        ("7-8", (-1, -1)),
        ("07:60-08:00", (-1, 480)),
        ("x", (-1, -1)),
    ],
)
def test_quiet_hours_are_read_and_what_is_none_stays_out_of_range(
    text: str, expected: tuple[int, int]
) -> None:
    assert quiet_hours(text) == expected
    assert clock_text(450) == "07:30"


@pytest.mark.parametrize(
    ("members", "leads", "steps"),
    [
        (["wang"], [], []),
        (["=x"], [], []),
        (["wang=x"], ["sun"], []),
        (["wang=x"], [], ["primary"]),
        (["wang=x"], [], ["primary+x"]),
        (["wang=x"] * 201, [], []),
    ],
)
def test_a_roster_that_is_written_wrongly_is_refused(
    members: list[str], leads: list[str], steps: list[str]
) -> None:
    with pytest.raises(RosterInvalid):
        roster_draft("soc", members, leads, steps)


@pytest.mark.parametrize("alerts", [["x"], ["low:y"] * 51])
def test_a_drills_alerts_are_severity_and_title(alerts: list[str]) -> None:
    with pytest.raises(DrillInvalid):
        entered_plan("t", "", alerts, ())
