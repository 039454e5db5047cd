"""Locks and devices as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.api.shapes import Table, schema, text
from iam.models.zero_trust import LOCK_KINDS, Device, Lock, LockKind
from iam.service import IamServices
from iam.service.protection.locks import NewLock
from secops.kernel.clock import from_rfc3339, rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import (
    DEVICE_READ,
    DEVICE_REVOKE,
    LOCK_LIFT,
    LOCK_LIFT_APPROVE,
    LOCK_READ,
    LOCK_SET,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Public, Route, SignedIn

_LOCK: Final = schema(
    "NewLock",
    ("kind", "subject", "reason"),
    kind={"enum": list(LOCK_KINDS)},
    subject={},
    reason={},
    until={"type": "string", "format": "date-time"},
)
_REASON: Final = schema("LockReason", reason={})
_STATEMENT: Final = schema("DeviceStatement", ("statement",), statement={}, name={})
_MAX_STATEMENT: Final = 8_192
_OWN: Final = SignedIn("the handler looks at the caller's own devices alone")
_REPORTS: Final = Public("the device's own signature over its report says who it is")


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of locks and devices."""
    locks, devices = _Locks(services), _Devices(services)
    one = "/locks/<lock>"
    table = Table()
    add = table.add
    add("GET /locks", "list_locks", LOCK_READ, locks.list_all)
    add("POST /locks", "lock_subject", LOCK_SET, locks.lock, request=_LOCK)
    add(f"GET {one}", "get_lock", LOCK_READ, locks.get)
    add(f"POST {one}/lift", "ask_to_lift_lock", LOCK_LIFT, locks.ask, request=_REASON)
    add(f"POST {one}/approve", "lift_lock", LOCK_LIFT_APPROVE, locks.approve, request=_REASON)
    add(f"POST {one}/refuse", "refuse_lift", LOCK_LIFT_APPROVE, locks.refuse, request=_REASON)
    add("GET /devices", "list_devices", DEVICE_READ, devices.list_all)
    add("DELETE /devices/<device>", "revoke_device", DEVICE_REVOKE, devices.revoke)
    own = "/me/devices"
    add(f"GET {own}", "list_own_devices", _OWN, devices.own)
    add(f"POST {own}", "register_device", _OWN, devices.register, request=_STATEMENT)
    add(f"POST {own}/challenge", "challenge_device", _OWN, devices.challenge)
    add(f"POST {own}/proof", "prove_device", _OWN, devices.prove, request=_STATEMENT)
    add(f"DELETE {own}/<device>", "revoke_own_device", _OWN, devices.revoke_own)
    report = Route(
        method="POST",
        path="/api/v1/iam/device-reports",
        operation="report_posture",
        access=_REPORTS,
        handler=devices.report,
        request=_STATEMENT,
        max_body=2 * _MAX_STATEMENT,
    )
    return (*table.routes, report)


def lock_shape(lock: Lock) -> dict[str, Any]:
    """Return a lock as JSON."""
    return {
        "id": lock.id,
        "kind": lock.kind,
        "subject": lock.subject,
        "reason": lock.reason,
        "created_by": lock.created_by,
        "created_at": to_rfc3339(lock.created_at),
        "until": rfc3339_or_none(lock.until),
        "ended": dict(lock.ended),
        "lift_approval": lock.lift_approval,
        "lifted_at": rfc3339_or_none(lock.lifted_at),
        "lifted_by": lock.lifted_by,
    }


def device_shape(device: Device) -> dict[str, Any]:
    """Return a device as JSON."""
    posture = device.posture
    return {
        "id": device.id,
        "account": device.account_id,
        "name": device.name,
        "algorithm": device.algorithm,
        "thumbprint": device.thumbprint,
        "state": device.state,
        "created_at": to_rfc3339(device.created_at),
        "reported_at": rfc3339_or_none(device.reported_at),
        "posture": None
        if posture is None
        else {
            "os": posture.os,
            "version": posture.version,
            "disk_encrypted": posture.disk_encrypted,
            "screen_lock": posture.screen_lock,
        },
    }


