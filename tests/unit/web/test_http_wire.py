"""HTTP at the wire: what is refused, given up, limited, and how a connection ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.waiting import without_waiting
from secops.web.server.connection import (
    BODY_SECONDS,
    BYTES_PER_SECOND,
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_PIPELINED,
    WRITE_SECONDS,
)
from secops.web.server.heads import MAX_HEAD, add_header, ending, status_and_headers
from secops.web.server.parsing import RequestParser
from secops.web.server.serving import HttpServer, Listening
from secops.web.server.slow import run_wsgi
from tests.fakes.http_site import HOST, Site, SlowDisk, answers, post
from tests.unit.web.test_lanes import House


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


CHUNKS = b"POST /echo HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
REFUSED = {
    "no HTTP": (b"hello\r\n\r\n", 400),
    "two lengths": (post("/echo", b"", b"content-length: 5\r\n"), 400),
    "length and chunks": (post("/echo", b"", b"transfer-encoding: chunked\r\n"), 400),
    "chunks": (CHUNKS, 411),
    "length with a sign": (b"POST /echo HTTP/1.1\r\n" + HOST + b"content-length: +5\r\n\r\n", 400),
    "two hosts": (post("/echo", b"", HOST), 400),
    "two credentials": (post("/echo", b"", b"authorization: a\r\n", b"authorization: b\r\n"), 400),
    "another host": (b"POST /echo HTTP/1.1\r\nhost: evil.example\r\n\r\n", 400),
    "no host": (b"POST /echo HTTP/1.1\r\ncontent-length: 0\r\n\r\n", 400),
    "a URL": (post("http://localhost:8080/echo"), 400),
    "a fragment": (post("/echo#x"), 400),
    "a long head": (post("/echo", b"", b"x: " + b"a" * MAX_HEAD + b"\r\n"), 431),
    "a folded header": (post("/echo", b"", b"x: a\r\n b\r\n"), 400),
    "a space before the colon": (post("/echo", b"", b"x : a\r\n"), 400),
    "a bare line feed": (b"POST /echo HTTP/1.1\n" + HOST + b"\n", 400),
    "a large body": (post("/echo", b"a" * 1_001), 413),
    "a large body nowhere": (post("/nowhere", b"a" * 65_537), 413),
    "a large body in the slow lane": (post("/large", b"a" * 100_001), 413),
    "too many headers": (post("/echo", b"", *(b"x%d: y\r\n" % n for n in range(101))), 400),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_at_the_wire_is_answered_once_and_heard_no_more(
    site: Site, what: str
) -> None:
    content, expected = REFUSED[what]
    connection, wire = site.connect()
    site.send(connection, content)
    site.send(connection, post("/echo", b"smuggled"))
    site.until(lambda: bool(wire.sent))
    site.turn()
    found = answers(wire.sent)
    statuses = [status for status, _, _ in found]
    assert statuses[0] == expected
    assert b"smuggled" not in wire.sent or found[0][1].get("connection") != "close"
    assert found[0][1]["x-content-type-options"] == "nosniff"


def test_a_wish_for_another_protocol_is_not_granted(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/echo", b"", b"connection: upgrade\r\nupgrade: websocket\r\n"))
    site.send(connection, post("/echo"))
    ((status, headers, _),) = answers(wire.sent)
    assert (status, headers["connection"]) == (200, "close")


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_body_behind_such_a_wish_is_read_whole_and_nothing_after_it(
    site: Site, size: int
) -> None:
    # Java's own client sends one with its first request, body and all
    wish = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAEA\r\n"
    content = post("/echo", b"what was asked", wish) + post("/echo", b"smuggled")
    connection, wire = site.connect()
    for begin in range(0, len(content), size):
        site.send(connection, content[begin : begin + size])
    ((status, headers, body),) = answers(wire.sent)
    assert (status, headers["connection"]) == (200, "close")
    assert b"what was asked" in body
    assert b"smuggled" not in wire.sent


def test_a_body_behind_such_a_wish_has_the_limits_of_every_body(site: Site) -> None:
    wish = b"connection: upgrade\r\nupgrade: h2c\r\n"
    connection, wire = site.connect()
    site.send(connection, post("/echo", b"a" * 1_001, wish))
    assert answers(wire.sent)[0][0] == 413
    connection, wire = site.connect()
    site.send(connection, post("/echo", b"a" * 1_000, wish)[:-1])
    connection.overdue()
    assert answers(wire.sent)[0][0] == 408


def test_a_refusal_waits_for_its_turn_and_leaves_time_to_read_it(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1") + b"nonsense\r\n\r\n")
    site.turn()
    assert wire.sent == b""
    site.disk.sync()
    site.turn()
    first, second = answers(wire.sent)
    assert (first[0], second[0], second[1]["connection"], wire.ended) == (200, 400, "close", "half")
    assert connection.deadline == site.server.now + LINGER_SECONDS
    connection.overdue()
    assert wire.ended == "aborted"


def test_a_head_with_an_underscore_is_not_another_head() -> None:
    headers: dict[str, str] = {}
    add_header(headers, b"X_Forwarded_For", b"203.0.113.7")
    add_header(headers, b"X-Forwarded-For", b"192.0.2.7")
    add_header(headers, b"Cookie", b"a=1")
    add_header(headers, b"cookie", b"b=2")
    add_header(headers, b"accept", b"x")
    add_header(headers, b"Accept", b"y ")
    assert headers == {"x-forwarded-for": "192.0.2.7", "cookie": "a=1; b=2", "accept": "x, y"}


def test_a_slow_request_is_given_up_with_408(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, b"POST /echo HTTP/1.1\r\nhost: local")
    assert connection.deadline < site.server.now + IDLE_SECONDS
    before = connection.deadline
    site.server.now += 5
    site.send(connection, b"host:8080\r\n")
    assert connection.deadline == before
    connection.overdue()
    assert answers(wire.sent)[0][0] == 408


def test_a_body_has_one_deadline_however_it_trickles(site: Site) -> None:
    connection, _ = site.connect()
    head = b"POST /large HTTP/1.1\r\n" + HOST + b"content-length: 90000\r\n\r\n"
    site.send(connection, head)
    before = connection.deadline
    assert before > site.server.now + 10
    for _ in range(5):
        site.server.now += 1
        site.send(connection, b"a")
    assert connection.deadline == before


def test_an_idle_connection_is_ended_without_a_word(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/echo"))
    wire.sent = b""
    assert connection.deadline == site.server.now + IDLE_SECONDS
    connection.overdue()
    assert (wire.sent, wire.ended) == (b"", "closed")


def test_a_client_that_waits_to_be_told_is_told_to_go_on(site: Site) -> None:
    connection, wire = site.connect()
    head = post("/echo", b"12345", b"expect: 100-continue\r\n")[:-5]
    site.send(connection, head)
    assert wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sent = b""
    site.send(connection, b"12345")
    assert answers(wire.sent)[0][0] == 200


def test_a_client_that_waits_with_too_much_is_not(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/echo", b"a" * 2_000, b"expect: 100-continue\r\n")[:-2_000])
    assert answers(wire.sent)[0][0] == 413


def test_bodies_together_have_a_limit(site: Site) -> None:
    assert site.server.reserve(200 << 20)
    connection, wire = site.connect()
    assert not site.server.reserve(60 << 20)
    site.server.reserve(56 << 20)
    site.send(connection, post("/echo", b"x"))
    assert answers(wire.sent)[0][0] == 503
    site.server.release(256 << 20)
    again, other = site.connect()
    site.send(again, post("/echo", b"x"))
    assert answers(other.sent)[0][0] == 200
    assert site.server._held == 0


def test_too_many_pipelined_requests_stop_being_read(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=0") + post("/echo") * (MAX_PIPELINED + 3))
    assert wire.told == ["pause"]
    site.turn()
    site.disk.sync()
    site.turn()
    assert len(answers(wire.sent)) == MAX_PIPELINED + 4
    assert wire.told == ["pause", "resume"]


def test_a_client_that_does_not_read_gets_no_second_answer(site: Site) -> None:
    connection, wire = site.connect()
    connection.pause_writing()
    site.send(connection, post("/echo"))
    assert wire.sent == b""
    without_waiting(connection.resume_writing)
    assert answers(wire.sent)[0][0] == 200


def test_a_large_answer_has_time_by_its_size(site: Site) -> None:
    connection, wire = site.connect()
    wire.unsent, wire.when_written = 32 << 20, connection.pause_writing  # as uvloop tells it
    site.send(connection, post("/echo") + b"POST /echo HTTP/1.1\r\n")
    wanted = site.server.now + WRITE_SECONDS + wire.unsent / BYTES_PER_SECOND
    assert connection.deadline == wanted
    site.send(connection, HOST)
    assert connection.deadline == wanted
    without_waiting(connection.resume_writing)
    assert connection.deadline == site.server.now + HEAD_SECONDS


def test_a_client_that_has_always_begun_the_next_request_holds_no_more(site: Site) -> None:
    connection, wire = site.connect()
    whole = post("/echo", b"a" * 900)
    site.send(connection, whole[:20])
    for _ in range(100):
        site.send(connection, whole[20:] + whole[:20])
        assert site.server._held == 0
    assert {status for status, _, _ in answers(wire.sent)} == {200}
    assert len(answers(wire.sent)) == 100


def test_a_client_that_waits_to_be_told_is_told_after_the_answer_before(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1"))
    site.send(connection, post("/echo", b"12345", b"expect: 100-continue\r\n")[:-5])
    assert wire.sent == b""
    site.turn()
    site.disk.sync()
    site.turn()
    assert wire.sent.endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert connection.deadline > site.server.now + BODY_SECONDS


def test_a_half_closed_connection_ends_after_its_answer(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1"))
    connection.eof_received()
    site.turn()
    site.disk.sync()
    site.turn()
    assert (answers(wire.sent)[0][0], wire.ended) == (200, "half")
    assert connection.deadline == site.server.now + LINGER_SECONDS


def test_a_half_closed_connection_still_gets_its_answer(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1"))
    assert connection.eof_received() is True
    site.turn()
    site.disk.sync()
    site.turn()
    assert answers(wire.sent)[0][0] == 200
    assert connection.eof_received() is False


def test_a_client_that_left_is_forgotten(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, post("/recorded?n=1") + post("/echo", b"12"))
    connection.connection_lost(None)
    site.turn()
    site.disk.sync()
    site.turn()
    assert (wire.sent, site.server._held, len(site.server._connections)) == (b"", 0, 0)


def test_the_end_closes_idle_connections_and_lets_others_finish(site: Site) -> None:
    idle, first = site.connect()
    busy, second = site.connect()
    site.send(busy, post("/recorded?n=1"))
    site.turn()
    site.server.stopping = True
    for connection in (idle, busy):
        connection.stop()
    assert (first.ended, second.ended) == ("closed", "")
    site.disk.sync()
    site.turn()
    assert answers(second.sent)[0][1]["connection"] == "close"
    assert second.ended == "closed"


def test_head_has_the_length_and_no_body(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, b"HEAD /got HTTP/1.1\r\n" + HOST + b"\r\n")
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert (b"content-length: " in head, body) == (True, b"")


@pytest.mark.parametrize("path", ["/nothing", "/slow-nothing"])
@pytest.mark.parametrize("status", [204, 304])
def test_attack_no_byte_of_a_body_follows_an_answer_that_has_none(
    site: Site, path: str, status: int
) -> None:
    connection, wire = site.connect()
    site.send(connection, f"GET {path}?status={status} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    site.until(lambda: b"\r\n\r\n" in wire.sent)
    assert wire.sent.startswith(b"HTTP/1.1 %d " % status)
    assert wire.sent.partition(b"\r\n\r\n")[2] == b""


def test_http_1_0_ends_after_its_answer(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, b"GET /got HTTP/1.0\r\n" + HOST + b"\r\n")
    assert (answers(wire.sent)[0][1]["connection"], wire.ended) == ("close", "closed")


def test_heads_of_answers() -> None:
    assert status_and_headers(204, [("a", "b")]) == b"HTTP/1.1 204 No Content\r\na: b\r\n"
    assert ending(204, b"", method="GET", keep_alive=True) == b"\r\n"
    for value in ("a\r\nb", "a\nb", "a\rb", "a\0b", "人"):
        with pytest.raises(ValueError, match=r"line break|codec"):
            status_and_headers(200, [("x", value)])


def test_a_wsgi_application_is_closed_even_when_it_breaks() -> None:
    closed: list[bool] = []

    class Parts(list[bytes]):
        def __iter__(self) -> Any:
            raise RuntimeError

        def close(self) -> None:
            closed.append(True)

    def application(_environ: Any, start: Any) -> Any:
        start("200 OK", [])
        return Parts()

    with pytest.raises(RuntimeError):
        run_wsgi(application, {})
    assert closed == [True]


@given(st.binary(max_size=400))
def test_no_bytes_bring_the_parser_down(content: bytes) -> None:
    house = House()
    server = HttpServer(house.app, SlowDisk(), Listening(addresses=(), port=8080, threads=1))
    try:
        parser = RequestParser(server.answers, lambda _: True)
        found = parser.feed(b"GET / HTTP/1.1\r\n" + content) + parser.feed(b"\r\n\r\n")
        assert all(error is None or error.status < 500 for _, _, _, error in found)
    finally:
        server._threads.shutdown()
        server._loop.close()
