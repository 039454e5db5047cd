"""A conversation over TLS to a checked address: for directories."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from secops.adapters.outbound import (
    OutboundClient,
    OutboundFailed,
    OutboundOptions,
    OutboundRefused,
    OutboundUncertain,
)
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
