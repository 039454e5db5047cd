"""Key backends under ``/api/v1/kms``: how they fare, where keys are, draining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from kms.api.key_schemas import page_of_schema
from kms.api.schemas import TEXT, TEXT_OR_NULL
from kms.api.vault import no_content
from kms.service import KmsServices
from kms.service.presenting_backends import backend_fields, custody_fields
from secops.kernel.permissions.kms import BACKEND_DRAIN, BACKEND_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema

_BASE: Final = "/api/v1/kms/backends"
_COUNT: Final = {"type": "integer", "minimum": 0}
_BACKEND: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "kind": {"enum": ["software", "pkcs11", "sdf"]},
        "centre": TEXT,
        "group": TEXT,
        "healthy": {"type": "boolean"},
        "draining": {"type": "boolean"},
        "failure": TEXT_OR_NULL,
        "checked_at": TEXT_OR_NULL,
        "algorithms": {"type": "array", "items": TEXT},
        "keys": {"type": "object", "additionalProperties": _COUNT},
        "calls": _COUNT,
        "failures": _COUNT,
        "rate": {"type": "number"},
    },
}
_CUSTODY: Final[dict[str, Any]] = {
    **dict.fromkeys(("id", "name", "mount", "type", "state", "backend"), TEXT),
    "places": {"type": "array", "items": TEXT},
    "latest_version": _COUNT,
    "rotated_at": TEXT,
    "rotation_due_at": TEXT_OR_NULL,
    "users": _COUNT,
    "national_algorithm": {"type": "boolean"},
    "in_device": {"type": "boolean"},
}
BACKEND: Final = Schema("KeyBackend", _BACKEND)
BACKENDS: Final = page_of_schema("KeyBackends", _BACKEND["properties"])
CUSTODY: Final = page_of_schema("KeyCustodyPage", _CUSTODY)


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes."""
    calls = _Calls(services)
    return (
        Route(
            method="GET",
            path=_BASE,
            operation="list_backends",
            access=BACKEND_READ,
            handler=calls.list_backends,
            response=BACKENDS,
        ),
        Route(
            method="GET",
            path="/api/v1/kms/custody",
            operation="list_custody",
            access=BACKEND_READ,
            handler=calls.list_custody,
            response=CUSTODY,
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{_BASE}/<name>/check",
            operation="check_backend",
            access=BACKEND_READ,
            handler=calls.check_backend,
            response=BACKEND,
        ),
        _act("drain_backend", "drain", calls.drain_backend),
        _act("resume_backend", "resume", calls.resume_backend),
    )


def _act(operation: str, word: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method="POST",
        path=f"{_BASE}/<name>/{word}",
        operation=operation,
        access=BACKEND_DRAIN,
        handler=handler,
        level=2,
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    services: KmsServices

    def list_backends(self, request: Request) -> Response:
        found = self.services.backend_control.list_backends(request.caller)
        body = {"items": [backend_fields(each) for each in found], "next": None}
        return json_response(body)

    def list_custody(self, request: Request) -> Response:
        control = self.services.backend_control
        backend = request.query.get("backend", "")
        page = control.list_custody(request.caller, wanted_page(request), backend=backend)
        return page_response(page, custody_fields)

    def check_backend(self, request: Request) -> Response:
        control = self.services.backend_control
        found = control.check_backend(request.caller, request.args["name"])
        return json_response(backend_fields(found))

    def drain_backend(self, request: Request) -> Response:
        self.services.backend_control.drain_backend(request.caller, request.args["name"])
        return no_content()

    def resume_backend(self, request: Request) -> Response:
        self.services.backend_control.resume_backend(request.caller, request.args["name"])
        return no_content()
