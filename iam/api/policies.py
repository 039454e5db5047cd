"""Policy versions as JSON: drafted, checked, tried, proposed, approved, brought back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.api.shapes import Table, schema, text
from iam.models.zero_trust import Finding, PolicyVersion, Simulation
from iam.service import IamServices
from iam.service.zero_trust.policies import NewPolicies
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import POLICY_APPROVE, POLICY_READ, POLICY_WRITE
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_MOST_TEXT: Final = 65_536
_TEXTS: Final = schema("Policies", ("policies",), title={}, policies={}, data={})
_NEW: Final = schema("NewPolicies", ("title", "policies"), title={}, policies={}, data={})
_REASON: Final = schema("PolicyReason", reason={})


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of ``/api/v1/iam/policies``."""
    calls, steps = _Texts(services), _Steps(services)
    one = "/policies/<version>"
    table = Table()
    add = table.add
    add("GET /policies", "list_policies", POLICY_READ, calls.list_all)
    add("POST /policies", "draft_policies", POLICY_WRITE, calls.draft, request=_NEW)
    add("GET /policies/active", "get_active_policies", POLICY_READ, calls.active)
    add("POST /policies/check", "check_policies", POLICY_READ, calls.check, request=_TEXTS)
    add("POST /policies/simulate", "simulate_policies", POLICY_READ, calls.try_, request=_TEXTS)
    add(f"GET {one}", "get_policies", POLICY_READ, calls.get)
    add(f"PUT {one}", "edit_policies", POLICY_WRITE, calls.edit, request=_NEW)
    add(f"POST {one}/propose", "propose_policies", POLICY_WRITE, steps.propose, request=_REASON)
    add(f"POST {one}/approve", "activate_policies", POLICY_APPROVE, steps.approve, request=_REASON)
    add(f"POST {one}/reject", "reject_policies", POLICY_APPROVE, steps.reject, request=_REASON)
    add(f"POST {one}/restore", "restore_policies", POLICY_WRITE, steps.restore, request=_REASON)
    return tuple(table.routes)


def version_shape(version: PolicyVersion, *, texts: bool = True) -> dict[str, Any]:
    """Return a version as JSON, with or without its texts."""
    shape: dict[str, Any] = {
        "id": version.id,
        "number": version.number,
        "title": version.title,
        "state": version.state,
        "digest": version.digest,
        "created_by": version.created_by,
        "created_at": to_rfc3339(version.created_at),
        "activated_by": version.activated_by,
        "activated_at": rfc3339_or_none(version.activated_at),
    }
    return shape | {"policies": version.policies, "data": version.data} if texts else shape


def finding_shape(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON."""
    return {
        "severity": finding.severity,
        "code": finding.code,
        "policy": finding.policy,
        "zh": finding.text.zh,
        "en": finding.text.en,
    }


def simulation_shape(simulation: Simulation) -> dict[str, Any]:
    """Return what a draft would change as JSON."""
    return {
        "decisions": simulation.decisions,
        "questions": simulation.questions,
        "changes": simulation.changes,
        "refusals_more": simulation.refusals_more,
        "refusals_fewer": simulation.refusals_fewer,
        "unreadable": simulation.unreadable,
        "changed": [
            {
                "subject": one.subject,
                "permission": one.permission,
                "resource_kind": one.resource_kind,
                "allowed_before": one.allowed_before,
                "count": one.count,
                "policies": list(one.policies),
            }
            for one in simulation.changed
        ],
    }


def _long_text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        msg = f"{name} must be a text of at most {_MOST_TEXT} characters"
        raise Invalid(msg)
    return value


def _new(request: Request) -> NewPolicies:
    body = request.json_object()
    title = text(body, "title", "")
    return NewPolicies(title, _long_text(body, "policies"), _long_text(body, "data"))


def _reason(request: Request) -> str:
    return text(request.json_object(), "reason", "")


@dataclass(frozen=True, slots=True)
class _Texts:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.protection.policies.list_policies(request.caller, asked)
        return page_response(page, lambda version: version_shape(version, texts=False))

    def active(self, request: Request) -> Response:
        service = self.services.protection.policies
        current, titles = service.in_force(request.caller)
        questions, decisions, refusals = service.recorded(request.caller)
        return json_response(
            {
                "version": current.version_id or None,
                "number": current.number,
                "digest": current.engine.version,
                "policies": [
                    {"id": one.id, "effect": one.effect, "zh": one.title.zh, "en": one.title.en}
                    for one in titles
                ],
                "recorded": {
                    "questions": questions,
                    "decisions": decisions,
                    "refusals": refusals,
                },
            }
        )

    def get(self, request: Request) -> Response:
        service = self.services.protection.policies
        return json_response(
            version_shape(service.get_policies(request.caller, request.args["version"]))
        )

    def draft(self, request: Request) -> Response:
        service = self.services.protection.policies
        return json_response(
            version_shape(service.draft_policies(request.caller, _new(request))), 201
        )

    def edit(self, request: Request) -> Response:
        service = self.services.protection.policies
        version = request.args["version"]
        return json_response(
            version_shape(service.draft_policies(request.caller, _new(request), version))
        )

    def check(self, request: Request) -> Response:
        found = self.services.protection.policies.check_policies(request.caller, _new(request))
        sound = not any(finding.severity == "error" for finding in found)
        return json_response({"sound": sound, "findings": [finding_shape(one) for one in found]})

    def try_(self, request: Request) -> Response:
        service = self.services.protection.policies
        return json_response(
            simulation_shape(service.simulate_policies(request.caller, _new(request)))
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    services: IamServices

    def propose(self, request: Request) -> Response:
        service, version = self.services.protection.policies, request.args["version"]
        tried = service.propose_policies(request.caller, version, _reason(request))
        return json_response(simulation_shape(tried), 201)

    def approve(self, request: Request) -> Response:
        return self._decide(request, grant=True)

    def reject(self, request: Request) -> Response:
        return self._decide(request, grant=False)

    def _decide(self, request: Request, *, grant: bool) -> Response:
        service, version = self.services.protection.policies, request.args["version"]
        decided = service.decide_policies(
            request.caller, version, grant=grant, reason=_reason(request)
        )
        return json_response(version_shape(decided, texts=False))

    def restore(self, request: Request) -> Response:
        service, version = self.services.protection.policies, request.args["version"]
        restored = service.restore_policies(request.caller, version, _reason(request))
        return json_response(version_shape(restored, texts=False))
