"""A small HTTP proxy on loopback that does to requests what networks and clusters do.

It speaks plain HTTP to the product (which allows that on loopback only) and TLS to the server
behind. Which request suffers what is decided by ``fault``, a function of its number.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

Fault = Callable[[int], str]
"""By the request's number: "", "refuse", "reset", "lose", "half", "slow", a status, "items"."""

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "host"})


def never(_number: int) -> str:
    """Let every request through."""
    return ""


class FaultProxy:
    """Runs until ``close``; ``counts`` says how often which fault struck."""

    def __init__(self, upstream: str, authority: Path) -> None:
        self.fault: Fault = never
        self.counts: Counter[str] = Counter()
        self.requests = 0
        self.slow_seconds = 1.0
        self.lock = threading.Lock()
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "localhost", parts.port or 9200)
        self.trusted = ssl.create_default_context(cafile=str(authority))
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def chosen(self) -> str:
        """Count a request and return its fault."""
        with self.lock:
            self.requests += 1
            fault = self.fault(self.requests)
            if fault:
                self.counts[fault] += 1
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _any(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.chosen()
        if fault in ("refuse", "reset"):
            self._reset()
        elif fault.isdigit():
            self._answer(int(fault), [], json.dumps({"error": f"made up {fault}"}).encode())
        elif fault == "items" and self.path.startswith("/_bulk"):
            self._answer(200, [], self._some_items(body))
        else:
            if fault == "slow":
                time.sleep(proxy.slow_seconds)
            status, headers, content = self._forward(body)
            if fault == "lose":  # done there, and nobody hears of it
                self._reset()
            else:
                self._answer(status, headers, content, half=fault == "half")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815 - http.server's names

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        proxy = self.server.proxy
        connection = http.client.HTTPSConnection(*proxy.upstream, context=proxy.trusted, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            if "content-encoding" in self.headers:
                headers["Content-Encoding"] = self.headers["content-encoding"]
            headers["Accept-Encoding"] = "identity"
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP]
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _some_items(self, body: bytes) -> bytes:
        """Hand on every other item of a bulk request and answer 429 for the rest."""
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
            del self.headers["content-encoding"]
        lines = body.splitlines()
        pairs = [lines[n : n + 2] for n in range(0, len(lines), 2)]
        passed = [n for n in range(len(pairs)) if n % 2 == 0 and len(pairs) > 1]
        kept = b"".join(line + b"\n" for n in passed for line in pairs[n])
        found = json.loads(self._forward(kept)[2])["items"] if passed else []
        busy = {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}
        by_place = dict(zip(passed, found, strict=True))
        items = [by_place.get(n, busy) for n in range(len(pairs))]
        return json.dumps({"items": items}).encode()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], content: bytes, *, half: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, value in headers or [
            ("Content-Type", "application/json"),
            ("X-Elastic-Product", "Elasticsearch"),
        ]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content[: len(content) // 2] if half else content)
        self.wfile.flush()
        if half:
            self.close_connection = True

    def _reset(self) -> None:
        """Close with RST, as a crashed peer or an impatient firewall does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()
