"""Identity providers upstream as JSON: proposed, approved, tested, disabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from iam.api.shapes import Table, schema, text
from iam.models.upstream import Upstream, UpstreamCheck
from iam.service import IamServices
from iam.service.upstream.configuration import UpstreamChange
from secops.kernel.clock import to_rfc3339
from secops.kernel.permissions.iam import (
    UPSTREAM_APPROVE,
    UPSTREAM_CONFIGURE,
    UPSTREAM_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_OBJECT = {"type": "object"}
_REASON = schema("Reason", reason={})
_NEW = schema(
    "NewUpstream",
    ("id", "kind"),
    id={},
    kind={"enum": ["oidc", "ticket", "cas", "ldap"]},
    title={},
    settings=_OBJECT,
    trust=_OBJECT,
    secret={},
)


def upstream_shape(upstream: Upstream) -> dict[str, Any]:
    """Return a provider as JSON, without its secret."""
    return {
        "id": upstream.plan.id,
        **orjson.loads(upstream.content),
        "state": upstream.state,
        "proposed_by": upstream.proposed_by,
        "approved_by": upstream.approved_by,
        "changed_at": to_rfc3339(upstream.changed_at),
    }


def change_shape(change: UpstreamChange) -> dict[str, Any]:
    """Return what waits for approval, beside what it would replace."""
    before = change.before
    return {
        "request": change.proposal.approval_id,
        "id": change.proposal.upstream_id,
        "after": orjson.loads(change.proposal.content),
        "before": None if before is None else orjson.loads(before.content),
        "new_secret": change.new_secret,
        "digest": change.proposal.digest,
        "created_at": to_rfc3339(change.proposal.created_at),
    }


def check_shape(check: UpstreamCheck) -> dict[str, Any]:
    """Return one finding as JSON."""
    return {"what": check.what, "ok": check.ok, "why": check.why}


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for whoever configures and approves providers."""
    calls = _Calls(services)
    table = Table()
    add = table.add
    one, asked = "/upstreams/<upstream>", "/upstream-requests/<asked>"
    add("GET /upstreams", "list_upstreams", UPSTREAM_READ, calls.list_all)
    add("POST /upstreams", "create_upstream", UPSTREAM_CONFIGURE, calls.create, request=_NEW)
    add(f"POST {one}/test", "test_upstream", UPSTREAM_CONFIGURE, calls.test)
    add(f"DELETE {one}", "disable_upstream", UPSTREAM_CONFIGURE, calls.disable)
    add("GET /upstream-requests", "list_upstream_requests", UPSTREAM_READ, calls.pending)
    add(
        f"POST {asked}/approve",
        "approve_upstream",
        UPSTREAM_APPROVE,
        calls.approve,
        request=_REASON,
    )
    add(f"POST {asked}/reject", "reject_upstream", UPSTREAM_APPROVE, calls.reject, request=_REASON)
    return tuple(table.routes)


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        found = self.services.upstreams.list_upstreams(request.caller)
        return json_response({"items": [upstream_shape(one) for one in found], "next": None})

    def pending(self, request: Request) -> Response:
        found = self.services.upstreams.pending_upstreams(request.caller)
        return json_response({"items": [change_shape(one) for one in found], "next": None})

    def create(self, request: Request) -> Response:
        body = request.json_object()
        document = {name: value for name, value in body.items() if name not in ("id", "secret")}
        asked = self.services.upstreams.create_upstream(
            request.caller, text(body, "id"), document, text(body, "secret", "")
        )
        return json_response({"request": asked}, 202)

    def approve(self, request: Request) -> Response:
        return self._decide(request, grant=True)

    def reject(self, request: Request) -> Response:
        return self._decide(request, grant=False)

    def _decide(self, request: Request, *, grant: bool) -> Response:
        reason = text(request.json_object(), "reason", "")
        asked = request.args["asked"]
        self.services.upstreams.approve_upstream(request.caller, asked, grant=grant, reason=reason)
        return Response(204)

    def test(self, request: Request) -> Response:
        found = self.services.upstreams.test_upstream(request.caller, request.args["upstream"])
        return json_response({"checks": [check_shape(check) for check in found]})

    def disable(self, request: Request) -> Response:
        reason = request.query.get("reason", "")
        self.services.upstreams.disable_upstream(request.caller, request.args["upstream"], reason)
        return Response(204)
