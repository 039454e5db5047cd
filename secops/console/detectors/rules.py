"""The rules: which run, what one of them asks, has found and missed; trying one on a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from detectors.models.alerts import ListedRule
from detectors.models.coverage import Trial
from detectors.models.rule_folders import folder_of
from detectors.models.rules import Logsource, RuleHeader
from detectors.service.runs.coverage import named_techniques
from secops.console.days import day_picture
from secops.console.detectors.alerts import SEVERITIES, severity_cell
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.clock import DAY
from secops.kernel.errors import SecopsError
from secops.kernel.logs import Window
from secops.kernel.permissions.detectors import (
    LOG_SEARCH,
    LOG_SOURCE_READ,
    RULE_ENABLE,
    RULE_READ,
)
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

PAGE: Final = 200
_FORECASTS: Final = {"7": 7, "30": 30, "200": 200}
"""Days that a rule may be tried on, by the word in the address."""
_STATES: Final = {"on": N_("运行中"), "off": N_("未启用")}
_COLUMNS: Final = (
    Column("title", N_("规则")),
    Column("level", N_("级别")),
    Column("status", N_("成熟度")),
    Column("logsource", N_("日志源")),
    Column("technique", N_("攻击技术")),
    Column("folder", N_("来源目录")),
    Column("enabled", N_("是否启用")),
)


def rule_title(request: Request, header: RuleHeader) -> str:
    """Return the rule's title in the reader's language, as far as it has one."""
    return header.custom.get(f"title_{request.language}") or header.title


@dataclass(frozen=True, slots=True)
class _Rules:
    desk: Desk

    def list_rules(self, request: Request) -> Response:
        """Show the rules that the filters leave, and what keeps some from running."""
        rules, query = self.desk.parts.detectors.rules, request.query
        asked = {name: query.get(name, "")[:200] for name in ("q", "state", "level")}
        kept = [r for r in rules.list_rules(request.caller) if _is_wanted(request, r, asked)]
        first = int(query.get("cursor", "0")) if query.get("cursor", "0").isdecimal() else 0
        rows = [self._row(request, rule) for rule in kept[first : first + PAGE]]
        following = str(first + PAGE) if first + PAGE < len(kept) else None
        table = Table(N_("检测规则"), _COLUMNS, rows, following, N_("没有符合条件的规则"))
        return self.desk.list_page(
            request,
            "detectors/rules.html",
            table,
            problems=rules.list_problems(request.caller),
            asked=asked,
            total=len(kept),
            states=_STATES,
            severities=SEVERITIES,
        )

    def _row(self, request: Request, rule: ListedRule) -> tuple[Cell, ...]:
        header, word = rule.header, self.desk.renderer.word
        return (
            Cell(rule_title(request, header), href=f"/rules/{header.id}"),
            severity_cell(self.desk, request, header.severity),
            Cell(header.status),
            Cell(word(request, _logsource(header))),
            Cell(" ".join(each for each, _ in named_techniques(header.tags))),
            Cell(folder_of(header.path) or "—"),
            Cell(
                word(request, N_("运行中") if rule.enabled else N_("未启用")),
                badge="good" if rule.enabled else "",
            ),
        )

    def show_rule(self, request: Request) -> Response:
        """Show one rule."""
        return self._page(request, {"lines": "", "event": ""})

    def try_rule(self, request: Request) -> Response:
        """Try the rule on what was pasted, or on a stored event."""
        trials, rule_id = self.desk.parts.detectors.trials, request.args["rule_id"]
        form = request.form
        asked = {"lines": form.get("lines", ""), "event": form.get("event", "").strip()}
        try:
            if asked["event"]:
                trial = trials.try_event(request.caller, rule_id, asked["event"])
            else:
                trial = trials.try_lines(request.caller, rule_id, asked["lines"])
        except SecopsError as refused:
            return self._page(request, asked, refused=refused)
        return self._page(request, asked, trial)

    def _page(
        self,
        request: Request,
        asked: dict[str, str],
        trial: Trial | None = None,
        *,
        refused: SecopsError | None = None,
    ) -> Response:
        services, caller = self.desk.parts.detectors, request.caller
        rule = services.rules.show_rule(caller, request.args["rule_id"])
        header = rule.header
        past = services.coverage.show_past(caller, rule)
        days = _FORECASTS.get(request.query.get("forecast", "") if request.method == "GET" else "")
        forecast = None
        if days is not None:
            window = Window(since=self.desk.parts.clock.now() - days * DAY)
            forecast = services.forecasts.forecast_rule(caller, header.id, window)
        return self.desk.page(
            request,
            "detectors/rule.html",
            status=200 if refused is None else refused.status,
            rule=rule,
            heading=rule_title(request, header),
            about=header.custom.get(f"description_{request.language}") or header.description,
            severity=SEVERITIES.get(header.severity, header.severity),
            techniques=named_techniques(header.tags),
            folder=folder_of(header.path),
            logsource=_logsource(header),
            past=past,
            past_days=day_picture([(each.day, each.count) for each in past.days]),
            asked=asked,
            trial=trial,
            refused=refused,
            forecast=forecast,
            forecasts=_FORECASTS,
            may=caller.may(RULE_ENABLE),
            may_search=caller.may(LOG_SEARCH),
            may_sources=caller.may(LOG_SOURCE_READ),
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


def _logsource(header: RuleHeader) -> str:
    """Return what a rule is about; a correlation has no log source of its own."""
    return N_("关联规则") if header.logsource == Logsource() else str(header.logsource)


def _is_wanted(request: Request, rule: ListedRule, asked: dict[str, str]) -> bool:
    header = rule.header
    if asked["state"] and (asked["state"] == "on") != rule.enabled:
        return False
    if asked["level"] and asked["level"] != header.severity:
        return False
    text = asked["q"].casefold()
    places = (header.title, rule_title(request, header), header.id, str(header.logsource))
    return not text or any(text in p.casefold() for p in (*places, *header.tags, header.path))


def rules_link(**asked: str) -> str:
    """Return the address of the rules that ``asked`` leaves."""
    return f"/rules?{urlencode(asked)}"


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the rule pages."""
    here = _Rules(desk)
    return (
        get_page("/rules", "show_rules", RULE_READ, here.list_rules),
        get_page("/rules/<rule_id>", "show_rule_page", RULE_READ, here.show_rule),
        post_page("/rules/<rule_id>/try", "try_rule_form", RULE_READ, here.try_rule),
        post_page("/rules/<rule_id>/switch", "switch_rule_form", RULE_ENABLE, here.switch_rule),
    )
