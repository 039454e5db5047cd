"""Every fast route answers alike on the loop, through WSGI, and behind Flask."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from secops.app import open_house
from secops.bridges.processes import build_gateway
from secops.kernel.errors import SecopsError
from secops.kernel.waiting import MustWait, without_waiting
from secops.web.lanes import FastLane, build_flask
from secops.web.messages import Request, Response
from secops.web.routes import Route
from secops.web.server.fast import FastAnswers
from secops.web.server.heads import Head
from secops.web.server.slow import run_wsgi
from secops.web.wsgi import Wsgi
from tests.fakes.demo_site import make_demo_home, read_application

HOST = "localhost:8080"
OWN = ("x-request-id", "content-length", "date")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lanes") / "home"
    make_demo_home(folder)
    return folder


@pytest.fixture(scope="module")
def gateway(home: Path) -> Iterator[FastLane]:
    house = open_house(home, "gateway")
    yield build_gateway(house)
    house.close()


def environ_of(head: Head, body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in head.headers.items()
    }
    return environ | {
        "REQUEST_METHOD": head.method,
        "PATH_INFO": head.path,
        "RAW_URI": head.path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": head.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }


def seen(response: Response) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = sorted((k.lower(), v) for k, v in response.headers if k.lower() not in OWN)
    return response.status, headers, response.body


def on_the_loop(gateway: FastLane, head: Head, body: bytes) -> bytes:
    """What the server would send, with the detour through a thread where it has to wait."""
    answers = FastAnswers(gateway.lane, gateway.routes)
    found = answers.find(head.method, head.path)
    assert found is not None
    try:
        request = answers.request_of(head, body, "127.0.0.1", found)
    except SecopsError as error:
        refusal = answers.refusal(error, head, found[0].form)
        bare = Request(head.method, head.path, request_id="r")
        return answers.bytes_of(refusal, bare, keep_alive=True)
    try:
        response = without_waiting(lambda: answers.dispatcher.decide(request, found[0]))
    except MustWait:
        response = answers.dispatcher.decide(request, found[0])
    return answers.bytes_of(response, request, keep_alive=True)


def parsed(content: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    head, _, body = content.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    pairs = [line.split(": ", 1) for line in lines[1:]]
    headers = sorted({(k, v) for k, v in pairs if k not in OWN})
    return int(lines[0].split()[1]), headers, body


def requests_for(route: Route, login: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Good, anonymous and malformed requests for one route."""
    form = {"host": HOST, "content-type": "application/x-www-form-urlencoded"}
    yield form, b""
    yield form, b"grant_type=nothing&" + login
    yield form, b"token=a.b.c&" + login
    yield {"host": HOST, "content-type": "application/json"}, b"{"
    yield {"host": HOST, "x-vault-token": "nonsense"}, b"{}"
    yield {"host": HOST, "authorization": "Bearer nonsense"}, b"{}"
    yield {"host": "evil.example"}, b""


def test_every_fast_route_answers_alike_on_all_lanes(gateway: FastLane, home: Path) -> None:
    client, secret = read_application(home)
    login = f"client_id={client}&client_secret={secret}".encode()
    flask = cast("Wsgi", build_flask(gateway.lane, gateway.routes).wsgi_app)
    fast = [route for route in gateway.routes if route.fast]
    compared = 0
    for route in fast:
        path = route.path.replace("<mount>", "transit").replace("<name>", "demo-p256")
        path = path.replace("<kind>", "plaintext")
        path = path.replace("<hash_name>", "sha2-256").replace("<path:rest>", "x")
        path = path.replace("<count>", "16")
        for headers, body in requests_for(route, login):
            given = {**headers, "content-length": str(len(body))}
            head = Head(route.method, path, "", given, target=path)
            fast_lane = run_wsgi(gateway, environ_of(head, body))
            slow_lane = run_wsgi(flask, environ_of(head, body))
            loop = parsed(on_the_loop(gateway, head, body))
            expected = seen(fast_lane)
            assert seen(slow_lane)[:2] == expected[:2], (route.operation, headers, body)
            assert loop[0] == expected[0], (route.operation, headers, body)
            names = [name for name, _ in expected[1]]
            assert [name for name, _ in loop[1]] == names, (route.operation, headers)
            compared += 1
    print(f"{len(fast)} fast routes, {compared} requests on three lanes")
    assert len(fast) >= 10
