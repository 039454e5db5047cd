"""Resets of one's own account: seen, cancelled; and hastened by a third administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.api.shapes import Table, schema, text
from iam.models.recovery import Recovery
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.permissions.iam import EMERGENCY_APPROVE
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("resets of the caller's own account")
_REASON: Final = schema("EmergencyReason", ("reason",), reason={})


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of waiting resets."""
    calls, table, own = _Calls(services), Table(), Table(level=1)
    table.add(
        "POST /resets/<reset>/hasten",
        "hasten_reset",
        EMERGENCY_APPROVE,
        calls.hasten,
        request=_REASON,
    )
    own.add("GET /me/resets", "list_own_resets", _OWN, calls.own)
    own.add("POST /me/resets/<reset>/cancel", "cancel_reset", _OWN, calls.cancel)
    return (*table.routes, *own.routes)


def recovery_shape(recovery: Recovery) -> dict[str, object]:
    """Return a waiting reset as JSON."""
    return {
        "id": recovery.id,
        "asked_at": to_rfc3339(recovery.asked_at),
        "not_before": to_rfc3339(recovery.not_before),
        "expires_at": to_rfc3339(recovery.expires_at),
        "hastened": recovery.hastened_by is not None,
        "ended_at": rfc3339_or_none(recovery.ended_at),
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def own(self, request: Request) -> Response:
        items = [
            {**recovery_shape(each.recovery), "reason": each.reason, "approved": each.approved}
            for each in self.services.recoveries.own_resets(request.caller)
        ]
        return json_response({"items": items, "next": None})

    def cancel(self, request: Request) -> Response:
        self.services.recoveries.cancel_reset(request.caller, request.args["reset"])
        return Response(204)

    def hasten(self, request: Request) -> Response:
        reason = text(request.json_object(), "reason")
        found = self.services.recoveries.hasten_reset(request.caller, request.args["reset"], reason)
        return json_response(recovery_shape(found))
