"""The loop: what is answered at once, what waits for the disk, in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.errors import AuditUnavailable, SecopsError, TooLarge
from secops.kernel.trail import PATIENCE, Act, OnDurable
from secops.kernel.waiting import MustWait, about_to_wait, without_waiting
from secops.web.server.client_certificates import Vouching
from secops.web.server.commits import GroupCommit
from tests.fakes.http_site import ACT, Site, SlowDisk, answers, post


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_a_fast_request_is_answered_at_once_and_the_connection_goes_on(site: Site) -> None:
    connection, wire = site.connect()
    for _ in range(2):
        site.send(connection, post("/echo", b"hello"))
    (one, two) = answers(wire.sent)
    assert (one[0], orjson.loads(one[2])["body"], two[0]) == (200, "hello", 200)
    assert wire.ended == ""


@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_it_does_not_matter_how_a_request_is_cut_into_packets(cuts: list[int]) -> None:
    whole = post("/echo", b"0123456789") + post("/named/x?a=b") + post("/echo", b"z" * 50)
    site = Site()
    try:
        connection, wire = site.connect()
        last = 0
        for cut in [*sorted(cuts), len(whole)]:
            site.send(connection, whole[last:cut])
            last = max(last, cut)
        site.until(lambda: len(answers(wire.sent)) == 3)
        assert [status for status, _, _ in answers(wire.sent)] == [200, 405, 200]
    finally:
        site.close()


@pytest.mark.parametrize("cut", range(30))
def test_vaults_method_list_is_understood_however_it_is_cut(site: Site, cut: int) -> None:
    connection, wire = site.connect()
    asked = b"LIST /got HTTP/1.1\r\nhost: localhost:8080\r\n\r\n"
    for _ in range(2):
        site.send(connection, asked[:cut])
        site.send(connection, asked[cut:])
    site.send(connection, asked.replace(b"LIST", b"GET"))
    listed, again, got = answers(wire.sent)
    assert orjson.loads(listed[2]) == orjson.loads(again[2]) == {"listed": True}
    assert "listed" not in orjson.loads(got[2])


@pytest.mark.parametrize("cut", range(240))
def test_list_behind_another_request_is_understood_however_it_is_cut(site: Site, cut: int) -> None:
    connection, wire = site.connect()
    listed = b"LIST /got HTTP/1.1\r\nhost: localhost:8080\r\n\r\n"
    posted = post("/recorded", b'{"LIST /got": "LIST "}LIST ') + post("/recorded", b"endsinL")
    whole = listed + posted + listed + listed.replace(b"LIST", b"GET") + listed
    site.send(connection, whole[:cut])
    site.send(connection, whole[cut:])
    for _ in range(20):
        site.disk.sync()
        site.turn()
    found = answers(wire.sent)
    assert [status for status, _, _ in found] == [200] * 6
    named = [orjson.loads(body).get("listed", False) for _, _, body in found]
    assert named == [True, False, False, True, False, True]


def test_list_is_a_method_and_no_prefix_of_one(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, b"LISTEN /got HTTP/1.1\r\nhost: localhost:8080\r\n\r\n")
    assert answers(wire.sent)[0][0] == 400


def test_nothing_is_answered_before_its_act_is_durable(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1"))
    site.turn()
    assert (wire.sent, len(site.disk.waiting)) == (b"", 1)
    site.disk.sync()
    site.turn()
    assert answers(wire.sent)[0][0] == 200


def test_pipelined_requests_wait_behind_a_commit_and_keep_their_order(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1") + post("/echo", b"second") + post("/recorded?n=3"))
    site.turn()
    assert wire.sent == b""
    while len(answers(wire.sent)) < 3:
        site.disk.sync()
        site.turn()
    bodies = [orjson.loads(body) for _, _, body in answers(wire.sent)]
    assert (bodies[0]["n"], bodies[1]["body"], bodies[2]["n"]) == ("1", "second", "3")


@pytest.mark.parametrize(
    ("proxy", "certificate", "told"),
    [
        ("", b"of a person", "vouched: of a person"),
        ("", b"", None),
        # a proxy's connection carries everybody: what it proved is said of nobody
        ("127.0.0.1/32", b"of the proxy", "the proxy's word"),
        ("127.0.0.1/32", b"", "the proxy's word"),
    ],
)
def test_a_connections_certificate_is_said_of_nobody_behind_a_proxy(
    proxy: str, certificate: bytes, told: str | None
) -> None:
    site = Site(Vouching("x-told", lambda der: f"vouched: {der.decode()}"), proxy=proxy)
    try:
        connection, wire = site.connect()
        connection.certificate = certificate
        site.send(connection, post("/told", b"", b"x-told: the proxy's word\r\n"))
        site.until(lambda: wire.sent != b"")
        assert orjson.loads(answers(wire.sent)[0][2])["told"] == told
    finally:
        site.close()


def test_many_requests_share_one_commit(site: Site) -> None:
    wires = []
    for number in range(20):
        connection, wire = site.connect()
        wires.append(wire)
        site.send(connection, post(f"/recorded?n={number}"))
    site.turn()
    assert [len(acts) for acts, _ in site.disk.waiting] == [20]
    assert site.disk.sync() == 20
    site.turn()
    assert [answers(wire.sent)[0][0] for wire in wires] == [200] * 20


def test_what_gathers_during_a_commit_is_the_next_one(site: Site) -> None:
    for number in range(6):
        site.send(site.connect()[0], post(f"/recorded?n={number}"))
        site.turn()
    assert [len(acts) for acts, _ in site.disk.waiting] == [1]
    site.disk.sync()
    site.turn()
    assert [len(acts) for acts, _ in site.disk.waiting] == [5]


def test_a_refused_commit_grants_nothing(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1"))
    site.turn()
    site.disk.sync(AuditUnavailable())
    site.turn()
    (status, _, body) = answers(wire.sent)[0]
    assert (status, b'"n"' in body) == (503, False)


def test_a_disk_that_does_not_answer_is_waited_for_two_seconds(site: Site) -> None:
    connection, wire = site.connect()
    later, second = site.connect()
    site.send(connection, post("/recorded?n=1"))
    site.turn()
    site.send(later, post("/recorded?n=2"))
    site.turn()
    now = site.loop.time()
    site.server._commits.refuse_overdue(now)
    assert wire.sent == b""
    site.server._commits.refuse_overdue(now + PATIENCE + 1)
    assert [answers(one.sent)[0][0] for one in (wire, second)] == [503, 503]
    site.disk.sync()
    site.turn()
    assert len(answers(wire.sent)) == 1


def test_every_batch_on_its_way_to_a_dead_disk_is_refused() -> None:
    class OneByOne(SlowDisk):
        def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:
            if len(acts) > 1:
                raise TooLarge
            super().submit(acts, on_durable)

    loop = asyncio.new_event_loop()
    commits = GroupCommit(loop, OneByOne())
    told: list[type[SecopsError] | None] = []
    for _ in range(3):
        commits.add([ACT], lambda error: told.append(type(error) if error else None))
    loop.run_until_complete(asyncio.sleep(0))
    commits.refuse_overdue(loop.time() + PATIENCE + 1)
    assert told == [AuditUnavailable] * 3
    loop.close()


def test_one_act_too_large_does_not_take_the_others_with_it() -> None:
    class Picky(SlowDisk):
        def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:
            if any(act.target == "large" for act in acts):
                raise TooLarge
            super().submit(acts, on_durable)

    loop = asyncio.new_event_loop()
    disk = Picky()
    commits = GroupCommit(loop, disk)
    told: list[type[SecopsError] | None] = []
    for target in ("small", "large", "small"):
        act = Act("a.b", ACT.actor, target)
        commits.add([act], lambda error: told.append(type(error) if error else None))
    loop.run_until_complete(asyncio.sleep(0))
    assert told == [TooLarge]
    disk.sync()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert told == [TooLarge, None, None]


def test_a_handler_that_would_wait_is_run_again_in_a_thread(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/waits"))
    site.until(lambda: bool(wire.sent))
    assert orjson.loads(answers(wire.sent)[0][2]) == {"thread": True}


def test_waiting_is_forbidden_only_where_it_was_said() -> None:
    about_to_wait()
    with pytest.raises(MustWait):
        without_waiting(about_to_wait)
    about_to_wait()


def test_the_slow_lane_answers_in_a_thread_with_the_same_headers(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/slow", b"x") + post("/echo", b"x"))
    site.until(lambda: len(answers(wire.sent)) == 2)
    slow, fast = answers(wire.sent)
    own = ("x-request-id", "content-length")
    assert [{k: v for k, v in each[1].items() if k not in own} for each in (slow,)] == [
        {k: v for k, v in fast[1].items() if k not in own}
    ]


@pytest.mark.parametrize("path", ["/breaks", "/slow-breaks"])
def test_a_line_break_in_a_header_never_leaves(site: Site, path: str) -> None:
    connection, wire = site.connect()
    site.send(connection, post(path))
    site.until(lambda: bool(wire.sent))
    assert b"stolen" not in wire.sent
    assert answers(wire.sent)[0][0] == 500
