"""The hot paths over HTTP: a client on loopback, a served demo home, everything durable."""

from __future__ import annotations

import base64
import http.client
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.load import Load
from secops.cli.bench.served import Served, command, demo_home, serve
from secops.kernel.errors import Unavailable

_HOST: Final = "127.0.0.1"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CONNECTIONS: Final = (16, 64)
_WARM: Final = 320
_COUNT: Final = 6_400
_STARTS: Final = 3
_TOKEN_BAR: Final = Bar(">=", 3_000)
_SIGN_BAR: Final = Bar(">=", 4_000)
_START_BAR: Final = Bar("<=", 3)
_RSS_BAR: Final = Bar("<=", 250)


def token_figures() -> list[dict[str, Any]]:
    """Return the rate of ``client_credentials`` over HTTP, and what starting costs."""
    with demo_home() as home:
        starts = [_start_seconds(home) for _ in range(_STARTS)]
        with serve(home) as served:
            form = _credentials(served)
            load = Load(_HOST, served.port, "/oauth2/token", form, _FORM)
            return [
                *_rates(served, "client_credentials", load, _TOKEN_BAR),
                *_shell(starts, served),
            ]


def signature_figures() -> list[dict[str, Any]]:
    """Return the rate of P-256 signatures of Transit over HTTP, with an access token."""
    with demo_home() as home:
        _let_application_sign(home)
        with serve(home) as served:
            token = _token(served)
            body = json.dumps({"input": base64.b64encode(b"m" * 256).decode()})
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            load = Load(_HOST, served.port, "/v1/transit/sign/demo-p256", body, headers)
            return _rates(served, "transit sign ecdsa-p256", load, _SIGN_BAR)


def _let_application_sign(home: Path) -> None:
    words = ("kms", "grant-key", "demo-p256", "demo-app", "--operation", "sign")
    command(home, "--as", "security-admin", *words)


def _start_seconds(home: Path) -> float:
    with serve(home) as served:
        return served.start_seconds


def _shell(starts: list[float], served: Served) -> list[dict[str, Any]]:
    return [
        figure(
            "cold start",
            statistics.median(starts),
            "s",
            f"`secops serve` to a ready /readyz, median of {len(starts)}"
            f" ({', '.join(f'{one:.2f}' for one in starts)})",
            bar=_START_BAR,
        ),
        figure(
            "gateway RSS",
            served.gateway_rss(),
            "MB",
            "the worker that answered the load above, 32 threads",
            bar=_RSS_BAR,
        ),
    ]


def _credentials(served: Served) -> str:
    name, secret = served.client
    fields = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    return urlencode(fields)


def _token(served: Served) -> str:
    connection = http.client.HTTPConnection(_HOST, served.port, timeout=30)
    connection.request("POST", "/oauth2/token", _credentials(served), _FORM)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if "access_token" not in answer:
        raise Unavailable(f"no token for the bench: {answer.get('error')}")
    token: str = answer["access_token"]
    return token


def _rates(served: Served, name: str, load: Load, bar: Bar) -> list[dict[str, Any]]:
    found = []
    served.run(replace(load, connections=_CONNECTIONS[0], count=_WARM))
    for connections in _CONNECTIONS:
        loaded, spent = served.run(replace(load, connections=connections, count=_COUNT))
        if loaded.good != loaded.answers:
            raise Unavailable(f"{name}: {loaded.answers - loaded.good} refused: {loaded.other}")
        rate = loaded.good / spent.all
        found.append(
            figure(
                f"{name} over HTTP, {connections} connections",
                loaded.good / loaded.wall_seconds,
                "requests/s",
                f"token, policy and durable ledger; {loaded.good} requests in"
                f" {loaded.wall_seconds:.1f} s, {spent.all:.2f} CPU-s of all processes, of which"
                f" {spent.busiest:.2f} the gateway ({loaded.good / spent.busiest:.0f}/CPU-s),"
                f" p50 {loaded.p50_ms} ms, p99 {loaded.p99_ms} ms, client on the same machine",
                per_cpu_second=rate,
                bar=bar,
                judged=rate,
            )
        )
    return found
