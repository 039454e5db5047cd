"""A server whose loop, disk and wires move only as far as a test lets them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from secops.kernel.actors import system_actor
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, OnDurable, Receipt
from secops.kernel.waiting import about_to_wait, without_waiting
from secops.web.lanes import FastLane, Lane, build_wsgi
from secops.web.messages import Request, Response, json_response, redirect
from secops.web.routes import Public, Route
from secops.web.server.client_certificates import Vouching
from secops.web.server.connection import Connection
from secops.web.server.serving import HttpServer, Listening
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


def nothing(request: Request) -> Response:
    return json_response({"not": "to be sent"}, int(request.query["status"]))


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
    route("/told", lambda r: json_response({"told": r.headers.get("x-told")}), fast=False),
    route("/large", echo, fast=False, max_body=100_000),
    route("/nothing", nothing, method="GET"),
    route("/slow-nothing", nothing, method="GET", fast=False),
    route("/got", echo, method="GET"),
    route("/got", echo, method="HEAD"),
    route("/got", lambda _: json_response({"listed": True}), method="LIST"),
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
        self.unsent = 0
        self.when_written: Callable[[], None] = lambda: None
        self.ended = ""
        self.told: list[str] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5) if name == "peername" else default

    def write(self, data: Any) -> None:
        self.sent += bytes(data)
        self.when_written()

    def get_write_buffer_size(self) -> int:
        return self.unsent

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

    def __init__(
        self,
        vouching: Vouching | None = None,
        *,
        proxy: str = "",
        served: FastLane | None = None,
    ) -> None:
        house = House()
        self.disk = SlowDisk()
        lane = house.app.lane
        proxies = (ip_network(proxy),) if proxy else ()
        origins = replace(lane.reader.origins, trusted_proxies=proxies, _trusted={})
        reader = replace(lane.reader, origins=origins)
        application = served or build_wsgi(Lane(reader, lane.dispatcher), ROUTES)
        listening = Listening(addresses=(), port=8080, threads=2, vouching=vouching)
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
