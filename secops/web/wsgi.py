"""From a WSGI environ to a ``Request`` and back: the outermost layer, which trusts nothing."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from secops.kernel.errors import Forbidden, Invalid, LengthRequired, TooLarge
from secops.kernel.ids import Randomness
from secops.web.messages import Request, Response

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_MAX_HEADERS: Final = 100
_MAX_ADDRESSES: Final = 4_096
_MAX_LENGTH_DIGITS: Final = 12
"""A terabyte."""
_BODYLESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "LIST"})
_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_KNOWN: Final = (
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "REMOTE_ADDR",
    "RAW_URI",
)


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def _within(address: str, networks: Networks) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


@dataclass(frozen=True, slots=True)
class Origins:
    """Under which names the service answers, and whose forwarding headers it believes.

    ``public`` is the origin users see (``https://sso.example.gov.cn``); a request whose Host
    is neither that nor a loopback name of ``hosts`` is refused (DNS rebinding).
    """

    public: str
    hosts: frozenset[str]
    trusted_proxies: Networks = ()
    tls: bool = False
    _trusted: dict[str, bool] = field(default_factory=dict, compare=False)

    def trusts(self, address: str) -> bool:
        """Tell whether ``address`` is a proxy whose headers count."""
        if not self.trusted_proxies:
            return False
        trusted = self._trusted.get(address)
        if trusted is None:
            if len(self._trusted) >= _MAX_ADDRESSES:
                self._trusted.clear()
            trusted = self._trusted[address] = _within(address, self.trusted_proxies)
        return trusted


def clean_environ(environ: Mapping[str, Any]) -> Environ:
    """Return only what WSGI defines: the server's environ holds the process's secrets too."""
    kept = {name: environ[name] for name in _KNOWN if name in environ}
    kept.update(
        (name, value)
        for name, value in environ.items()
        if name.startswith(("HTTP_", "wsgi.")) and isinstance(name, str)
    )
    return kept


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers with lower-case names."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        if environ.get(key):
            headers[name] = str(environ[key])
    return headers


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ``Invalid`` for too many headers, smuggling, or no Host."""
    if len(headers) > _MAX_HEADERS:
        msg = f"more than {_MAX_HEADERS} headers"
        raise Invalid(msg)
    if "transfer-encoding" in headers and "content-length" in headers:
        msg = "Content-Length and Transfer-Encoding together"
        raise Invalid(msg)
    if not headers.get("host"):
        msg = "the Host header is missing"
        raise Invalid(msg)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length, None without one; raise ``Invalid`` if it is no number."""
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_LENGTH_DIGITS:
        msg = "Content-Length is not a number"
        raise Invalid(msg)
    return int(text)


def read_body(environ: Mapping[str, Any], headers: Mapping[str, str], limit: int) -> bytes:
    """Return exactly Content-Length bytes; raise before reading more than ``limit``."""
    if "transfer-encoding" in headers:
        raise LengthRequired
    length = content_length(headers)
    if length is None:
        if environ["REQUEST_METHOD"] in _BODYLESS:
            return b""
        return _read_nothing(environ)
    if length > limit:
        msg = f"the body is larger than {limit} bytes"
        raise TooLarge(msg)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    if len(body) != length:
        msg = "the body is shorter than its Content-Length"
        raise Invalid(msg)
    return body


def _read_nothing(environ: Mapping[str, Any]) -> bytes:
    if environ["wsgi.input"].read(1):
        raise LengthRequired
    return b""


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Builds requests; the same for both lanes."""

    origins: Origins
    randomness: Randomness

    def read(
        self, environ: Environ, args: Mapping[str, str], max_body: int, *, proxied: bool = False
    ) -> Request:
        """Return the request in ``environ``; raise ``Invalid`` and its kin for a bad one."""
        headers = headers_of(environ)
        check_headers(headers)
        remote, origin = self.caller(str(environ.get("REMOTE_ADDR", "")), headers, proxied=proxied)
        return Request(
            method=str(environ["REQUEST_METHOD"]),
            path=str(environ.get("PATH_INFO", "/")),
            query_string=str(environ.get("QUERY_STRING", "")),
            target=str(environ.get("RAW_URI", "")).partition("?")[0],
            headers=headers,
            body=read_body(environ, headers, max_body),
            args=args,
            remote=remote,
            origin=origin,
            request_id=self.token(12),
            nonce=self.token(18),
        )

    def bare(self, method: str, path: str, headers: Mapping[str, str]) -> Request:
        """Return a request without body or origin, to word a refusal with."""
        told = {
            "accept-language": headers.get("accept-language", "zh"),
            "cookie": headers.get("cookie", ""),
        }
        request_id, nonce = self.token(12), self.token(18)
        return Request(method, path, headers=told, request_id=request_id, nonce=nonce)

    def bare_of(self, environ: Environ) -> Request:
        """Return the same of a WSGI environ."""
        method, path = environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", "/")
        return self.bare(str(method), str(path), headers_of(environ))

    def token(self, count: int) -> str:
        """Return ``count`` unpredictable bytes as text."""
        return base64.urlsafe_b64encode(self.randomness.bytes(count)).decode()

    def caller(
        self, remote: str, headers: Mapping[str, str], *, proxied: bool = False
    ) -> tuple[str, str]:
        """Return the caller's address and the origin asked for; raise ``Invalid``.

        Forwarding headers count from trusted proxies only. ``proxied``: nobody else may ask
        (``Forbidden``), and the Host is the proxy's affair.
        """
        scheme = "https" if self.origins.tls else "http"
        if not self.origins.trusts(remote):
            if proxied:
                msg = "only a trusted proxy may ask this"
                raise Forbidden(msg)
            return remote, self._origin(headers, scheme)
        hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        while hops and self.origins.trusts(hops[-1]):
            hops.pop()
        forwarded = headers.get("x-forwarded-proto", scheme)
        scheme = "https" if forwarded == "https" else "http"
        client = hops[-1] if hops else remote
        return client, self.origins.public if proxied else self._origin(headers, scheme)

    def _origin(self, headers: Mapping[str, str], scheme: str) -> str:
        host = headers["host"].lower()
        origin = f"{scheme}://{host}"
        if origin == self.origins.public or host in self.origins.hosts:
            return origin
        msg = "the Host is not a name of this service"
        raise Invalid(msg)


def send(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    """Send ``response`` through WSGI."""
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    start_response(_LINES.get(response.status, str(response.status)), headers)
    return (response.body,)
