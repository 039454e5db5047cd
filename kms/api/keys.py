"""``/v1/MOUNT/keys``: making and managing keys in Vault's shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.api.key_schemas import KeyTable, flag_field, mount_of, text_field
from kms.api.vault import no_content, vault_response
from kms.models.keys import KeyRequest
from kms.service import KmsServices
from kms.service.key_backup import MAX_BACKUP, RestoreRequest
from kms.service.key_import import HASHES, WrappedMaterial
from kms.service.presenting import describe, read_wrapped, seconds_of
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions.kms import (
    KEY_BACKUP,
    KEY_CONFIGURE,
    KEY_CREATE,
    KEY_DESTROY,
    KEY_READ,
    KEY_ROTATE,
    KEY_USE,
)
from secops.web.messages import Request, Response
from secops.web.routes import Route

_DEFAULT_TYPE: Final = "aes256-gcm96"
_CONFIGURABLE: Final = frozenset(
    {
        "min_decryption_version",
        "min_encryption_version",
        "deletion_allowed",
        "exportable",
        "allow_plaintext_backup",
        "auto_rotate_period",
    }
)
_MAX_NAMES: Final = 1_000_000
_BACKUP_BODY: Final = MAX_BACKUP + (1 << 16)
_LISTED: Final = "use LIST, or GET with list=true"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes that manage keys in Vault's shapes."""
    calls, brought = _Calls(services), _BroughtCalls(services)
    table = KeyTable("vault")
    base = "/v1/<mount>"
    key, export = f"{base}/keys/<name>", f"{base}/export/<kind>/<name>"
    for method, suffix in (("POST", ""), ("PUT", "_put")):
        add = _adder(table, method, suffix)
        add(key, "create_key", KEY_CREATE, calls.create_key)
        add(f"{key}/config", "configure_key", KEY_CONFIGURE, calls.configure_key)
        add(f"{key}/rotate", "rotate_key", KEY_ROTATE, calls.rotate_key)
        add(f"{key}/trim", "trim_key", KEY_DESTROY, calls.trim_key)
        add(f"{key}/import", "import_key", KEY_CREATE, brought.import_key)
        add(f"{key}/import_version", "import_key_version", KEY_ROTATE, brought.import_version)
        add(f"{base}/restore", "restore_key", KEY_BACKUP, brought.restore_key)
        add(f"{base}/restore/<name>", "restore_key_as", KEY_BACKUP, brought.restore_key)
    table.add(f"GET {key}", "get_key", KEY_READ, calls.get_key)
    table.add(f"DELETE {key}", "destroy_key", KEY_DESTROY, calls.destroy_key)
    table.add(f"LIST {base}/keys", "list_keys", KEY_READ, calls.list_keys)
    table.add(f"GET {base}/keys", "list_keys_get", KEY_READ, calls.list_keys)
    table.add(f"GET {export}", "export_key", KEY_USE, calls.export_key)
    table.add(f"GET {export}/<version>", "export_key_version", KEY_USE, calls.export_key)
    table.add(f"GET {base}/backup/<name>", "backup_key", KEY_BACKUP, brought.backup_key)
    table.add(f"GET {base}/wrapping_key", "get_wrapping_key", KEY_CREATE, brought.wrapping_key)
    return tuple(table.routes)


def _adder(table: KeyTable, method: str, suffix: str) -> Callable[..., None]:
    def add(path: str, operation: str, *rest: Any) -> None:
        max_body = _BACKUP_BODY if operation.startswith("restore") else None
        table.add(f"{method} {path}", f"{operation}{suffix}", *rest, max_body=max_body)

    return add


