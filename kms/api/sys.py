"""``/v1/sys``: health, and locking the pool in Vault's words (sealed, unseal)."""

from __future__ import annotations

from typing import Any, Final

from kms.api.vault import ANY_OBJECT, no_content
from kms.models.keys import PoolStatus
from kms.models.shares import UnlockProgress
from kms.service import KmsServices
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import POOL_LOCK
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Public, Route

_VERSION: Final = "1.21.4-govsecops"
"""The version of Vault's API whose shapes are spoken; clients compare it."""
_STATUSES: Final = {"unlocked": 200, "locked": 503, "uninitialised": 501}
_HEALTH: Final = Public("load balancers ask for the pool's state; it names no key")
_UNSEAL: Final = Public("passphrase or share is the credential; wrong ones wait and are recorded")


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes under ``/v1/sys``."""
    calls = _Calls(services)
    return (
        _public("GET", "health", "get_health", calls.get_health, _HEALTH),
        _public("GET", "init", "get_pool_initialised", calls.get_initialised, _HEALTH),
        _public("GET", "seal-status", "get_pool_status", calls.get_pool_status, _HEALTH),
        _public("POST", "unseal", "unlock_pool", calls.unlock_pool, _UNSEAL),
        _public("PUT", "unseal", "unlock_pool_put", calls.unlock_pool, _UNSEAL),
        _lock("POST", "lock_pool", calls),
        _lock("PUT", "lock_pool_put", calls),
    )


def _public(method: str, path: str, operation: str, handler: Any, because: Public) -> Route:
    return Route(
        method=method,
        path=f"/v1/sys/{path}",
        operation=operation,
        access=because,
        handler=handler,
        request=ANY_OBJECT if method in ("POST", "PUT") else None,
        form="vault",
    )


def _lock(method: str, operation: str, calls: _Calls) -> Route:
    return Route(
        method=method,
        path="/v1/sys/seal",
        operation=operation,
        access=POOL_LOCK,
        handler=calls.lock_pool,
        form="vault",
        credential="either",
    )


class _Calls:
    """The handlers."""

    def __init__(self, services: KmsServices) -> None:
        self._pool = services.pool
        self._unlocking = services.unlocking

    def get_health(self, request: Request) -> Response:
        status = self._pool.status()
        body = {
            "initialized": status.state != "uninitialised",
            "sealed": status.state != "unlocked",
            "standby": False,
            "version": _VERSION,
        }
        return json_response(body, _health_code(status, request))

    def get_initialised(self, _request: Request) -> Response:
        return json_response({"initialized": self._pool.status().state != "uninitialised"})

    def get_pool_status(self, _request: Request) -> Response:
        return self._answer(self._unlocking.show_progress())

    def unlock_pool(self, request: Request) -> Response:
        fields = request.json_object()
        actor = request.actor or Actor("system", f"address:{request.remote}", ROOT_ORG, "unlock")
        if fields.get("reset"):
            return self._answer(self._unlocking.forget_shares(actor))
        text = fields.get("key")
        if not isinstance(text, str) or not text:
            msg = "key holds the passphrase or one share"
            raise Invalid(msg)
        return self._answer(self._unlocking.unlock_pool(actor, text))

    def lock_pool(self, request: Request) -> Response:
        self._pool.lock(request.caller)
        return no_content()

    def _answer(self, progress: UnlockProgress) -> Response:
        return json_response(_seal_status(self._pool.status(), progress))


def _health_code(status: PoolStatus, request: Request) -> int:
    """Vault lets the caller choose the codes of a sealed or uninitialised store."""
    name = {"locked": "sealedcode", "uninitialised": "uninitcode"}.get(status.state, "activecode")
    chosen = request.query.get(name, "")
    code = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) == 3 else 0  # noqa: PLR2004
    return code if 200 <= code < 600 else _STATUSES[status.state]  # noqa: PLR2004 - HTTP's range


def _seal_status(status: PoolStatus, progress: UnlockProgress) -> dict[str, Any]:
    sealed = status.state != "unlocked"
    return {
        "type": "shamir",
        "initialized": status.state != "uninitialised",
        "sealed": sealed,
        "t": progress.threshold,
        "n": progress.shares,
        "progress": progress.given,
        "nonce": progress.nonce,
        "version": _VERSION,
        "storage_type": "database",
        "custody": status.custody,
        "profile": status.profile,
        "opened_by": progress.method,
        "share_set": progress.set_id,
    }
