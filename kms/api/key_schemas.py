"""What requests and answers about keys have in common: fields, tables of routes, schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.api.vault import ANY_OBJECT, ENVELOPE
from kms.models.keys import DEFAULT_MOUNT
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import KEY_READ, KEY_USE
from secops.web.limits import MAX_BODY
from secops.web.messages import Request, Response
from secops.web.routes import Form, Route, Schema

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}
_TIME: Final = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Final = {"type": ["string", "null"]}
STATES: Final = {"enum": ["active", "suspended", "pending_destruction", "destroyed"]}


def page_of_schema(name: str, item: Mapping[str, Any]) -> Schema:
    """Return the schema of a page of items, each with all of ``item``."""
    shape = {"type": "object", "required": list(item), "properties": dict(item)}
    properties = {
        "items": {"type": "array", "items": shape},
        "next": {"type": ["string", "null"]},
    }
    return Schema(name, {"type": "object", "required": ["items", "next"], "properties": properties})


KEY_PAGE: Final = page_of_schema(
    "KeyPage",
    {
        "id": _TEXT,
        "name": _TEXT,
        "type": _TEXT,
        "latest_version": _WHOLE,
        "state": STATES,
        "created_at": _TIME,
        "next_rotation_at": _MAYBE_TIME,
        "destroy_at": _MAYBE_TIME,
    },
)
DESTRUCTION_PAGE: Final = page_of_schema(
    "DestructionPage",
    {
        "id": _TEXT,
        "key_id": _TEXT,
        "key_name": _TEXT,
        "mount": _TEXT,
        "approval": _TEXT,
        "requester_id": _TEXT,
        "delay_days": _WHOLE,
        "requested_at": _TIME,
        "change": {"type": "object"},
    },
)
MOUNT_PAGE: Final = page_of_schema(
    "MountPage",
    {
        "id": _TEXT,
        "path": _TEXT,
        "description": _TEXT,
        "created_at": _TIME,
        "retired_at": _MAYBE_TIME,
    },
)


class KeyTable:
    """Collects routes of one surface."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.routes: list[Route] = []

    def add(
        self,
        verb: str,
        operation: str,
        permission: Permission,
        handler: Callable[[Request], Response],
        *,
        max_body: int | None = None,
    ) -> None:
        """Add the route ``verb`` = "METHOD path"; what changes something needs two factors."""
        method, _, path = verb.partition(" ")
        changes = permission not in (KEY_READ, KEY_USE)
        self.routes.append(
            Route(
                method=method,
                path=path,
                operation=operation,
                access=permission,
                handler=handler,
                request=ANY_OBJECT if method in ("POST", "PUT") else None,
                response=ENVELOPE if self._form == "vault" else None,
                form=self._form,
                credential="token" if self._form == "vault" else "either",
                level=2 if changes or operation.startswith("export") else 1,
                max_body=MAX_BODY if max_body is None else max_body,
            )
        )


def mount_of(request: Request) -> str:
    """Return the mount's path that the request names, ``transit`` where it names none."""
    return request.args.get("mount") or request.query.get("mount") or DEFAULT_MOUNT


def text_field(fields: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return the text ``name``, or ``default``; raise ``Invalid``."""
    value = fields.get(name) or default
    if not isinstance(value, str):
        msg = f"{name} is text"
        raise Invalid(msg)
    return value


def flag_field(fields: Mapping[str, Any], name: str) -> bool:
    """Return whether ``name`` is set; raise ``Invalid``."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        msg = f"{name} is true or false"
        raise Invalid(msg)
    return bool(value)
