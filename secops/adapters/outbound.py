"""Requests to addresses that somebody configured or an event named, guarded against SSRF.

A name is resolved once, every address it has is checked, and the connection goes to the
checked address: a name that changes its mind meanwhile (rebinding) gains nothing. Only
what the operator listed may lie inside. No redirects, no proxies, limits on size and time.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError, Unavailable

MAX_ANSWER: Final = 1 << 16
"""Bytes of an answer that are read at most."""
MAX_URL: Final = 2_048
_EMBEDDING: Final = ipaddress.ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""
_LOCAL_EMBEDDING: Final = ipaddress.ip_network("64:ff9b:1::/48")
"""Local NAT64 (RFC 8215): may lead anywhere inside; older Pythons call it global."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
Negotiate = Callable[["TlsStream"], None]
"""Agrees on TLS over a connection that has none yet."""


class OutboundRefused(Unavailable):
    """The address lies where the product must not reach on anybody's word; nothing was sent."""

    code = "outbound.refused"
    status = 403
    exit_code = 4
    title = Text("不允许访问该地址", "This address may not be called")
    remedy = Text(
        "如确需访问内网地址,请由管理员将其加入外发允许名单。",
        "If it must be reached, have the administrator add it to the outbound allow-list.",
    )


class OutboundFailed(Unavailable):
    """Nothing was sent: no address, no connection, or no trust in its certificate."""

    code = "outbound.failed"
    title = Text("外部地址无法访问", "The other side does not answer")
    remedy = Text("请检查地址、证书和网络。", "Check the address, its certificate and the network.")


class OutboundUncertain(SecopsError):
    """It was sent, wholly or in part, and no proper answer came: it may have had its effect."""

    code = "outbound.uncertain"
    status = 502
    title = Text("请求已发出但结果未知", "Sent, but the outcome is unknown")
    remedy = Text("请先到对方系统核实,再决定是否重发。", "Look at the other side before repeating.")


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Return the addresses of ``host``, as the system tells them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class OutboundOptions:
    """``allowed`` are networks (``10.1.0.0/16``) and host names that may lie inside.

    ``ca_file`` trusts another root beside the system's, with ``only_ca`` instead of them.
    ``client_certificate`` (PEM, with its key) is shown to whoever asks for one. An answer has
    ``max_answer`` bytes at most.
    """

    allowed: tuple[str, ...] = ()
    ca_file: str = ""
    only_ca: bool = False
    client_certificate: str = ""
    max_answer: int = MAX_ANSWER


class OutboundClient:
    """A guarded HTTP client; ``resolve`` is the system's name service."""

    def __init__(self, options: OutboundOptions, resolve: Resolve = resolve_by_system) -> None:
        self._hosts = frozenset(
            entry.lower() for entry in options.allowed if _network(entry) is None
        )
        networks = (_network(entry) for entry in options.allowed)
        self._networks = tuple(network for network in networks if network is not None)
        self._options = options
        self._max_answer = options.max_answer
        self._resolve = resolve

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send ``body`` and return (status, at most ``max_answer`` bytes of the answer).

        ``timeout`` seconds bound all of it. Raises ``Invalid`` for no http(s) URL,
        ``OutboundRefused`` for a forbidden address, ``OutboundFailed`` while nothing was sent,
        ``OutboundUncertain`` afterwards. Errors name the host only: a URL may hold a token.
        """
        status, answer = self._request("POST", url, body, headers, timeout=timeout)
        return status, answer[: self._max_answer]

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        """Ask for ``url``; as ``post``, but a longer answer is ``OutboundUncertain``."""
        status, answer = self._request("GET", url, None, headers, timeout=timeout)
        if len(answer) > self._max_answer:
            msg = f"{_split(url).hostname}: the answer is longer than {self._max_answer} bytes"
            raise OutboundUncertain(msg)
        return status, answer

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> TlsStream:
        """Return a connection to a checked address whose certificate fits ``host``.

        ``timeout`` seconds bound the whole conversation. Raises as ``post`` does.
        ``negotiate`` speaks first and in clear, to agree on TLS (StartTLS); what it raises
        comes out. What the other side says in clear after that breaks the handshake.
        """
        parts = _split(f"https://{host}:{port}/")
        addresses = self._checked_addresses(parts)
        connection = _connection(parts, addresses, timeout, self._options)
        stream = TlsStream(connection, timeout)
        if negotiate is not None:
            connection.before_tls = partial(negotiate, stream)
        try:
            _connect(connection, parts)
        except BaseException:
            stream.close()
            raise
        return stream

    def check(self, url: str) -> None:
        """Return if ``url`` may be called now; raise as ``post`` otherwise."""
        self._checked_addresses(_split(url))

    def _request(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        timeout: float,
    ) -> tuple[int, bytes]:
        parts = _split(url)
        addresses = self._checked_addresses(parts)
        connection = _connection(parts, addresses, timeout, self._options)
        # per-read timeouts alone would let a byte every few seconds hold us for hours
        watchdog = threading.Timer(timeout, _cut, (connection,))
        watchdog.daemon = True
        watchdog.start()
        try:
            _connect(connection, parts)
            return _exchange(connection, (method, parts), body, headers, limit=self._max_answer)
        finally:
            watchdog.cancel()
            connection.close()

    def _checked_addresses(self, parts: SplitResult) -> Sequence[str]:
        host = (parts.hostname or "").rstrip(".").lower()
        try:
            addresses = self._resolve(host, _port(parts))
        except (OSError, UnicodeError) as error:
            msg = f"{host}: the name has no address"
            raise OutboundFailed(msg) from error
        if not addresses:
            msg = f"{host}: the name has no address"
            raise OutboundFailed(msg)
        if host not in self._hosts:
            # one bad address condemns the name: which one answers is the attacker's choice
            for address in addresses:
                self._check_address(host, address)
        return addresses

    def _check_address(self, host: str, text: str) -> None:
        address = ipaddress.ip_address(text.partition("%")[0])
        for candidate in (address, *_embedded(address)):
            inside = (
                not candidate.is_global or candidate.is_multicast or candidate in _LOCAL_EMBEDDING
            )
            if inside and not any(candidate in network for network in self._networks):
                msg = f"{host} lies inside, at an address that is not listed"
                raise OutboundRefused(msg)


class _PinnedConnection(http.client.HTTPConnection):
    """Connects to a checked address, whatever the name says by now."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float,
        *,
        addresses: Sequence[str],
        tls: ssl.SSLContext | None,
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self.before_tls: Callable[[], None] | None = None
        self._addresses = addresses
        self._tls = tls

    def connect(self) -> None:
        """Take the first of the addresses that answers."""
        for index, address in enumerate(self._addresses):
            try:
                self.sock: Any = socket.create_connection((address, self.port), self.timeout)
                break
            except OSError:
                if index == len(self._addresses) - 1:
                    raise
        if self.before_tls is not None:
            self.before_tls()
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


