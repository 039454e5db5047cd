"""``/v1/transit/keys``: making and managing keys in Vault's shapes; grants under ``/api/v1``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.api.vault import ANY_OBJECT, ENVELOPE, no_content, vault_response
from kms.models.keys import DEFAULT_OPERATIONS, KeyRequest
from kms.service import KmsServices
from kms.service.presenting import describe, list_all, summarise
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import (
    KEY_CONFIGURE,
    KEY_CREATE,
    KEY_DESTROY,
    KEY_GRANT,
    KEY_READ,
    KEY_ROTATE,
    KEY_SUSPEND,
    KEY_USE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Form, Route, Schema

_DEFAULT_TYPE: Final = "aes256-gcm96"
_CONFIGURABLE: Final = frozenset(
    {"min_decryption_version", "min_encryption_version", "deletion_allowed", "exportable"}
)
_TEXT: Final = {"type": "string"}
_PAGE: Final = Schema(
    "KeyPage",
    {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "name", "type", "latest_version", "state", "created_at"],
                    "properties": {
                        "id": _TEXT,
                        "name": _TEXT,
                        "type": _TEXT,
                        "latest_version": {"type": "integer"},
                        "state": {"enum": ["active", "suspended", "destroyed"]},
                        "created_at": {"type": "string", "format": "date-time"},
                    },
                },
            },
            "next": {"type": ["string", "null"]},
        },
    },
)
_UNSUPPORTED: Final = ("derived", "convergent_encryption", "allow_plaintext_backup")


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes that manage keys."""
    calls, control = _Calls(services), _ControlCalls(services)
    vault, own = _Table("vault"), _Table("problem")
    key, export = "/v1/transit/keys/<name>", "/v1/transit/export/<kind>/<name>"
    vault.add(f"POST {key}", "create_key", KEY_CREATE, calls.create_key)
    vault.add(f"PUT {key}", "create_key_put", KEY_CREATE, calls.create_key)
    vault.add(f"GET {key}", "get_key", KEY_READ, calls.get_key)
    vault.add(f"DELETE {key}", "destroy_key", KEY_DESTROY, calls.destroy_key)
    vault.add("LIST /v1/transit/keys", "list_keys", KEY_READ, calls.list_keys)
    vault.add("GET /v1/transit/keys", "list_keys_get", KEY_READ, calls.list_keys)
    vault.add(f"POST {key}/config", "configure_key", KEY_CONFIGURE, calls.configure_key)
    vault.add(f"POST {key}/rotate", "rotate_key", KEY_ROTATE, calls.rotate_key)
    vault.add(f"POST {key}/trim", "trim_key", KEY_DESTROY, calls.trim_key)
    vault.add(f"GET {export}", "export_key", KEY_USE, calls.export_key)
    vault.add(f"GET {export}/<version>", "export_key_version", KEY_USE, calls.export_key)
    key = "/api/v1/kms/keys/<name>"
    own.add(f"POST {key}/suspend", "suspend_key", KEY_SUSPEND, control.suspend_key)
    own.add(f"POST {key}/resume", "resume_key", KEY_SUSPEND, control.resume_key)
    own.add(f"POST {key}/grants", "grant_key", KEY_GRANT, control.grant_key)
    own.add(
        f"DELETE {key}/grants/<subject>", "revoke_key_grant", KEY_GRANT, control.revoke_key_grant
    )
    return (*vault.routes, *own.routes, _listing(control))


def _listing(control: _ControlCalls) -> Route:
    return Route(
        method="GET",
        path="/api/v1/kms/keys",
        operation="list_pool_keys",
        access=KEY_READ,
        handler=control.list_pool_keys,
        response=_PAGE,
        listing=True,
        credential="either",
    )


class _Table:
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
            )
        )


