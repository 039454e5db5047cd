"""A conversation over TLS to a checked address: for directories."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secops.adapters.outbound import (
    OutboundClient,
    OutboundFailed,
    OutboundOptions,
    OutboundRefused,
    OutboundUncertain,
    TlsStream,
)
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
        raise Unavailable("no TLS here")

    with pytest.raises(Unavailable, match="no TLS here"):
        client(authority, "localhost").open_tls("localhost", upgrading(b"no!"), 5.0, refuse)
    with pytest.raises((OutboundUncertain, AttributeError)):
        kept[0].send(b"password")
