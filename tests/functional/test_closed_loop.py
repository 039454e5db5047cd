"""The loop closes: an alert is committed, the outbox tells identity, the next request is refused.

Two processes of one home, as far as code can tell them apart: a gateway that answers requests,
and a scheduler that raises the alert and delivers what it announces.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from secops.bridges.house import House
from secops.cli.bench.closed_loop import (
    alert_to_refusal,
    jobs_running,
    percentiles,
)
from tests.fakes.demo_site import DemoSite
from tests.fakes.loop_site import LoopSite

ACCOUNT = "integrator"
ASKED = "/api/v1/kms/keys"


@pytest.fixture(scope="module")
def site(loop_site: LoopSite) -> DemoSite:
    return loop_site.site


@pytest.fixture(scope="module")
def watcher(loop_site: LoopSite) -> Iterator[House]:
    with jobs_running(loop_site.scheduler):
        yield loop_site.scheduler


@pytest.mark.parametrize("rounds", [4, pytest.param(200, marks=pytest.mark.deep)])
def test_after_an_alert_the_next_requests_are_stepped_up_or_refused(
    site: DemoSite, watcher: House, rounds: int
) -> None:
    token = site.token(ACCOUNT)
    account = orjson.loads(site.call("GET", "/api/v1/iam/me", token=token).body)["id"]
    seen: list[tuple[int, str]] = []

    def refused() -> bool:
        answer = site.call("GET", ASKED, token=token)
        if answer.status == 200:
            return False
        seen.append((answer.status, answer.json()["code"]))
        return True

    delays = alert_to_refusal(watcher, account, refused, rounds)
    p50, p99 = percentiles(delays)
    print(f"alert to refusal, {rounds} rounds: p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms")
    assert len(delays) == rounds
    assert set(seen) == {(401, "kernel.step_up_required"), (403, "kernel.forbidden")}


def test_an_alert_about_somebody_else_refuses_nobody(site: DemoSite, watcher: House) -> None:
    token, other = site.token(ACCOUNT), site.token("auditor")
    account = orjson.loads(site.call("GET", "/api/v1/iam/me", token=other).body)["id"]
    answers: list[int] = []

    def refused() -> bool:
        answers.append(site.call("GET", ASKED, token=token).status)
        return site.call("GET", "/api/v1/iam/accounts", token=other).status != 200

    alert_to_refusal(watcher, account, refused, 2)
    assert set(answers) == {200}
