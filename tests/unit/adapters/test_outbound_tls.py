"""A conversation over TLS to a checked address: for directories."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from secops.adapters.outbound import (
    OutboundClient,
    OutboundFailed,
    OutboundOptions,
    OutboundRefused,
    OutboundUncertain,
    TlsStream,
)
from secops.bridges.evidence.transport import probe
from secops.kernel.errors import Unavailable
from tests.services.certificates import write_authority

pytestmark = pytest.mark.network


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return write_authority(tmp_path / "tls", ["localhost"])


@pytest.fixture
def echo(authority: Path) -> Iterator[int]:
    """A server that says back, once, what each connection says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.parent / "node.pem", authority.parent / "node.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as one:
                one.sendall(one.recv(100))
            plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def client(authority: Path | None, *allowed: str) -> OutboundClient:
    options = OutboundOptions(allowed, ca_file="" if authority is None else str(authority))
    return OutboundClient(options, lambda *_: ["127.0.0.1"])


def test_bytes_go_there_and_back_and_the_end_is_an_error(authority: Path, echo: int) -> None:
    stream = client(authority, "localhost").open_tls("localhost", echo, 5.0)
    stream.send(b"hello")
    assert stream.receive(100) == b"hello"
    with pytest.raises(OutboundUncertain):
        stream.receive(100)
    stream.close()


def test_an_address_inside_that_is_not_listed_is_not_reached(authority: Path, echo: int) -> None:
    with pytest.raises(OutboundRefused):
        client(authority).open_tls("localhost", echo, 5.0)


def test_an_unknown_root_or_another_name_is_not_spoken_to(authority: Path, echo: int) -> None:
    with pytest.raises(OutboundFailed):
        client(None, "localhost").open_tls("localhost", echo, 5.0)
    with pytest.raises(OutboundFailed):
        client(authority, "ldap.example").open_tls("ldap.example", echo, 5.0)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_root_file_that_is_none_is_an_error_of_ours(
    tmp_path: Path, echo: int, content: bytes | None
) -> None:
    given = tmp_path / "roots.pem"
    if content is not None:
        given.write_bytes(content)
    with pytest.raises(OutboundFailed):
        client(given, "localhost").open_tls("localhost", echo, 5.0)


# one root instead of the system's, and a certificate of our own


def test_with_one_root_alone_the_systems_are_not_trusted(
    authority: Path, echo: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))  # the system's roots know the server
    other = str(write_authority(tmp_path / "other", ["localhost"]))
    beside = OutboundOptions(("localhost",), ca_file=other)
    speak(beside, echo)
    with pytest.raises(OutboundFailed, match="SSLCertVerificationError"):
        speak(replace(beside, only_ca=True), echo)
    with pytest.raises(OutboundFailed, match="none is named"):
        speak(replace(beside, only_ca=True, ca_file=""), echo)
    speak(replace(beside, only_ca=True, ca_file=str(authority)), echo)


def speak(options: OutboundOptions, port: int) -> None:
    stream = OutboundClient(options, lambda *_: ["127.0.0.1"]).open_tls("localhost", port, 5.0)
    try:
        stream.send(b"hello")
        assert stream.receive(100) == b"hello"
    finally:
        stream.close()


