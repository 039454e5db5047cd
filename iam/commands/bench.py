"""Rates of sign-on, per CPU-second of this process, durable records included.

Each figure runs the very handler of the route and appends its act to the journal, as the
fast lane does; what HTTP adds is measured by ``secops bench`` around a running gateway.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from secops.kernel.clock import SECOND

if TYPE_CHECKING:
    from secops.kernel.parts import Parts
    from secops.web.messages import Response
    from secops.web.routes import Plane

_THREADS: Final = 32
_CALLS: Final = 150
_PASSWORDS: Final = 20
_SIGN_IN_BAR: Final = 30
_ADDRESS: Final = "127.0.0.1"
_ACCOUNT: Final = re.compile(r"^([a-z-]+)\s+(\S+)\s+([A-Z2-7]{32})$", re.MULTILINE)
_HEADERS: Final = {"content-type": "application/x-www-form-urlencoded"}


def figures(plane: Plane, parts: Parts) -> list[dict[str, Any]]:
    """Return the figures; registers an application ``bench-…`` and disables it again."""
    from iam.models.clients import NewClient  # noqa: PLC0415 - quick --help
    from iam.service import IamServices  # noqa: PLC0415
    from secops.kernel.actors import ROOT_ORG, os_actor  # noqa: PLC0415

    services = plane.services
    if not isinstance(services, IamServices):
        return []
    name = f"bench-{parts.randomness.bytes(4).hex()}"
    actor = os_actor("bench")
    issued = services.clients.make(actor, NewClient(name, name), ROOT_ORG)
    secret = issued.secret or ""
    login = {"client_id": name, "client_secret": secret}
    try:
        token = services.grants.client_credentials(_credentials(name, secret), None, None)[
            0
        ].access_token
        return [
            _route(plane, parts, "token", {"grant_type": "client_credentials", **login}),
            _route(plane, parts, "introspect", {"token": token, **login}),
            _passwords(services),
            _sign_ins(services, parts),
        ]
    finally:
        services.clients.end(actor, name, "bench is over")


def _credentials(name: str, secret: str) -> Any:
    from iam.models.clients import ClientCredentials  # noqa: PLC0415 - quick --help

    return ClientCredentials(name, secret)


def _route(plane: Plane, parts: Parts, path: str, fields: dict[str, str]) -> dict[str, Any]:
    from secops.web.messages import Request  # noqa: PLC0415 - quick --help

    route = next(route for route in plane.routes if route.path == f"/oauth2/{path}")
    body = urlencode(fields).encode()
    request = Request("POST", route.path, headers=_HEADERS, body=body)
    answers: list[Response] = []

    def once() -> None:
        answer = route.handler(request)
        parts.trail.append(answer.acts)
        answers[:] = [answer]

    once()
    rate = _rate(once)
    good = answers[0].status == 200  # noqa: PLR2004 - what is measured must work
    return {
        "name": f"iam {'client_credentials' if path == 'token' else 'introspect'}",
        "value": round(rate) if good else 0,
        "unit": "requests",
        "per_cpu_second": True,
        "circumstances": f"{_THREADS} threads, route handler and durable journal record, no HTTP",
    }


def _passwords(services: Any) -> dict[str, Any]:
    hasher = services.sign_in.means.hasher
    started = time.process_time()
    for _ in range(_PASSWORDS):
        hasher.verify(hasher.decoy, b"wrong")
    spent = time.process_time() - started
    return {
        "name": "iam password verification",
        "value": round(_PASSWORDS / spent, 1),
        "unit": "passwords",
        "per_cpu_second": True,
        "circumstances": "argon2id 19 MiB t=2 p=1",
    }


def _sign_ins(services: Any, parts: Parts) -> dict[str, Any]:
    """Sign every demo account in by password and one-time code, each of which works once."""
    import pyotp  # noqa: PLC0415 - quick --help

    from iam.models.sessions import FactorAttempt, PasswordAttempt  # noqa: PLC0415

    people = _ACCOUNT.findall((parts.home / "demo-accounts.txt").read_text())
    now = parts.clock.now() // SECOND
    started = time.process_time()
    for name, password, secret in people:
        reference = services.sign_in.begin(PasswordAttempt(name, password, _ADDRESS))
        code = pyotp.TOTP(secret).at(now)
        services.sign_in.finish(FactorAttempt(reference, code, _ADDRESS))
    spent = time.process_time() - started
    rate = len(people) / spent
    verdict = "reached" if rate >= _SIGN_IN_BAR else "NOT REACHED"
    return {
        "name": "iam sign-in with password and one-time code",
        "value": round(rate, 1),
        "unit": "sign-ins",
        "per_cpu_second": True,
        "circumstances": (
            f"{len(people)} accounts, services and durable records, no HTTP;"
            f" bar >= {_SIGN_IN_BAR}: {verdict}"
        ),
    }


def _rate(work: Callable[[], None]) -> float:
    """Return calls of ``work`` per CPU-second of this process, by several threads."""

    def many() -> None:
        for _ in range(_CALLS):
            work()

    threads = [threading.Thread(target=many) for _ in range(_THREADS)]
    started = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _THREADS * _CALLS / (time.process_time() - started)
