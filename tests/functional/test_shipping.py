"""Logs from foreign shippers into a running service: Elasticsearch's client, kill -9."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch, helpers
from elasticsearch.exceptions import ApiError, AuthenticationException

from secops.cli.bench.served import free_port
from secops.settings import bare_environment
from tests.fakes.demo_site import make_demo_home, read_application
from tests.functional.test_serving import Running, start

pytestmark = pytest.mark.service
PATIENCE = 30.0
FAILED = "Nov 22 17:31:{:02d} gw sshd[42]: Failed password for ann from 10.1.2.{} port 5 ssh2"


@dataclass
class Served:
    home: Path
    running: Running
    ports: dict[str, int]
    application: tuple[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.running.port}/api/v1/logs"

    def client(self, **more: Any) -> Elasticsearch:
        return Elasticsearch(self.address, **(more or {"basic_auth": self.application}))

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=20)
        login = b64encode(":".join(self.application).encode()).decode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"authorization": f"Basic {login}", **given})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read()
        connection.close()
        return answer.status, found, content

    def token(self) -> str:
        _, _, content = self.ask(
            "POST",
            "/oauth2/token",
            b"grant_type=client_credentials",
            content_type="application/x-www-form-urlencoded",
        )
        token: str = orjson.loads(content)["access_token"]
        return token

    def search(self, query: str) -> list[dict[str, Any]]:
        ran = subprocess.run(
            (
                *(sys.executable, "-m", "secops", "--home", str(self.home), "--as", "analyst"),
                *("logs", "search", query, "--limit", "10000", "--json"),
            ),
            capture_output=True,
            check=True,
            env=bare_environment(),
        )
        return [orjson.loads(line) for line in ran.stdout.splitlines()]

    def found(self, query: str, count: int) -> list[dict[str, Any]]:
        """What ``query`` finds, once it is ``count`` events (or the patience is over)."""
        deadline = time.monotonic() + PATIENCE
        while len(events := self.search(query)) < count and time.monotonic() < deadline:
            time.sleep(0.2)
        return events


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("shipping") / "home"
    make_demo_home(home)
    ports = {"udp": free_port(), "tcp": free_port()}
    running = start(
        home,
        free_port(),
        SECOPS_SYSLOG_UDP=f"localhost:{ports['udp']}",
        SECOPS_SYSLOG_TCP=f"localhost:{ports['tcp']}",
    )
    made = Served(home, running, ports, read_application(home))
    yield made
    if made.running.process.poll() is None:  # not always the first: a test kills it, starts another
        made.running.process.send_signal(signal.SIGTERM)
        made.running.process.wait(20)
    made.running.reader.join(10)


def documents(index: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "_index": index,
            "_op_type": "create",
            "@timestamp": f"2026-11-22T17:31:{n % 60:02d}.{n:06d}Z",
            "message": FAILED.format(n % 60, n % 250),
            "log": {"offset": n},
        }
        for n in range(count)
    ]


def test_the_official_client_ships_by_its_bulk_helper(served: Served) -> None:
    with served.client() as client:
        assert client.info()["version"]["number"].startswith("8.")
        done = helpers.bulk(client, documents("bulk", 1_200), chunk_size=500)

    assert done == (1_200, [])
    assert len(served.found("log.source:bulk", 1_200)) == 1_200


def test_gzip_streaming_and_parallel_helpers_work_and_a_repeat_adds_nothing(served: Served) -> None:
    sent = documents("packed", 600)
    with served.client(basic_auth=served.application, http_compress=True) as client:
        for _ in range(2):
            answers = list(helpers.streaming_bulk(client, sent, chunk_size=200))
            assert {ok for ok, _ in answers} == {True}
        assert all(ok for ok, _ in helpers.parallel_bulk(client, sent, thread_count=2))

    assert len(served.found("log.source:packed", 600)) == 600


def test_every_credential_a_shipper_can_carry_is_the_same_application(served: Served) -> None:
    encoded = b64encode(":".join(served.application).encode()).decode()
    for credential in (
        {"bearer_auth": served.token()},
        {"basic_auth": served.application},
        {"api_key": served.application},
        {"api_key": encoded},
    ):
        with served.client(**credential) as client:
            assert helpers.bulk(client, documents("login", 1)) == (1, [])


def test_a_wrong_credential_and_a_wrong_way_are_told_in_the_clients_words(served: Served) -> None:
    name, secret = served.application
    for credential in (
        {"basic_auth": (name, secret[::-1] + "x")},
        {"basic_auth": ("nobody", secret)},
        {"bearer_auth": "nonsense"},
        {"api_key": "bm90LWEtcGFpcg=="},
    ):
        with served.client(**credential) as client, pytest.raises(AuthenticationException) as no:
            helpers.bulk(client, documents("wrong", 1))
        assert no.value.body["status"] == 401
    with served.client() as client, pytest.raises(ApiError) as refused:
        client.bulk(operations=["not an action", "{}"])
    assert refused.value.status_code == 400


def test_one_bad_document_is_named_and_the_others_are_stored(served: Served) -> None:
    sent = documents("mixed", 3)
    del sent[1]["@timestamp"]
    with served.client() as client:
        done, errors = helpers.bulk(client, sent, raise_on_error=False)

    assert (done, len(errors)) == (2, 1)  # type: ignore[arg-type]
    assert errors[0]["create"]["status"] == 400  # type: ignore[index]
    assert "no_time" in errors[0]["create"]["error"]["reason"]  # type: ignore[index]


def test_bodies_beyond_the_limits_are_refused_before_they_do_harm(served: Served) -> None:
    bomb = gzip.compress(bytes(200 << 20))
    status, headers, content = served.ask(
        "POST", "/api/v1/logs/_bulk", bomb, content_encoding="gzip"
    )
    assert (status, headers["x-elastic-product"]) == (413, "Elasticsearch")
    assert orjson.loads(content)["status"] == 413
    status, _, _ = served.ask("POST", "/api/v1/logs/_bulk", b"{}", content_encoding="br")
    assert status == 400


@pytest.mark.parametrize("path", ["/", "/_license", "/_xpack", "/_cluster/health"])
def test_what_shippers_ask_first_is_answered(served: Served, path: str) -> None:
    status, headers, content = served.ask("GET", f"/api/v1/logs{path}")
    assert (status, headers["x-elastic-product"]) == (200, "Elasticsearch")
    assert isinstance(orjson.loads(content), dict)


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def listener_of(served: Served) -> int | None:
    """The process that holds the listening TCP socket, if there is one."""
    wanted = f":{served.ports['tcp']:04X}"
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(wanted) and fields[3] == "0A":
                sockets.add(f"socket:[{fields[9]}]")
    for pid in descendants(served.running.process.pid):
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                if str(descriptor.readlink()) in sockets:
                    return pid
    return None


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not look() and time.monotonic() < deadline:
        time.sleep(0.05)
    return look()


def send_until_broken(port: int, stop: Callable[[int], None]) -> int:
    """Send numbered lines until the other side is gone; how many went into the socket."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        try:
            for sent in range(1_000_000):
                client.sendall(f"<13>Nov 22 17:31:23 gw stream: line {sent}\n".encode())
                stop(sent)
        except OSError:
            return sent
    return sent


