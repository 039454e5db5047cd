"""SSRF: what must not be reached is not reached, however it is written."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from secops.adapters.outbound import (
    MAX_ANSWER,
    OutboundClient,
    OutboundFailed,
    OutboundOptions,
    OutboundRefused,
    OutboundUncertain,
)
from secops.kernel.errors import Invalid

PUBLIC = "93.184.216.34"


def client(*allowed: str, names: dict[str, list[str]] | None = None) -> OutboundClient:
    """Return a client whose name service knows ``names``; other names are addresses."""

    def resolve(host: str, port: int) -> Sequence[str]:
        if names is not None and host in names:
            return names[host]
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=1)]

    return OutboundClient(OutboundOptions(allowed), resolve)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "127.0.0.1.",
    ],
)
def test_an_address_inside_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(OutboundRefused):
        client().post(f"http://{host}/", b"", {}, 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "gopher://example.com/",
        "unix:/run/x",
        "ftp://example.com/",
        "http:///path",
        "http://user@example.com/",
        "http://user:pass@127.0.0.1/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://example.com\\@127.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://[::1/",
        "http://example.com/" + "x" * 3_000,
    ],
)
def test_what_is_no_plain_http_url_is_invalid(url: str) -> None:
    with pytest.raises(Invalid):
        client().post(url, b"", {}, 1)


def test_one_address_inside_condemns_the_name() -> None:
    names = {"mixed.example": [PUBLIC, "10.0.0.1"]}
    with pytest.raises(OutboundRefused):
        client(names=names).check("https://mixed.example/")


def test_a_public_name_passes_the_check() -> None:
    client(names={"good.example": [PUBLIC]}).check("https://good.example/hook")


def test_a_name_without_address_fails() -> None:
    with pytest.raises(OutboundFailed):
        client(names={"none.example": []}).check("https://none.example/")


def test_a_listed_network_or_name_may_lie_inside() -> None:
    names = {"robot.intranet": ["10.1.2.3"], "other.intranet": ["10.2.0.1"]}
    client("10.1.0.0/16", names=names).check("http://robot.intranet/")
    client("robot.intranet", names=names).check("http://ROBOT.intranet./")
    with pytest.raises(OutboundRefused):
        client("10.1.0.0/16", "robot.intranet", names=names).check("http://other.intranet/")


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("location", "http://169.254.169.254/")
            self.end_headers()
            return
        if self.path.startswith("/drop"):
            self.close_connection = True
            return
        if self.path.startswith("/slow"):
            self.server.release.wait(20)  # type: ignore[attr-defined]
            return
        answer = b"x" * 200_000 if self.path == "/large" else body + self.headers["host"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what the tests do."""


@pytest.fixture
def server() -> Iterator[int]:
    made = _Server(("127.0.0.1", 0), _Handler)
    made.release = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made.server_address[1]
    made.release.set()  # type: ignore[attr-defined]
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.network
def test_the_answer_comes_back_from_the_checked_address(server: int) -> None:
    made = client("127.0.0.0/8", names={"hook.example": ["127.0.0.1"]})
    status, answer = made.post(f"http://hook.example:{server}/a?b=c", b"body ", {"x-a": "1"}, 5)
    assert (status, answer) == (200, f"body hook.example:{server}".encode())


@pytest.mark.network
def test_a_name_that_changes_its_mind_gains_nothing(server: int) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    made = OutboundClient(OutboundOptions(("127.0.0.0/8",)), lambda _host, _port: answers.pop(0))
    assert made.post(f"http://rebind.example:{server}/", b"", {}, 5)[0] == 200
    assert answers == [["10.0.0.1"]]


@pytest.mark.network
def test_a_redirect_is_an_answer_and_not_followed(server: int) -> None:
    status, _ = client("127.0.0.0/8").post(f"http://127.0.0.1:{server}/redirect", b"", {}, 5)
    assert status == 302


@pytest.mark.network
def test_a_long_answer_is_cut(server: int) -> None:
    made = client("127.0.0.0/8")
    _, answer = made.post(f"http://127.0.0.1:{server}/large", b"", {}, 5)
    assert len(answer) == MAX_ANSWER
    with pytest.raises(OutboundUncertain):
        made.get(f"http://127.0.0.1:{server}/large", {"content-length": "0"}, 5)


@pytest.mark.network
@pytest.mark.parametrize("path", ["/drop", "/slow"])
def test_what_was_sent_without_an_answer_is_uncertain(server: int, path: str) -> None:
    with pytest.raises(OutboundUncertain, match=r"^127\.0\.0\.1: \w+$"):
        client("127.0.0.0/8").post(f"http://127.0.0.1:{server}{path}?token=t", b"", {}, 0.3)


@pytest.mark.network
def test_the_next_checked_address_is_tried(server: int) -> None:
    made = client("127.0.0.0/8", "::1/128", names={"two.example": ["::1", "127.0.0.1"]})
    assert made.post(f"http://two.example:{server}/", b"", {}, 5)[0] == 200


@pytest.mark.network
def test_nothing_was_sent_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(OutboundFailed):
            client("127.0.0.0/8").post(f"http://127.0.0.1:{port}/", b"", {}, 5)


@pytest.mark.network
def test_a_certificate_nobody_vouches_for_is_refused_before_sending(server: int) -> None:
    with pytest.raises(OutboundFailed):
        client("127.0.0.0/8").post(f"https://127.0.0.1:{server}/", b"secret", {}, 5)
