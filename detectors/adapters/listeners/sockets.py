"""Opens the listening sockets, and reads datagrams with the kernel's count of lost ones."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from detectors.errors import ListenerFailed
from detectors.models.listening import Endpoint, ListenerOptions

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - what the operator asked for by ""
_LOOPBACK: Final = ("127.0.0.1", "::1")
_ABSENT: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_BACKLOG: Final = 256
_RECEIVE_BUFFER: Final = 8 << 20
_LOST: Final = 40
"""SO_RXQ_OVFL of Linux's socket(7), which the socket module does not name."""
_COUNT: Final = struct.Struct("=I")
MAX_DATAGRAM: Final = 65_535


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A bound socket and where it listens."""

    endpoint: Endpoint
    socket: socket.socket


def open_sockets(endpoint: Endpoint) -> Iterator[OpenSocket]:
    """Yield the sockets of ``endpoint``: one per address family where it names none.

    Raises ``ListenerFailed``; a machine without IPv6 is no failure.
    """
    several = {"": _EVERYWHERE, "*": _EVERYWHERE, "localhost": _LOOPBACK}.get(endpoint.host)
    opened = 0
    for host in several or (endpoint.host,):
        try:
            found = _bound(endpoint, host)
        except OSError as error:
            if several is not None and error.errno in _ABSENT:
                continue
            msg = f"{endpoint.transport} {host}:{endpoint.port}: {error.strerror or error}"
            raise ListenerFailed(msg) from error
        opened += 1
        port = found.getsockname()[1]
        yield OpenSocket(Endpoint(endpoint.transport, host, port), found)
    if not opened:
        msg = f"{endpoint.transport} {endpoint.host}:{endpoint.port}: no address family"
        raise ListenerFailed(msg)


def _bound(endpoint: Endpoint, host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if endpoint.transport == "udp" else socket.SOCK_STREAM
    opened = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            opened.setsockopt(socket.SOL_SOCKET, _LOST, 1)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, endpoint.port))
        if kind == socket.SOCK_STREAM:
            opened.listen(_BACKLOG)
        opened.settimeout(0)
    except OSError:
        opened.close()
        raise
    return opened


def receive(opened: socket.socket) -> tuple[bytes, str, int | None]:
    """Return a datagram, its sender, and how many the kernel has lost so far on this socket.

    Raises ``BlockingIOError`` when there is none.
    """
    content, extra, _, address = opened.recvmsg(MAX_DATAGRAM, 64)
    lost = None
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _LOST and len(data) >= _COUNT.size:
            (lost,) = _COUNT.unpack_from(data)
    return content, plain_address(address[0]), lost


def plain_address(address: str) -> str:
    """Return an address without its zone (RFC 4007)."""
    return address.partition("%")[0]


def server_context(options: ListenerOptions) -> ssl.SSLContext:
    """Return the TLS side of the listeners (RFC 5425 §4.2); raise ``ListenerFailed``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
        if options.client_ca:
            context.load_verify_locations(options.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        msg = f"the certificate, its key or the client CA can't be read: {error}"
        raise ListenerFailed(msg) from error
    return context


def certified_name(certificate: object) -> str:
    """Return a peer's name: its certificate's first DNS name, else the common name, else ""."""
    if not isinstance(certificate, dict):
        return ""
    for kind, value in certificate.get("subjectAltName", ()):
        if kind == "DNS":
            return str(value)
    for pairs in certificate.get("subject", ()):
        for name, value in pairs:
            if name == "commonName":
                return str(value)
    return ""