def test_a_listener_killed_mid_stream_keeps_a_beginning_without_hole_or_double(
    served: Served,
) -> None:
    assert until(lambda: accepts(served.ports["tcp"]))
    first = listener_of(served)
    assert first is not None

    def stop(sent: int) -> None:
        if sent == 3_000:
            assert len(served.found("process.name:stream", 3_000)) >= 3_000
        if sent == 6_000:
            os.kill(first, signal.SIGKILL)

    sent = send_until_broken(served.ports["tcp"], stop)
    # the service has started it again: the dead one's socket may take connections a moment longer
    assert until(lambda: listener_of(served) not in (None, first))
    assert until(lambda: accepts(served.ports["tcp"]))
    with socket.create_connection(("127.0.0.1", served.ports["tcp"])) as client:
        client.sendall(b"<13>Nov 22 17:31:23 gw stream: line after\n")
    assert len(served.found('"line after"', 1)) == 1

    lines = [e["fields"]["message"] for e in served.search("process.name:stream")]
    numbers = sorted(int(line.split()[1]) for line in lines if line != "line after")
    print(f"{sent} sent before the listener was gone, {len(numbers)} stored")
    assert len(numbers) >= 3_000
    assert numbers == list(range(len(numbers)))


def test_everything_acknowledged_before_all_processes_were_killed_is_there_once(
    served: Served,
) -> None:
    acknowledged: list[str] = []
    sent = documents("killed", 20_000)
    gone: list[int] = []
    with served.client(
        basic_auth=served.application, max_retries=0, retry_on_status=(), request_timeout=5
    ) as client:
        for begin in range(0, len(sent), 250):
            batch = [
                line
                for each in sent[begin : begin + 250]
                for line in (
                    {"create": {"_index": "killed"}},
                    {name: value for name, value in each.items() if not name.startswith("_")},
                )
            ]
            try:
                answer = client.bulk(operations=batch)
            except Exception:  # noqa: BLE001 - whatever it is, it was not acknowledged
                break
            acknowledged += [item["create"]["_id"] for item in answer["items"]]
            if len(acknowledged) == 2_500:
                everybody = [served.running.process.pid, *descendants(served.running.process.pid)]
                for pid in everybody:
                    os.kill(pid, signal.SIGKILL)
                gone += everybody
    served.running.process.wait(10)
    served.running.reader.join(10)
    print(f"{len(acknowledged)} acknowledged, {len(gone)} processes killed")
    assert len(acknowledged) >= 2_500
    served.running = start(served.home, free_port())  # what waits in the spool is stored now

    stored = [e["id"] for e in served.found("log.source:killed", len(acknowledged))]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]