def read_until(value: str) -> int | None:
    """Return the instant of an RFC 3339 text, None for an empty one; raise ``Invalid``."""
    if not value:
        return None
    try:
        return from_rfc3339(value)
    except ValueError as error:
        msg = "until is a time like 2026-12-01T00:00:00Z"
        raise Invalid(msg) from error


def read_kind(value: object) -> LockKind:
    """Return the kind of a subject; raise ``Invalid``."""
    if value not in LOCK_KINDS:
        msg = f"kind is one of {', '.join(LOCK_KINDS)}"
        raise Invalid(msg)
    return value


@dataclass(frozen=True, slots=True)
class _Locks:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        every = request.query.get("all", "") == "true"
        page = self.services.protection.locks.list_locks(request.caller, asked, lifted=every)
        return page_response(page, lock_shape)

    def lock(self, request: Request) -> Response:
        body = request.json_object()
        new = NewLock(
            kind=read_kind(body.get("kind")),
            subject=text(body, "subject"),
            reason=text(body, "reason"),
            until=read_until(text(body, "until", "")),
        )
        made = self.services.protection.locks.lock_subject(request.caller, new)
        return json_response(lock_shape(made), 201)

    def get(self, request: Request) -> Response:
        found = self.services.protection.locks.get_lock(request.caller, request.args["lock"])
        return json_response(lock_shape(found))

    def ask(self, request: Request) -> Response:
        reason = text(request.json_object(), "reason", "")
        asked = self.services.protection.locks.ask_to_lift(
            request.caller, request.args["lock"], reason
        )
        return json_response({"id": asked}, 201)

    def approve(self, request: Request) -> Response:
        return self._decide(request, grant=True)

    def refuse(self, request: Request) -> Response:
        return self._decide(request, grant=False)

    def _decide(self, request: Request, *, grant: bool) -> Response:
        reason = text(request.json_object(), "reason", "")
        decided = self.services.protection.locks.decide_lift(
            request.caller, request.args["lock"], grant=grant, reason=reason
        )
        return json_response(lock_shape(decided))


@dataclass(frozen=True, slots=True)
class _Devices:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.protection.devices.list_devices(request.caller, asked)
        return page_response(page, device_shape)

    def revoke(self, request: Request) -> Response:
        self.services.protection.devices.revoke_device(
            request.caller, request.args["device"], request.query.get("reason", "")
        )
        return Response(204)

    def own(self, request: Request) -> Response:
        found = self.services.protection.devices.own_devices(request.caller)
        return json_response({"items": [device_shape(one) for one in found], "next": None})

    def challenge(self, request: Request) -> Response:
        challenge = self.services.protection.devices.challenge(request.caller)
        return json_response({"challenge": challenge})

    def register(self, request: Request) -> Response:
        body = request.json_object()
        made = self.services.protection.devices.register_device(
            request.caller, text(body, "name", ""), _statement(body)
        )
        return json_response(device_shape(made), 201)

    def prove(self, request: Request) -> Response:
        proved = self.services.protection.devices.prove_device(
            request.caller, _statement(request.json_object())
        )
        return json_response(device_shape(proved))

    def revoke_own(self, request: Request) -> Response:
        self.services.protection.devices.revoke_own(request.caller, request.args["device"])
        return Response(204)

    def report(self, request: Request) -> Response:
        device = self.services.protection.devices.report_posture(_statement(request.json_object()))
        return json_response({"device": device})


def _statement(body: dict[str, Any]) -> str:
    value = body.get("statement")
    if not isinstance(value, str) or len(value) > _MAX_STATEMENT:
        msg = f"statement must be a text of at most {_MAX_STATEMENT} characters"
        raise Invalid(msg)
    return value