@pytest.fixture
def asking(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server speaks only to whom its own authority certified."""
    demanded = ssl.SSLContext.load_cert_chain

    def load_and_ask(context: ssl.SSLContext, *files: Any, **more: Any) -> None:
        demanded(context, *files, **more)
        if context.protocol == ssl.PROTOCOL_TLS_SERVER:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load_and_ask)


def joined(*files: Path) -> bytes:
    return b"".join(file.read_bytes() for file in files)


@pytest.mark.usefixtures("asking")
def test_our_certificate_is_shown_to_whoever_asks_for_one(
    request: pytest.FixtureRequest, authority: Path, tmp_path: Path
) -> None:
    port = request.getfixturevalue("echo")
    ours, strange = tmp_path / "ours.pem", tmp_path / "strange.pem"
    ours.write_bytes(joined(authority.parent / "node.pem", authority.parent / "node.key"))
    write_authority(tmp_path / "other", ["localhost"])
    strange.write_bytes(joined(tmp_path / "other" / "node.pem", tmp_path / "other" / "node.key"))
    options = OutboundOptions(("localhost",), ca_file=str(authority), only_ca=True)
    speak(replace(options, client_certificate=str(ours)), port)
    for shown in ("", str(strange)):
        with pytest.raises((OutboundFailed, OutboundUncertain)):
            speak(replace(options, client_certificate=shown), port)


@pytest.mark.parametrize("content", ["absent", "no key", "a key under a passphrase"])
def test_a_certificate_that_can_not_be_shown_is_an_error_of_ours(
    authority: Path, echo: int, tmp_path: Path, content: str
) -> None:
    given = tmp_path / "ours.pem"
    certificate, key = authority.parent / "node.pem", authority.parent / "node.key"
    if content == "no key":
        given.write_bytes(joined(certificate))
    elif content == "a key under a passphrase":
        read = serialization.load_pem_private_key(key.read_bytes(), None)
        locked = read.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        given.write_bytes(joined(certificate) + locked)
    options = OutboundOptions(("localhost",), ca_file=str(authority), client_certificate=str(given))
    with pytest.raises(OutboundFailed, match="holds no certificate that can be used"):
        speak(options, echo)


# TLS that is agreed on in clear


@pytest.fixture
def upgrading(authority: Path) -> Iterator[Callable[[bytes], int]]:
    """Servers that answer the first words in clear with what is given, then begin TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.parent / "node.pem", authority.parent / "node.key")
    listeners, threads = [], []

    def start(said: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                plain, _ = listener.accept()
                plain.recv(100)
                plain.sendall(said)
                with contextlib.suppress(OSError), context.wrap_socket(plain, True) as one:  # noqa: FBT003
                    one.sendall(one.recv(100))
                plain.close()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        listeners.append(listener)
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def agree(stream: TlsStream) -> None:
    stream.send(b"begin")
    assert stream.receive(3) == b"yes"


def test_tls_begins_where_both_agreed_on_it(
    authority: Path, upgrading: Callable[[bytes], int]
) -> None:
    port = upgrading(b"yes")
    stream = client(authority, "localhost").open_tls("localhost", port, 5.0, agree)
    stream.send(b"hello")
    assert stream.receive(100) == b"hello"
    stream.close()


def test_what_is_injected_in_clear_breaks_the_handshake(
    authority: Path, upgrading: Callable[[bytes], int]
) -> None:
    port = upgrading(b"yes" + bytes.fromhex("300c02010161070a010004000400"))
    with pytest.raises(OutboundFailed):
        client(authority, "localhost").open_tls("localhost", port, 5.0, agree)


def test_another_root_or_name_is_refused_after_agreeing_too(
    authority: Path, upgrading: Callable[[bytes], int]
) -> None:
    with pytest.raises(OutboundFailed):
        client(None, "localhost").open_tls("localhost", upgrading(b"yes"), 5.0, agree)
    with pytest.raises(OutboundFailed):
        client(authority, "ldap.example").open_tls("ldap.example", upgrading(b"yes"), 5.0, agree)


def test_a_refusal_while_agreeing_comes_out_and_ends_the_connection(
    authority: Path, upgrading: Callable[[bytes], int]
) -> None:
    kept: list[TlsStream] = []

    def refuse(stream: TlsStream) -> None:
        kept.append(stream)
        stream.send(b"begin")
        assert stream.receive(3) == b"no!"  # unread it would reset the server in its handshake
        raise Unavailable("no TLS here")

    with pytest.raises(Unavailable, match="no TLS here"):
        client(authority, "localhost").open_tls("localhost", upgrading(b"no!"), 5.0, refuse)
    with pytest.raises((OutboundUncertain, AttributeError)):
        kept[0].send(b"password")


def test_the_evidence_of_a_listener_is_what_its_handshake_agreed_on(echo: int) -> None:
    seen = probe("127.0.0.1", echo)
    assert (seen["probe_version"], seen["probe_aead"], seen["suite_approved"]) == (13, 1, False)
    assert int(seen["least_bits"]) >= 128
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert probe("127.0.0.1", deaf.getsockname()[1]) == {}, "nobody answers: nothing is said"
