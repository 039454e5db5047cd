"""Limits of keys, quotas and locks of organisations, and self-tests, under ``/api/v1/kms``.

What is changed is changed over a version: GET answers it as ETag, PUT names it in If-Match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.api.limit_schemas import KEY_LIMITS, SELF_TESTS, SET_KEY_LIMITS, SET_QUOTA, TENANT
from kms.api.vault import no_content
from kms.models.limits import NO_RISK_LIMIT, KeyLimits, Quota
from kms.service import KmsServices
from kms.service.presenting_limits import limits_fields, self_test_fields, tenancy_fields
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import KEY_CONFIGURE, KEY_READ_ALL, POOL_LOCK
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_KEY: Final = "/api/v1/kms/keys/<name>/limits"
_TENANT: Final = "/api/v1/kms/tenants/<org_id>"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes."""
    calls = _Calls(services)
    return (
        Route(
            method="GET",
            path="/api/v1/kms/self-tests",
            operation="list_self_tests",
            access=KEY_READ_ALL,
            handler=calls.list_self_tests,
            response=SELF_TESTS,
            listing=True,
            credential="either",
        ),
        Route(
            method="GET",
            path=_KEY,
            operation="show_key_limits",
            access=KEY_READ_ALL,
            handler=calls.show_key_limits,
            response=KEY_LIMITS,
        ),
        Route(
            method="PUT",
            path=_KEY,
            operation="set_key_limits",
            access=KEY_CONFIGURE,
            handler=calls.set_key_limits,
            request=SET_KEY_LIMITS,
            response=KEY_LIMITS,
            level=2,
        ),
        Route(
            method="GET",
            path=_TENANT,
            operation="show_tenant",
            access=KEY_READ_ALL,
            handler=calls.show_tenant,
            response=TENANT,
        ),
        Route(
            method="PUT",
            path=f"{_TENANT}/quota",
            operation="set_quota",
            access=KEY_CONFIGURE,
            handler=calls.set_quota,
            request=SET_QUOTA,
            response=TENANT,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{_TENANT}/lock",
            operation="lock_tenant",
            access=POOL_LOCK,
            handler=calls.lock_tenant,
            credential="either",
            level=2,
        ),
        Route(
            method="POST",
            path=f"{_TENANT}/unlock",
            operation="unlock_tenant",
            access=POOL_LOCK,
            handler=calls.unlock_tenant,
            credential="either",
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    services: KmsServices

    def list_self_tests(self, request: Request) -> Response:
        page = self.services.self_tests.list_self_tests(request.caller, wanted_page(request))
        return page_response(page, self_test_fields)

    def show_key_limits(self, request: Request) -> Response:
        control = self.services.limit_control
        return _limits(control.show_key_limits(request.caller, request.args["name"]))

    def set_key_limits(self, request: Request) -> Response:
        fields = request.json_object()
        wish = KeyLimits(
            key_id="",
            not_before=_instant(fields, "not_before"),
            not_after=_instant(fields, "not_after"),
            max_uses=_count(fields, "max_uses"),
            clients=_names(fields, "clients"),
            max_risk=_count(fields, "max_risk", NO_RISK_LIMIT) or 0,
            version=_if_match(request),
        )
        control = self.services.limit_control
        return _limits(control.set_key_limits(request.caller, request.args["name"], wish))

    def show_tenant(self, request: Request) -> Response:
        control, org_id = self.services.limit_control, request.args["org_id"]
        found = control.show_tenant(request.caller, org_id)
        return _versioned(tenancy_fields(found), found.quota.version)

    def set_quota(self, request: Request) -> Response:
        fields, org_id = request.json_object(), request.args["org_id"]
        wish = Quota(
            org_id,
            _count(fields, "keys"),
            _count(fields, "versions"),
            _count(fields, "daily_operations"),
            _if_match(request),
        )
        self.services.limit_control.set_quota(request.caller, wish)
        return self.show_tenant(request)

    def lock_tenant(self, request: Request) -> Response:
        fields = request.json_object()
        reason = fields.get("reason", "")
        if not isinstance(reason, str) or not reason.strip():
            msg = "reason is text"
            raise Invalid(msg)
        tenants = self.services.tenants
        tenants.lock_tenant(request.caller, request.args["org_id"], reason=reason)
        return no_content()

    def unlock_tenant(self, request: Request) -> Response:
        self.services.tenants.unlock_tenant(request.caller, request.args["org_id"])
        return no_content()


def _limits(found: KeyLimits) -> Response:
    return _versioned(limits_fields(found), found.version)


def _versioned(fields: dict[str, Any], version: int) -> Response:
    return json_response(fields, headers=(("etag", f'"{version}"'),))


def _if_match(request: Request) -> int:
    """Return the version in If-Match; raise ``Invalid`` where none is named."""
    text = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - digits
        msg = 'If-Match names the version that was looked at, e.g. "3"; 0 before the first'
        raise Invalid(msg)
    return int(text)


def _instant(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if value is None:
        return 0
    try:
        return from_rfc3339(value)
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{name} is an instant of RFC 3339 with its offset, or null"
        raise Invalid(msg) from error


def _count(fields: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    value = fields.get(name)
    if value is None:
        return default
    if type(value) is not int:
        msg = f"{name} is a whole number, or null"
        raise Invalid(msg)
    return int(value)


def _names(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        msg = f"{name} is a list of names"
        raise Invalid(msg)
    return tuple(value)
