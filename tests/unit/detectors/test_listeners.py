"""Syslog over real sockets: foreign clients, hostile bytes, back-pressure, quarantine."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from detectors.adapters.listeners.notes import LocalListenerNotes
from detectors.errors import ListenerFailed, SpoolFull
from detectors.models import DetectorsOptions
from detectors.models.listening import QUARANTINE, Endpoint, ListenerOptions, Transport
from detectors.models.logs import LogSource
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import SystemClock
from secops.kernel.logs import And, LogEvent, Window
from tests.fakes.parts import database_spine
from tests.unit.detectors.test_audit_events import execution

pytestmark = pytest.mark.network
ADMIN = Actor("account", "sys", ROOT_ORG, "sys", frozenset({"system-admin"}), level=2)
FAILED = "<38>Nov 22 17:31:23 gw sshd[42]: Failed password for ann from 10.1.2.3 port 5 ssh2"
PATIENCE = 20.0


@dataclass
class Hearing:
    spine: Spine
    services: DetectorsServices
    ports: dict[tuple[Transport, str], int]
    jobs: dict[str, Callable[[], bool]]

    def port(self, transport: Transport, host: str = "127.0.0.1") -> int:
        return self.ports[transport, host]

    def send(self, transport: Transport, content: bytes, host: str = "127.0.0.1") -> None:
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, kind) as client:
            client.connect((host, self.port(transport, host)))
            client.sendall(content)

    def stored(self, count: int) -> list[LogEvent]:
        """What is stored, once it is ``count`` events (or the patience is over)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.jobs["detectors.store_logs"]()
            found = self.services.logs.store.search(And(()), Window(), 10_000)
            if len(found) >= count or time.monotonic() > deadline:
                return [stored.event for stored in found]
            time.sleep(0.02)

    def settled(self, look: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE
        while not look() and time.monotonic() < deadline:
            time.sleep(0.02)
        return look()

    def add(self, source: LogSource) -> None:
        self.services.sources.add_source(ADMIN, source)


def source(name: str, **more: str) -> LogSource:
    return replace(LogSource(name, ROOT_ORG, "syslog", "Asia/Shanghai"), **more)  # type: ignore[arg-type]


def hosts() -> tuple[str, ...]:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1")


@pytest.fixture
def hear(tmp_path: Path) -> Iterator[Callable[..., Hearing]]:
    opened: list[Hearing] = []

    def start(*transports: Transport, **options: object) -> Hearing:
        home = tmp_path / "home"
        home.mkdir()
        spine = database_spine(home, clock=SystemClock())
        endpoints = tuple(Endpoint(t, host, 0) for t in transports for host in hosts())
        listeners = ListenerOptions(endpoints, **options)  # type: ignore[arg-type]
        plane = install(spine.parts, DetectorsPorts(), DetectorsOptions(listeners=listeners))
        assert isinstance(plane.services, DetectorsServices)
        found = plane.services.listening.start_listeners()
        ports = {(each.transport, each.host): each.port for each in found}
        jobs = {job.name: job.tick for job in plane.jobs}
        opened.append(Hearing(spine, plane.services, ports, jobs))
        return opened[-1]

    yield start
    for hearing in opened:
        hearing.services.listening.stop_listeners()
        hearing.spine.close()


def test_every_transport_on_both_families_is_heard(hear: Callable[..., Hearing]) -> None:
    hearing = hear("udp", "tcp")
    hearing.add(source("gw", peers="127.0.0.1, ::1"))

    for host in hosts():
        hearing.send("udp", FAILED.encode(), host)
        hearing.send("tcp", FAILED.encode() + b"\n", host)
        hearing.send("tcp", b"%d %b" % (len(FAILED), FAILED.encode()), host)

    events = hearing.stored(3 * len(hosts()))
    assert len(events) == 3 * len(hosts())
    assert {e.source for e in events} == {"gw"}
    assert {e.fields["user.name"] for e in events} == {"ann"}
    assert {e.fields["log.source.address"] for e in events} == set(hosts())
    assert {e.fields["log.source.transport"] for e in events} == {"udp", "tcp"}
    assert {e.raw for e in events} == {FAILED.encode()}


def test_equal_messages_are_events_of_their_own(hear: Callable[..., Hearing]) -> None:
    hearing = hear("tcp")

    hearing.send("tcp", (FAILED + "\n").encode() * 500)

    assert len(hearing.stored(500)) == 500


def test_unknown_peers_go_into_quarantine_and_are_counted(hear: Callable[..., Hearing]) -> None:
    hearing = hear("udp")
    hearing.add(source("elsewhere", peers="10.0.0.0/8"))

    hearing.send("udp", FAILED.encode())

    (event,) = hearing.stored(1)
    assert event.source == QUARANTINE
    assert hearing.services.listening.intake.strangers() == {"127.0.0.1": 1}


def test_a_relays_lines_are_told_apart_by_host_and_only_a_relays(
    hear: Callable[..., Hearing],
) -> None:
    hearing = hear("udp")
    hearing.add(source("gw-auth", peers="127.0.0.0/8", hosts="gw, gw.example"))
    hearing.add(source("relay", peers="127.0.0.0/8"))
    hearing.add(source("core", peers="10.9.9.9", hosts="core"))

    for host in ("gw", "GW.example", "other", "core"):
        hearing.send("udp", f"<38>Nov 22 17:31:23 {host} app: x".encode())

    found = {(str(e.fields["host.name"]), e.source) for e in hearing.stored(4)}
    assert found == {
        ("gw", "gw-auth"),
        ("GW.example", "gw-auth"),
        ("other", "relay"),
        ("core", "relay"),
    }


def test_pythons_own_handler_is_heard_over_udp_and_tcp(hear: Callable[..., Hearing]) -> None:
    hearing = hear("udp", "tcp")
    log = logging.getLogger("tests.foreign")
    log.propagate = False
    for kind, transport in ((socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")):
        handler = logging.handlers.SysLogHandler(
            ("127.0.0.1", hearing.ports[transport, "127.0.0.1"]),  # type: ignore[index]
            socktype=kind,
        )
        handler.append_nul = kind == socket.SOCK_DGRAM
        handler.setFormatter(logging.Formatter("app[7]: %(message)s\n"))
        log.addHandler(handler)
        log.warning("grüße über %s", transport)
        log.removeHandler(handler)
        handler.close()

    events = hearing.stored(2)
    assert {e.fields["message"] for e in events} == {"grüße über udp", "grüße über tcp"}
    assert {e.fields["process.name"] for e in events} == {"app"}
    assert {e.fields["log.syslog.severity.name"] for e in events} == {"warning"}


@pytest.mark.parametrize(
    ("arguments", "transport"),
    [
        (("--rfc5424", "--udp"), "udp"),
        (("--rfc3164", "--udp"), "udp"),
        (("--rfc5424", "--tcp"), "tcp"),
        (("--rfc5424", "--tcp", "--octet-count"), "tcp"),
        (("--rfc3164", "--tcp"), "tcp"),
    ],
)
def test_logger_of_util_linux_is_heard(
    hear: Callable[..., Hearing], arguments: tuple[str, ...], transport: Transport
) -> None:
    logger = shutil.which("logger") or pytest.skip("no logger command (Debian: bsdutils)")
    hearing = hear(transport)
    hearing.add(source("here", peers="127.0.0.1", timezone="UTC"))

    subprocess.run(
        (
            *(logger, "--server", "127.0.0.1", "--port", str(hearing.port(transport))),
            *("--tag", "unit", "--id=77", "--priority", "auth.warning", *arguments, "--"),
            "hello [world]",
        ),
        check=True,
        env={"TZ": "UTC"},
    )

    (event,) = hearing.stored(1)
    assert event.fields["message"] == "hello [world]"
    assert event.fields["log.syslog.facility.name"] == "auth"
    assert event.fields["process.name"] == "unit"
    assert abs(event.at - event.ingested) < 5_000_000


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory, openssl_command: str) -> Path:
    """A CA of the tests, a server and a client called ``fw.example``."""
    folder = tmp_path_factory.mktemp("pki")
    make = (openssl_command, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    for name, subject in (("server", "localhost"), ("client", "fw.example")):
        subprocess.run(
            (
                *(*make, "-nodes", "-days", "2", "-subj", f"/CN={subject}"),
                *("-addext", f"subjectAltName=DNS:{subject}"),
                *("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")),
            ),
            check=True,
            capture_output=True,
        )
    return folder


def tls_client(folder: Path, *, certified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "server.pem"))
    if certified:
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return context


def send_tls(hearing: Hearing, context: ssl.SSLContext, content: bytes) -> None:
    with (
        socket.create_connection(("127.0.0.1", hearing.port("tls"))) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(content)
        secured.settimeout(1)
        with contextlib.suppress(OSError, ValueError):  # the other side may have hung up
            secured.unwrap()


def test_tls_is_heard_and_a_certificate_names_its_source(
    hear: Callable[..., Hearing], certificates: Path
) -> None:
    hearing = hear(
        "tls",
        tls_cert=str(certificates / "server.pem"),
        tls_key=str(certificates / "server.key"),
        client_ca=str(certificates / "client.pem"),
    )
    hearing.add(source("fw", peers="tls:FW.example"))

    send_tls(
        hearing, tls_client(certificates, certified=True), b"%d %b" % (len(FAILED), FAILED.encode())
    )
    (event,) = hearing.stored(1)

    assert (event.source, event.fields["log.source.transport"]) == ("fw", "tls")
    assert event.fields["tls.client.x509.subject.common_name"] == "fw.example"


def test_nobody_without_a_certificate_is_heard_where_one_is_asked_for(
    hear: Callable[..., Hearing], certificates: Path
) -> None:
    hearing = hear(
        "tls",
        tls_cert=str(certificates / "server.pem"),
        tls_key=str(certificates / "server.key"),
        client_ca=str(certificates / "client.pem"),
    )
    with contextlib.suppress(OSError):  # refused in the handshake or right after: both are right
        send_tls(hearing, tls_client(certificates, certified=False), FAILED.encode() + b"\n")
    with socket.create_connection(("127.0.0.1", hearing.port("tls"))) as plain:
        plain.sendall(FAILED.encode() + b"\n")  # no TLS at all
        plain.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            while plain.recv(1_024):
                pass
    send_tls(hearing, tls_client(certificates, certified=True), b"<1>good\n")

    assert [e.raw for e in hearing.stored(1)] == [b"<1>good"]
    assert hearing.services.listening.listener_counts().failed >= 1


def test_hostile_bytes_are_kept_as_text_and_hurt_nobody(hear: Callable[..., Hearing]) -> None:
    hearing = hear("udp", "tcp", max_message=1_024)
    datagrams = [
        b"\xff\xfe\x00garbage",
        b"<999>Nov 22 17:31:23 h p: x",
        b"<38>1 - - - - - -",
        b"<38>1 2999-01-01T00:00:00Z h p - - - from the future",
        b"<38>1 " + b"[" * 900,
        b"x" * 5_000,
    ]
    for datagram in datagrams:
        hearing.send("udp", datagram)
    hearing.send("udp", b"")
    hearing.send("udp", b"\n\n\x00")
    hearing.send("tcp", b"9999999999 <1>" + b"z" * 3_000)

    events = {e.raw[:20]: e for e in hearing.stored(len(datagrams) + 1)}
    assert len(events) == len(datagrams) + 1
    assert events[b"x" * 20].fields["log.flags"] == "truncated"
    assert len(events[b"x" * 20].raw) == 1_024
    future = events[b"<38>1 2999-01-01T00:"]
    assert future.at == future.ingested
    assert future.fields["log.rejected_time"] == "2999-01-01T00:00:00Z"
    assert events[b"<999>Nov 22 17:31:23"].fields["log.parse_error"] == "not_syslog"


def test_connections_are_limited_and_one_peer_gets_a_share_only(
    hear: Callable[..., Hearing],
) -> None:
    hearing = hear("tcp", max_connections=8)
    clients = [socket.create_connection(("127.0.0.1", hearing.port("tcp"))) for _ in range(4)]
    try:
        counts = hearing.services.listening.listener_counts
        assert hearing.settled(lambda: counts().refused >= 2)
        assert counts().connections == 2
    finally:
        for client in clients:
            client.close()
    assert hearing.settled(lambda: counts().connections == 0)
    hearing.send("tcp", b"<1>after\n")
    assert [e.raw for e in hearing.stored(1)] == [b"<1>after"]


def test_who_says_nothing_is_hung_up_on(hear: Callable[..., Hearing]) -> None:
    hearing = hear("tcp", idle_seconds=0.2)
    with socket.create_connection(("127.0.0.1", hearing.port("tcp"))) as client:
        client.settimeout(PATIENCE)
        client.sendall(b"<1>half a line")
        assert client.recv(10) == b""
    assert [e.raw for e in hearing.stored(1)] == [b"<1>half a line"]


def send_some(client: socket.socket, content: bytes) -> int:
    """How many bytes the other side takes within the client's time-out."""
    try:
        return client.send(content)
    except TimeoutError:
        return 0


def test_a_full_spool_stops_the_reading_and_nothing_is_lost(
    hear: Callable[..., Hearing], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_listen = socket.socket.listen

    def listen(self: socket.socket, backlog: int) -> None:
        # what the kernel may take for a reader that has stopped: on some machines 32 MB
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        plain_listen(self, backlog)

    monkeypatch.setattr(socket.socket, "listen", listen)
    hearing = hear("tcp")
    spool = hearing.services.logs.intake
    room = [False]
    original = type(spool).require_room

    def require_room(self: object) -> None:
        if not room[0]:
            raise SpoolFull
        original(self)  # type: ignore[arg-type]

    monkeypatch.setattr(type(spool), "require_room", require_room)
    lines = [f"<38>Nov 22 17:31:23 gw app: line {n} {'x' * 900}\n".encode() for n in range(5_000)]
    with socket.create_connection(("127.0.0.1", hearing.port("tcp"))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        client.settimeout(1.0)
        sent = 0
        stream = b"".join(lines)
        while (now := send_some(client, stream[sent : sent + 65_536])) > 0:
            sent += now
        assert sent < len(stream)
        assert hearing.stored(0) == []
        room[0] = True
        client.settimeout(PATIENCE)
        client.sendall(stream[sent:])
    assert {e.raw + b"\n" for e in hearing.stored(5_000)} == set(lines)


def test_a_message_that_cannot_be_read_at_all_does_not_end_the_hearing(
    hear: Callable[..., Hearing], monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing = hear("udp")
    intake = type(hearing.services.listening.intake)
    original = intake.take

    def take(self: object, heard: object) -> int:
        if any(b"poison" in message.raw for message in heard):  # type: ignore[attr-defined]
            raise ValueError
        return original(self, heard)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "take", take)
    hearing.send("udp", b"<1>poison")
    assert hearing.settled(lambda: hearing.services.listening.listener_counts().dropped == 1)
    hearing.send("udp", b"<1>fine")
    assert [e.raw for e in hearing.stored(1)] == [b"<1>fine"]


def test_what_waits_and_cannot_be_taken_does_not_end_the_hearing(
    hear: Callable[..., Hearing], monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing = hear("udp")
    intake = type(hearing.services.listening.intake)
    asked: list[bool] = []

    def overdue(self: object, *, everything: bool) -> int:
        asked.append(everything)
        raise ValueError

    monkeypatch.setattr(intake, "waiting", lambda _: 1)
    monkeypatch.setattr(intake, "overdue", overdue)
    hearing.send("udp", b"<1>first")
    assert hearing.settled(lambda: len(asked) > 0)
    hearing.send("udp", b"<1>second")
    assert {e.raw for e in hearing.stored(2)} == {b"<1>first", b"<1>second"}


def test_audit_records_over_udp_are_joined_and_none_is_left_behind(
    hear: Callable[..., Hearing],
) -> None:
    hearing = hear("udp")
    hearing.add(source("gw", format="auditd", peers="127.0.0.1"))
    head = b"<13>Nov 23 12:00:00 gw audispd: "
    for text in execution(7, '"a"'):
        hearing.send("udp", head + text.encode())
    (event,) = hearing.stored(1)
    assert event.fields["process.command_line"] == "a"
    hearing.send("udp", head + execution(8, '"b"')[0].encode())
    intake = hearing.services.listening.intake
    assert hearing.settled(lambda: intake.waiting() == 1)
    hearing.services.listening.stop_listeners()
    assert len(hearing.stored(2)) == 2, "what waits is stored at the end"


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home = tmp_path / "home"
        home.mkdir()
        spine = database_spine(home)
        endpoint = Endpoint("tcp", "127.0.0.1", taken.getsockname()[1])
        options = DetectorsOptions(listeners=ListenerOptions((endpoint,)))
        plane = install(spine.parts, DetectorsPorts(), options)
        assert isinstance(plane.services, DetectorsServices)
        with pytest.raises(ListenerFailed, match=r"127\.0\.0\.1"):
            plane.services.listening.start_listeners()
        state = LocalListenerNotes(home).state()
        assert state is not None
        assert (state.opened, "127.0.0.1" in state.failure) == ((), True), "doctor says it"
        spine.close()
