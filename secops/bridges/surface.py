"""The shell's own routes: health, readiness, description, metrics, security.txt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from secops.bridges.house import House
from secops.kernel.clock import DAY, to_rfc3339
from secops.kernel.errors import Forbidden, SecopsError
from secops.kernel.transactions import Transaction
from secops.settings import is_loopback
from secops.web.messages import Request, Response, json_response
from secops.web.openapi import describe
from secops.web.routes import Public, Route

_TEXT: Final = ("content-type", "text/plain; charset=utf-8")
_PROMETHEUS: Final = ("content-type", "text/plain; version=0.0.4; charset=utf-8")


@dataclass(frozen=True, slots=True)
class _Surface:
    house: House
    version: str
    routes: Callable[[], Sequence[Route]]

    def healthz(self, _request: Request) -> Response:
        return json_response({"ok": True})

    def readyz(self, _request: Request) -> Response:
        """Ready: the database answers, revocations are fresh, the pool is unlocked."""
        problems = self._problems()
        return json_response(
            {"ready": not problems, "problems": problems}, 503 if problems else 200
        )

    def _problems(self) -> list[str]:
        problems = []
        try:
            self.house.parts.transactions.read(_nothing)
            self.house.parts.revocations.is_revoked("session", "probe")
        except SecopsError as error:
            problems.append(error.code)
        try:
            self.house.kms.pool.require_unlocked()
        except SecopsError as error:
            problems.append(error.code)
        return problems

    def openapi(self, _request: Request) -> Response:
        origin = self.house.settings.origin
        return json_response(describe(self.routes(), version=self.version, server=origin))

    def metrics(self, request: Request) -> Response:
        if not is_loopback(request.remote):
            raise Forbidden("metrics are for loopback")
        from prometheus_client import generate_latest  # noqa: PLC0415 - asked for rarely

        health = self.house.audits.ledger.sequencer.health()
        lines = [
            "# HELP secops_ready 1 if this process can grant",
            "# TYPE secops_ready gauge",
            f"secops_ready {int(not self._problems())}",
            "# HELP secops_ledger_entries entries in the ledger",
            "# TYPE secops_ledger_entries counter",
            f"secops_ledger_entries {health.size}",
        ]
        return Response(200, (_PROMETHEUS,), generate_latest() + "\n".join(lines).encode() + b"\n")

    def security_txt(self, _request: Request) -> Response:
        """RFC 9116: where to report a weakness; expires within a year."""
        origin = self.house.settings.origin
        expires = to_rfc3339((self.house.parts.clock.now() // DAY + 180) * DAY)
        lines = [
            f"Contact: {origin}/.well-known/security.txt",
            f"Expires: {expires}",
            "Preferred-Languages: zh, en",
            f"Canonical: {origin}/.well-known/security.txt",
        ]
        return Response(200, (_TEXT,), ("\n".join(lines) + "\n").encode())


def _nothing(_transaction: Transaction) -> None:
    return None


def surface_routes(
    house: House, version: str, routes: Callable[[], Sequence[Route]]
) -> tuple[Route, ...]:
    """Return the shell's routes; ``routes`` gives all tables once they are joined."""
    here = _Surface(house, version, routes)
    probes = Public("load balancers and supervisors ask it; it tells no data")
    return (
        Route(
            method="GET", path="/healthz", operation="healthz", access=probes, handler=here.healthz
        ),
        Route(method="GET", path="/readyz", operation="readyz", access=probes, handler=here.readyz),
        Route(
            method="GET",
            path="/openapi.json",
            operation="openapi",
            access=Public("integrators read it before they have a token"),
            handler=here.openapi,
        ),
        Route(
            method="GET",
            path="/metrics",
            operation="metrics",
            access=Public("for loopback only, which the handler checks"),
            handler=here.metrics,
        ),
        Route(
            method="GET",
            path="/.well-known/security.txt",
            operation="security_txt",
            access=Public("RFC 9116 wants it found by anybody"),
            handler=here.security_txt,
        ),
    )
