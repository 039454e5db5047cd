"""Log use cases over the real store and database: ingest, search, sources, following."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest

from detectors.adapters.ownlog import (
    OwnLog,
    OwnLogHandler,
    act_line,
    ecs_line,
    forget_before,
    own_sources,
)
from detectors.errors import (
    BadQuery,
    EventNotFound,
    NothingReadable,
    SourceExists,
    SourceNotFound,
    UnknownFormat,
)
from detectors.models import DetectorsOptions
from detectors.models.logs import IngestOptions, LogSource
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, from_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.logs import Aggregation
from secops.kernel.trail import Act
from secops.web.routes import Plane
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

NOW = from_rfc3339("2026-11-23T04:00:00Z")
SAMPLES = Path(__file__).parents[3] / "samples"
LINE = "Nov 22 17:31:{:02d} gw sshd[42]: Failed password for ann from 10.1.2.{} port 5 ssh2\n"


def actor(*roles: str) -> Actor:
    return Actor("account", "acc_1", "org_1", "ann", frozenset(roles))


ANALYST, SYSTEM, AUDITOR, INTEGRATOR, STAFF = (
    actor(role) for role in ("analyst", "system-admin", "auditor", "integrator", "staff")
)


@dataclass(frozen=True)
class House:
    home: Path
    spine: Spine
    clock: FakeClock
    plane: Plane

    @property
    def services(self) -> DetectorsServices:
        assert isinstance(self.plane.services, DetectorsServices)
        return self.plane.services

    def reopened(self) -> House:
        plane = install(self.spine.parts, DetectorsPorts(), DetectorsOptions(process="again"))
        return replace(self, plane=plane)

    def ingest(self, *paths: Path, **options: object):
        written = IngestOptions(**options)  # type: ignore[arg-type]
        return self.services.logs.ingest_files(ANALYST, [str(p) for p in paths], written)

    def raws(self, query: str = "*") -> list[bytes]:
        found = self.services.logs.search_logs(AUDITOR, query, limit=10_000)
        return [stored.event.raw for stored in reversed(found)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = FakeClock(NOW)
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=clock)
    yield House(home, spine, clock, install(spine.parts, DetectorsPorts(), DetectorsOptions()))
    spine.close()


def written(path: Path, text: str, mode: str = "w") -> Path:
    with path.open(mode) as stream:
        stream.write(text)
    os.utime(path, (NOW / 1e6, NOW / 1e6))
    return path


def test_ingesting_a_file_again_adds_nothing_and_equal_lines_stay_apart(
    house: House, tmp_path: Path
) -> None:
    path = written(tmp_path / "auth.log", LINE.format(1, 1) * 3 + "\n" + LINE.format(2, 2))

    first, second = house.ingest(path), house.ingest(path)

    assert (first.read, first.stored, first.duplicates, first.rejected) == (4, 4, 0, 0)
    assert (second.read, second.stored, second.duplicates, second.rejected) == (4, 0, 4, 0)
    assert len(house.raws()) == 4
    assert house.ingest(path, source="other").stored == 4


def test_a_bad_line_goes_to_the_rejects_file_with_place_and_reason(
    house: House, tmp_path: Path
) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(LINE.format(1, 1).encode() + b"rubbish \xff\n" + LINE.format(2, 2).encode())
    result = house.ingest(path, format="sshd")

    assert (result.stored, result.rejected) == (2, 1)
    assert result.rejects_file is not None
    (reject,) = map(orjson.loads, Path(result.rejects_file).read_bytes().splitlines())
    assert reject == {
        "path": str(path),
        "line": 2,
        "offset": len(LINE.format(1, 1)),
        "length": 9,
        "reason": "not_syslog",
        "detail": "no time and host at its start",
        "raw_base64": "cnViYmlzaCD/",
    }
    assert Path(result.rejects_file).stat().st_mode & 0o77 == 0


def test_folders_are_read_and_what_cannot_be_opened_is_named(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    written(folder / "a.log", LINE.format(1, 1))
    (folder / "b.log").symlink_to(folder / "nowhere")
    result = house.ingest(folder, tmp_path / "gone.log")

    assert (result.read, result.stored, result.rejected) == (2, 1, 1)
    assert house.ingest(written(tmp_path / "empty.log", "")).read == 0


def test_when_nothing_was_readable_that_is_the_answer(house: House, tmp_path: Path) -> None:
    path = written(tmp_path / "x.bin", "\x00\x01\n\x02")

    with pytest.raises(NothingReadable) as caught:
        house.ingest(path)
    assert caught.value.exit_code == 2
    assert Path(str(caught.value.facts["rejects_file"])).exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"format": "xml"}, UnknownFormat),
        ({"timezone": "Mars/Olympus"}, Invalid),
        ({"timezone": "../etc/passwd"}, Invalid),
        ({"encoding": "klingon"}, Invalid),
        ({"encoding": "hex"}, Invalid),
        ({"source": "a\nb"}, Invalid),
        ({"source": ""}, None),
    ],
)
def test_options_are_checked(
    house: House, tmp_path: Path, options: dict[str, str], error: type[Exception] | None
) -> None:
    path = written(tmp_path / "a.log", LINE.format(1, 1))
    if error is None:
        assert house.ingest(path, **options).stored == 1
        return
    with pytest.raises(error):
        house.ingest(path, **options)


def test_the_recorded_samples_are_stored_and_found(house: House) -> None:
    progress: list[int] = []
    result = house.services.logs.ingest_files(
        ANALYST, [str(SAMPLES / "sshd.log")], IngestOptions(), progress=progress.append
    )

    assert result.stored == 235
    assert sum(progress) == (SAMPLES / "sshd.log").stat().st_size
    assert len(house.raws("source.ip:127.0.0.66 AND event.action:ssh_login")) == 22
    counted = house.services.logs.count_logs(
        AUDITOR, "event.action:ssh_login", Aggregation(("event.outcome",))
    )
    assert {bucket.key[0]: bucket.count for bucket in counted}["failure"] > 21


def test_everybody_may_only_do_what_is_theirs(house: House, tmp_path: Path) -> None:
    logs, sources = house.services.logs, house.services.sources
    path = str(written(tmp_path / "a.log", LINE.format(1, 1)))
    source = LogSource("a", "org_1", "auto", "UTC", "internal")
    for attempt in (
        lambda: logs.ingest_files(AUDITOR, [path], IngestOptions()),
        lambda: logs.ingest_lines(SYSTEM, "a", b"x", IngestOptions()),
        lambda: logs.search_logs(SYSTEM, "*"),
        lambda: logs.count_logs(STAFF, "*", Aggregation()),
        lambda: logs.show_event(STAFF, "0" * 64),
        lambda: logs.summarise_sources(STAFF),
        lambda: sources.add_source(ANALYST, source),
        lambda: sources.remove_source(ANALYST, "a"),
        lambda: sources.list_sources(STAFF),
        lambda: house.services.follower.follow_file(SYSTEM, source),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_windows_limits_and_unknown_events(house: House, tmp_path: Path) -> None:
    house.ingest(written(tmp_path / "a.log", LINE.format(1, 1) + LINE.format(30, 2)))
    logs = house.services.logs

    def count(since: str | None, until: str | None) -> int:
        return len(logs.search_logs(ANALYST, "*", window=(since, until)))

    assert count(None, None) == 2
    assert count("2026-11-22T17:31:30", None) == 1
    assert count(None, "2026-11-22T17:31:30") == 1
    assert count("2026-11-22", "2026-11-22") == 2
    assert count("now-1h", "now") == 0
    with pytest.raises(BadQuery):
        count("now", "now-1h")
    with pytest.raises(Invalid):
        logs.search_logs(ANALYST, "*", limit=0)
    with pytest.raises(EventNotFound):
        logs.show_event(ANALYST, "0" * 64)
    (newest, _) = logs.search_logs(ANALYST, "*")
    assert logs.show_event(ANALYST, newest.event.id) == newest


def test_sent_batches_are_durable_and_a_repeat_adds_nothing(house: House) -> None:
    logs = house.services.logs
    body = (LINE.format(1, 1) * 2 + "rubbish\n").encode()
    for batch in ("", "", "2"):
        accepted = logs.ingest_lines(
            INTEGRATOR, "gw", body, IngestOptions("x", "sshd"), batch=batch
        )
        assert (accepted.accepted, accepted.rejected) == (2, 1)
    logs.ingest_lines(INTEGRATOR, "gw", b"rubbish", IngestOptions(format="sshd"))
    assert house.raws() == []

    jobs = {job.name: job for job in house.plane.jobs}
    assert jobs["detectors.store_logs"].tick() is False
    assert len(house.raws()) == 4
    logs.close()


def test_retention_drops_old_days_and_says_so_in_the_ledger(house: House, tmp_path: Path) -> None:
    house.ingest(written(tmp_path / "a.log", LINE.format(1, 1)))
    jobs = {job.name: job for job in house.plane.jobs}

    jobs["detectors.log_retention"].tick()
    assert len(house.raws()) == 1
    house.clock.advance(201 * 86_400)
    jobs["detectors.log_retention"].tick()
    assert house.raws() == []


def test_sources_are_registered_once_listed_and_forgotten(house: House) -> None:
    sources = house.services.sources
    source = LogSource("auth", "ignored", "sshd", "Asia/Shanghai")
    kept = sources.add_source(SYSTEM, source)

    assert (kept.org_id, kept.created_by, kept.created_at) == ("org_1", "acc_1", NOW)
    assert sources.list_sources(SYSTEM) == [kept]
    with pytest.raises(SourceExists):
        sources.add_source(SYSTEM, source)
    sources.remove_source(SYSTEM, "auth")
    with pytest.raises(SourceNotFound):
        sources.remove_source(SYSTEM, "auth")
    assert sources.list_sources(SYSTEM) == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"timezone": "x"},
        {"encoding": "x"},
        {"format": "x"},
        {"format": "evtx", "follow": True, "path": "/x"},
        {"follow": True},
        {"path": "/x\0"},
        {"path": "/x", "follow": True, "encoding": "utf_16"},
    ],
)
def test_a_source_that_makes_no_sense_is_refused(house: House, change: dict[str, object]) -> None:
    source = LogSource("auth", "org_1", "sshd", "Asia/Shanghai")

    with pytest.raises(Invalid):
        house.services.sources.add_source(SYSTEM, replace(source, **change))  # type: ignore[arg-type]


class TestFollowing:
    def source(self, path: Path, **more: object) -> LogSource:
        plain = LogSource("auth", "org_1", "sshd", "Asia/Shanghai", str(path))
        return replace(plain, **more)  # type: ignore[arg-type]

    def drain(self, house: House, source: LogSource) -> None:
        while house.services.follower.follow_file(ANALYST, source):
            pass

    def test_only_whole_new_lines_are_read(self, house: House, tmp_path: Path) -> None:
        path = written(tmp_path / "auth.log", LINE.format(1, 1) + "Nov 22 17:31:02 gw ss")
        source = self.source(path)
        self.drain(house, source)
        assert len(house.raws()) == 1

        written(path, "hd: ok\n" + LINE.format(3, 3), "a")
        self.drain(house.reopened(), source)
        self.drain(house, source)
        assert [raw[:30] for raw in house.raws()] == [
            b"Nov 22 17:31:01 gw sshd[42]: F",
            b"Nov 22 17:31:02 gw sshd: ok",
            b"Nov 22 17:31:03 gw sshd[42]: F",
        ]

    def test_equal_lines_are_numbered_across_restarts_and_rotations(
        self, house: House, tmp_path: Path
    ) -> None:
        path = written(tmp_path / "auth.log", LINE.format(1, 1) * 2)
        source = self.source(path)
        self.drain(house, source)
        written(path, LINE.format(1, 1) + LINE.format(2, 2), "a")
        path.rename(tmp_path / "auth.log.1")
        written(path, LINE.format(1, 1) + LINE.format(3, 3))
        again = house.reopened()
        self.drain(again, source)
        path.rename(tmp_path / "auth.log.2")
        written(path, LINE.format(4, 4))
        self.drain(house, source)

        lines = [raw.split()[2][-2:] for raw in house.raws()]
        assert lines == [b"01", b"01", b"01", b"01", b"02", b"03", b"04"]
        assert len(list((house.home / "tail").iterdir())) == 3

    def test_a_crash_between_storing_and_the_position_doubles_nothing(
        self, house: House, tmp_path: Path
    ) -> None:
        path = written(tmp_path / "auth.log", LINE.format(1, 1) * 2)
        source = self.source(path)
        follower = house.services.follower
        tails = follower.tails

        class Crashing:
            read, line_keys, position = tails.read, tails.line_keys, tails.position

            def advance(self, *_: object) -> None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replace(follower, tails=Crashing()).tail_file(source)  # type: ignore[arg-type]
        self.drain(house, source)

        assert len(house.raws()) == 2

    def test_a_file_that_shrank_in_place_is_read_anew(self, house: House, tmp_path: Path) -> None:
        path = written(tmp_path / "auth.log", LINE.format(1, 1) * 3)
        source = self.source(path)
        self.drain(house, source)
        written(path, LINE.format(2, 2))
        self.drain(house, source)

        assert len(house.raws()) == 4
        assert house.services.follower.tail_file(self.source(tmp_path / "gone")) is False
        assert house.services.follower.tail_file(replace(source, path=None)) is False

    def test_a_line_longer_than_a_piece_is_refused_whole(
        self, house: House, tmp_path: Path
    ) -> None:
        hidden = "x" * (9 << 20) + LINE.format(9, 9)
        path = written(tmp_path / "auth.log", LINE.format(1, 1) + hidden + LINE.format(2, 2))
        self.drain(house, self.source(path))

        assert [raw.split()[2][-2:] for raw in house.raws()] == [b"01", b"02"]
        rejects = list((house.home / "rejects").iterdir())
        assert len(rejects) == 1
        assert orjson.loads(rejects[0].read_bytes())["reason"] == "line_too_long"

    def test_registered_sources_and_the_own_log_are_followed_by_the_scheduler(
        self, house: House, tmp_path: Path
    ) -> None:
        path = written(tmp_path / "auth.log", LINE.format(1, 1))
        house.services.sources.add_source(SYSTEM, self.source(path, follow=True, format="auto"))
        own = OwnLog(house.home / "log", "gateway", house.clock)
        fields = {"user.name": "ann", "source.ip": "10.1.2.3", "x": None}
        own.write(ecs_line(NOW, "sign_in", "failure", fields=fields))
        house.clock.advance(86_400)
        own.write(ecs_line(NOW + DAY, "sign_in", "success"))
        own.close()
        (tick,) = [job.tick for job in house.plane.jobs if job.name == "detectors.follow_logs"]
        while tick():
            pass

        assert len(house.raws("log.source:auth")) == 1
        own_lines = house.raws("log.source:secops-gateway AND event.action:sign_in")
        assert [orjson.loads(raw)["event.outcome"] for raw in own_lines] == ["failure", "success"]


class TestOwnLog:
    def test_records_of_logging_become_ecs_lines(self, tmp_path: Path) -> None:
        clock = FakeClock(NOW)
        own = OwnLog(tmp_path, "scheduler", clock)
        handler = OwnLogHandler(own, clock)
        raised = (ValueError, ValueError("x"), None)
        for level, text, arguments, kind in (
            (logging.INFO, "hello %s", ("x" * 9_000,), None),
            (logging.ERROR, "broken", (), raised),
        ):
            handler.emit(logging.LogRecord("test", level, "f", 1, text, arguments, kind))
        own.close()

        content = (tmp_path / "scheduler.2026-11-23.jsonl").read_bytes()
        lines = [orjson.loads(line) for line in content.splitlines()]
        assert [line["event.outcome"] for line in lines] == ["success", "failure"]
        assert lines[0]["@timestamp"] == "2026-11-23T04:00:00Z"
        assert len(lines[0]["message"]) == 8_192
        assert lines[1]["error.type"] == "ValueError"

    def test_acts_become_lines(self) -> None:
        act = Act("iam.sign_in", ANALYST, "account:acc_1", "refused", request_id="r1")

        line = orjson.loads(act_line(act, NOW, remote="10.1.2.3"))
        assert {name: line[name] for name in ("event.action", "event.outcome", "source.ip")} == {
            "event.action": "iam.sign_in",
            "event.outcome": "failure",
            "source.ip": "10.1.2.3",
        }
        assert line["event.category"] == "authentication"
        assert "session.id" not in line

    def test_days_that_are_over_are_found_and_forgotten(self, tmp_path: Path) -> None:
        clock = FakeClock(NOW)
        for _ in range(3):
            own = OwnLog(tmp_path, "gateway", clock)
            own.write(b"{}")
            own.write(b"{}")
            own.close()
            own.close()
            clock.advance(86_400)

        found = own_sources(tmp_path)
        assert {source.name for source in found} == {"secops-gateway"}
        assert [Path(source.path or "").name for source in found] == [
            f"gateway.2026-11-{day}.jsonl" for day in (23, 24, 25)
        ]
        assert forget_before(tmp_path, NOW + DAY) == 1
        assert len(list(tmp_path.iterdir())) == 2
