"""``/v1/sys/mounts`` in Vault's shapes, and the same under ``/api/v1`` with what was taken away."""

from __future__ import annotations

from typing import Any

from kms.api.key_schemas import MOUNT_PAGE, text_field
from kms.api.vault import ANY_OBJECT, ENVELOPE, no_content, vault_response
from kms.models.keys import DEFAULT_MOUNT, Mount
from kms.service import KmsServices
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import KEY_READ, MOUNT_CHANGE
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes about mounts."""
    calls = _Calls(services)
    path = "/v1/sys/mounts/<mount>"
    return (
        _vault("GET", "/v1/sys/mounts", "list_mounts", KEY_READ, calls.list_mounts),
        _vault("GET", path, "get_mount", KEY_READ, calls.get_mount),
        _vault("POST", path, "enable_mount", MOUNT_CHANGE, calls.enable_mount),
        _vault("PUT", path, "enable_mount_put", MOUNT_CHANGE, calls.enable_mount),
        _vault("DELETE", path, "disable_mount", MOUNT_CHANGE, calls.disable_mount),
        Route(
            method="GET",
            path="/api/v1/kms/mounts",
            operation="list_pool_mounts",
            access=KEY_READ,
            handler=calls.list_pool_mounts,
            response=MOUNT_PAGE,
            listing=True,
            credential="either",
        ),
        Route(
            method="POST",
            path="/api/v1/kms/mounts/<mount_id>/restore",
            operation="restore_mount",
            access=MOUNT_CHANGE,
            handler=calls.restore_mount,
            credential="either",
            level=2,
        ),
    )


def _vault(method: str, path: str, operation: str, access: Permission, handler: Any) -> Route:
    return Route(
        method=method,
        path=path,
        operation=operation,
        access=access,
        handler=handler,
        request=ANY_OBJECT if method in ("POST", "PUT") else None,
        response=ENVELOPE if method == "GET" else None,
        form="vault",
        level=1 if access is KEY_READ else 2,
    )


class _Calls:
    """The handlers."""

    def __init__(self, services: KmsServices) -> None:
        self._mounts = services.mounts

    def list_mounts(self, request: Request) -> Response:
        own = Mount(DEFAULT_MOUNT, request.caller.org_id, DEFAULT_MOUNT, "", 0)
        found = [own, *self._mounts.list_mounts(request.caller)]
        return vault_response(request, {f"{mount.path}/": _shown(mount) for mount in found})

    def get_mount(self, request: Request) -> Response:
        mount = self._mounts.get_mount(request.caller, request.args["mount"])
        return vault_response(request, _shown(mount))

    def enable_mount(self, request: Request) -> Response:
        fields = request.json_object()
        if fields.get("type", "transit") != "transit":
            msg = "only transit can be mounted here"
            raise Invalid(msg)
        description = text_field(fields, "description")
        self._mounts.enable_mount(request.caller, request.args["mount"], description)
        return no_content()

    def disable_mount(self, request: Request) -> Response:
        self._mounts.disable_mount(request.caller, request.args["mount"])
        return no_content()

    def list_pool_mounts(self, request: Request) -> Response:
        retired = request.query.get("retired") == "true"
        found = self._mounts.list_mounts(request.caller, retired=retired)
        return json_response({"items": list(map(_record, found)), "next": None})

    def restore_mount(self, request: Request) -> Response:
        mount = self._mounts.restore_mount(request.caller, request.args["mount_id"])
        return json_response(_record(mount))


def _shown(mount: Mount) -> dict[str, Any]:
    """Return a mount as Vault's clients expect it."""
    return {
        "type": "transit",
        "accessor": f"transit_{mount.id}",
        "uuid": mount.id,
        "description": mount.description,
        "config": {"default_lease_ttl": 0, "max_lease_ttl": 0, "force_no_cache": False},
        "options": None,
        "local": False,
        "seal_wrap": False,
        "external_entropy_access": False,
    }


def _record(mount: Mount) -> dict[str, Any]:
    return {
        "id": mount.id,
        "path": mount.path,
        "description": mount.description,
        "created_at": to_rfc3339(mount.created_at),
        "retired_at": to_rfc3339(mount.retired_at) if mount.retired_at else None,
    }
