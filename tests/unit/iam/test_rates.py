"""Rates: who asks too often is told when to come back, and nobody pays for another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core import rates
from iam.core.rates import Buckets
from iam.errors import RateExceeded
from iam.models.clients import NewClient
from iam.service.protection.locks import NewLock
from iam.service.rates import RECORD_SECONDS, Rates
from secops.kernel.actors import ROOT_ORG, os_actor, system_actor
from secops.kernel.clock import SECOND
from secops.kernel.waiting import MustWait
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import RouteTable
from secops.web.messages import Request, Response
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.parts import Fakes, fakes

ROBOT = system_actor("robot")
FORM = {"content-type": "application/x-www-form-urlencoded", "host": "localhost:8080"}


class Caller:
    """Applications at the provider, each with its secret, from an address."""

    def __init__(self, home: IamHome) -> None:
        self.home = home
        self.secrets: dict[str, str] = {}
        for name in ("robot", "other"):
            made = home.services.clients.make(os_actor("root"), NewClient(name, name), ROOT_ORG)
            self.secrets[name] = made.secret or ""

    def token(
        self, name: str = "robot", *, secret: str | None = None, address: str = "192.0.2.7"
    ) -> Response:
        fields = {"grant_type": "client_credentials", "client_id": name}
        fields["client_secret"] = self.secrets[name] if secret is None else secret
        return self.send("POST", "/oauth2/token", address, body=urlencode(fields).encode())

    def send(
        self, method: str, path: str, address: str, body: bytes = b"", **headers: str
    ) -> Response:
        found = RouteTable(self.home.plane.routes).find(method, path)
        assert found is not None
        parts = self.home.spine.parts
        guard = Guard(self.home.services.verification, parts.access, parts.clock)
        request = Request(
            method, path, headers={**FORM, **headers}, body=body, remote=address, request_id="r"
        )
        return Dispatcher(guard, parts.trail).answer(request, found[0])


def opened(home: Path, **options: Any) -> Iterator[Caller]:
    site = open_iam_home(home, **options)
    try:
        yield Caller(site)
    finally:
        site.close()


@pytest.fixture
def by_client(tmp_path: Path) -> Iterator[Caller]:
    yield from opened(tmp_path, client_rate=5)


@pytest.fixture
def by_address(tmp_path: Path) -> Iterator[Caller]:
    yield from opened(tmp_path, address_rate=5)


def statuses(answers: list[Response]) -> dict[int, int]:
    seen = [answer.status for answer in answers]
    return {status: seen.count(status) for status in set(seen)}


def test_an_application_gets_its_rate_and_is_told_when_to_come_back(by_client: Caller) -> None:
    assert statuses([by_client.token() for _ in range(30)]) == {200: 10, 429: 20}
    refused = by_client.token()
    assert refused.header("retry-after") == "1"
    assert b'"temporarily_unavailable"' in refused.body
    by_client.home.clock.advance(1)
    assert statuses([by_client.token() for _ in range(30)]) == {200: 5, 429: 25}


def test_one_applications_flood_refuses_no_other(by_client: Caller) -> None:
    for _ in range(30):
        by_client.token()
    assert by_client.token("other").status == 200


def test_who_does_not_know_the_secret_can_not_empty_its_bucket(by_client: Caller) -> None:
    wrong = [by_client.token(secret="guess", address=f"203.0.113.{n}") for n in range(100)]
    assert statuses(wrong) == {401: 100}
    assert by_client.token().status == 200


def test_a_locked_address_gets_no_token_and_each_refusal_is_counted(by_client: Caller) -> None:
    services, security = by_client.home.services, by_client.home.actor("security-admin")
    assert by_client.token(address="203.0.113.7").status == 200
    lock = NewLock("address", "203.0.113.7", "guessing")
    services.protection.locks.lock_subject(security, lock)
    refused = [by_client.token(address=name) for name in ("203.0.113.7", "::ffff:203.0.113.7")]
    assert statuses(refused) == {403: 2}
    assert b"access_denied" in refused[0].body
    assert by_client.token(address="203.0.113.8").status == 200
    assert sum(limited(by_client)) == 2


def test_an_address_is_held_back_whatever_it_knows(by_address: Caller) -> None:
    guesses = [by_address.token(secret=f"guess {n}") for n in range(100)]
    assert statuses(guesses) == {401: 10, 429: 90}
    assert by_address.token().status == 429
    assert by_address.token(address="198.51.100.1").status == 200


def test_addresses_of_one_ipv6_network_are_one(by_address: Caller) -> None:
    answers = [by_address.token(address=f"2001:db8::{n:x}") for n in range(1, 41)]
    assert statuses(answers) == {200: 10, 429: 30}
    assert by_address.token(address="2001:db8:0:1::1").status == 200


@pytest.mark.parametrize("path", ["introspect", "revoke", "par", "device_authorization"])
def test_every_endpoint_of_the_provider_counts(by_address: Caller, path: str) -> None:
    for _ in range(10):
        by_address.token()
    assert by_address.send("POST", f"/oauth2/{path}", "192.0.2.7").status == 429


def test_a_proxy_is_refused_in_the_words_it_understands(by_address: Caller) -> None:
    asked = {"x-original-uri": "/", "x-original-host": "app.example"}
    answers = [
        by_address.send("GET", "/forward-auth", "192.0.2.7", **asked, **{"accept-language": "en"})
        for _ in range(11)
    ]
    assert statuses(answers) == {403: 11}  # there is no such site, and then: too often
    assert b"more requests than one address may send" in answers[-1].body
    assert limited(by_address) == [1]


def limited(caller: Caller) -> list[int]:
    """The numbers of refused requests in the records."""
    caller.home.services.rates.close()
    caller.home.spine.journal.close()
    doors = caller.home.spine.doors
    records = [
        record
        for door in doors.names()
        for record in doors.read_after(door, 0, 10_000).records
        if b"iam.limit_rate" in record
    ]
    return [orjson.loads(bytes(record))["details"]["requests"] for record in records]


def test_every_refused_request_is_in_the_records_once(by_client: Caller) -> None:
    refused = statuses([by_client.token() for _ in range(300)])[429]
    by_client.home.clock.advance(RECORD_SECONDS)
    refused += statuses([by_client.token() for _ in range(300)])[429]
    numbers = limited(by_client)
    assert sum(numbers) == refused == 580
    assert len(numbers) < 8


def test_without_a_rate_nobody_is_held_back(tmp_path: Path) -> None:
    for caller in opened(tmp_path):
        assert statuses([caller.token() for _ in range(50)]) == {200: 50}


def rated(rate: int = 2) -> tuple[Rates, Fakes]:
    memory = fakes()
    return Rates(memory.parts, client_rate=rate, address_rate=rate), memory


def test_work_that_moves_to_a_thread_is_counted_there_alone() -> None:
    limiter, _ = rated()

    def work() -> None:
        limiter.count(ROBOT)
        raise MustWait

    for _ in range(50):
        with pytest.raises(MustWait):
            limiter.admit("192.0.2.7", work)
    limiter.admit("192.0.2.7", lambda: limiter.count(ROBOT))


def test_a_flood_from_many_addresses_is_few_records() -> None:
    limiter, memory = rated(1)
    acts = 0
    for number in range(3_000):
        for _ in range(3):
            try:
                limiter.admit(f"10.1.{number // 250}.{number % 250}", lambda: None)
            except RateExceeded as error:
                acts += len(error.acts)
    limiter.close()
    told = sum(act.details["requests"] for act in memory.trail.acts)
    assert acts <= 1_025
    assert acts + told == 3_000


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 100),
    pauses=st.lists(st.integers(0, SECOND), max_size=200),
)
def test_a_bucket_admits_what_a_counted_one_does(rate: int, burst: int, pauses: list[int]) -> None:
    buckets, now, level = Buckets(rate, burst), 0, burst * SECOND
    for pause in pauses:
        now += pause
        level = min(burst * SECOND, level + pause * rate)
        wait = buckets.take("name", now / SECOND)
        near = abs(level - SECOND) <= rate  # within a microsecond rounding decides
        assert near or (wait == 0) == (level >= SECOND)
        if wait == 0:
            level -= SECOND
        else:
            assert wait == pytest.approx((SECOND - level) / rate / SECOND, abs=1e-5)


def test_names_in_memory_are_bounded_and_the_rest_is_held_back_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MOST_NAMES", 100)
    buckets = Buckets(1, 2)
    admitted = [buckets.take(f"name {n}", 0.0) == 0 for n in range(1_000)]
    assert sum(admitted) == 102
    assert len(buckets) == 101
    assert buckets.take("name 5000", 1_000.0) == 0
    assert len(buckets) == 1


def test_what_was_given_back_can_be_taken_again() -> None:
    buckets = Buckets(1, 1)
    assert buckets.take("name", 0.0) == 0
    assert buckets.take("name", 0.0) == 1
    buckets.give_back("name")
    buckets.give_back("nobody")
    assert buckets.take("name", 0.0) == 0
