"""Transit over HTTP: two workers, keep-alive connections, token, policy and durable ledger.

Then a hundred thousand keys beside the one in use: what a list takes, and that a use is as before.
"""

from __future__ import annotations

import base64
import http.client
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.hot import UNHINDERED, application_token
from secops.cli.bench.load import Load, Loaded
from secops.cli.bench.served import Served, Spent, command, demo_home, serve
from secops.kernel.errors import Unavailable

_HOST: Final = "127.0.0.1"
_WORKERS: Final = "2"
_MESSAGE: Final = base64.b64encode(b"m" * 256).decode()
_BATCH: Final = 100
_KEYS: Final = 100_000
_LISTS: Final = 40
_WARM: Final = 640
_PERCENT: Final = 0.95
_LIST_BAR: Final = Bar("<=", 150)
_RSS_BAR: Final = Bar("<=", 300)
_GRANTS: Final = ("--operation", "sign", "--operation", "verify", "--operation", "encrypt")
_MADE: Final = {"bench-box": "aes256-gcm96"}
_KEEPER: Final = ("--as", "security-admin", "kms")


@dataclass(frozen=True, slots=True)
class _Bench:
    """One kind of request: ``each`` results in one, and the bar for results per second."""

    name: str
    path: str
    body: dict[str, Any]
    connections: int
    count: int
    bar: Bar | None = None
    each: int = 1


def transit_figures() -> list[dict[str, Any]]:
    """Return the rates of Transit over HTTP, its memory, and what many keys cost."""
    with demo_home() as home:
        _make_keys(home)
        with serve(home, workers=_WORKERS, **UNHINDERED) as served:
            headers = _headers(served)
            rates = [_rate(served, headers, bench) for bench in _benches(served, headers)]
            memory = figure(
                "gateway RSS after Transit's load",
                served.gateway_rss(),
                "MB",
                "one worker of two",
                bar=_RSS_BAR,
            )
        return [*rates, memory, *_many_keys(home)]


def _benches(served: Served, headers: dict[str, str]) -> tuple[_Bench, ...]:
    sign, one = "/v1/transit/sign/demo-p256", {"input": _MESSAGE}
    signature = _ask(served, "POST", sign, headers, one)["data"]["signature"]
    batch = {"batch_input": [one] * _BATCH}
    return (
        _Bench("transit sign P-256", sign, one, 16, 12_800, Bar(">=", 12_000)),
        _Bench("transit sign P-256", sign, one, 64, 12_800, Bar(">=", 20_000)),
        _Bench(
            "transit sign P-256 in batches of 100",
            sign,
            batch,
            16,
            640,
            Bar(">=", 70_000),
            _BATCH,
        ),
        _Bench(
            "transit verify P-256",
            "/v1/transit/verify/demo-p256",
            {**one, "signature": signature},
            64,
            9_600,
            Bar(">=", 9_500),
        ),
        _Bench(
            "transit encrypt AES-256-GCM",
            "/v1/transit/encrypt/bench-box",
            {"plaintext": _MESSAGE},
            64,
            12_800,
            Bar(">=", 25_000),
        ),
        _Bench("transit sign SM2", "/v1/transit/sign/demo-sm2", one, 64, 6_400),
    )


_PER_CPU_SECOND: Final = {
    "transit sign P-256": Bar(">=", 9_500),
    "transit sign SM2": Bar(">=", 2_700),
}


def _rate(served: Served, headers: dict[str, str], bench: _Bench) -> dict[str, Any]:
    load = Load(_HOST, served.port, bench.path, [json.dumps(bench.body)], headers)
    load = replace(load, connections=bench.connections, count=bench.count)
    served.run(replace(load, count=max(_WARM // bench.each, 2 * bench.connections)))
    loaded, spent = _run(served, bench.name, load)
    results = loaded.good * bench.each
    rate = results / spent.gateway
    promised = _PER_CPU_SECOND.get(bench.name)
    of_cpu = "" if promised is None else f"; per CPU-second of the gateways {promised.judge(rate)}"
    return figure(
        f"{bench.name} over HTTP, {bench.connections} connections",
        results / loaded.wall_seconds,
        "results/s" if bench.each > 1 else "requests/s",
        f"2 workers; token, policy, grant, limits and durable ledger; {loaded.good} requests in"
        f" {loaded.wall_seconds:.2f} s; CPU-s: gateways {spent.gateway:.2f}, all processes with"
        f" sequencer {spent.all:.2f}; p50 {loaded.p50_ms} ms, p99 {loaded.p99_ms} ms, client on"
        f" the same cores{of_cpu}",
        per_cpu_second=rate,
        bar=bench.bar,
    )


def _many_keys(home: Path) -> list[dict[str, Any]]:
    """Put keys beside the one in use; their rows are copies that nobody could use."""
    from secops.adapters.bench_copies import copy_keys  # noqa: PLC0415 - heavy

    copy_keys(home, "demo-p256", _KEYS)
    with serve(home, workers=_WORKERS, **UNHINDERED) as served:
        headers = _headers(served)
        seconds = []
        for number in range(_LISTS):
            begun = time.perf_counter()
            path = f"/api/v1/kms/keys?limit=200&cursor={_cursor(f'many-{number * 2_000:06d}')}"
            found = _ask(served, "GET", path, headers)
            seconds.append(time.perf_counter() - begun)
            if len(found["items"]) != 200:  # noqa: PLR2004 - the page that was asked for
                raise Unavailable("the list of many keys is short")
        load = Load(_HOST, served.port, "/v1/transit/sign/demo-p256", [_single()], headers)
        load = replace(load, connections=64, count=6_400)
        served.run(replace(load, count=_WARM))
        loaded, spent = _run(served, "sign beside many keys", load)
    slow = statistics.quantiles(seconds, n=100)[int(_PERCENT * 100) - 1]
    return [
        figure(
            "list of keys among 100,000, p95",
            slow * 1_000,
            "ms",
            f"200 keys a page, granted ones by the grants' index; median"
            f" {statistics.median(seconds) * 1_000:.1f} ms over {_LISTS} pages",
            bar=_LIST_BAR,
        ),
        figure(
            "transit sign P-256 beside 100,000 keys, 64 connections",
            loaded.good / loaded.wall_seconds,
            "requests/s",
            "as above, to be held against the same without the keys",
            per_cpu_second=loaded.good / spent.gateway,
        ),
    ]


def _make_keys(home: Path) -> None:
    for name, kind in _MADE.items():
        command(home, *_KEEPER, "create-key", name, "--type", kind)
    for name in ("demo-p256", "demo-sm2", *_MADE):
        command(home, *_KEEPER, "grant-key", name, "demo-app", *_GRANTS)


def _headers(served: Served) -> dict[str, str]:
    bearer = f"Bearer {application_token(served)}"
    return {"Content-Type": "application/json", "Authorization": bearer}


def _run(served: Served, name: str, load: Load) -> tuple[Loaded, Spent]:
    loaded, spent = served.run(load)
    if loaded.good != loaded.answers:
        raise Unavailable(f"{name}: {loaded.answers - loaded.good} refused: {loaded.other}")
    return loaded, spent


def _single() -> str:
    return json.dumps({"input": _MESSAGE})


def _cursor(name: str) -> str:
    from secops.kernel.pages import encode_cursor  # noqa: PLC0415 - beside its only use

    return encode_cursor((name,))


def _ask(
    served: Served, method: str, path: str, headers: dict[str, str], body: Any = None
) -> dict[str, Any]:
    connection = http.client.HTTPConnection(_HOST, served.port, timeout=60)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    found: dict[str, Any] = answer
    return found
