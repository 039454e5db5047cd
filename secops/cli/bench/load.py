"""The load generator: ``python -m secops.cli.bench.load`` repeats requests over keep-alive.

A process of its own, so that its CPU time is not the server's; one thread over many
connections, so that it costs little. Reads a ``Load`` as JSON from stdin, prints a ``Loaded``.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

_OK: Final = 200
_SCALE: Final = 1000
_READ: Final = 65_536
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """``count`` requests in turn of ``bodies``, over ``connections``.

    ``keep`` returns the bodies of the answers.
    """

    host: str
    port: int
    path: str
    bodies: list[str]
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    connections: int = 16
    count: int = 4_000
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came back. Times in seconds and milliseconds."""

    answers: int
    good: int
    wall_seconds: float
    p50_ms: float
    p99_ms: float
    other: str = ""
    bodies: list[str] = field(default_factory=list)


class _Run:
    """One run: what is left to send, and what came back."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.left = load.count
        self.requests = [_request(load, body) for body in load.bodies]
        self.taken: list[float] = []
        self.bad: list[str] = []
        self.kept: list[str] = []

    def following(self) -> bytes | None:
        """Return the next request, None at the end."""
        if not self.left:
            return None
        self.left -= 1
        return self.requests[self.left % len(self.requests)]

    def came(self, status: int, body: bytes, seconds: float) -> None:
        """Count one answer."""
        if status != _OK:
            self.bad.append(f"{status} {body.decode(errors='replace')}")
            return
        self.taken.append(seconds)
        if self.load.keep:
            self.kept.append(body.decode())


class _Connection:
    """One connection with one request on its way."""

    def __init__(self, run: _Run) -> None:
        self.socket = socket.create_connection((run.load.host, run.load.port), _PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._run = run
        self._data = b""
        self._begun = 0.0

    def send(self) -> bool:
        """Send the next request; False when there is none."""
        request = self._run.following()
        if request is None:
            return False
        self._begun = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Read; when the answer is whole send the next request; False when this one is done."""
        data = self.socket.recv(_READ)
        if not data:
            self._run.bad.append("0 the connection was closed")
            return False
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return True
        self._data = b""
        self._run.came(int(head[9:12]), body, time.perf_counter() - self._begun)
        return self.send()


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)


def _request(load: Load, body: str) -> bytes:
    headers = {"Host": f"{load.host}:{load.port}", "Content-Length": str(len(body.encode()))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **load.headers}.items())
    return f"{load.method} {load.path} HTTP/1.1\r\n{lines}\r\n{body}".encode()


def run_load(load: Load) -> Loaded:
    """Send all requests and return what came back."""
    run = _Run(load)
    begun = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(load.connections):
            connection = _Connection(run)
            if connection.send():
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _ in selector.select(_PATIENCE):
                if not key.data.receive():
                    selector.unregister(key.fileobj)
                    key.data.socket.close()
    taken = sorted(run.taken)
    return Loaded(
        answers=len(taken) + len(run.bad),
        good=len(taken),
        wall_seconds=time.perf_counter() - begun,
        p50_ms=round(taken[len(taken) // 2] * _SCALE, 2) if taken else 0.0,
        p99_ms=round(taken[len(taken) * 99 // 100] * _SCALE, 2) if taken else 0.0,
        other=run.bad[0][:300] if run.bad else "",
        bodies=run.kept,
    )


def main() -> None:
    """Read the load, run it, print the outcome."""
    wanted: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(run_load(Load(**wanted))), sys.stdout)


if __name__ == "__main__":
    main()
