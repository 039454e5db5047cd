"""The load generator: ``python -m secops.cli.bench.load`` repeats one request over keep-alive.

A process of its own, so that its CPU time is not the server's. Reads a ``Load`` as JSON from
stdin, prints a ``Loaded`` as JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

_OK: Final = 200
_SCALE: Final = 1000


@dataclass(frozen=True, slots=True)
class Load:
    """``count`` times the same request, by ``connections`` threads, one connection each."""

    host: str
    port: int
    path: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 16
    count: int = 4_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came back. Times in seconds and milliseconds."""

    answers: int
    good: int
    wall_seconds: float
    p50_ms: float
    p99_ms: float
    other: str = ""


def run_load(load: Load) -> Loaded:
    """Send all requests and return what came back."""
    taken: list[float] = []
    bad: list[str] = []
    share = load.count // load.connections
    threads = [
        threading.Thread(target=_one_connection, args=(load, share, taken, bad))
        for _ in range(load.connections)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begun
    taken.sort()
    return Loaded(
        answers=len(taken) + len(bad),
        good=len(taken),
        wall_seconds=wall,
        p50_ms=round(taken[len(taken) // 2] * _SCALE, 2) if taken else 0.0,
        p99_ms=round(taken[len(taken) * 99 // 100] * _SCALE, 2) if taken else 0.0,
        other=bad[0][:300] if bad else "",
    )


def _one_connection(load: Load, share: int, taken: list[float], bad: list[str]) -> None:
    connection = http.client.HTTPConnection(load.host, load.port, timeout=30)
    body = load.body.encode()
    for _ in range(share):
        begun = time.perf_counter()
        try:
            connection.request("POST", load.path, body, load.headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            bad.append(repr(error))
            connection.close()
            continue
        if answer.status == _OK:
            taken.append(time.perf_counter() - begun)
        else:
            bad.append(f"{answer.status} {content.decode(errors='replace')}")
    connection.close()


def main() -> None:
    """Read the load, run it, print the outcome."""
    wanted: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(run_load(Load(**wanted))), sys.stdout)


if __name__ == "__main__":
    main()