class _Calls:
    """The handlers."""

    def __init__(self, services: KmsServices) -> None:
        self._keys = services.keys
        self._control = services.key_control
        self._export = services.key_export

    def create_key(self, request: Request) -> Response:
        fields = request.json_object()
        for name in _UNSUPPORTED:
            if fields.get(name):
                msg = f"{name} is not supported"
                raise Invalid(msg)
        wanted = KeyRequest(
            name=request.args["name"],
            type=_text(fields, "type", _DEFAULT_TYPE),
            exportable=bool(fields.get("exportable")),
        )
        return vault_response(request, describe(self._keys.create_key(request.caller, wanted)))

    def get_key(self, request: Request) -> Response:
        return vault_response(
            request, describe(self._keys.get_key(request.caller, request.args["name"]))
        )

    def list_keys(self, request: Request) -> Response:
        if request.method == "GET" and request.query.get("list") != "true":
            msg = "use LIST, or GET with list=true"
            raise NotFound(msg)
        rows = list_all(self._keys, request.caller)
        names = [row["name"] for row in rows if row["state"] != "destroyed"]
        if not names:
            msg = "there are no keys"
            raise NotFound(msg)
        return vault_response(request, {"keys": names})

    def configure_key(self, request: Request) -> Response:
        fields = request.json_object()
        unknown = sorted(set(fields) - _CONFIGURABLE)
        if any(fields[name] for name in unknown):
            msg = f"{unknown[0]} can't be configured"
            raise Invalid(msg)
        changes = {name: value for name, value in fields.items() if value is not None}
        loaded = self._keys.configure_key(
            request.caller,
            request.args["name"],
            {n: changes[n] for n in changes if n not in unknown},
        )
        return vault_response(request, describe(loaded))

    def rotate_key(self, request: Request) -> Response:
        loaded = self._keys.rotate_key(request.caller, request.args["name"])
        return vault_response(request, describe(loaded))

    def trim_key(self, request: Request) -> Response:
        minimum = request.json_object().get("min_available_version")
        if type(minimum) is not int:
            msg = "min_available_version is a number"
            raise Invalid(msg)
        self._keys.trim_key(request.caller, request.args["name"], minimum)
        return no_content()

    def destroy_key(self, request: Request) -> Response:
        self._control.destroy_key(request.caller, request.args["name"])
        return no_content()

    def export_key(self, request: Request) -> Response:
        exported = self._export.export_key(
            request.caller,
            request.args["name"],
            kind=request.args["kind"],
            version=request.args.get("version", ""),
        )
        return vault_response(request, exported.data, acts=(exported.act,))


class _ControlCalls:
    """The handlers of what Vault has no words for."""

    def __init__(self, services: KmsServices) -> None:
        self._control = services.key_control
        self._keys = services.keys

    def list_pool_keys(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self._keys.list_keys(request.caller, asked)
        return json_response({"items": list(map(summarise, page.items)), "next": page.next})

    def suspend_key(self, request: Request) -> Response:
        reason = _text(request.json_object(), "reason", "")
        key = self._control.suspend_key(request.caller, request.args["name"], reason=reason)
        return json_response({"name": key.name, "state": key.state})

    def resume_key(self, request: Request) -> Response:
        key = self._control.resume_key(request.caller, request.args["name"])
        return json_response({"name": key.name, "state": key.state})

    def grant_key(self, request: Request) -> Response:
        fields = request.json_object()
        operations = fields.get("operations", sorted(DEFAULT_OPERATIONS))
        if not isinstance(operations, list):
            msg = "operations is a list of words"
            raise Invalid(msg)
        grant = self._control.grant_key(
            request.caller, request.args["name"], _text(fields, "subject", ""), map(str, operations)
        )
        return json_response({"subject": grant.subject, "operations": sorted(grant.operations)})

    def revoke_key_grant(self, request: Request) -> Response:
        self._control.revoke_key_grant(
            request.caller, request.args["name"], request.args["subject"]
        )
        return no_content()


def _text(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name) or default
    if not isinstance(value, str):
        msg = f"{name} is text"
        raise Invalid(msg)
    return value
