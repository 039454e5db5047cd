"""HTTP at the wire: what is refused, what waits, in which order answers leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.actors import system_actor
from secops.kernel.errors import AuditUnavailable, SecopsError, TooLarge
from secops.kernel.trail import Act, OnDurable, Receipt
from secops.kernel.waiting import MustWait, about_to_wait, without_waiting
from secops.web.lanes import Lane, build_wsgi
from secops.web.messages import Request, Response, json_response, redirect
from secops.web.routes import Public, Route
from secops.web.server.commits import PATIENCE, GroupCommit
from secops.web.server.connection import IDLE_SECONDS, LINGER_SECONDS, MAX_PIPELINED, Connection
from secops.web.server.heads import MAX_HEAD, add_header, ending, status_and_headers
from secops.web.server.parsing import RequestParser
from secops.web.server.serving import HttpServer, Listening
from secops.web.server.slow import run_wsgi
from tests.unit.web.test_lanes import House

ACT = Act("web.test", system_actor("test"), "thing:1")
OPEN = Public("test")
HOST = b"host: localhost:8080\r\n"


def echo(request: Request) -> Response:
    return json_response({"body": request.body.decode(), "path": request.path})


def recorded(request: Request) -> Response:
    return json_response({"n": request.query.get("n")}, acts=[ACT])


def waits(request: Request) -> Response:
    about_to_wait()
    return json_response({"thread": threading.current_thread().name != "MainThread"})


def breaks(_request: Request) -> Response:
    return redirect("/x\r\nset-cookie: stolen=1")


def route(path: str, handler: Callable[[Request], Response], **more: Any) -> Route:
    given: dict[str, Any] = {"method": "POST", "max_body": 1_000, "fast": True, **more}
    return Route(path=path, operation=path[1:], access=OPEN, handler=handler, **given)


ROUTES = (
    route("/echo", echo),
    route("/recorded", recorded),
    route("/waits", waits),
    route("/breaks", breaks),
    route("/slow", echo, fast=False),
    route("/slow-breaks", breaks, fast=False),
    route("/large", echo, fast=False, max_body=100_000),
    route("/got", echo, method="GET"),
    route("/got", echo, method="HEAD"),
    route("/named/<name>", lambda r: json_response(dict(r.args)), method="GET"),
)


class SlowDisk:
    """A journal whose disk answers when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Sequence[Act], OnDurable]] = []
        self.refusal: SecopsError | None = None

    def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.waiting.append((acts, on_durable))

    def sync(self, error: SecopsError | None = None) -> int:
        waiting, self.waiting = self.waiting, []
        for acts, on_durable in waiting:
            on_durable([Receipt("j", 0, b"") for _ in acts], error)
        return sum(len(acts) for acts, _ in waiting)


class Wire(asyncio.Transport):
    """What a client sees of its connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.ended = ""
        self.told: list[str] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5) if name == "peername" else default

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = "half"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")


class Site:
    """A server whose loop runs only as far as the test lets it."""

    def __init__(self) -> None:
        house = House()
        self.disk = SlowDisk()
        lane = house.app.lane
        application = build_wsgi(Lane(lane.reader, lane.dispatcher), ROUTES)
        listening = Listening(addresses=(), port=8080, threads=2)
        self.server = HttpServer(application, self.disk, listening)
        self.loop = self.server._loop

    def connect(self) -> tuple[Connection, Wire]:
        wire = Wire()
        connection = Connection(self.server)
        connection.connection_made(wire)
        return connection, wire

    def turn(self, seconds: float = 0.0) -> None:
        """Let the loop do what is due."""
        without_waiting(lambda: self.loop.run_until_complete(asyncio.sleep(seconds)))

    def until(self, true: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if true():
                return
            self.turn(0.005)
        raise AssertionError("it did not happen")

    def send(self, connection: Connection, content: bytes) -> None:
        without_waiting(lambda: connection.data_received(content))

    def close(self) -> None:
        self.server._threads.shutdown()
        self.loop.close()


@pytest.fixture
def site() -> Any:
    made = Site()
    yield made
    made.close()


def post(path: str, body: bytes = b"", *more: bytes) -> bytes:
    length = b"content-length: %d\r\n" % len(body)
    return b"POST %b HTTP/1.1\r\n%b%b%b\r\n%b" % (path.encode(), HOST, length, b"".join(more), body)


def answers(sent: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", "0"))
        found.append((int(lines[0].split()[1]), headers, rest[:length]))
        sent = rest[length:]
    return found


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
    assert (wire.sent, wire.ended) == (b"", "aborted")


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


def test_http_1_0_ends_after_its_answer(site: Site) -> None:
    connection, wire = site.connect()
    site.send(connection, b"GET /got HTTP/1.0\r\n" + HOST + b"\r\n")
    assert (answers(wire.sent)[0][1]["connection"], wire.ended) == ("close", "closed")


def test_heads_of_answers() -> None:
    assert status_and_headers(204, [("a", "b")]) == b"HTTP/1.1 204 No Content\r\na: b\r\n"
    assert ending(204, 0, keep_alive=True) == b"\r\n"
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
