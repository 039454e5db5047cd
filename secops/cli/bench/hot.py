"""The hot paths over HTTP: a client on loopback, a served demo home, everything durable."""

from __future__ import annotations

import http.client
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.load import Load
from secops.cli.bench.served import Served, demo_home, serve
from secops.kernel.errors import Unavailable

_HOST: Final = "127.0.0.1"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CONNECTIONS: Final = (16, 64)
_WARM: Final = 320
_COUNT: Final = 6_400
_STARTS: Final = 3
_TOKEN_BAR: Final = Bar(">=", 8_000)
_FIRST_BAR: Final = Bar(">=", 9_000)
_AGAIN_BAR: Final = Bar(">=", 30_000)
_SITE_BAR: Final = Bar(">=", 20_000)
_START_BAR: Final = Bar("<=", 3)
_RSS_BAR: Final = Bar("<=", 250)
UNHINDERED: Final = {"client_rate": "10000000", "address_rate": "10000000"}
"""Rates are counted as always, and no load of a bench reaches them."""


def token_figures() -> list[dict[str, Any]]:
    """Return the rates of the provider's hot paths over HTTP, and what starting costs."""
    with demo_home() as home:
        starts = [_start_seconds(home) for _ in range(_STARTS)]
        memory = _memory_of_two(home)
        secret = _make_site(home)
        with serve(home, trusted_proxies=_HOST, **UNHINDERED) as served:
            form = _credentials(served)
            load = Load(_HOST, served.port, "/oauth2/token", [form], _FORM)
            return [
                *_rates(served, "client_credentials", load, _TOKEN_BAR),
                *_introspections(served, load),
                *_rates(served, "forward-auth", _site_load(served, secret), _SITE_BAR),
                *_shell(starts, served, memory),
            ]


def _introspections(served: Served, tokens: Load) -> list[dict[str, Any]]:
    """Each token once, then one token again and again; each is recorded all the same."""
    loaded, _ = served.run(replace(tokens, count=_COUNT + 64, connections=64, keep=True))
    issued = [json.loads(body)["access_token"] for body in loaded.bodies]
    bodies = [f"{tokens.bodies[0]}&{urlencode({'token': token})}" for token in issued]
    load = replace(tokens, path="/oauth2/introspect", connections=64, count=_COUNT)
    fresh, known = replace(load, bodies=bodies[:_COUNT]), replace(load, bodies=bodies[-1:])
    return [
        _rate(served, "introspection on first sight", fresh, _FIRST_BAR),
        *_rates(served, "introspection repeated", known, _AGAIN_BAR),
    ]


def _make_site(home: Path) -> str:
    """Register a site and an application whose tokens address it; return the latter's secret."""
    from iam.models.clients import NewClient  # noqa: PLC0415 - heavy
    from secops.app import open_house  # noqa: PLC0415
    from secops.kernel.actors import ROOT_ORG, os_actor  # noqa: PLC0415

    code = frozenset({"authorization_code"})
    site = NewClient("bench-site", "bench", ("http://127.0.0.1:8099/_secops/callback",), code)
    robot = NewClient("bench-robot", "bench", audiences=("bench-site",))
    house = open_house(home)
    try:
        house.iam.clients.make(os_actor("bench"), site, ROOT_ORG)
        return house.iam.clients.make(os_actor("bench"), robot, ROOT_ORG).secret or ""
    finally:
        house.close()


def _site_load(served: Served, secret: str) -> Load:
    fields = {"client_id": "bench-robot", "client_secret": secret}
    form = urlencode({"grant_type": "client_credentials", **fields})
    headers = {
        "Authorization": f"Bearer {_token(served, form)}",
        "X-Original-Method": "GET",
        "X-Original-URI": "/index.html",
        "X-Original-Host": "127.0.0.1:8099",
    }
    return Load(_HOST, served.port, "/forward-auth", [""], headers, "GET")


def application_token(served: Served) -> str:
    """Return an access token of the demo's application."""
    return _token(served, _credentials(served))


def _start_seconds(home: Path) -> float:
    with serve(home) as served:
        return served.start_seconds


def _shell(starts: list[float], served: Served, memory: float) -> list[dict[str, Any]]:
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
        ),
        figure(
            "memory of all processes, 2 workers",
            memory,
            "MB",
            "PSS (what they share counted once) of supervisor, fork server, 2 gateways and"
            " scheduler, just started",
            bar=_RSS_BAR,
        ),
    ]


def _memory_of_two(home: Path) -> float:
    with serve(home, workers="2") as served:
        return served.shared_rss()


def _credentials(served: Served) -> str:
    name, secret = served.client
    fields = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    return urlencode(fields)


def _token(served: Served, form: str) -> str:
    connection = http.client.HTTPConnection(_HOST, served.port, timeout=30)
    connection.request("POST", "/oauth2/token", form, _FORM)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if "access_token" not in answer:
        raise Unavailable(f"no token for the bench: {answer.get('error')}")
    token: str = answer["access_token"]
    return token


def _rates(served: Served, name: str, load: Load, bar: Bar) -> list[dict[str, Any]]:
    served.run(replace(load, connections=_CONNECTIONS[0], count=_WARM))
    return [
        _rate(served, name, replace(load, connections=connections, count=_COUNT), bar)
        for connections in _CONNECTIONS
    ]


def _rate(served: Served, name: str, load: Load, bar: Bar) -> dict[str, Any]:
    """Run ``load`` once; the bar is held against the gateway's CPU time.

    What the scheduler's process does meanwhile, which is bringing the acts of all gateways into
    the ledger, stands beside it.
    """
    loaded, spent = served.run(load)
    if loaded.good != loaded.answers:
        raise Unavailable(f"{name}: {loaded.answers - loaded.good} refused: {loaded.other}")
    rate = loaded.good / spent.gateway
    return figure(
        f"{name} over HTTP, {load.connections} connections",
        loaded.good / loaded.wall_seconds,
        "requests/s",
        f"authentication, policy and durable ledger; {loaded.good} requests in"
        f" {loaded.wall_seconds:.1f} s, {spent.gateway:.2f} CPU-s of the gateway; of all"
        f" processes, with the sequencer, {spent.all:.2f} ({loaded.good / spent.all:.0f}/CPU-s);"
        f" p50 {loaded.p50_ms} ms, p99 {loaded.p99_ms} ms, client on the same machine",
        per_cpu_second=rate,
        bar=bar,
        judged=rate,
    )
