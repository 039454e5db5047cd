"""A locked pool answers 503 on every route that shows, changes or uses keys, and nothing else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from kms.api.locking import POOL_PATHS
from kms.errors.keys import PoolLocked
from kms.plane import routes
from secops.kernel.permissions import permissions_of
from secops.kernel.permissions.roles import ROLES
from secops.web.routes import Public, Route, SignedIn
from tests.fakes import vault_service
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, ORG, PASSPHRASE, USER, WHOLE, KeyPool, actor, open_key_pool
from tests.fakes.vault_service import VaultService

ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
VALUES = {"mount": "transit", "name": "k", "kind": "encryption-key", "org_id": ORG}
WITHOUT_KEYS = (
    # what is true of the pool and of organisations, and what locks and unlocks
    "/v1/sys/health",
    "/v1/sys/init",
    "/v1/sys/seal-status",
    "/v1/sys/unseal",
    "/v1/sys/seal",
    "/api/v1/kms/tenants/",
    "/api/v1/kms/self-tests",
    "/api/v1/kms/backends",
    "/api/v1/kms/custody",
    # records about seals and certificates: their keys are asked for where they are used
    "/api/v1/kms/seal",
    "/api/v1/kms/certificate",
    "/api/v1/kms/outside-certificates",
    "/api/v1/kms/trust-anchors",
    "/api/v1/kms/ecertificate",
    "/ca/",
    "/tsa",
)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=FakeClock()) as opened:
        yield opened


@pytest.fixture
def service(pool: KeyPool, monkeypatch: pytest.MonkeyPatch) -> VaultService:
    for role in ROLES:
        monkeypatch.setitem(vault_service.TOKENS, f"as-{role}", actor(f"acc_{role}", role))
    pool.create("k", "aes256-gcm96", USER, exportable=True)
    return VaultService(pool)


def token_for(route: Route) -> str:
    """A token whose role holds the route's permission."""
    if isinstance(route.access, Public | SignedIn):
        return "keeper"
    able = (role for role in ROLES if route.access in permissions_of(frozenset({role})))
    return f"as-{next(able)}"


def ask(service: VaultService, route: Route, body: bytes) -> tuple[int, Any, bytes]:
    path = ARGUMENT.sub(lambda found: VALUES.get(found[1], "1"), route.path)
    return service.send(route.method, path, {"X-Vault-Token": token_for(route)}, body)


def pool_routes(pool: KeyPool) -> list[Route]:
    return [route for route in routes(pool.services) if route.path.startswith(POOL_PATHS)]


def test_every_route_of_the_plane_is_behind_the_lock_or_named_as_needing_no_key(
    pool: KeyPool,
) -> None:
    unnamed = [
        route.path
        for route in routes(pool.services)
        if not route.path.startswith(POOL_PATHS) and not route.path.startswith(WITHOUT_KEYS)
    ]
    assert unnamed == []


def test_a_locked_pool_answers_503_and_nothing_else(service: VaultService) -> None:
    asked = pool_routes(service.pool)
    before = {route.operation: ask(service, route, b"{}")[0] for route in asked}
    service.pool.services.pool.lock(WHOLE)
    wrong, answers = [], set()
    for route, body in itertools.product(asked, (b"{}", b"rubbish")):
        status, _, content = ask(service, route, body)
        answers.add((route.form, without_request(content)))
        if status != 503:
            wrong.append((route.method, route.path, status))
    print(f"{len(asked)} routes of keys asked")
    assert wrong == []
    # one text for each form of errors, whatever was asked and whoever asked
    assert sorted(form for form, _ in answers) == ["problem", "vault"]
    assert all(PoolLocked.code.encode() in content for _, content in answers)
    # and they do answer where the pool is open
    assert 503 not in before.values()
    assert len(before) > 50


def without_request(content: bytes) -> bytes:
    fields = orjson.loads(content)
    fields.pop("request_id", None)
    fields.pop("instance", None)
    return orjson.dumps(fields)


def test_a_caller_without_the_right_is_refused_as_ever(service: VaultService) -> None:
    service.pool.services.pool.lock(WHOLE)
    assert service.call("POST", "/v1/transit/hmac/k", {}, token="as-staff")[0] == 403
    assert service.call("POST", "/v1/transit/hmac/k", {}, token="nobody")[0] == 401


def test_a_locked_organisation_answers_503_on_the_same_routes(service: VaultService) -> None:
    service.pool.services.tenants.lock_tenant(KEEPER, ORG, reason="under attack")
    statuses = {ask(service, route, b"{}")[0] for route in pool_routes(service.pool)}
    assert statuses == {503}


def test_the_same_routes_answer_again_after_unlocking(service: VaultService) -> None:
    asked = pool_routes(service.pool)
    service.pool.services.pool.lock(WHOLE)
    service.pool.services.pool.unlock(KEEPER, PASSPHRASE.encode())
    assert 503 not in {ask(service, route, b"{}")[0] for route in asked[:20]}
