"""``/api/v1/detectors``: rules' reports, forecasts, exceptions, suppressions, entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.api.bodies import body_schema, fields_of, number_of, text_of
from detectors.service.rules.exceptions import ExceptionService, ExceptionWish
from detectors.service.rules.forecast import ForecastService
from detectors.service.rules.rule_reports import RuleReports
from detectors.service.triage.entities import EntityService
from detectors.service.triage.suppression import SuppressionService, SuppressionWish
from detectors.service.triage.triage_presentation import (
    entity_json,
    exception_json,
    forecast_json,
    group_json,
    report_json,
    risk_json,
    suppression_json,
)
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.logs import Window
from secops.kernel.permissions.detectors import (
    ALERT_READ,
    ALERT_SUPPRESS,
    CRITICALITY_SET,
    EXCEPTION_APPROVE,
    EXCEPTION_REQUEST,
    RULE_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, named_route

_ROOT: Final = "/api/v1/detectors"
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 500}
_DAYS: Final = {"type": "integer", "minimum": 1, "maximum": 366}


_EXCEPTION: Final = body_schema(
    "RequestException",
    {
        "rule_id": _TEXT,
        "condition": {"type": "object"},
        "owner": _TEXT,
        "reason": _TEXT,
        "days": _DAYS,
    },
)
_DECISION: Final = body_schema("DecideException", {"grant": {"type": "boolean"}, "reason": _TEXT})
_REASON: Final = body_schema("TriageReason", {"reason": _TEXT})
_SUPPRESSION: Final = body_schema(
    "AddSuppression",
    {
        "rule_id": _TEXT,
        "by": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 5},
        "window_seconds": {"type": "integer", "minimum": 1, "maximum": 2_678_400},
        "owner": _TEXT,
        "reason": _TEXT,
        "days": _DAYS,
    },
)
_CRITICALITY: Final = body_schema(
    "SetCriticality",
    {"criticality": {"type": "number", "minimum": 0.5, "maximum": 4}, "reason": _TEXT},
)

_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class TriageServices:
    """What these routes lead to."""

    reports: RuleReports
    forecasts: ForecastService
    exceptions: ExceptionService
    suppressions: SuppressionService
    entities: EntityService


@dataclass(frozen=True, slots=True)
class _Rules:
    services: TriageServices

    def report_rules(self, request: Request) -> Response:
        found = self.services.reports.report_rules(request.caller)
        return json_response({"items": [report_json(each) for each in found], "next": None})

    def report_rule(self, request: Request) -> Response:
        found = self.services.reports.report_rule(request.caller, request.args["rule_id"])
        return json_response(report_json(found))

    def forecast_rule(self, request: Request) -> Response:
        window = _window(request)
        rule_id = request.args["rule_id"]
        found = self.services.forecasts.forecast_rule(request.caller, rule_id, window)
        return json_response(forecast_json(found))


@dataclass(frozen=True, slots=True)
class _Exceptions:
    exceptions: ExceptionService

    def list_exceptions(self, request: Request) -> Response:
        found = self.exceptions.list_exceptions(request.caller)
        return json_response({"items": [exception_json(each) for each in found], "next": None})

    def request_exception(self, request: Request) -> Response:
        body = request.json_object()
        condition = fields_of(body, "condition")
        wish = ExceptionWish(
            text_of(body, "rule_id"),
            condition,
            text_of(body, "owner"),
            text_of(body, "reason"),
            number_of(body, "days"),
        )
        return json_response(
            exception_json(self.exceptions.request_exception(request.caller, wish))
        )

    def decide_exception(self, request: Request) -> Response:
        body = request.json_object()
        grant = body.get("grant")
        if not isinstance(grant, bool):
            msg = "grant is true or false"
            raise Invalid(msg)
        found = self.exceptions.decide_exception(
            request.caller,
            request.args["exception_id"],
            grant=grant,
            reason=text_of(body, "reason"),
        )
        return json_response(exception_json(found))

    def revoke_exception(self, request: Request) -> Response:
        reason = text_of(request.json_object(), "reason")
        found = self.exceptions.revoke_exception(
            request.caller, request.args["exception_id"], reason
        )
        return json_response(exception_json(found))


@dataclass(frozen=True, slots=True)
class _Suppressions:
    suppressions: SuppressionService

    def list_suppressions(self, request: Request) -> Response:
        found = self.suppressions.list_suppressions(request.caller)
        return json_response({"items": [suppression_json(each) for each in found], "next": None})

    def show_suppression(self, request: Request) -> Response:
        found, groups = self.suppressions.show_suppression(
            request.caller, request.args["suppression_id"]
        )
        return json_response(
            {**suppression_json(found), "groups": [group_json(each) for each in groups]}
        )

    def add_suppression(self, request: Request) -> Response:
        body = request.json_object()
        by = body.get("by")
        if not isinstance(by, list) or not all(isinstance(each, str) for each in by):
            msg = "by is a list of subjects"
            raise Invalid(msg)
        wish = SuppressionWish(
            text_of(body, "rule_id"),
            tuple(by),
            number_of(body, "window_seconds"),
            text_of(body, "owner"),
            text_of(body, "reason"),
            number_of(body, "days"),
        )
        return json_response(
            suppression_json(self.suppressions.add_suppression(request.caller, wish))
        )

    def lift_suppression(self, request: Request) -> Response:
        reason = text_of(request.json_object(), "reason")
        raised = self.suppressions.lift_suppression(
            request.caller, request.args["suppression_id"], reason
        )
        return json_response({"raised": raised})


@dataclass(frozen=True, slots=True)
class _Entities:
    entities: EntityService

    def list_entities(self, request: Request) -> Response:
        found = self.entities.list_entities(
            request.caller, wanted_page(request), _risk(request.query.get("risk", "1"))
        )
        return json_response(
            {"items": [risk_json(each) for each in found.items], "next": found.next}
        )

    def show_entity(self, request: Request) -> Response:
        return json_response(
            entity_json(self.entities.show_entity(request.caller, request.args["entity"]))
        )

    def set_criticality(self, request: Request) -> Response:
        body = request.json_object()
        criticality = body.get("criticality")
        if isinstance(criticality, bool) or not isinstance(criticality, int | float):
            msg = "criticality is a number"
            raise Invalid(msg)
        found = self.entities.set_criticality(
            request.caller, request.args["entity"], float(criticality), text_of(body, "reason")
        )
        return json_response(risk_json(found))


def _risk(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        msg = "risk is a number from 1 to 100"
        raise Invalid(msg)
    return int(text)


def _window(request: Request) -> Window:
    try:
        since, until = (
            from_rfc3339(text) if (text := request.query.get(name)) else None
            for name in ("since", "until")
        )
    except ValueError as error:
        msg = "since and until are times as in RFC 3339, with their zone"
        raise Invalid(msg) from error
    return Window(since, until)


def triage_routes(services: TriageServices) -> tuple[Route, ...]:
    """Return the routes of rules' reports, forecasts, and of triage."""
    rules, entities = _Rules(services), _Entities(services.entities)
    exceptions = _Exceptions(services.exceptions)
    suppressions = _Suppressions(services.suppressions)
    reading = (
        ("rule-reports", "report_rules", RULE_READ, rules.report_rules, True),
        ("rules/<rule_id>/report", "report_rule", RULE_READ, rules.report_rule, False),
        ("rules/<rule_id>/forecast", "forecast_rule", RULE_READ, rules.forecast_rule, False),
        ("exceptions", "list_exceptions", RULE_READ, exceptions.list_exceptions, True),
        ("suppressions", "list_suppressions", ALERT_READ, suppressions.list_suppressions, True),
        (
            "suppressions/<suppression_id>",
            "show_suppression",
            ALERT_READ,
            suppressions.show_suppression,
            False,
        ),
        ("entities", "list_entities", ALERT_READ, entities.list_entities, True),
        ("entities/<entity>", "show_entity", ALERT_READ, entities.show_entity, False),
    )
    acting = (
        ("exceptions", EXCEPTION_REQUEST, exceptions.request_exception, _EXCEPTION),
        (
            "exceptions/<exception_id>/decide",
            EXCEPTION_APPROVE,
            exceptions.decide_exception,
            _DECISION,
        ),
        (
            "exceptions/<exception_id>/revoke",
            EXCEPTION_REQUEST,
            exceptions.revoke_exception,
            _REASON,
        ),
        ("suppressions", ALERT_SUPPRESS, suppressions.add_suppression, _SUPPRESSION),
        (
            "suppressions/<suppression_id>/lift",
            ALERT_SUPPRESS,
            suppressions.lift_suppression,
            _REASON,
        ),
        ("entities/<entity>/criticality", CRITICALITY_SET, entities.set_criticality, _CRITICALITY),
    )
    return (
        *(
            Route(
                method="GET",
                path=f"{_ROOT}/{path}",
                operation=operation,
                access=permission,
                handler=handler,
                credential="either",
                listing=listing,
            )
            for path, operation, permission, handler, listing in reading
        ),
        *(
            named_route(
                "POST", f"{_ROOT}/{path}", permission, handler, credential="either", request=schema
            )
            for path, permission, handler, schema in acting
        ),
    )
