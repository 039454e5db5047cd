"""A registered system to be assessed: a hundred hosts, their bundles, any number of events."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import secops
from detectors.models.logs import LogSource
from secops.bridges.house import House
from secops.cli.bench.served import demo_home
from secops.kernel.clock import DAY
from secops.kernel.errors import Unavailable
from secops.kernel.logs import LogEvent
from secops.settings import bare_environment

HOSTS: Final = 100
STANDARD: Final = "gbt22239"
LEVEL: Final = 3
COLLECTOR: Final = Path(secops.__file__).parents[1] / "tools" / "collect_host.sh"
_SPAN_DAYS: Final = 180
_BATCH: Final = 250_000
_SILENCE: Final = 3_600
_DEVICES: Final = {"firewall": 96, "ids": 97, "vpn": 98, "bastion": 99}
"""Devices' lines come through these of the hosts; each of the others sends its own."""
_AGENTS: Final = 256


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall and CPU seconds, those of ended child processes too."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Timing:
    """Run ``work`` and return what it took."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    work()
    return Timing(time.perf_counter() - wall, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def assessed_home(events: int) -> Iterator[tuple[House, str]]:
    """Give an open demo home and the id of a system with evidence; it is removed in the end."""
    from secops.app import open_house  # noqa: PLC0415 - heavy

    bundle = _bundle()
    with demo_home() as home, closing(open_house(home)) as house:
        system_id = _register(house, bundle)
        for batch in made_events(events, house.parts.clock.now()):
            house.detectors.logs.store.append(batch)
        yield house, system_id


def _bundle() -> bytes:
    """Return the bundle of this very machine; raise ``Unavailable`` without the collector."""
    if not COLLECTOR.is_file():
        raise Unavailable(f"the collector is not there: {COLLECTOR}")
    with tempfile.TemporaryDirectory(prefix="secops-bench-") as folder:
        file = Path(folder) / "host.gsb"
        words = ("sh", str(COLLECTOR), "-o", str(file), "--only", "host")
        ran = subprocess.run(  # noqa: S603 - our own script
            words, capture_output=True, check=False, env=bare_environment()
        )
        if ran.returncode:
            raise Unavailable(f"the collector ended with {ran.returncode}")
        return file.read_bytes()


def _register(house: House, bundle: bytes) -> str:
    keeper, register = house.act_as("system-admin"), house.audits.register
    system = register.systems.add_system(
        keeper, {"name": "bench", "s_level": "3", "a_level": "3", "uses": "iam;kms;logs"}
    )
    for number in range(HOSTS):
        name = _source(number)
        source = LogSource(name, keeper.org_id, "syslog", "UTC", expected_silence=_SILENCE)
        house.detectors.sources.add_source(keeper, source)
        written = {"name": name, "kind": "host", "address": _address(number), "log_sources": name}
        asset = register.assets.add_asset(keeper, system.id, written)
        house.audits.collectors.import_bundle(
            keeper, bundle, system_id=system.id, asset_id=asset.id
        )
    return system.id


def _source(number: int) -> str:
    return f"host{number:03}"


def _address(number: int) -> str:
    return f"10.0.{number >> 6}.{number & 63}"


def made_events(count: int, now: int) -> Iterator[list[LogEvent]]:
    """Yield ``count`` invented events of the hosts, of the 180 days before ``now``, in batches."""
    dice = random.Random(8)  # noqa: S311 - invented events, the same in every run
    begin, step = now - _SPAN_DAYS * DAY, _SPAN_DAYS * DAY // count
    for first in range(0, count, _BATCH):
        yield [
            _event(number, begin + number * step, dice)
            for number in range(first, min(count, first + _BATCH))
        ]


def _event(number: int, at: int, dice: random.Random) -> LogEvent:
    share = dice.randrange(100)
    kind = next(kind for most, kind in _SHARES if share < most)
    place = _DEVICES.get(kind, number % min(_DEVICES.values()))
    fields = {
        "source.ip": f"10.{dice.getrandbits(6)}.{dice.getrandbits(8)}.{dice.getrandbits(8)}",
        "user.name": f"user{dice.getrandbits(12)}",
        "event.outcome": "failure" if dice.randrange(20) == 0 else "success",
        **_FIELDS[kind](dice),
    }
    raw = " ".join((str(number), *fields.values())).encode()
    name = _source(place)
    return LogEvent(hashlib.sha256(raw).hexdigest(), name, at, at, fields, raw)


_SHARES: Final = (
    (70, "http"),
    (85, "ssh"),
    (95, "firewall"),
    (98, "ids"),
    (99, "vpn"),
    (100, "bastion"),
)
_FIELDS: Final[dict[str, Callable[[random.Random], dict[str, Any]]]] = {
    "http": lambda dice: {
        "event.action": "http_request",
        "event.module": "nginx",
        "http.response.status_code": dice.choice(("200", "200", "304", "404")),
        "url.path": f"/app/{dice.getrandbits(7)}/item/{dice.getrandbits(14)}",
        "user_agent.original": f"agent/{dice.randrange(_AGENTS)}",
    },
    "ssh": lambda dice: {"event.action": "ssh_login", "process.pid": str(dice.getrandbits(15))},
    "firewall": lambda dice: {
        "event.action": dice.choice(("accept", "deny")),
        "observer.type": "firewall",
        "rule.id": str(dice.randrange(300)),
        "destination.ip": _address(dice.randrange(HOSTS)),
    },
    "ids": lambda dice: {
        "event.action": dice.choice(("alert", "block")),
        "event.category": "intrusion_detection",
        "observer.type": "ids",
        "rule.name": f"signature {dice.randrange(500)}",
        "destination.ip": _address(dice.randrange(HOSTS)),
    },
    "vpn": lambda dice: {
        "event.action": "vpn_session",
        "event.type": dice.choice(("start", "end")),
        "observer.type": "vpn",
        "session.id": str(dice.getrandbits(14)),
    },
    "bastion": lambda dice: {
        "event.action": "command",
        "observer.type": "bastion",
        "observer.ip": "10.0.9.9",
        "process.command_line": f"show {dice.getrandbits(8)}",
        "session.id": str(dice.getrandbits(14)),
    },
}