class _Calls:
    """The handlers of keys that are made here."""

    def __init__(self, services: KmsServices) -> None:
        self._keys = services.keys
        self._destruction = services.key_destruction
        self._export = services.key_export

    def create_key(self, request: Request) -> Response:
        wanted = _key_request(request, request.json_object())
        return vault_response(request, describe(self._keys.create_key(request.caller, wanted)))

    def get_key(self, request: Request) -> Response:
        loaded = self._keys.get_key(request.caller, request.args["name"], mount=mount_of(request))
        return vault_response(request, describe(loaded))

    def list_keys(self, request: Request) -> Response:
        query = request.query
        if request.method == "GET" and query.get("list") != "true":
            raise NotFound(_LISTED)
        names = self._keys.list_key_names(request.caller, mount=mount_of(request))
        if after := query.get("after"):
            names = [name for name in names if name > after]
        names = names[: _limit(query)]
        if not names:
            msg = "there are no keys"
            raise NotFound(msg)
        return vault_response(request, {"keys": names})

    def configure_key(self, request: Request) -> Response:
        fields = request.json_object()
        unknown = sorted(set(fields) - _CONFIGURABLE)
        if any(fields[name] for name in unknown):
            msg = f"{unknown[0][:64]} can't be configured"
            raise Invalid(msg)
        changes = {
            name: value
            for name, value in fields.items()
            if name in _CONFIGURABLE and value is not None
        }
        if "auto_rotate_period" in changes:
            changes["auto_rotate_period"] = seconds_of(changes, "auto_rotate_period")
        loaded = self._keys.configure_key(
            request.caller, request.args["name"], changes, mount=mount_of(request)
        )
        return vault_response(request, describe(loaded))

    def rotate_key(self, request: Request) -> Response:
        # Vault sends no body here; ours may name the backend that the new version goes to
        backend = text_field(request.json_object(), "backend") if request.body else ""
        loaded = self._keys.rotate_key(
            request.caller, request.args["name"], mount=mount_of(request), backend=backend
        )
        return vault_response(request, describe(loaded))

    def trim_key(self, request: Request) -> Response:
        fields = request.json_object()
        # Vault's server reads the first name, hvac sends the second
        minimum = fields.get("min_available_version", fields.get("min_version"))
        if type(minimum) is not int:
            msg = "min_available_version is a number"
            raise Invalid(msg)
        self._keys.trim_key(request.caller, request.args["name"], minimum, mount=mount_of(request))
        return no_content()

    def destroy_key(self, request: Request) -> Response:
        self._destruction.destroy_key(request.caller, request.args["name"], mount=mount_of(request))
        return no_content()

    def export_key(self, request: Request) -> Response:
        exported = self._export.export_key(
            request.caller,
            request.args["name"],
            kind=request.args["kind"],
            version=request.args.get("version", ""),
            mount=mount_of(request),
        )
        return vault_response(request, exported.data, acts=(exported.act,))


class _BroughtCalls:
    """The handlers of keys that come from elsewhere, or from a backup."""

    def __init__(self, services: KmsServices) -> None:
        self._import = services.key_import
        self._backups = services.key_backups

    def wrapping_key(self, request: Request) -> Response:
        mount_of(request)
        return vault_response(
            request, {"public_key": self._import.get_wrapping_key(request.caller)}
        )

    def import_key(self, request: Request) -> Response:
        fields = request.json_object()
        self._import.import_key(
            request.caller,
            _key_request(request, fields),
            _wrapped(fields),
            allow_rotation=flag_field(fields, "allow_rotation"),
        )
        return no_content()

    def import_version(self, request: Request) -> Response:
        fields = request.json_object()
        self._import.import_key_version(
            request.caller, request.args["name"], _wrapped(fields), mount=mount_of(request)
        )
        return no_content()

    def backup_key(self, request: Request) -> Response:
        made = self._backups.backup_key(
            request.caller, request.args["name"], mount=mount_of(request)
        )
        return vault_response(request, {"backup": made.text}, acts=(made.act,))

    def restore_key(self, request: Request) -> Response:
        fields = request.json_object()
        self._backups.restore_key(
            request.caller,
            RestoreRequest(
                backup=text_field(fields, "backup"),
                name=request.args.get("name", ""),
                mount=mount_of(request),
                force=flag_field(fields, "force"),
            ),
        )
        return no_content()


def _key_request(request: Request, fields: Mapping[str, Any]) -> KeyRequest:
    return KeyRequest(
        name=request.args["name"],
        type=text_field(fields, "type", _DEFAULT_TYPE),
        mount=mount_of(request),
        exportable=flag_field(fields, "exportable"),
        derived=flag_field(fields, "derived"),
        convergent_encryption=flag_field(fields, "convergent_encryption"),
        allow_plaintext_backup=flag_field(fields, "allow_plaintext_backup"),
        auto_rotate_period=seconds_of(fields, "auto_rotate_period"),
        backend=text_field(fields, "backend"),
    )


def _wrapped(fields: Mapping[str, Any]) -> WrappedMaterial:
    named = text_field(fields, "hash_function", "SHA256").upper().replace("-", "")
    if named not in HASHES:
        msg = f"hash_function is one of {', '.join(HASHES)}"
        raise Invalid(msg)
    return WrappedMaterial(read_wrapped(fields.get("ciphertext")), HASHES[named])


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", "")
    if not text:
        return _MAX_NAMES
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _MAX_NAMES:
        msg = f"limit is a number from 1 to {_MAX_NAMES}"
        raise Invalid(msg)
    return int(text[:9])
