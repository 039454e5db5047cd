"""``/v1/MOUNT``: use of keys in HashiCorp Vault's shapes. Fast routes, sans-IO.

A batch is asked for once and leaves one leaf; it answers item by item in order, each with its
``reference`` and its own ``error``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kms.api.vault import ANY_OBJECT, ENVELOPE, vault_response
from kms.service import KmsServices
from kms.service.batches import read_batch
from kms.service.key_use import Fields, Used
from kms.service.presenting import in_base64
from kms.service.transit import Transit
from secops.kernel.errors import SecopsError
from secops.kernel.permissions.kms import KEY_USE
from secops.kernel.trail import Act
from secops.web.messages import Request, Response
from secops.web.routes import Route

Use = Callable[[Request, Fields], tuple[dict[str, Any], tuple[Act, ...]]]
"""One item's use: from its fields to its data and its acts."""

MAX_BODY: Final = 33 << 20
_STEP_UP: Final = ("sign", "decrypt", "make_data_key")
_STATUS: Final = "partial_failure_response_code"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return Transit's routes that use keys."""
    uses, transit = _Uses(services), services.transit
    return (
        *_with_hash("sign", _batched(transit, "sign", uses.sign, 200)),
        *_with_hash("verify", _batched(transit, "verify", uses.verify, 200)),
        *_with_hash("hmac", _batched(transit, "hmac", uses.hmac, 200)),
        _route("encrypt/<name>", "encrypt", _batched(transit, "encrypt", uses.encrypt, 400)),
        _route("decrypt/<name>", "decrypt", _batched(transit, "decrypt", uses.decrypt, 400)),
        _route("rewrap/<name>", "rewrap", _batched(transit, "rewrap", uses.rewrap, 400)),
        _route("datakey/<kind>/<name>", "make_data_key", _single(uses.make_data_key)),
        _route("random", "random_bytes", _single(uses.random)),
        _route("random/<count>", "random_bytes_counted", _single(uses.random)),
        _route("hash", "hash_input", _single(uses.hash)),
        _route("hash/<hash_name>", "hash_input_named", _single(uses.hash)),
    )


class _Uses:
    """Each method is one item's use."""

    def __init__(self, services: KmsServices) -> None:
        self._transit = services.transit
        self._digests = services.digests

    def sign(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        made = self._transit.sign(
            request.caller,
            request.args["name"],
            fields,
            mount=request.args["mount"],
            path_hash=request.args.get("hash_name"),
        )
        return {"signature": made.text, "key_version": made.key_version}, (made.act,)

    def verify(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        verdict = self._transit.verify(
            request.caller,
            request.args["name"],
            fields,
            mount=request.args["mount"],
            path_hash=request.args.get("hash_name"),
        )
        return {"valid": verdict.valid}, (verdict.act,)

    def hmac(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        made = self._transit.hmac(
            request.caller,
            request.args["name"],
            fields,
            mount=request.args["mount"],
            path_hash=request.args.get("hash_name"),
        )
        return {"hmac": made.text}, (made.act,)

    def encrypt(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        made = self._transit.encrypt(
            request.caller, request.args["name"], fields, mount=request.args["mount"]
        )
        return {"ciphertext": made.text, "key_version": made.key_version}, (made.act,)

    def decrypt(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        opened = self._transit.decrypt(
            request.caller, request.args["name"], fields, mount=request.args["mount"]
        )
        return {"plaintext": opened.text}, (opened.act,)

    def rewrap(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        made = self._transit.rewrap(
            request.caller, request.args["name"], fields, mount=request.args["mount"]
        )
        return {"ciphertext": made.text, "key_version": made.key_version}, (made.act,)

    def make_data_key(
        self, request: Request, fields: Fields
    ) -> tuple[dict[str, Any], tuple[Act, ...]]:
        made = self._transit.make_data_key(
            request.caller,
            request.args["name"],
            fields,
            mount=request.args["mount"],
            kind=request.args["kind"],
        )
        produced = made.produced
        data: dict[str, Any] = {
            "ciphertext": produced.text,
            "key_version": produced.key_version,
        }
        if made.plaintext is not None:
            data["plaintext"] = made.plaintext
        return data, (produced.act,)

    def random(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        text = self._digests.random_bytes(request.caller, fields, request.args.get("count"))
        return {"random_bytes": text}, ()

    def hash(self, request: Request, fields: Fields) -> tuple[dict[str, Any], tuple[Act, ...]]:
        text = self._digests.hash_input(request.caller, fields, request.args.get("hash_name"))
        return {"sum": text}, ()


def _with_hash(verb: str, handler: Callable[[Request], Response]) -> tuple[Route, ...]:
    return (
        _route(f"{verb}/<name>", verb, handler),
        _route(f"{verb}/<name>/<hash_name>", f"{verb}_with_hash", handler),
    )


def _route(path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method="POST",
        path=f"/v1/<mount>/{path}",
        operation=operation,
        access=KEY_USE,
        handler=handler,
        request=ANY_OBJECT,
        response=ENVELOPE,
        form="vault",
        max_body=MAX_BODY,
        fast=True,
        # a person signs or opens with two factors; applications are asked for none
        level=2 if operation.startswith(_STEP_UP) else 1,
    )


def _single(use: Use) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        data, acts = use(request, request.json_object())
        return vault_response(request, data, acts=acts)

    return handle


def _batched(
    transit: Transit, verb: str, use: Use, failure_status: int
) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        fields, args = request.json_object(), request.args
        batch = read_batch(verb, fields, mount=args["mount"], path_hash=args.get("hash_name"))
        if batch is None:
            data, acts = use(request, fields)
            return vault_response(request, data, acts=acts)
        made = transit.use_batch(request.caller, args["name"], batch)
        show = _SHOWN[verb]
        results = []
        failed = False
        for item, outcome in zip(batch.items, made.outcomes, strict=True):
            if isinstance(outcome, SecopsError):
                result, failed = {"error": outcome.detail}, True
            else:
                result = show(outcome)
            if "reference" in item:
                result["reference"] = str(item["reference"])
            results.append(result)
        status = _failure_status(fields, failure_status) if failed else 200
        return vault_response(request, {"batch_results": results}, status, acts=(made.act,))

    return handle


def _made(name: str) -> Callable[[Used], dict[str, Any]]:
    return lambda used: {name: used.text, "key_version": used.key_version}


_SHOWN: Final[dict[str, Callable[[Used], dict[str, Any]]]] = {
    "sign": _made("signature"),
    "verify": lambda used: {"valid": used.valid},
    "hmac": lambda used: {"hmac": used.text},
    "encrypt": _made("ciphertext"),
    "rewrap": _made("ciphertext"),
    "decrypt": lambda used: {"plaintext": in_base64(used.plaintext)},
}


def _failure_status(fields: Mapping[str, Any], default: int) -> int:
    wanted = fields.get(_STATUS)
    is_status = type(wanted) is int and 200 <= wanted < 600  # noqa: PLR2004 - HTTP's range
    return wanted if is_status and wanted is not None else default
