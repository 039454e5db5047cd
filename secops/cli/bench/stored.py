"""Searches over a log store of any size, filled once in a folder of its own."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from secops.cli.bench.batch import Run, run_command
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.logs import LogEvent

if TYPE_CHECKING:
    from detectors.service import DetectorsServices

_BATCH: Final = 250_000
_BEGIN: Final = 1_795_000_000_000_000
_SPAN: Final = 30 * 86_400 * SECOND
_RARE: Final = 50_000
_ASKED: Final = 8
_SEARCH_BAR: Final = Bar("<=", 300)
_INGEST_BAR: Final = Bar(">=", 25_000)
_JSON_LINES: Final = 200_000
_JSON_LINE: Final = (
    '{{"@timestamp":"2026-11-22T{:02d}:{:02d}:{:02d}Z","event":{{"action":"http_request",'
    '"outcome":"{}"}},"source":{{"ip":"10.1.{}.{}","port":{}}},"user":{{"name":"user{}"}},'
    '"http":{{"request":{{"method":"GET"}},"response":{{"status_code":{}}}}},'
    '"url":{{"path":"/app/{}"}},"message":"request {}"}}\n'
)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and whom."""

    services: DetectorsServices
    analyst: Actor


def stored_figures(events: int) -> list[dict[str, Any]]:
    """Return what selective searches over ``events`` stored ones take, and ingest of JSONL."""
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from secops.app import open_house  # noqa: PLC0415 - heavy

    with demo_home() as home, closing(open_house(home)) as house:
        (services,) = (one for one in house.services if isinstance(one, DetectorsServices))
        asking = Asking(services, house.act_as("analyst"))
        begin = time.process_time()
        for batch in _events(events):
            services.logs.store.append(batch)
        filled = time.process_time() - begin
        size = sum(file.stat().st_size for file in (home / "segments").rglob("*.*"))
        found = [
            figure(
                "events stored without parsing",
                filled,
                "CPU-s",
                f"{events} made and appended by {_BATCH}; {size / events:.0f} bytes each on disk",
                per_cpu_second=events / filled,
            )
        ]
        return found + _searches(asking, events) + _seen_from_above(asking, events)


def json_figures() -> list[dict[str, Any]]:
    """Return what ingesting JSON Lines of ECS documents costs."""
    with demo_home() as home, tempfile.TemporaryDirectory(prefix="secops-bench-") as name:
        file = Path(name) / "ecs.jsonl"
        with file.open("w") as stream:
            stream.writelines(map(_json_line, range(_JSON_LINES)))
        run: Run = run_command(home, ("--as", "analyst", "logs", "ingest", str(file)), Path(name))
    rate = _JSON_LINES / run.cpu
    return [
        figure(
            "logs ingest of JSONL",
            run.wall,
            "s",
            f"{_JSON_LINES} ECS documents of 11 fields, whole command with start; {run.rss:.0f} MB",
            per_cpu_second=rate,
            bar=_INGEST_BAR,
            judged=rate,
        )
    ]


def _events(count: int) -> Iterator[list[LogEvent]]:
    dice = random.Random(7)  # noqa: S311 - invented events, the same in every run
    for begin in range(0, count, _BATCH):
        yield [_event(number, count, dice) for number in range(begin, min(count, begin + _BATCH))]


def _event(number: int, count: int, dice: random.Random) -> LogEvent:
    address, status = _address(dice.getrandbits(20)), dice.choice(("200", "200", "304", "404"))
    user = f"rare{number // _RARE}" if number % _RARE == 0 else f"user{dice.getrandbits(13)}"
    path = f"/app/{dice.getrandbits(7)}/item/{dice.getrandbits(14)}"
    raw = f'{address} - {user} "GET {path} HTTP/1.1" {status} {number}'.encode()
    at = _BEGIN + number * (_SPAN // count)
    fields = {
        "source.ip": address,
        "user.name": user,
        "http.request.method": "GET",
        "http.response.status_code": status,
        "url.path": path,
        "event.action": "http_request",
        "event.outcome": "failure" if status == "404" else "success",
        "event.module": "nginx",
        "user_agent.original": f"agent/{dice.getrandbits(8)} (compatible)",
    }
    identifier = hashlib.sha256(raw).hexdigest()
    return LogEvent(identifier, f"web{number % 20}.log", at, at, fields, raw)


def _address(number: int) -> str:
    return f"10.{number >> 12}.{number >> 4 & 255}.{number & 15}"


def _selective(events: int) -> list[str]:
    """Return searches that find from none to some twenty events."""
    dice = random.Random(8)  # noqa: S311 - as above
    asked = []
    for number in range(_ASKED):
        address = _address(dice.getrandbits(20))
        rare = f"rare{dice.randrange(max(events // _RARE, 1))}"
        asked += [
            f"user.name:{rare}",
            f"user.name:nobody{number}",
            f"source.ip:{address}",
            f"source.ip:{address} AND event.outcome:failure",
            f"source.ip:{address}/32 AND http.response.status_code:[400 TO 499]",
            f'url.path:"/nowhere/{number}" OR user.name:{rare}',
            f"user.name:{rare} AND {rare}",
            f"source.ip:{address.rpartition('.')[0]}.0/24 AND user.name:{rare}",
        ]
    return asked


def _searches(asking: Asking, events: int) -> list[dict[str, Any]]:
    walls, cpus, hits = [], [], 0
    for text in _selective(events):
        begin, cpu = time.perf_counter(), time.process_time()
        hits += len(asking.services.logs.search_logs(asking.analyst, text, limit=100))
        walls.append((time.perf_counter() - begin) * 1_000)
        cpus.append((time.process_time() - cpu) * 1_000)
    what = f"{len(walls)} searches over {events} events, {hits} found, one after the other"
    p95, cpu95 = _percentile(walls, 95), _percentile(cpus, 95)
    return [
        figure("selective search p95", p95, "ms", f"{what}; CPU {cpu95:.0f} ms", bar=_SEARCH_BAR),
        figure("selective search p50", _percentile(walls, 50), "ms", what),
    ]


def _seen_from_above(asking: Asking, events: int) -> list[dict[str, Any]]:
    logs, search, analyst = asking.services.logs, asking.services.search, asking.analyst
    asked: tuple[tuple[str, Callable[[], object]], ...] = (
        ("histogram of all", lambda: search.histogram_logs(analyst, "*")),
        ("top terms of all", lambda: search.top_terms(analyst, "*", ["event.outcome"])),
        ("search of the raw lines", lambda: logs.search_logs(analyst, "nosuchword")),
    )
    found = []
    for name, ask in asked:
        begin = time.process_time()
        ask()
        cpu = time.process_time() - begin
        found.append(figure(name, cpu, "CPU-s", f"{events} events", per_cpu_second=events / cpu))
    return found


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _json_line(number: int) -> str:
    return _JSON_LINE.format(
        number // 3_600 % 24,
        number // 60 % 60,
        number % 60,
        "failure" if number % 3 else "success",
        number // 250 % 250,
        number % 250,
        1_024 + number % 60_000,
        number % 5_000,
        200 if number % 7 else 404,
        number % 20_000,
        number,
    )
