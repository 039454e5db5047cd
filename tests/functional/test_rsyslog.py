"""rsyslog, which we did not write, ships to a running service: over TCP, TLS and ``_bulk``."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from secops.cli.bench.served import free_port
from tests.fakes.demo_site import make_demo_home, read_application
from tests.functional.test_serving import start
from tests.functional.test_shipping import PATIENCE, Served
from tests.services.certificates import write_authority

pytestmark = pytest.mark.service
MODULES = Path("/usr/lib/x86_64-linux-gnu/rsyslog")
COUNT = 200
BEGIN = """
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{folder}/log.sock")
global(workDirectory="{folder}")
"""
TCP = """
*.* action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp"
           TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
           queue.type="LinkedList" queue.filename="secops" queue.saveOnShutdown="on"
           action.resumeRetryCount="-1")
"""
TLS = """
*.* action(type="omfwd" target="127.0.0.1" port="{tls}" protocol="tcp"
           StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
           StreamDriverPermittedPeers="{peer}" StreamDriver.CAFile="{certificates}/authority.pem"
           StreamDriver.CertFile="{certificates}/node.pem"
           StreamDriver.KeyFile="{certificates}/node.key"
           TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
           queue.type="LinkedList" queue.filename="secops" queue.saveOnShutdown="on"
           action.resumeRetryCount="-1" action.resumeInterval="1")
"""
BULK = """
module(load="omelasticsearch")
template(name="ecs" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="process.name" name="programname" format="jsonf")
  property(outname="log.level" name="syslogseverity-text" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
template(name="uuid" type="list") {{ property(name="uuid") }}
*.* action(type="omelasticsearch" server="http://127.0.0.1:{http}/api/v1/logs" esVersion.major="8"
           uid="{user}" pwd="{secret}" searchIndex="rsyslog-bulk" searchType="" bulkmode="on"
           template="ecs" writeoperation="create" dynbulkid="on" bulkid="uuid"
           queue.type="LinkedList" action.resumeRetryCount="-1" action.resumeInterval="1"
           errorfile="{folder}/refused.json")
"""


@dataclass
class Judge:
    """A service that listens, and what a configuration of rsyslog is filled with."""

    served: Served
    certificates: Path

    @contextmanager
    def forwarding(self, folder: Path, config: str, **more: str) -> Iterator[Callable[[str], None]]:
        """Run rsyslog with ``config``; yields what logs a line on its socket."""
        user, secret = self.served.application
        written = (BEGIN + config).format(
            folder=folder,
            certificates=self.certificates,
            http=self.served.running.port,
            user=user,
            secret=secret,
            **{**{name: str(port) for name, port in self.served.ports.items()}, **more},
        )
        (folder / "rsyslog.conf").write_text(written)
        daemon = subprocess.Popen(
            (str(rsyslogd()), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        door, deadline = folder / "log.sock", time.monotonic() + PATIENCE
        try:
            while not door.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                client.connect(str(door))
                yield lambda line: client.sendall(f"<38>Nov 22 17:31:23 {line}".encode())
        finally:
            daemon.terminate()
            daemon.wait(20)


def rsyslogd() -> str | None:
    return shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")


def needs(*modules: str) -> None:
    if rsyslogd() is None or not all((MODULES / module).exists() for module in modules):
        pytest.skip("no rsyslog with its modules (Debian: rsyslog-gnutls, rsyslog-elasticsearch)")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    needs()
    folder = tmp_path_factory.mktemp("rsyslog")
    make_demo_home(folder / "home")
    authority = write_authority(folder / "tls", ["collector.test"])
    ports = {"tcp": free_port(), "tls": free_port()}
    running = start(
        folder / "home",
        free_port(),
        SECOPS_SYSLOG_TCP=f"127.0.0.1:{ports['tcp']}",
        SECOPS_SYSLOG_TLS=f"127.0.0.1:{ports['tls']}",
        SECOPS_SYSLOG_TLS_CERT=str(folder / "tls" / "node.pem"),
        SECOPS_SYSLOG_TLS_KEY=str(folder / "tls" / "node.key"),
        SECOPS_SYSLOG_CLIENT_CA=str(authority),
    )
    home = folder / "home"
    yield Judge(Served(home, running, ports, read_application(home)), folder / "tls")
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(20)
    running.reader.join(10)


def lines(program: str) -> dict[str, str]:
    return {
        f"over rsyslog 你好 {n}": f"{program}[{n}]: over rsyslog 你好 {n}" for n in range(COUNT)
    }


def test_rsyslog_forwards_over_tcp_as_the_manual_says(judge: Judge, tmp_path: Path) -> None:
    sent = lines("overtcp")
    with judge.forwarding(tmp_path, TCP) as log:
        for line in sent.values():
            log(line)
        events = judge.served.found("process.name:overtcp", COUNT)

    assert sorted(e["fields"]["message"] for e in events) == sorted(sent)
    assert {e["fields"]["log.source.transport"] for e in events} == {"tcp"}


def test_rsyslog_forwards_over_tls_and_both_ends_are_who_they_say(
    judge: Judge, tmp_path: Path
) -> None:
    needs("lmnsd_gtls.so")
    sent = lines("overtls")
    with judge.forwarding(tmp_path, TLS, peer="collector.test") as log:
        for line in sent.values():
            log(line)
        events = judge.served.found("process.name:overtls", COUNT)

    assert sorted(e["fields"]["message"] for e in events) == sorted(sent)
    assert {e["fields"]["log.source.transport"] for e in events} == {"tls"}
    name = "tls.client.x509.subject.common_name"
    assert {e["fields"][name] for e in events} == {"collector.test"}


def test_rsyslog_ships_documents_in_bulk_under_names_of_its_own(
    judge: Judge, tmp_path: Path
) -> None:
    needs("omelasticsearch.so")
    sent = lines("inbulk")
    with judge.forwarding(tmp_path, BULK) as log:
        for line in sent.values():
            log(line)
        events = judge.served.found("log.source:rsyslog-bulk AND process.name:inbulk", COUNT)

    assert sorted(e["fields"]["message"].strip() for e in events) == sorted(sent)
    assert {e["fields"]["log.level"] for e in events} == {"info"}
    assert not (tmp_path / "refused.json").exists()
