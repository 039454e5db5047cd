"""Audit records one by one over syslog: joined by their event, but never waited for too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from detectors.core.formats.audit_events import MAX_RECORDS
from detectors.core.formats.audit_live import MAX_WAITING, WAIT, Gatherer, Waiting
from detectors.errors import LogStoreUnavailable
from detectors.models import DetectorsOptions
from detectors.models.listening import Heard
from detectors.models.logs import LogSource
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.logs.listening import SyslogIntake
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import SECOND, from_rfc3339
from secops.kernel.logs import And, LogEvent, Window
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import person
from tests.fakes.parts import database_spine
from tests.unit.detectors.test_audit_events import execution, record

NOW = from_rfc3339("2026-11-23T04:00:00Z")
PEER = "10.1.1.1"


def heard(text: str, at: int = NOW, peer: str = PEER) -> Heard:
    return Heard(peer, f"<13>Nov 23 12:00:00 gw audispd: {text}".encode(), at, "udp")


class House:
    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.clock = FakeClock(NOW)
        self.spine = database_spine(home, clock=self.clock)
        plane = install(self.spine.parts, DetectorsPorts(), DetectorsOptions())
        assert isinstance(plane.services, DetectorsServices)
        self.services = plane.services
        self.jobs = {job.name: job.tick for job in plane.jobs}
        base = LogSource("gw", ROOT_ORG, "auditd", "Asia/Shanghai")
        source = replace(base, peers=f"{PEER}, 10.1.1.2")
        self.services.sources.add_source(person("system-admin"), source)

    @property
    def intake(self) -> SyslogIntake:
        return self.services.listening.intake

    def stored(self) -> list[LogEvent]:
        while self.jobs["detectors.store_logs"]():
            pass
        found = self.services.logs.store.search(And(()), Window(), 1_000)
        return [each.event for each in found]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path / "home")
    yield opened
    opened.spine.close()


def test_records_that_come_one_by_one_are_one_event(house: House) -> None:
    texts = execution(7, '"sh"', '"-c"', '"id"', exe="/bin/sh")
    kept = [house.intake.take([heard(text)]) for text in texts]
    assert kept == [0, 0, 0, 0, 0, 6], "durable when the event is whole"
    assert house.intake.waiting() == 0
    (event,) = house.stored()
    assert event.raw.splitlines() == [heard(text).raw for text in texts]
    wanted = {
        "process.command_line": "sh -c id",
        "process.executable": "/bin/sh",
        "event.category": "process",
        "event.type": "start",
        "host.name": "gw",
        "log.source.address": PEER,
        "event.module": "auditd",
    }
    assert {name: event.fields.get(name) for name in wanted} == wanted


def test_events_that_weave_and_peers_that_count_alike_stay_apart(house: House) -> None:
    first, second = execution(7, '"a"'), execution(8, '"b"')
    woven = [heard(text) for pair in zip(first, second, strict=True) for text in pair]
    other = [heard(text, peer="10.1.1.2") for text in execution(7, '"c"')]
    both = [message for pair in zip(woven[:6], other, strict=True) for message in pair]
    assert house.intake.take([*both, *woven[6:]]) == 18
    lines = [event.fields["process.command_line"] for event in house.stored()]
    assert sorted(map(str, lines)) == ["a", "b", "c"]


def test_what_waits_too_long_is_stored_as_it_is(house: House) -> None:
    syscall, execve, *_ = execution(7, '"a"')
    house.intake.take([heard(syscall), heard(execve)])
    assert (house.intake.overdue(), house.intake.waiting()) == (0, 2)
    house.clock.instant += WAIT + 1
    assert (house.intake.overdue(), house.intake.waiting()) == (2, 0)
    (event,) = house.stored()
    assert event.fields["process.command_line"] == "a"
    assert house.intake.overdue(everything=True) == 0


def test_the_end_of_an_event_is_no_part_of_it_and_no_event(house: House) -> None:
    syscall, execve, *_, title = execution(7, '"a"')
    end = record("EOE", 7, "")
    assert house.intake.take([heard(syscall), heard(execve), heard(end)]) == 3
    assert house.intake.take([heard(syscall), heard(title), heard(end)]) == 3
    assert [len(event.raw.splitlines()) for event in house.stored()] == [2, 2]


def test_what_gives_way_to_others_stays_of_its_own_source(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectors.core.formats.audit_live.MAX_WAITING", 1)
    other = LogSource("gw2", ROOT_ORG, "auditd", "Asia/Shanghai")
    source = replace(other, peers="10.2.2.2")
    house.services.sources.add_source(person("system-admin"), source)
    texts = execution(7, '"a"')[0], execution(8, '"b"')[0]
    house.intake.take([heard(texts[0]), heard(texts[1], peer="10.2.2.2")])
    assert [event.source for event in house.stored()] == ["gw"]


def test_at_the_end_everything_is_stored(house: House) -> None:
    house.intake.take([heard(execution(7, '"a"')[0])])
    assert house.intake.overdue(everything=True) == 1
    assert len(house.stored()) == 1


def test_what_user_programs_write_and_what_is_no_record_waits_for_nothing(house: House) -> None:
    login = record("USER_LOGIN", 9, "pid=1 uid=0 msg='op=login acct=\"root\" res=failed'")
    assert house.intake.take([heard(login), heard("no record")]) == 2
    codes = [event.fields.get("event.code") for event in house.stored()]
    assert sorted(map(str, codes)) == ["None", "USER_LOGIN"]


def test_a_record_that_is_damaged_leaves_each_alone(house: House) -> None:
    syscall, execve, *_, title = execution(7, '"a"')
    assert house.intake.take([heard(syscall), heard(f"odd {execve}"), heard(title)]) == 3
    assert len(house.stored()) == 3


def test_a_failed_batch_changes_nothing_of_what_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = execution(7, '"a"')
    house.intake.take([heard(text) for text in texts[:3]])

    def full(*_: object, **__: object) -> int:
        raise LogStoreUnavailable

    spool = type(house.intake.intake)
    with monkeypatch.context() as patched:
        patched.setattr(spool, "offer", full)
        for _ in range(2):
            with pytest.raises(LogStoreUnavailable):
                house.intake.take([heard(text) for text in texts[3:]])
        assert house.intake.waiting() == 3
    assert house.intake.take([heard(text) for text in texts[3:]]) == 6
    (event,) = house.stored()
    assert len(event.raw.splitlines()) == 6


def test_what_waits_is_bounded() -> None:
    gatherer = Gatherer.on(Waiting())
    for serial in range(MAX_WAITING):
        assert gatherer.feed("s", heard(record("SYSCALL", serial, "a=1"))) == []
    (oldest,) = gatherer.feed("s", heard(record("SYSCALL", MAX_WAITING, "a=1")))
    assert b":0): " in oldest[0].raw
    assert gatherer.left.count == MAX_WAITING
    many = [gatherer.feed("t", heard(record("PATH", 1, "item=0"))) for _ in range(MAX_RECORDS)]
    assert len(many[-1][-1]) == MAX_RECORDS, "an event of endless records is cut"


def test_only_what_is_late_is_over() -> None:
    gatherer = Gatherer.on(Waiting())
    gatherer.feed("s", heard(record("SYSCALL", 1, "a=1"), NOW))
    gatherer.feed("s", heard(record("SYSCALL", 2, "a=1"), NOW + SECOND))
    (over,) = gatherer.overdue(NOW + 1)
    assert over[0].at == NOW
    assert gatherer.left.count == 1
