"""Logs over HTTP and on the command line: the same guard, services and shapes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from detectors.commands.logs import group
from detectors.models import DetectorsOptions
from detectors.plane import install
from detectors.ports import DetectorsPorts
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid, Unauthenticated
from secops.kernel.parts import Parts
from secops.terminal.session import Session
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.messages import Request, Response
from secops.web.routes import Plane
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

NOW = from_rfc3339("2026-11-23T04:00:00Z")
LINE = "Nov 22 17:31:{:02d} gw sshd[42]: Failed password for ann from 10.1.2.{} port 5 ssh2"
ROLES = ("analyst", "system-admin", "auditor", "integrator", "staff")


def actor_of(name: str) -> Actor:
    if name not in ROLES:
        raise Unauthenticated
    return Actor("account", name, "org_root", name, frozenset({name}), level=2)


class Tokens:
    """A token is the account's role."""

    def verify_token(self, token: str) -> Actor:
        return actor_of(token)

    def verify_session(self, cookie: str) -> Actor:
        raise Unauthenticated


@dataclass
class House:
    """An opened home for both faces."""

    spine: Spine
    plane: Plane

    @property
    def parts(self) -> Parts:
        return self.spine.parts

    @property
    def services(self) -> list[object]:
        return [self.plane.services]

    def act_as(self, account: str | None) -> Actor:
        return actor_of(account or "")

    def close(self) -> None:
        pass

    def call(
        self, operation: str, who: str, query: str = "", body: bytes | None = None, **args: str
    ) -> tuple[int, Any]:
        response = self.answer(operation, who, query, body, **args)
        return response.status, json.loads(response.body or b"null")

    def answer(
        self, operation: str, who: str, query: str = "", body: bytes | None = None, **args: str
    ) -> Response:
        routes = {route.operation: route for route in self.plane.routes}
        route = routes[operation]
        headers = {"authorization": f"Bearer {who}", "content-type": "application/json"}
        if body is not None:
            headers["content-length"] = str(len(body))
        request = Request(
            route.method, route.path, query, headers=headers, body=body or b"", args=args
        )
        guard = Guard(Tokens(), self.parts.access, self.parts.clock)
        return Dispatcher(guard, self.parts.trail).answer(request, route)

    def run(self, *arguments: str, who: str = "analyst") -> Result:
        session = Session(Path("unused"), who, lambda _home: self)
        return CliRunner().invoke(group, list(arguments), obj=session)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=FakeClock(NOW))
    yield House(spine, install(spine.parts, DetectorsPorts(), DetectorsOptions()))
    spine.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text("".join(LINE.format(n, n % 3) + "\n" for n in range(5)) + "rubbish\n")
    os.utime(path, (NOW / 1e6, NOW / 1e6))
    return path


def test_pages_of_a_search_join_without_gap(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    seen, cursor = [], ""
    for _ in range(3):
        status, page = house.call("search_logs", "auditor", f"q=source.ip:*&limit=2{cursor}")
        assert status == 200
        seen += [item["fields"]["source.ip"] for item in page["items"]]
        cursor = f"&cursor={page['next']}"

    assert page["next"] is None
    assert seen == [f"10.1.2.{n % 3}" for n in (4, 3, 2, 1, 0)]
    assert house.call("search_logs", "auditor", "cursor=WyJhIl0")[0] == 400
    assert house.call("search_logs", "auditor", "q=x:")[0] == 400
    assert house.call("search_logs", "staff")[0] == 403


def test_one_event_and_counts(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    _, page = house.call("search_logs", "analyst", "limit=1")
    (item,) = page["items"]

    assert house.call("show_event", "analyst", event_id=item["id"]) == (200, item)
    assert house.call("show_event", "analyst", event_id="0" * 64)[0] == 404
    status, counted = house.call("count_logs", "analyst", "by=source.ip&interval=3600")
    assert (status, counted["items"][0]) == (
        200,
        {"key": ["2026-11-22T09:00:00Z", "10.1.2.0"], "count": 2},
    )
    for query in ("by=a,b,c,d", "interval=0", "interval=x"):
        assert house.call("count_logs", "analyst", query)[0] == 400


def test_an_integrator_ships_lines_and_may_not_read_them(house: House) -> None:
    body = (LINE.format(1, 1) + "\nrubbish\n").encode()

    assert house.call("ingest_lines", "integrator", "source=gw&format=sshd", body) == (
        202,
        {"accepted": 1, "rejected": 1},
    )
    assert house.call("ingest_lines", "integrator", "format=sshd", body)[0] == 400
    assert house.call("ingest_lines", "integrator", "source=gw&format=sshd")[0] == 411
    assert house.call("ingest_lines", "auditor", "source=gw", body)[0] == 403
    assert house.call("search_logs", "integrator")[0] == 403


def test_the_system_administrator_keeps_the_sources(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    body = orjson.dumps({"name": "gw", "format": "sshd", "path": "/x", "follow": True})

    assert house.call("add_source", "system-admin", body=body)[0] == 201
    assert house.call("add_source", "system-admin", body=body)[0] == 409
    assert house.call("add_source", "analyst", body=body)[0] == 403
    for bad in (b'{"name": 5}', b'{"name": "x", "created_by": "y"}', b'{"follow": "yes"}', b"[]"):
        assert house.call("add_source", "system-admin", body=bad)[0] == 400
    _, listed = house.call("list_sources", "system-admin")
    assert [(s["name"], s["timezone"]) for s in listed["items"]] == [("gw", "Asia/Shanghai")]
    _, stored = house.call("summarise_sources", "system-admin")
    assert [(s["source"], s["events"]) for s in stored["items"]] == [("auth.log", 5)]
    assert house.call("remove_source", "system-admin", name="gw") == (204, None)
    assert house.call("remove_source", "system-admin", name="gw")[0] == 404


def test_ingest_answers_as_the_interface_says(house: House, log: Path) -> None:
    first = house.run("ingest", str(log), "--json")
    again = house.run("ingest", str(log))

    answer = orjson.loads(first.stdout_bytes)
    assert list(answer) == ["read", "stored", "duplicates", "rejected", "seconds", "rejects_file"]
    assert (answer["read"], answer["stored"], answer["rejected"]) == (6, 5, 1)
    assert Path(answer["rejects_file"]).is_file()
    assert again.stdout == ""
    assert "5 known, 1 refused" in again.stderr


def test_search_prints_json_lines_or_raw_lines(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    lines = house.run("search", "source.ip:10.1.2.1", "--json", "--limit", "5")
    plain = house.run("search", "*", "--since", "2026-11-22", "--until", "2026-11-22")

    items = [orjson.loads(line) for line in lines.stdout_bytes.splitlines()]
    assert [item["fields"]["source.ip"] for item in items] == ["10.1.2.1"] * 2
    assert plain.stdout.count("Failed password") == 5
    shown = house.run("show", items[0]["id"])
    assert orjson.loads(shown.stdout_bytes) == items[0]


def test_the_stored_logs_can_be_verified_from_both_faces(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    good = house.run("verify", "--json")
    (path,) = (house.parts.home / "segments").glob("*/*.parquet")
    path.write_bytes(path.read_bytes() + b"x")
    bad = house.run("verify")

    assert (good.exit_code, orjson.loads(good.stdout_bytes)["events"]) == (0, 5)
    assert bad.exit_code == 1
    assert "was changed" in bad.stderr
    status, verdict = house.call("verify_segments", "auditor")
    assert (status, verdict["valid"], len(verdict["bad"])) == (200, False, 1)


def test_sources_are_kept_and_listed_on_the_command_line(house: House, log: Path) -> None:
    house.run("ingest", str(log))
    added = house.run("add-source", "gw", "--path", "/x", who="system-admin")
    listed = house.run("sources", "--json", who="system-admin")
    table = house.run("sources", who="system-admin")

    assert "gw is registered" in added.stderr
    answer = orjson.loads(listed.stdout_bytes)
    assert [s["name"] for s in answer["registered"]] == ["gw"]
    assert [s["source"] for s in answer["stored"]] == ["auth.log"]
    assert "auth.log" in table.stdout
    assert "no longer" in house.run("remove-source", "gw", who="system-admin").stderr


def test_a_file_is_followed_once_from_the_command_line(house: House, log: Path) -> None:
    followed = house.run("follow", str(log), "--once", "--format", "sshd")

    assert f"following {log} as auth.log" in followed.stderr
    assert house.run("search", "*").stdout.count("\n") == 5
    assert isinstance(house.run("follow", str(log), "--format", "evtx").exception, Invalid)


def test_every_command_has_an_example_in_its_help() -> None:
    for name, command in group.commands.items():
        assert "Example: secops logs" in (command.help or ""), name