class TlsStream:
    """Bytes to and from one checked host over verified TLS, all of it within a time.

    While TLS is still agreed on, what goes through it is in clear: see ``open_tls``.
    """

    def __init__(self, connection: http.client.HTTPConnection, timeout: float) -> None:
        self._connection = connection
        self._watchdog = threading.Timer(timeout, _cut, (connection,))
        self._watchdog.daemon = True
        self._watchdog.start()

    def send(self, content: bytes) -> None:
        """Send all of it; raise ``OutboundUncertain`` when the other side is gone."""
        try:
            self._connection.sock.sendall(content)
        except OSError as error:
            msg = f"{self._connection.host}: {type(error).__name__}"
            raise OutboundUncertain(msg) from error

    def receive(self, limit: int) -> bytes:
        """Return 1 to ``limit`` bytes; raise ``OutboundUncertain`` at the end or too late."""
        try:
            content: bytes = self._connection.sock.recv(limit)
        except OSError as error:
            msg = f"{self._connection.host}: {type(error).__name__}"
            raise OutboundUncertain(msg) from error
        if not content:
            msg = f"{self._connection.host}: the other side hung up"
            raise OutboundUncertain(msg)
        return content

    def close(self) -> None:
        """Let go of it."""
        self._watchdog.cancel()
        self._connection.close()


def _connect(connection: http.client.HTTPConnection, parts: SplitResult) -> None:
    try:
        connection.connect()
    except (OSError, ValueError) as error:
        msg = f"{parts.hostname}: {type(error).__name__}"
        raise OutboundFailed(msg) from error


def _exchange(
    connection: http.client.HTTPConnection,
    asked: tuple[str, SplitResult],
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    limit: int,
) -> tuple[int, bytes]:
    method, parts = asked
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(limit + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        msg = f"{parts.hostname}: {type(error).__name__}"
        raise OutboundUncertain(msg) from error


def _connection(
    parts: SplitResult, addresses: Sequence[str], timeout: float, options: OutboundOptions
) -> _PinnedConnection:
    tls = _tls(options) if parts.scheme == "https" else None
    host = (parts.hostname or "").rstrip(".")
    return _PinnedConnection(host, _port(parts), timeout, addresses=addresses, tls=tls)


def _no_passphrase() -> str:
    """Answer for OpenSSL, which would ask at the terminal and wait there for ever."""
    return ""


def _tls(options: OutboundOptions) -> ssl.SSLContext:
    if options.only_ca and not options.ca_file:
        msg = "only one root shall be trusted, and none is named"
        raise OutboundFailed(msg)
    # with a file of its own the context takes none of the system's roots
    alone = options.ca_file if options.only_ca else ""
    named = alone or options.ca_file
    try:
        tls = ssl.create_default_context(cafile=alone or None)
        if options.ca_file and not alone:
            tls.load_verify_locations(options.ca_file)
        if options.client_certificate:
            named = options.client_certificate
            tls.load_cert_chain(options.client_certificate, password=_no_passphrase)
    except OSError as error:  # ssl.SSLError is one
        msg = f"{named} holds no certificate that can be used"
        raise OutboundFailed(msg) from error
    return tls


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        msg = "the address is no URL"
        raise Invalid(msg) from error
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    named = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if len(url) > MAX_URL or not plain or not named or "@" in parts.netloc:
        msg = "the address must be an http or https URL of ASCII, without user or password"
        raise Invalid(msg)
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None


def _embedded(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inner: list[Address] = []
    if address.ipv4_mapped is not None:
        inner.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    if address in _EMBEDDING:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner
