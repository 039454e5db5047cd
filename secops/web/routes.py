"""Routes are data, and nothing answers HTTP that is not in a route table.

Flask's rules, the fast lane, OpenAPI, the permission matrix and the fuzz tests are all
made from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from secops.kernel.events import Subscription
from secops.kernel.jobs import Job
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import OWN_USE
from secops.web.limits import MAX_BODY
from secops.web.messages import Request, Response

T = TypeVar("T")

Form = Literal["problem", "oauth", "vault", "elastic", "scim", "plain"]
"""How a route words its errors: RFC 9457, RFC 6749 §5.2, Vault's ``{"errors": […]}``,
Elasticsearch's ``{"error": {…}, "status": …}``, RFC 7644 §3.12, or a page ("plain" leaves it to the
handler's own protocol)."""

Credential = Literal["token", "session", "either", "client"]
"""``client`` takes a token too, or an application's own id and secret (Basic, ApiKey): log
shippers can't fetch tokens."""


@dataclass(frozen=True, slots=True)
class Public:
    """Why a route needs no permission; the sentence stands in the permission matrix."""

    because: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Any signed-in caller may; the handler looks only at the caller's own things.

    An application that acts for somebody needs a scope that covers ``scope``: that people let
    it know who they are gives it nothing of theirs here.
    """

    because: str
    scope: Permission = OWN_USE


Access = Permission | Public | SignedIn


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON Schema of a body or answer, named for OpenAPI."""

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One thing that can be asked for over HTTP.

    ``path`` is Werkzeug's syntax (``/api/v1/kms/seals/<seal_id>``). ``operation`` is the
    use case's one word (``verify_seal``). ``level`` is the least authentication level, and
    ``fresh_seconds`` the greatest age of the sign-in, both answered by step-up (RFC 9470).
    ``listing`` marks a route that returns a page. ``fast`` routes are answered on the
    server's loop: the handler returns its acts in the response, and where it would wait for
    a disk or database it is run again in a thread (``kernel.waiting``).
    ``proxied`` routes are asked by trusted proxies alone, under whatever name these serve.
    What an ``absent`` route answers with may not be there yet: 404.
    """

    method: str
    path: str
    operation: str
    access: Access
    handler: Callable[[Request], Response]
    request: Schema | None = None
    response: Schema | None = None
    form: Form = "problem"
    credential: Credential = "token"
    level: int = 1
    fresh_seconds: int | None = None
    max_body: int = MAX_BODY
    listing: bool = False
    fast: bool = False
    page: bool = False
    proxied: bool = False
    absent: bool = False


def named_route(
    method: str, path: str, access: Access, handler: Callable[[Request], Response], **more: Any
) -> Route:
    """Return the route whose operation is its handler's name; ``more`` are fields of ``Route``."""
    return Route(
        method=method,
        path=path,
        operation=handler.__name__,
        access=access,
        handler=handler,
        **more,
    )


@dataclass(frozen=True, slots=True)
class Plane:
    """What a plane hands to the shell. ``services`` is the plane's ``Services`` dataclass."""

    name: str
    services: object
    routes: Sequence[Route] = ()
    jobs: Sequence[Job] = ()
    subscriptions: Sequence[Subscription] = field(default=())
