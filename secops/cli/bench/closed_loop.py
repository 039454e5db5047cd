"""From an alert to the refusal of the next request, over the outbox, as two processes do it."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any, Final, Literal

from secops.bridges.house import House
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.kernel.actors import ROOT_ORG, Actor

ROUNDS: Final = 200
PATIENCE: Final = 60.0
"""Seconds after which a round counts as lost; no figure comes near it."""
PAUSE: Final = 0.005
BENCH_RULE: Final = "bench-closed-loop"
_BAR: Final = Bar("<=", 1_000)
_SUBJECT: Final = "staff"
_MILLI: Final = 1_000


def closed_loop_figures() -> list[dict[str, Any]]:
    """Return how long an account goes on working after the alert about it is committed."""
    with two_processes() as (gateway, watcher), jobs_running(watcher):
        actor = gateway.act_as(_SUBJECT)
        delays = alert_to_refusal(watcher, actor.id, lambda: is_refused(gateway, actor), ROUNDS)
    p50, p99 = percentiles(delays)
    circumstances = (
        f"{ROUNDS} rounds, p50; p99 {p99 * _MILLI:.0f} ms; wall time; gateway and scheduler over"
        " one database, outbox every 0.2 s, risk read every 0.25 s"
    )
    name = "alert committed to next request refused"
    return [figure(name, p50 * _MILLI, "ms", circumstances, bar=_BAR, judged=p99 * _MILLI)]


@contextmanager
def two_processes() -> Iterator[tuple[House, House]]:
    """Open a demo home twice, as a gateway and as a scheduler."""
    from secops.app import open_house  # noqa: PLC0415 - heavy

    with (
        demo_home() as home,
        closing(open_house(home, "gateway")) as gateway,
        closing(open_house(home, "scheduler")) as watcher,
    ):
        yield gateway, watcher


def is_refused(house: House, actor: Actor) -> bool:
    """Tell whether what everybody may do is refused to ``actor`` now."""
    from secops.kernel.errors import SecopsError  # noqa: PLC0415 - quick --help
    from secops.kernel.permissions.iam import OWN_USE  # noqa: PLC0415

    try:
        house.parts.access.require(actor, OWN_USE, "account:*")
    except SecopsError:
        return True
    return False


@contextmanager
def jobs_running(house: House, *names: str) -> Iterator[None]:
    """Deliver what ``house`` announces, and do its jobs of these names, until the end."""
    from secops.adapters.scheduler import Scheduler  # noqa: PLC0415 - heavy

    subscriptions = list(chain.from_iterable(plane.subscriptions for plane in house.planes))
    every = chain.from_iterable(plane.jobs for plane in house.planes)
    jobs = [house.spine.outbox(subscriptions).job, *(job for job in every if job.name in names)]
    parts = house.parts
    scheduler = Scheduler(jobs, parts.leases, owner=house.spine.owner, clock=parts.clock)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.stop()


def alert_to_refusal(
    watcher: House, account: str, refused: Callable[[], bool], rounds: int
) -> list[float]:
    """Return for each round the seconds from the alert's commit to the first refused request.

    Rounds are high and critical in turn; the alert is closed after each, and the next begins
    when the account works again. Raises ``TimeoutError`` where either never happens.
    """
    clock, analyst = watcher.parts.clock, watcher.act_as("analyst")
    delays = []
    for number in range(rounds):
        wait_until(watcher, lambda: not refused())
        alert = raise_alert(watcher, account, "critical" if number % 2 else "high")
        started = clock.monotonic()
        wait_until(watcher, refused)
        delays.append(clock.monotonic() - started)
        watcher.detectors.alerts.close_alert(analyst, alert, "the round is over")
    wait_until(watcher, lambda: not refused())
    return delays


def raise_alert(house: House, account: str, severity: Literal["high", "critical"]) -> str:
    """Commit an alert about ``account`` as a run of the detectors does; return its id."""
    from detectors.models.alerts import Alert  # noqa: PLC0415 - quick --help
    from detectors.service.triage.effects import Effects, write_effects  # noqa: PLC0415

    parts = house.parts
    now = parts.clock.now()
    alert = Alert(
        id=parts.ids.new("alr"),
        org_id=ROOT_ORG,
        kind="rule",
        rule_id=BENCH_RULE,
        rule_version="1",
        title="closed loop",
        severity=severity,
        raised_at=now,
        first_at=now,
        last_at=now,
        group=(),
        subjects={"user.id": account},
        reasons=(),
        event_ids=(),
        event_count=1,
    )
    store = house.detectors.entities.alerts
    parts.transactions.run(lambda tx: write_effects(tx, store, Effects(created=[alert])))
    return alert.id


def percentiles(delays: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile (the greatest of fewer than 100)."""
    ordered = sorted(delays)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def wait_until(house: House, happened: Callable[[], bool]) -> None:
    """Return as soon as it ``happened``; raise ``TimeoutError`` where it never does."""
    clock, pause = house.parts.clock, threading.Event()
    started = clock.monotonic()
    while not happened():
        if clock.monotonic() - started > PATIENCE:
            raise TimeoutError("the risk never arrived")
        pause.wait(PAUSE)
