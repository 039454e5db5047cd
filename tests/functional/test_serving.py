"""``secops serve`` as processes of its own: addresses, TLS, a graceful end, a second start."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest

from secops.cli.bench.served import free_port
from secops.settings import bare_environment
from tests.fakes.demo_site import make_demo_home, read_application, read_logins

pytestmark = pytest.mark.service
FORM = {"content-type": "application/x-www-form-urlencoded"}
START_SECONDS = 90
STOP_SECONDS = 10


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int
    log: list[str]
    reader: threading.Thread

    def stop(self) -> tuple[int, str]:
        """SIGTERM; the exit code and what it printed, within the time that is promised."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        self.reader.join(STOP_SECONDS)
        return code, "".join(self.log)


def start(home: Path, port: int, **environment: str) -> Running:
    process = subprocess.Popen(
        (sys.executable, "-m", "secops", "--home", str(home), "serve", "--port", str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**bare_environment(), "LC_ALL": "C.UTF-8", **environment},
    )
    log: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                log.append(line)
                if "serving on" in line:
                    ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert ready.wait(START_SECONDS), log
    return Running(process, port, log, reader)


@contextmanager
def served(home: Path, **environment: str) -> Iterator[Running]:
    running = start(home, free_port(), **environment)
    try:
        assert running.process.poll() is None, running.log
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        running.reader.join(STOP_SECONDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "home"
    make_demo_home(folder)
    return folder


def get(address: str, port: int, path: str = "/healthz") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def verify_ledger(home: Path) -> dict[str, object]:
    ran = subprocess.run(
        (
            *(sys.executable, "-m", "secops", "--home", str(home)),
            *("audits", "verify-ledger", "--json"),
        ),
        capture_output=True,
        check=True,
        env=bare_environment(),
    )
    verdict: dict[str, object] = orjson.loads(ran.stdout)
    return verdict


def test_both_loopbacks_answer_and_the_port_is_taken(home: Path) -> None:
    with served(home) as running:
        assert get("127.0.0.1", running.port)[0] == 200
        assert get("127.0.0.1", running.port, "/readyz") == (
            200,
            orjson.dumps({"ready": True, "problems": []}),
        )
        if has_ipv6():
            assert get("::1", running.port)[0] == 200
        second = subprocess.run(
            (
                *(sys.executable, "-m", "secops", "--home", str(home)),
                *("serve", "--port", str(running.port)),
            ),
            capture_output=True,
            text=True,
            check=False,
            env=bare_environment(),
        )
        assert (second.returncode, "already listens" in second.stderr) == (2, True)
        assert get("127.0.0.1", running.port)[0] == 200
        code, printed = running.stop()
        assert (code, "Traceback" in printed) == (0, False)


class Client:
    """Asks for tokens on one connection until the service has gone."""

    def __init__(self, port: int, body: str) -> None:
        self.port = port
        self.body = body
        self.granted: list[str] = []
        self.odd: list[str] = []
        self.first = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STOP_SECONDS)
        try:
            while True:
                connection.request("POST", "/oauth2/token", self.body, FORM)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    self.granted.append(orjson.loads(content)["access_token"])
                else:
                    self.odd.append(f"{answer.status} {content[:100]!r}")
                self.first.set()
        except http.client.IncompleteRead as error:
            self.odd.append(f"cut off: {error!r}")
        except (OSError, http.client.HTTPException):
            return  # it has gone: a request that nobody took gets no answer at all
        finally:
            connection.close()


def test_a_stop_under_load_loses_no_act_and_the_next_start_goes_on(home: Path) -> None:
    client, secret = read_application(home)
    body = urlencode(
        {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    )
    before = verify_ledger(home)
    with served(home) as running:
        clients = [Client(running.port, body) for _ in range(4)]
        threads = [threading.Thread(target=one.run) for one in clients]
        for thread in threads:
            thread.start()
        assert all(one.first.wait(START_SECONDS) for one in clients)
        code, printed = running.stop()
        for thread in threads:
            thread.join(START_SECONDS)
    granted = sum(len(one.granted) for one in clients)
    print(f"{granted} tokens granted until the stop")
    assert (code, "Traceback" in printed) == (0, False)
    assert [odd for one in clients for odd in one.odd] == []
    assert granted >= len(clients)
    after = verify_ledger(home)
    assert after["valid"] is True
    assert int(str(after["entries"])) - int(str(before["entries"])) >= granted
    left = [folder.name for folder in (home / "ledger" / "journal").iterdir()]
    assert [name for name in left if name.startswith("gateway")] == []
    with served(home) as again:
        assert get("127.0.0.1", again.port, "/readyz")[0] == 200
        assert again.stop()[0] == 0


def test_requests_in_flight_are_answered_before_the_end(home: Path) -> None:
    login = read_logins(home)["analyst"]
    answers: list[int] = []
    with served(home) as running:
        sent = threading.Barrier(5)

        def sign_in() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
            form = urlencode({"name": "analyst", "password": login.password})
            own = {**FORM, "origin": f"http://127.0.0.1:{running.port}"}
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                connection.request("POST", "/login", form, own)
                sent.wait(START_SECONDS)
                answer = connection.getresponse()
                answer.read()
                answers.append(answer.status)
            finally:
                connection.close()

        threads = [threading.Thread(target=sign_in) for _ in range(4)]
        for thread in threads:
            thread.start()
        sent.wait(START_SECONDS)
        # who is answered after they were sent shows that they have been read
        late = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        late.request("GET", "/healthz")
        late.getresponse().read()
        late.close()
        code, _ = running.stop()
        for thread in threads:
            thread.join(START_SECONDS)
    assert code == 0
    assert answers == [200] * 4


def self_signed(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ),
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.mark.usefixtures("openssl_command")
def test_tls_is_answered_to_who_trusts_it_and_plain_http_is_not(home: Path, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    chosen = {"SECOPS_TLS_CERT": str(certificate), "SECOPS_TLS_KEY": str(key)}
    with served(home, **chosen) as running:
        trusting = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection(
            "localhost", running.port, timeout=10, context=trusting
        )
        connection.request("GET", "/.well-known/openid-configuration")
        answer = connection.getresponse()
        issuer = orjson.loads(answer.read())["issuer"]
        connection.close()
        assert (answer.status, issuer) == (200, f"https://localhost:{running.port}")
        assert "max-age" in (answer.getheader("strict-transport-security") or "")
        with pytest.raises((OSError, http.client.HTTPException)):
            get("127.0.0.1", running.port)
        doubting = http.client.HTTPSConnection(
            "localhost", running.port, timeout=10, context=ssl.create_default_context()
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            doubting.request("GET", "/healthz")
        doubting.close()
        assert running.stop()[0] == 0


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104 - refused
def test_plain_http_on_another_address_than_loopback_is_exit_2(home: Path, address: str) -> None:
    ran = subprocess.run(
        (
            *(sys.executable, "-m", "secops", "--home", str(home)),
            *("serve", "--host", address, "--port", str(free_port())),
        ),
        capture_output=True,
        text=True,
        check=False,
        env={**bare_environment(), "LANG": "en_US.UTF-8", "LC_ALL": ""},
    )
    assert (ran.returncode, "not loopback" in ran.stderr) == (2, True)
    assert os.linesep + "  Correct" in ran.stderr
