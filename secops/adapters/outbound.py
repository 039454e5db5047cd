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
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, Invalid, Unavailable

MAX_ANSWER: Final = 1 << 20
"""Bytes of an answer that are read at most."""
MAX_URL: Final = 2_048
_EMBEDDING: Final = ipaddress.ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""
_LOCAL_EMBEDDING: Final = ipaddress.ip_network("64:ff9b:1::/48")
"""Local NAT64 (RFC 8215): may lead anywhere inside; older Pythons call it global."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


class OutboundRefused(Forbidden):
    """The address lies where the product must not reach on anybody's word."""

    code = "outbound.refused"
    title = Text("不允许访问该地址", "This address may not be called")
    remedy = Text(
        "如确需访问内网地址,请由管理员将其加入外发允许名单。",
        "If it must be reached, have the administrator add it to the outbound allow-list.",
    )


class OutboundFailed(Unavailable):
    """The other side did not answer properly."""

    code = "outbound.failed"
    title = Text("外部地址无法访问", "The other side does not answer")
    remedy = Text("请检查地址、证书和网络。", "Check the address, its certificate and the network.")


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Return the addresses of ``host``, as the system tells them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class OutboundOptions:
    """``allowed`` are networks (``10.1.0.0/16``) and host names that may lie inside.

    ``ca_file`` trusts another root beside the system's.
    """

    allowed: tuple[str, ...] = ()
    ca_file: str = ""


class OutboundClient:
    """A guarded HTTP client; ``resolve`` is the system's name service."""

    def __init__(self, options: OutboundOptions, resolve: Resolve = resolve_by_system) -> None:
        self._hosts = frozenset(
            entry.lower() for entry in options.allowed if _network(entry) is None
        )
        networks = (_network(entry) for entry in options.allowed)
        self._networks = tuple(network for network in networks if network is not None)
        self._ca_file = options.ca_file
        self._resolve = resolve

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send ``body`` and return (status, answer), whatever the status is.

        ``timeout`` seconds bound all of it. Raises ``Invalid`` for no http(s) URL,
        ``OutboundRefused`` for a forbidden address, ``OutboundFailed`` otherwise.
        """
        return self._request("POST", url, body, headers, timeout=timeout)

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        """Ask for ``url``; as ``post``."""
        return self._request("GET", url, None, headers, timeout=timeout)

    def check(self, url: str) -> str:
        """Return the address that a request to ``url`` would go to; raise as ``post``."""
        return self._checked_address(_split(url))

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
        address = self._checked_address(parts)
        connection = _connection(parts, address, timeout, self._ca_file)
        # per-read timeouts alone would let a byte every few seconds hold us for hours
        watchdog = threading.Timer(timeout, _cut, (connection,))
        watchdog.daemon = True
        watchdog.start()
        try:
            target = parts.path or "/"
            if parts.query:
                target += f"?{parts.query}"
            connection.request(method, target, body=body, headers=dict(headers))
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            msg = f"{parts.hostname}: {type(error).__name__}"
            raise OutboundFailed(msg) from error
        finally:
            watchdog.cancel()
            connection.close()
        if len(content) > MAX_ANSWER:
            msg = f"{parts.hostname}: the answer is longer than {MAX_ANSWER} bytes"
            raise OutboundFailed(msg)
        return answer.status, content

    def _checked_address(self, parts: SplitResult) -> str:
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
            # one bad address condemns the name: which one is taken is the attacker's choice
            for address in addresses:
                self._check_address(host, address)
        return addresses[0]

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
    """Connects to the checked address, whatever the name says by now."""

    def __init__(
        self, host: str, port: int, timeout: float, *, address: str, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address
        self._tls = tls

    def connect(self) -> None:
        self.sock: Any = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _connection(
    parts: SplitResult, address: str, timeout: float, ca_file: str
) -> http.client.HTTPConnection:
    tls: ssl.SSLContext | None = None
    if parts.scheme == "https":
        tls = ssl.create_default_context()
        if ca_file:
            tls.load_verify_locations(ca_file)
    host = (parts.hostname or "").rstrip(".")
    return _PinnedConnection(host, _port(parts), timeout, address=address, tls=tls)


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
