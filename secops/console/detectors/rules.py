"""The rules: which run, and switching them on and off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.rules import RuleHeader
from secops.console.detectors.alerts import SEVERITIES
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.detectors import RULE_ENABLE, RULE_READ
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("title", N_("规则")),
    Column("level", N_("级别")),
    Column("status", N_("成熟度")),
    Column("enabled", N_("是否启用")),
    Column("version", N_("版本")),
)


def rule_title(request: Request, header: RuleHeader) -> str:
    """Return the rule's title in the reader's language, as far as it has one."""
    return header.custom.get(f"title_{request.language}") or header.title


@dataclass(frozen=True, slots=True)
class _Rules:
    desk: Desk

    def list_rules(self, request: Request) -> Response:
        """Show all rules and what keeps some from running."""
        rules = self.desk.parts.detectors.rules
        listed = rules.list_rules(request.caller)
        word = self.desk.renderer.word
        rows = [
            (
                Cell(rule_title(request, rule.header), href=f"/rules/{rule.header.id}"),
                Cell(
                    word(request, SEVERITIES.get(rule.header.severity, rule.header.severity)),
                    badge=f"severity-{rule.header.severity}",
                ),
                Cell(rule.header.status),
                Cell(
                    word(request, N_("运行中") if rule.enabled else N_("未启用")),
                    badge="good" if rule.enabled else "",
                ),
                Cell(rule.header.version[:12]),
            )
            for rule in listed
        ]
        table = Table(N_("检测规则"), _COLUMNS, rows)
        return self.desk.list_page(
            request, "detectors/rules.html", table, problems=rules.list_problems(request.caller)
        )

    def show_rule(self, request: Request) -> Response:
        """Show one rule."""
        rule = self.desk.parts.detectors.rules.show_rule(request.caller, request.args["rule_id"])
        may = request.caller.may(RULE_ENABLE)
        return self.desk.page(
            request,
            "detectors/rule.html",
            rule=rule,
            heading=rule_title(request, rule.header),
            severity=SEVERITIES.get(rule.header.severity, rule.header.severity),
            may=may,
        )

    def switch_rule(self, request: Request) -> Response:
        """Enable or disable it."""
        rule_id, form = request.args["rule_id"], request.form
        rules, reason = self.desk.parts.detectors.rules, form.get("reason", "")
        if form.get("to") == "enabled":
            rules.enable_rule(request.caller, rule_id, reason)
        else:
            rules.disable_rule(request.caller, rule_id, reason)
        return redirect(f"/rules/{rule_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the rule pages."""
    here = _Rules(desk)
    return (
        get_page("/rules", "show_rules", RULE_READ, here.list_rules),
        get_page("/rules/<rule_id>", "show_rule_page", RULE_READ, here.show_rule),
        post_page("/rules/<rule_id>/switch", "switch_rule_form", RULE_ENABLE, here.switch_rule),
    )
