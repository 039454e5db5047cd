"""Engines are tested in the process that uses them; who fails is refused, written down, alerted."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kms.errors.keys import PoolLocked
from kms.service.self_tests import HourlySelfTests
from secops.crypto import engines, known_answers
from secops.crypto.errors import EngineUnavailable
from secops.crypto.self_test import KNOWN_ANSWER_TESTS
from secops.kernel.clock import DAY
from secops.kernel.errors import AuditUnavailable, Forbidden
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import AUDITOR, USER, WHOLE, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService
from tests.unit.kms.test_share_commands import ACCOUNTS, run

HELLO = {"input": "aGVsbG8="}


@pytest.fixture(autouse=True)
def _own_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_defects", {})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=clock) as opened:
        yield opened


def test_every_run_leaves_a_leaf_and_a_row(pool: KeyPool) -> None:
    record = pool.services.self_tests.run_self_tests("gateway-1")
    assert (record.passed, dict(record.defects)) == (len(KNOWN_ANSWER_TESTS), {})
    leaf = pool.leaves()[-1]
    assert (leaf["action"], leaf["target"], leaf["outcome"]) == (
        "kms.self_test",
        "process:gateway-1",
        "done",
    )
    assert list(pool.services.self_tests.list_self_tests(AUDITOR, PageRequest()).items) == [record]


def test_an_engine_that_fails_in_mid_life_is_refused_for_keys_already_open(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool.create("bad", "ed25519", USER)
    pool.create("good", "ecdsa-p256", USER)
    transit = pool.services.transit
    for name in ("bad", "good"):
        transit.sign(USER, name, HELLO)
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(known_answers, "ED25519_SIGNATURE", bytes(64))
        record = pool.services.self_tests.run_self_tests("gateway-1")
    assert list(record.defects) == ["ed25519"]
    assert "ed25519 is refused from now on" in caplog.text
    assert pool.leaves()[-1]["outcome"] == "failed"
    refused = pool.services.self_tests.refused_engines
    now = pool.spine.parts.clock.now()
    assert (refused(AUDITOR, now), refused(AUDITOR, now + 1)) == ({"ed25519"}, frozenset())
    with pytest.raises(EngineUnavailable):
        transit.sign(USER, "bad", HELLO)
    transit.sign(USER, "good", HELLO)
    # it stays refused where the next hour's answer is right again
    pool.services.self_tests.run_self_tests("gateway-1")
    with pytest.raises(EngineUnavailable):
        transit.sign(USER, "bad", HELLO)


def test_an_engine_that_is_absent_here_is_no_alert(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        msg = "libcrypto.so.3 was not found"
        raise EngineUnavailable(msg)

    tests: dict[str, Any] = {**KNOWN_ANSWER_TESTS, "sm2": absent}
    monkeypatch.setattr(engines.repeat_self_test, "__defaults__", (tests,))
    pool.services.self_tests.run_self_tests("command")
    leaf = pool.leaves()[-1]
    assert (leaf["outcome"], leaf["details"]["absent"]) == ("done", ["sm2"])


def test_where_hashes_are_wrong_nothing_is_signed(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.create("k", "ecdsa-p256", USER)
    pool.services.transit.sign(USER, "k", {"input": "aGVsbG8="})
    monkeypatch.setitem(engines._defects, "hash", "wrong answer")
    with pytest.raises(EngineUnavailable):
        pool.services.transit.sign(USER, "k", {"input": "aGVsbG8="})


def test_the_root_keys_own_cipher_is_refused_as_well(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.services.self_tests.run_self_tests("gateway-1")
    monkeypatch.setitem(engines._defects, "aes-gcm", "wrong answer")
    with pytest.raises(EngineUnavailable):
        pool.create("k", "hmac")
    assert pool.services.pool.status().state == "unlocked"
    pool.services.pool.lock(WHOLE)
    with pytest.raises(PoolLocked):
        pool.services.pool.require_unlocked()


def test_runs_are_listed_newest_first_and_kept_for_ninety_days(
    pool: KeyPool, clock: FakeClock
) -> None:
    tests = pool.services.self_tests
    for number in range(5):
        tests.run_self_tests(f"gateway-{number}")
        clock.advance(3_600)
    first = tests.list_self_tests(AUDITOR, PageRequest(3))
    assert [each.process for each in first.items] == ["gateway-4", "gateway-3", "gateway-2"]
    assert first.next is not None
    rest = tests.list_self_tests(AUDITOR, PageRequest(3, decode_cursor(first.next)))
    assert [each.process for each in rest.items] == ["gateway-1", "gateway-0"]
    clock.advance(91 * DAY / 1_000_000)
    tests.run_self_tests("gateway-9")
    assert len(tests.list_self_tests(AUDITOR, PageRequest()).items) == 1


def test_runs_are_read_over_http_and_on_the_command_line_by_whoever_sees_all_keys(
    pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.services.self_tests.run_self_tests("gateway-1")
    service = VaultService(pool)
    status, _, body = service.call("GET", "/api/v1/kms/self-tests", token="auditor")
    assert (status, body["items"][0]["process"], body["next"]) == (200, "gateway-1", None)
    assert service.call("GET", "/api/v1/kms/self-tests", token="user")[0] == 403
    with pytest.raises(Forbidden):
        pool.services.self_tests.list_self_tests(USER, PageRequest())
    monkeypatch.setitem(ACCOUNTS, "auditor", AUDITOR)
    done = run(pool, "auditor", "list-self-tests", "--json")
    assert json.loads(done.stdout)["items"] == body["items"]


def test_the_thread_tests_at_once_and_again_until_it_is_stopped(pool: KeyPool) -> None:
    runs: list[str] = []
    seen = threading.Event()

    class Counted:
        def run_self_tests(self, process: str) -> None:
            runs.append(process)
            if len(runs) == 2:
                # where the ledger can't be written the thread goes on
                raise AuditUnavailable
            if len(runs) >= 3:
                seen.set()

    hourly = HourlySelfTests(Counted(), "gateway-1", 0.001)  # type: ignore[arg-type]  # counts
    hourly.start()
    assert seen.wait(10)
    hourly.stop()
    assert set(runs) == {"gateway-1"}
    assert not hourly._thread.is_alive()
