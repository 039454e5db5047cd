"""The use policy of a seal over HTTP: GET and PUT /api/v1/kms/seals/ID/use-policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from kms.api.seal_schemas import SET_USE_POLICY, USE_POLICY
from kms.models.seal_policies import (
    APPROVALS,
    DAY_MINUTES,
    NO_RISK_LIMIT,
    WEEKDAYS,
    UseApproval,
    UsePolicy,
    read_minutes,
    show_minutes,
)
from kms.service import KmsServices
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import SEAL_CONFIGURE, SEAL_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_PATH: Final = "/api/v1/kms/seals/<seal_id>/use-policy"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of use policies."""
    handlers = _Policies(services)
    return (
        Route(
            method="GET",
            path=_PATH,
            operation="show_use_policy",
            access=SEAL_READ,
            handler=handlers.show_use_policy,
            response=USE_POLICY,
        ),
        Route(
            method="PUT",
            path=_PATH,
            operation="set_use_policy",
            access=SEAL_CONFIGURE,
            handler=handlers.set_use_policy,
            request=SET_USE_POLICY,
            response=USE_POLICY,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Policies:
    services: KmsServices

    def show_use_policy(self, request: Request) -> Response:
        seal_id = request.args["seal_id"]
        found = self.services.seal_policies.show_use_policy(request.caller, seal_id)
        return json_response(_record(found))

    def set_use_policy(self, request: Request) -> Response:
        fields = request.json_object()
        cap = fields.get("daily_cap")
        wish = UsePolicy(
            seal_id=request.args["seal_id"],
            users=_list(fields, "users", str, ()),
            document_classes=_list(fields, "document_classes", str, ()),
            weekdays=_list(fields, "weekdays", int, WEEKDAYS),
            opens=_minutes(fields, "opens", 0),
            closes=_minutes(fields, "closes", DAY_MINUTES),
            daily_cap=None if cap is None else _number(fields, "daily_cap", 0),
            max_risk=_number(fields, "max_risk", NO_RISK_LIMIT),
            approval=_approval(fields),
            version=_number(fields, "version", -1),
        )
        return json_response(
            _record(self.services.seal_policies.set_use_policy(request.caller, wish))
        )


def _list(fields: Mapping[str, Any], name: str, kind: type, default: tuple[Any, ...]) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, list) or not all(type(each) is kind for each in value):
        msg = f"{name} is a list"
        raise Invalid(msg)
    return tuple(value)


def _number(fields: Mapping[str, Any], name: str, default: int) -> int:
    value = fields.get(name, default)
    if type(value) is not int:
        msg = f"{name} is a whole number"
        raise Invalid(msg)
    return value


def _approval(fields: Mapping[str, Any]) -> UseApproval:
    value = fields.get("approval", "none")
    if value not in APPROVALS:
        msg = f"approval is one of {', '.join(APPROVALS)}"
        raise Invalid(msg)
    return cast("UseApproval", value)


def _minutes(fields: Mapping[str, Any], name: str, default: int) -> int:
    value = fields.get(name)
    found = default if value is None else read_minutes(value if isinstance(value, str) else "")
    if found is None:
        msg = f"{name} is a time of day, 00:00 to 24:00"
        raise Invalid(msg)
    return found


def _record(policy: UsePolicy) -> dict[str, Any]:
    return {
        "users": list(policy.users),
        "document_classes": list(policy.document_classes),
        "weekdays": list(policy.weekdays),
        "opens": show_minutes(policy.opens),
        "closes": show_minutes(policy.closes),
        "daily_cap": policy.daily_cap,
        "max_risk": policy.max_risk,
        "approval": policy.approval,
        "version": policy.version,
    }
