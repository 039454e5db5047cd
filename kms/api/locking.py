"""A locked pool, or a locked organisation, answers 503 on every route of keys, and nothing else.

It is asked before a handler looks at anything: not even whether a request is well formed, or a
key is there, can be learnt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kms.service import KmsServices
from secops.web.messages import Request, Response
from secops.web.routes import Route

POOL_PATHS: Final = (
    "/v1/<mount>/",
    "/v1/sys/mounts",
    "/api/v1/kms/keys",
    "/api/v1/kms/key-destructions",
    "/api/v1/kms/mounts",
    "/api/v1/kms/openpgp/",
)
"""How the paths of routes begin that show, change or use keys."""


def behind_lock(route: Route, services: KmsServices) -> Route:
    """Return ``route`` so that it answers only while the pool and the caller's part are open."""
    if not route.path.startswith(POOL_PATHS):
        return route
    handler, pool, tenants = route.handler, services.pool, services.tenants

    def answer(request: Request) -> Response:
        pool.require_unlocked()
        tenants.demand_open(request.caller.org_id)
        return handler(request)

    return replace(route, handler=answer)
