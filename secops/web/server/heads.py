"""Heads of requests and answers as bytes: what is refused at the wire, what is sent."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid
from secops.web.routes import Route

Found = tuple[Route, Mapping[str, str]]
"""A route and its path's variables."""
MAX_HEAD: Final = 65_536
"""Bytes of target and headers together."""
_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}
_BODYLESS_ANSWERS: Final = frozenset({204, 304})
_NEVER_TWICE: Final = frozenset(
    {"host", "authorization", "content-length", "content-type", "transfer-encoding", "origin"}
)
_NAMES: Final = {
    name.encode(): name
    for title in (
        *("Host", "Authorization", "Content-Type", "Content-Length", "Cookie", "Accept"),
        *("User-Agent", "Accept-Encoding", "Accept-Language", "Connection", "Origin", "DPoP"),
        *("X-Forwarded-For", "X-Forwarded-Proto", "X-Original-URI", "X-Original-Method"),
        *("X-Vault-Token", "Sec-Fetch-Site"),
    )
    for name in (title, title.lower())
}
NAMES: Final[dict[bytes, str]] = {key: name.lower() for key, name in _NAMES.items()}
"""Names of headers as they usually come, in lower case: looked up, not made each time."""


class HeadTooLarge(Invalid):
    """Target and headers are longer than anything we would read."""

    code = "web.head_too_large"
    status = 431
    title = Text("请求头过大", "The request's headers are too large")
    remedy = Text("请减少请求头或 Cookie 的大小。", "Send fewer or smaller headers and cookies.")


class TooSlow(Invalid):
    """The request did not arrive in time."""

    code = "web.request_timeout"
    status = 408
    title = Text("请求接收超时", "The request did not arrive in time")
    remedy = Text("请检查网络后重试。", "Check the network and try again.")


@dataclass(slots=True)
class Head:
    """One request as it came: ``path`` is percent-decoded bytes read as Latin-1 (PEP 3333).

    ``target`` is the path as it was sent.
    """

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    keep_alive: bool = True
    target: str = ""


def add_header(headers: dict[str, str], name: bytes, value: bytes) -> None:
    """Add one header; raise ``Invalid`` where two of them would be a way to smuggle.

    Names with an underscore are dropped: in a WSGI environ they would pass for another's.
    """
    text = NAMES.get(name) or name.lower().decode("latin-1")
    if "_" in text:
        return
    content = value.decode("latin-1").strip(" \t")
    if text in headers:
        if text in _NEVER_TWICE:
            msg = f"the header {text} came twice"
            raise Invalid(msg)
        content = f"{headers[text]}{'; ' if text == 'cookie' else ', '}{content}"
    headers[text] = content


def split_target(target: bytes) -> tuple[str, str, str]:
    """Return path, query string and the path as it was sent; raise ``Invalid``.

    Only the origin form is served: a path, not a URL.
    """
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/") or b"#" in target:
        msg = "the request's target is a path"
        raise Invalid(msg)
    sent = path.decode("latin-1")
    decoded = unquote_to_bytes(path).decode("latin-1") if b"%" in path else sent
    return decoded, query.decode("latin-1"), sent


def status_and_headers(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """Return the status line and ``headers``; raise ``ValueError`` where a value holds a line."""
    line = _LINES.get(status) or f"HTTP/1.1 {status} \r\n"
    text = line + "".join([f"{name}: {value}\r\n" for name, value in headers])
    lines = len(headers) + 1
    if text.count("\r") != lines or text.count("\n") != lines or "\0" in text:
        msg = "a header's value holds a line break"
        raise ValueError(msg)
    return text.encode("latin-1")


def ending(status: int, body: bytes, *, method: str, keep_alive: bool) -> bytes:
    """Return the last headers, the empty line, and what of ``body`` may follow them.

    A byte after the head of a 204 would be read as the next answer on the connection.
    """
    close = b"" if keep_alive else b"connection: close\r\n"
    if status in _BODYLESS_ANSWERS:
        return close + b"\r\n"
    sent = b"" if method == "HEAD" else body
    return b"content-length: %d\r\n%b\r\n%b" % (len(body), close, sent)


def environ_of(
    head: Head, body: bytes, remote: str, server: tuple[str, int, str]
) -> dict[str, Any]:
    """Return the WSGI environ (PEP 3333); ``server`` is address, port and scheme."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": head.path,
        "QUERY_STRING": head.query_string,
        "RAW_URI": head.target,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": remote,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": server[2],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in head.headers.items():
        if name in ("content-type", "content-length"):
            environ[name.upper().replace("-", "_")] = value
        else:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ
