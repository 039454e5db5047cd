"""What requests and answers about keys have in common: fields, tables of routes, schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.api.schemas import TEXT, TEXT_OR_NULL, TIME, object_of, page_of
from kms.api.vault import ANY_OBJECT, ENVELOPE
from kms.models.keys import DEFAULT_MOUNT
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import KEY_READ, KEY_USE
from secops.web.limits import MAX_BODY
from secops.web.messages import Request, Response
from secops.web.routes import Form, Route, Schema

_WHOLE: Final = {"type": "integer"}
STATES: Final = {"enum": ["active", "suspended", "pending_destruction", "destroyed"]}


def page_of_schema(name: str, item: Mapping[str, Any]) -> Schema:
    """Return the schema of a page of items, each with all of ``item``."""
    return Schema(name, page_of(object_of(tuple(item), **item)))


KEY_PAGE: Final = page_of_schema(
    "KeyPage",
    {
        "id": TEXT,
        "name": TEXT,
        "type": TEXT,
        "latest_version": _WHOLE,
        "state": STATES,
        "created_at": TIME,
        "next_rotation_at": TEXT_OR_NULL,
        "destroy_at": TEXT_OR_NULL,
    },
)
DESTRUCTION_PAGE: Final = page_of_schema(
    "DestructionPage",
    {
        "id": TEXT,
        "key_id": TEXT,
        "key_name": TEXT,
        "mount": TEXT,
        "approval": TEXT,
        "requester_id": TEXT,
        "delay_days": _WHOLE,
        "requested_at": TIME,
        "change": {"type": "object"},
    },
)
MOUNT_PAGE: Final = page_of_schema(
    "MountPage",
    {
        "id": TEXT,
        "path": TEXT,
        "description": TEXT,
        "created_at": TIME,
        "retired_at": TEXT_OR_NULL,
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
