"""The ledger's disk stands still for ten seconds: no signature goes out without its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from secops.kernel.trail import PATIENCE
from tests.fakes.clock import FakeClock
from tests.fakes.http_site import Site, answers, post
from tests.fakes.key_pool import USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

TOKEN = b"x-vault-token: user\r\n"
JSON = b"content-type: application/json\r\n"
ONE = {"input": "aGVsbG8="}
BODIES = (ONE, {"batch_input": [ONE] * 7})
REFUSED_WITHIN = 2.0
"""Seconds: issue 6, faults."""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=FakeClock()) as opened:
        opened.create("k", "ecdsa-p256", USER)
        # what is read from the database once is in memory when the loop needs it
        opened.services.transit.sign(USER, "k", ONE)
        yield opened


@pytest.fixture
def site(pool: KeyPool) -> Iterator[Site]:
    made = Site(served=VaultService(pool).wsgi)
    yield made
    made.close()


def signing(body: dict[str, object]) -> bytes:
    return post("/v1/transit/sign/k", orjson.dumps(body), TOKEN, JSON)


def test_nothing_signed_leaves_while_the_disk_stands_still_and_all_is_refused_in_time(
    site: Site,
) -> None:
    wires = []
    for number in range(20):
        connection, wire = site.connect()
        site.send(connection, signing(BODIES[number % 2]))
        wires.append(wire)
    site.turn()
    assert [wire.sent for wire in wires] == [b""] * 20
    assert PATIENCE <= REFUSED_WITHIN
    site.server._commits.refuse_overdue(site.loop.time() + PATIENCE + 0.001)
    site.turn()
    for wire in wires:
        ((status, _, body),) = answers(wire.sent)
        assert (status, b"vault:v" in body) == (503, False)
        assert orjson.loads(body)["errors"][0].startswith("audit_unavailable")
    # the disk comes back ten seconds later: what was refused stays refused
    site.disk.sync()
    site.turn()
    assert all(len(answers(wire.sent)) == 1 for wire in wires)


def test_what_was_signed_goes_out_with_its_record_once_the_disk_writes_again(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, signing(BODIES[1]))
    site.turn()
    assert wire.sent == b""
    (acts, _), *_ = site.disk.waiting
    assert [(act.action, act.details["done"]) for act in acts] == [("kms.sign", 7)]
    site.disk.sync()
    site.turn()
    ((status, _, body),) = answers(wire.sent)
    assert status == 200
    assert body.count(b"vault:v1:") == 7
