"""How sources fare: silence raises one alert that ends with the next line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from detectors.commands import logs_group
from detectors.core.events.identity import event_id
from detectors.core.peers import BadPeer, PeerTable, check_peers, choose
from detectors.errors import SourceNotFound
from detectors.models import DetectorsOptions
from detectors.models.alerts import AlertFilter
from detectors.models.logs import LogSource, SourceChanges
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import SECOND, from_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.logs import LogEvent
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.unit.detectors.test_log_api import House

NOW = from_rfc3339("2026-11-23T04:00:00Z")
ADMIN = Actor("account", "sys", ROOT_ORG, "sys", frozenset({"system-admin"}), level=2)
ANALYST = Actor("account", "ana", ROOT_ORG, "ana", frozenset({"analyst"}), level=2)


@dataclass
class Watched:
    spine: Spine
    clock: FakeClock
    services: DetectorsServices

    def speak(self, name: str, text: str, *, late: int = 0) -> None:
        now = self.clock.now()
        raw = text.encode()
        event = LogEvent(event_id(name, raw, 0), name, now - late, now, {}, raw)
        self.services.logs.store.append([event])

    def watch(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        self.services.source_watch.watch()

    def alerts(self, status: str) -> list[str]:
        page = PageRequest(50)
        found = self.services.alerts.list_alerts(ANALYST, AlertFilter(status=status), page)
        return [alert.title for alert in found.items if alert.kind == "health"]

    def record(self, name: str) -> Any:
        views = self.services.source_watch.list_health(ANALYST)
        return next(view.health for view in views if view.name == name)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    home = tmp_path / "home"
    home.mkdir()
    clock = FakeClock(NOW)
    spine = database_spine(home, clock=clock)
    plane = install(spine.parts, DetectorsPorts(), DetectorsOptions())
    assert isinstance(plane.services, DetectorsServices)
    yield Watched(spine, clock, plane.services)
    spine.close()


def source(name: str, **more: Any) -> LogSource:
    return replace(LogSource(name, ROOT_ORG, "syslog", "Asia/Shanghai"), **more)


def test_a_silence_longer_than_expected_is_one_alert_that_ends_with_the_next_line(
    watched: Watched,
) -> None:
    watched.services.sources.add_source(ADMIN, source("fw", expected_silence=60, owner="net team"))
    watched.speak("fw", "hello")
    watched.watch(30)
    assert watched.alerts("open") == []

    for _ in range(3):
        watched.watch(40)
    (title,) = watched.alerts("open")
    assert title.endswith("fw")
    assert watched.record("fw").silent_since == NOW

    watched.speak("fw", "here again")
    watched.watch(10)
    assert (watched.alerts("open"), len(watched.alerts("closed"))) == ([], 1)

    watched.watch(100)
    assert len(watched.alerts("open")) == 1


def test_one_that_never_said_anything_is_silent_from_its_registration(watched: Watched) -> None:
    watched.services.sources.add_source(ADMIN, source("dead", expected_silence=60))
    watched.watch(59)
    assert watched.alerts("open") == []
    watched.watch(2)
    assert len(watched.alerts("open")) == 1


def test_a_source_that_may_be_silent_or_is_removed_has_no_alert(watched: Watched) -> None:
    sources = watched.services.sources
    sources.add_source(ADMIN, source("free"))
    sources.add_source(ADMIN, source("gone", expected_silence=60))
    sources.add_source(ADMIN, source("eased", expected_silence=60))
    watched.watch(100)
    assert len(watched.alerts("open")) == 2

    sources.remove_source(ADMIN, "gone")
    sources.change_source(ADMIN, "eased", SourceChanges({"expected_silence": None}))
    watched.watch(10)
    assert watched.alerts("open") == []


def test_rate_and_lag_are_those_of_the_last_look(watched: Watched) -> None:
    watched.speak("web", "0")
    watched.watch(10)
    for n in range(1, 6):
        watched.speak("web", str(n), late=3 * SECOND)
    watched.watch(10)
    health = watched.record("web")
    assert (health.events, health.rate) == (6, 30.0)
    assert health.lag > 0


def test_changes_are_checked_and_recorded(watched: Watched) -> None:
    sources = watched.services.sources
    sources.add_source(ADMIN, source("fw"))
    changed = sources.change_source(
        ADMIN, "fw", SourceChanges({"owner": "net", "peers": "10.0.0.0/8, tls:fw"})
    )
    assert (changed.owner, changed.format) == ("net", "syslog")
    assert sources.list_sources(ADMIN)[0].peers == "10.0.0.0/8, tls:fw"
    for bad in (
        {"peers": "10.0.0.1/8"},
        {"peers": "nonsense"},
        {"expected_silence": 1},
        {"owner": "x" * 201},
        {"hosts": "a\x00"},
        {"follow": True},
        {"format": "none"},
    ):
        with pytest.raises(Invalid):
            sources.change_source(ADMIN, "fw", SourceChanges(bad))
    with pytest.raises(SourceNotFound):
        sources.change_source(ADMIN, "other", SourceChanges({"owner": "x"}))
    with pytest.raises(Forbidden):
        sources.change_source(ANALYST, "fw", SourceChanges({"owner": "x"}))


def test_the_narrowest_network_speaks_for_a_source() -> None:
    table = PeerTable(
        [
            source("all", peers="0.0.0.0/0, ::/0"),
            source("net", peers="10.0.0.0/8"),
            source("one", peers="10.1.2.3"),
            source("cert", peers="tls:fw.example"),
        ]
    )

    def found(peer: str, name: str = "") -> str | None:
        chosen = choose(table.candidates(peer, name), "")
        return chosen.name if chosen else None

    assert found("10.1.2.3") == "one"
    assert found("::ffff:10.1.2.3") == "one"
    assert found("10.1.2.4") == "net"
    assert found("192.0.2.1") == "all"
    assert found("2001:db8::1") == "all"
    assert found("10.1.2.3", "FW.example") == "cert"
    assert found("10.1.2.3", "other") == "one"
    assert found("no address") is None
    assert choose((), "gw") is None


def test_peers_are_limited() -> None:
    with pytest.raises(BadPeer):
        check_peers(",".join(f"10.0.{n // 256}.{n % 256}" for n in range(257)))


def test_sources_are_kept_over_http_and_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=FakeClock(NOW))
    house = House(spine, install(spine.parts, DetectorsPorts(), DetectorsOptions()))
    try:
        added = json.dumps({"name": "fw", "peers": "10.1.1.1", "expected_silence": 600}).encode()
        assert house.call("add_source", "system-admin", body=added)[0] == 201
        status, changed = house.call(
            "change_source", "system-admin", body=b'{"owner":"net","path":null}', name="fw"
        )
        assert (status, changed["owner"], changed["expected_silence"]) == (200, "net", 600)
        for bad in (b'{"created_by":"x"}', b'{"follow":"yes"}', b'{"owner":null}'):
            assert house.call("change_source", "system-admin", body=bad, name="fw")[0] == 400
        assert house.call("change_source", "analyst", body=b'{"owner":"x"}', name="fw")[0] == 403

        ran = house.run(
            "change-source", "fw", "--silence", "0", "--hosts", "fw1", who="system-admin"
        )
        assert ran.exit_code == 0, ran.output
        ran = house.run("list-sources", "--json", who="analyst")
        (row,) = json.loads(ran.stdout)["items"]
        assert (row["name"], row["owner"], row["expected_silence"]) == ("fw", "net", None)
        assert house.run("list-sources", who="analyst").exit_code == 0
        assert house.run("change-source", "fw", who="system-admin").exit_code != 0
        status, listed = house.call("list_source_health", "analyst")
        assert (status, [item["name"] for item in listed["items"]]) == (200, ["fw"])
    finally:
        spine.close()
    assert "list-sources" in logs_group.commands
