"""``/api/v1/detectors/rules`` and ``/runs``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.alerts import ListedRule
from detectors.service.rules.rule_reports import RuleReports
from detectors.service.rules.rules import RuleService
from detectors.service.runs.runs import RunService
from detectors.service.triage.presentation import (
    evaluation_json,
    rule_json,
    run_json,
    unscanned_json,
)
from secops.kernel.errors import Invalid
from secops.kernel.logs import Window
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_READ, RUN_DETECTORS
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

_REASON: Final = Schema(
    "RuleDecision",
    {
        "type": "object",
        "properties": {"reason": {"type": "string", "maxLength": 500}},
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    rules: RuleService
    runs: RunService
    reports: RuleReports

    def list_rules(self, request: Request) -> Response:
        page = wanted_page(request)
        rows = self.rules.list_rules(request.caller)
        after = page.key(str, str) or ("", "")
        left = [r for r in rows if (r.header.title, r.header.id) > after]
        return _page(left, page)

    def show_rule(self, request: Request) -> Response:
        return json_response(
            rule_json(self.rules.show_rule(request.caller, request.args["rule_id"]))
        )

    def enable_rule(self, request: Request) -> Response:
        rule_id, reason = request.args["rule_id"], _reason(request)
        return json_response(rule_json(self.rules.enable_rule(request.caller, rule_id, reason)))

    def disable_rule(self, request: Request) -> Response:
        rule_id, reason = request.args["rule_id"], _reason(request)
        return json_response(rule_json(self.rules.disable_rule(request.caller, rule_id, reason)))

    def list_evaluations(self, request: Request) -> Response:
        page = wanted_page(request)
        found = self.runs.list_evaluations(request.caller, page)
        items = [evaluation_json(evaluation) for evaluation in found.items]
        return json_response({"items": items, "next": found.next})

    def list_unscanned(self, request: Request) -> Response:
        items = [unscanned_json(each) for each in self.reports.list_unscanned(request.caller)]
        return json_response({"items": items, "next": None})

    def run_detectors(self, request: Request) -> Response:
        return json_response(run_json(self.runs.run_detectors(request.caller, Window())))


def _page(rows: list[ListedRule], page: PageRequest) -> Response:
    rows = rows[: page.limit + 1]
    found: Page[ListedRule] = page_of(
        rows, page.limit, [(row.header.title, row.header.id) for row in rows]
    )
    return json_response({"items": [rule_json(r) for r in found.items], "next": found.next})


def _reason(request: Request) -> str:
    reason = request.json_object().get("reason", "")
    if not isinstance(reason, str):
        msg = "reason is a text"
        raise Invalid(msg)
    return reason


def rule_routes(rules: RuleService, runs: RunService, reports: RuleReports) -> tuple[Route, ...]:
    """Return the routes of rules and runs."""
    handlers = _Handlers(rules, runs, reports)
    root = "/api/v1/detectors"
    reading = (
        ("rules", "list_rules", handlers.list_rules, True),
        ("rules/<rule_id>", "show_rule", handlers.show_rule, False),
        ("runs", "list_evaluations", handlers.list_evaluations, True),
        ("unscanned", "list_unscanned", handlers.list_unscanned, True),
    )
    acting = (
        ("rules/<rule_id>/enable", "enable_rule", RULE_ENABLE, handlers.enable_rule),
        ("rules/<rule_id>/disable", "disable_rule", RULE_ENABLE, handlers.disable_rule),
        ("runs", "run_detectors", RUN_DETECTORS, handlers.run_detectors),
    )
    return (
        *(
            Route(
                method="GET",
                path=f"{root}/{path}",
                operation=operation,
                access=RULE_READ,
                handler=handler,
                credential="either",
                listing=listing,
            )
            for path, operation, handler, listing in reading
        ),
        *(
            Route(
                method="POST",
                path=f"{root}/{path}",
                operation=operation,
                access=permission,
                handler=handler,
                credential="either",
                request=_REASON if operation.endswith("_rule") else None,
            )
            for path, operation, permission, handler in acting
        ),
    )
