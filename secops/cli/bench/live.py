"""Live ingest with detection on: syslog heard, made durable, stored, and asked by every rule."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home

if TYPE_CHECKING:
    from detectors.service import DetectorsServices

_EVENTS: Final = 60_000
_BATCH: Final = 1_000
_ALONE: Final = 20
_RATE_BAR: Final = Bar(">=", 10_000)
_ONE_BAR: Final = Bar("<=", 10)
_LINE: Final = (
    "<38>Nov 22 17:{:02d}:{:02d} gw{} sshd[{}]: Accepted publickey for user{} from 10.1.0.{} "
    "port {} ssh2: ED25519 SHA256:key{}"
)


def live_figures() -> list[dict[str, Any]]:
    """Return what a live event costs from the socket's side to the end of its evaluation."""
    from detectors.models.listening import Heard  # noqa: PLC0415 - heavy
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from secops.app import open_house  # noqa: PLC0415 - heavy
    from secops.bridges.processes import settle  # noqa: PLC0415 - heavy

    with demo_home() as home, closing(open_house(home)) as house:
        (services,) = (one for one in house.services if isinstance(one, DetectorsServices))
        jobs = {job.name: job.tick for plane in house.planes for job in plane.jobs}
        rules = len(services.rules.enabled())
        now = house.parts.clock.now()
        heard = [Heard("10.0.0.1", _line(n), now, "tcp") for n in range(_EVENTS + _ALONE)]
        _work(jobs)
        settle()  # as the scheduler's process does

        def take() -> None:
            for begin in range(0, _EVENTS, _BATCH):
                services.listening.intake.take(heard[begin : begin + _BATCH])

        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("heard and durable", take),
            ("stored", lambda: _repeat(jobs["detectors.store_logs"])),
            ("matched", lambda: _repeat(jobs["detectors.run"])),
        )
        costs = {name: _cpu(step) for name, step in steps}
        whole = sum(costs.values())
        parts = ", ".join(f"{name} {cost:.2f} s" for name, cost in costs.items())
        alone = [_alone(services, jobs, message) for message in heard[_EVENTS:]]
    return [
        figure(
            "live syslog with detection on",
            whole,
            "CPU-s",
            f"{_EVENTS} sign-ins by {_BATCH}, {rules} detectors, masks graded; {parts}",
            per_cpu_second=_EVENTS / whole,
            bar=_RATE_BAR,
            judged=_EVENTS / whole,
        ),
        figure(
            "one live event",
            sorted(alone)[_ALONE // 2] * 1_000,
            "ms",
            f"median CPU of {_ALONE}: heard, stored as a segment, evaluated by {rules} detectors",
            bar=_ONE_BAR,
        ),
    ]


def _line(number: int) -> bytes:
    second = number % 3_600
    return _LINE.format(
        second // 60,
        second % 60,
        number % 20,
        number,
        number % 300,
        number % 9,
        number % 60_000,
        number % 50,
    ).encode()


def _alone(services: DetectorsServices, jobs: dict[str, Callable[[], bool]], message: Any) -> float:
    def whole() -> None:
        services.listening.intake.take([message])
        _work(jobs)

    return _cpu(whole)


def _work(jobs: dict[str, Callable[[], bool]]) -> None:
    _repeat(jobs["detectors.store_logs"])
    _repeat(jobs["detectors.run"])


def _repeat(job: Callable[[], bool]) -> None:
    while job():
        pass


def _cpu(step: Callable[[], None]) -> float:
    begin = time.process_time()
    step()
    return time.process_time() - begin
