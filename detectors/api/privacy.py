"""Graded data over HTTP: classes, policies, reveals, traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from detectors.api.bodies import text_of
from detectors.models.privacy import GRADES, SourcePolicy
from detectors.service.logs.privacy import PrivacyService
from detectors.service.logs.privacy_presentation import class_json, policy_json, trace_json
from detectors.service.logs.tracing import TracingService
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.detectors import (
    DATA_POLICY_CHANGE,
    LOG_REVEAL,
    LOG_SOURCE_READ,
    LOG_TRACE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, Schema

_POLICY: Final = Schema(
    "SourcePolicy",
    {
        "type": "object",
        "required": ["source"],
        "properties": {
            "source": {"type": "string", "maxLength": 200},
            "grade": {"enum": list(GRADES)},
            "masked": {"type": "array", "maxItems": 200, "items": {"type": "string"}},
            "keeps_originals": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
)
_REVEAL: Final = Schema(
    "Reveal",
    {
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 500}},
        "additionalProperties": False,
    },
)
_TRACE: Final = Schema(
    "TraceRequest",
    {
        "type": "object",
        "required": ["subject"],
        "properties": {
            "subject": {"type": "string", "minLength": 3, "maxLength": 200},
            "since": {"type": "string", "maxLength": 40},
            "until": {"type": "string", "maxLength": 40},
        },
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    privacy: PrivacyService
    tracing: TracingService

    def list_data_classes(self, request: Request) -> Response:
        """Return the classes of data that are recognised in logs, by priority."""
        found = self.privacy.list_data_classes(request.caller)
        return json_response({"items": [class_json(each) for each in found], "next": None})

    def list_policies(self, request: Request) -> Response:
        """Return what is done with graded data, by source."""
        found = self.privacy.list_policies(request.caller)
        return json_response({"items": [policy_json(each) for each in found], "next": None})

    def set_policy(self, request: Request) -> Response:
        """Decide what is done with graded data in a source's lines from now on."""
        document = request.json_object()
        source = text_of(document, "source")
        masked = document.get("masked", [])
        keeps = document.get("keeps_originals", False)
        if not isinstance(masked, list) or not all(isinstance(each, str) for each in masked):
            raise Invalid("masked is a list of ids of data classes")
        if type(keeps) is not bool:
            raise Invalid("keeps_originals is true or false")
        grade: Any = document.get("grade", "2")
        policy = SourcePolicy(source, request.caller.org_id, grade, tuple(masked), keeps)
        return json_response(policy_json(self.privacy.set_policy(request.caller, policy)))

    def reveal_original(self, request: Request) -> Response:
        """Return the line as it came, for a reason that the ledger keeps."""
        reason = text_of(request.json_object(), "reason")
        original = self.privacy.reveal_original(request.caller, request.args["event_id"], reason)
        return json_response({"original": original.decode("utf-8", "backslashreplace")})

    def trace_subject(self, request: Request) -> Response:
        """Return who touched a subject, which stands in the body since addresses are logged."""
        document = request.json_object()
        subject = text_of(document, "subject")
        window = (document.get("since"), document.get("until"))
        if not all(each is None or isinstance(each, str) for each in window):
            raise Invalid("since and until are times")
        return json_response(
            trace_json(self.tracing.trace_subject(request.caller, subject, window=window))
        )


def privacy_routes(privacy: PrivacyService, tracing: TracingService) -> tuple[Route, ...]:
    """Return the routes of graded data."""
    to = _Handlers(privacy, tracing)
    return (
        _get("data-classes", "list_data_classes", to.list_data_classes),
        _get("policies", "list_data_policies", to.list_policies),
        _post("policies", "set_data_policy", DATA_POLICY_CHANGE, to.set_policy, _POLICY),
        _post(
            "events/<event_id>/reveal", "reveal_original", LOG_REVEAL, to.reveal_original, _REVEAL
        ),
        _post("trace", "trace_subject", LOG_TRACE, to.trace_subject, _TRACE),
    )


def _get(path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
    return Route(
        method="GET",
        path=f"/api/v1/logs/{path}",
        operation=operation,
        access=LOG_SOURCE_READ,
        handler=handler,
        listing=True,
    )


def _post(
    path: str,
    operation: str,
    access: Permission,
    handler: Callable[[Request], Response],
    request: Schema,
) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/logs/{path}",
        operation=operation,
        access=access,
        handler=handler,
        request=request,
    )
