"""``/api/v1/kms/keys``: what Vault has no words for: lists with pages, suspend, grant, destroy."""

from __future__ import annotations

from typing import Any

from kms.api.key_schemas import DESTRUCTION_PAGE, KEY_PAGE, KeyTable, mount_of, text_field
from kms.api.vault import no_content
from kms.models.keys import DEFAULT_OPERATIONS
from kms.service import KmsServices
from kms.service.key_destruction import DELAY_DAYS
from kms.service.presenting import describe_destruction, list_grants, summarise
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    KEY_DESTROY,
    KEY_GRANT,
    KEY_READ,
    KEY_READ_ALL,
    KEY_SUSPEND,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes about the pool's keys in our own words."""
    control, destruction = _ControlCalls(services), _DestructionCalls(services)
    own = KeyTable("problem")
    key = "/api/v1/kms/keys/<name>"
    one = "/api/v1/kms/key-destructions/<destruction_id>"
    own.add(f"POST {key}/suspend", "suspend_key", KEY_SUSPEND, control.suspend_key)
    own.add(f"POST {key}/resume", "resume_key", KEY_SUSPEND, control.resume_key)
    own.add(f"GET {key}/grants", "list_grants", KEY_GRANT, control.list_grants)
    own.add(f"POST {key}/grants", "grant_key", KEY_GRANT, control.grant_key)
    own.add(
        f"DELETE {key}/grants/<subject>", "revoke_key_grant", KEY_GRANT, control.revoke_key_grant
    )
    own.add(f"POST {key}/destruction", "request_destruction", KEY_DESTROY, destruction.ask)
    own.add(f"DELETE {key}/destruction", "call_off_destruction", KEY_DESTROY, destruction.call_off)
    own.add(f"POST {one}", "decide_destruction", KEY_DESTROY, destruction.decide)
    listings = (
        Route(
            method="GET",
            path="/api/v1/kms/keys",
            operation="list_pool_keys",
            access=KEY_READ,
            handler=control.list_pool_keys,
            response=KEY_PAGE,
            listing=True,
            credential="either",
        ),
        Route(
            method="GET",
            path="/api/v1/kms/key-destructions",
            operation="list_destructions",
            access=KEY_READ_ALL,
            handler=destruction.list_destructions,
            response=DESTRUCTION_PAGE,
            listing=True,
            credential="either",
        ),
    )
    return (*own.routes, *listings)


class _ControlCalls:
    """Handlers of keys in use."""

    def __init__(self, services: KmsServices) -> None:
        self._control = services.key_control
        self._keys = services.keys

    def list_pool_keys(self, request: Request) -> Response:
        page = self._keys.list_keys(request.caller, wanted_page(request), mount=mount_of(request))
        return page_response(page, summarise)

    def suspend_key(self, request: Request) -> Response:
        reason = text_field(request.json_object(), "reason")
        key = self._control.suspend_key(
            request.caller, request.args["name"], reason=reason, mount=mount_of(request)
        )
        return json_response({"name": key.name, "state": key.state})

    def resume_key(self, request: Request) -> Response:
        key = self._control.resume_key(
            request.caller, request.args["name"], mount=mount_of(request)
        )
        return json_response({"name": key.name, "state": key.state})

    def list_grants(self, request: Request) -> Response:
        loaded = self._control.list_grants(
            request.caller, request.args["name"], mount=mount_of(request)
        )
        return json_response({"items": list_grants(loaded), "next": None})

    def grant_key(self, request: Request) -> Response:
        fields = request.json_object()
        operations = fields.get("operations", sorted(DEFAULT_OPERATIONS))
        if not isinstance(operations, list):
            msg = "operations is a list of words"
            raise Invalid(msg)
        grant = self._control.grant_key(
            request.caller,
            request.args["name"],
            text_field(fields, "subject"),
            map(str, operations),
            mount=mount_of(request),
        )
        return json_response({"subject": grant.subject, "operations": sorted(grant.operations)})

    def revoke_key_grant(self, request: Request) -> Response:
        self._control.revoke_key_grant(
            request.caller,
            request.args["name"],
            request.args["subject"],
            mount=mount_of(request),
        )
        return no_content()


class _DestructionCalls:
    """Handlers of keys that are to be destroyed."""

    def __init__(self, services: KmsServices) -> None:
        self._destruction = services.key_destruction

    def ask(self, request: Request) -> Response:
        fields = request.json_object()
        made = self._destruction.destroy_key(
            request.caller,
            request.args["name"],
            mount=mount_of(request),
            reason=text_field(fields, "reason"),
            delay_days=_days(fields.get("delay_days", DELAY_DAYS)),
        )
        return json_response({"id": made.id, "approval": "pending"})

    def decide(self, request: Request) -> Response:
        fields = request.json_object()
        grant = fields.get("grant")
        if not isinstance(grant, bool):
            msg = "grant is true or false"
            raise Invalid(msg)
        key = self._destruction.decide_destruction(
            request.caller,
            request.args["destruction_id"],
            grant=grant,
            reason=text_field(fields, "reason"),
        )
        return json_response(summarise(key))

    def call_off(self, request: Request) -> Response:
        key = self._destruction.call_off_destruction(
            request.caller, request.args["name"], mount=mount_of(request)
        )
        return json_response(summarise(key))

    def list_destructions(self, request: Request) -> Response:
        page = self._destruction.list_destructions(request.caller, wanted_page(request))
        return page_response(page, lambda pair: describe_destruction(*pair))


def _days(value: Any) -> int:
    if type(value) is not int:
        msg = "delay_days is a number"
        raise Invalid(msg)
    return value
