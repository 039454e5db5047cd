"""Triage beyond the queue: entities and their risk, exceptions, suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import orjson

from detectors.models.triage import RiskPoint
from detectors.service.rules.exceptions import ExceptionWish, read_condition
from detectors.service.triage.suppression import SuppressionWish
from secops.console.detectors.alerts import alert_title, severity_cell
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import (
    ALERT_READ,
    ALERT_SUPPRESS,
    CRITICALITY_SET,
    EXCEPTION_APPROVE,
    EXCEPTION_REQUEST,
    RULE_READ,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_ENTITIES: Final = (
    Column("entity", N_("对象")),
    Column("risk", N_("风险值")),
    Column("criticality", N_("重要性")),
    Column("at", N_("计算时间")),
)
_ALERTS: Final = (
    Column("severity", N_("级别")),
    Column("title", N_("告警")),
    Column("count", N_("事件数")),
    Column("last", N_("最近事件")),
)
_EXCEPTIONS: Final = (
    Column("state", N_("状态")),
    Column("rule", N_("规则")),
    Column("condition", N_("条件")),
    Column("owner", N_("负责人")),
    Column("reason", N_("理由")),
    Column("expires", N_("到期")),
    Column("hits", N_("命中数")),
)
_SUPPRESSIONS: Final = (
    Column("state", N_("状态")),
    Column("rule", N_("规则")),
    Column("by", N_("抑制依据")),
    Column("window", N_("时间窗(秒)")),
    Column("owner", N_("负责人")),
    Column("reason", N_("理由")),
    Column("expires", N_("到期")),
)
_QUIET: Final = (
    Column("leader", N_("首个告警")),
    Column("group", N_("对象")),
    Column("count", N_("被抑制的告警数")),
    Column("last", N_("最近事件")),
)
_STATES: Final = {
    "pending": N_("待审批"),
    "active": N_("生效中"),
    "rejected": N_("已驳回"),
    "revoked": N_("已终止"),
    "lifted": N_("已解除"),
}
_WIDTH: Final = 640
_HEIGHT: Final = 120


def risk_line(points: Sequence[RiskPoint], now: int) -> str:
    """Return the points of an SVG polyline: risk holds until it changes."""
    if not points:
        return ""
    first = points[0].at
    span = max(now - first, 1)
    found: list[tuple[int, int]] = []
    risk = points[0].risk
    for at, following in [*((point.at, point.risk) for point in points), (now, None)]:
        x = round((at - first) * _WIDTH / span)
        found.append((x, risk))
        risk = risk if following is None else following
        found.append((x, risk))
    return " ".join(f"{x},{_HEIGHT - round(y * _HEIGHT / 100)}" for x, y in found)


def _entity_href(subject: str) -> str:
    return f"/entity?{urlencode({'subject': subject})}"


@dataclass(frozen=True, slots=True)
class _Entities:
    desk: Desk

    def list_entities(self, request: Request) -> Response:
        """Show the riskiest entities."""
        least = whole_number(request.query.get("risk", "1"), 3) or 1
        found = self.desk.parts.detectors.entities.list_entities(
            request.caller, wanted_page(request), least
        )
        rows = [
            (
                Cell(each.subject, href=_entity_href(each.subject)),
                Cell(str(each.risk), sort=each.risk),
                Cell(f"{each.criticality:g}", sort=round(each.criticality * 100)),
                Cell("", instant=each.at),
            )
            for each in found.items
        ]
        table = Table(N_("风险最高的对象"), _ENTITIES, rows, found.next, N_("没有有风险的对象"))
        return self.desk.list_page(request, "detectors/entities.html", table)

    def show_entity(self, request: Request) -> Response:
        """Show one entity: its risk over time, and its alerts."""
        subject = request.query.get("subject", "")
        found = self.desk.parts.detectors.entities.show_entity(request.caller, subject)
        rows = [
            (
                severity_cell(self.desk, request, alert.severity),
                Cell(alert_title(request, alert), href=f"/alerts/{alert.id}"),
                Cell(str(alert.event_count), sort=alert.event_count),
                Cell("", instant=alert.last_at),
            )
            for alert in found.alerts
        ]
        table = Table(N_("告警"), _ALERTS, rows, None, N_("没有告警"))
        return self.desk.list_page(
            request,
            "detectors/entity.html",
            table,
            entity=found,
            line=risk_line(found.history, self.desk.parts.clock.now()),
            may=request.caller.may(CRITICALITY_SET),
        )

    def set_criticality(self, request: Request) -> Response:
        """Say how much is at stake."""
        form = request.form
        subject = form.get("subject", "")
        try:
            criticality = float(form.get("criticality", ""))
        except ValueError as error:
            msg = "criticality is a number"
            raise Invalid(msg) from error
        self.desk.parts.detectors.entities.set_criticality(
            request.caller, subject, criticality, form.get("reason", "")
        )
        return redirect(_entity_href(subject))


@dataclass(frozen=True, slots=True)
class _Restrictions:
    desk: Desk

    def list_exceptions(self, request: Request) -> Response:
        """Show the exceptions; who may, asks for one or decides."""
        found = self.desk.parts.detectors.exceptions.list_exceptions(request.caller)
        word = self.desk.renderer.word
        rows = [
            (
                Cell(
                    word(request, _STATES[each.state]),
                    badge="warn" if each.state == "active" else "",
                ),
                Cell(each.rule_id, href=f"/rules/{each.rule_id}" if each.rule_id != "*" else ""),
                Cell(each.condition),
                Cell(each.owner),
                Cell(each.reason),
                Cell("", instant=each.expires_at),
                Cell(str(each.hits), sort=each.hits),
            )
            for each in found
        ]
        caller = request.caller
        return self.desk.list_page(
            request,
            "detectors/exceptions.html",
            Table(N_("规则例外"), _EXCEPTIONS, rows, None, N_("没有例外")),
            pending=[each for each in found if each.state == "pending"],
            active=[each for each in found if each.state == "active"],
            may_ask=caller.may(EXCEPTION_REQUEST),
            may_decide=caller.may(EXCEPTION_APPROVE),
        )

    def request_exception(self, request: Request) -> Response:
        """Ask for one."""
        form = request.form
        condition = read_condition(form.get("condition", ""))
        try:
            days = int(form.get("days", ""))
        except ValueError as error:
            msg = "days is a whole number"
            raise Invalid(msg) from error
        wish = ExceptionWish(
            form.get("rule", "") or "*",
            condition,
            form.get("owner", ""),
            form.get("reason", ""),
            days,
        )
        self.desk.parts.detectors.exceptions.request_exception(request.caller, wish)
        return redirect("/exceptions")

    def decide_exception(self, request: Request) -> Response:
        """Approve or reject one."""
        self.desk.parts.detectors.exceptions.decide_exception(
            request.caller,
            request.args["exception_id"],
            grant=request.form.get("grant") == "yes",
            reason=request.form.get("reason", ""),
        )
        return redirect("/exceptions")

    def revoke_exception(self, request: Request) -> Response:
        """End one."""
        self.desk.parts.detectors.exceptions.revoke_exception(
            request.caller, request.args["exception_id"], request.form.get("reason", "")
        )
        return redirect("/exceptions")

    def list_suppressions(self, request: Request) -> Response:
        """Show the suppressions."""
        found = self.desk.parts.detectors.suppressions.list_suppressions(request.caller)
        word = self.desk.renderer.word
        rows = [
            (
                Cell(word(request, _STATES[each.state]), href=f"/suppressions/{each.id}"),
                Cell(each.rule_id),
                Cell(", ".join(each.by)),
                Cell(str(each.window // SECOND), sort=each.window),
                Cell(each.owner),
                Cell(each.reason),
                Cell("", instant=each.expires_at),
            )
            for each in found
        ]
        table = Table(N_("告警抑制"), _SUPPRESSIONS, rows, None, N_("没有抑制设置"))
        may = request.caller.may(ALERT_SUPPRESS)
        return self.desk.list_page(request, "detectors/suppressions.html", table, may=may)

    def show_suppression(self, request: Request) -> Response:
        """Show what one keeps quiet."""
        found, groups = self.desk.parts.detectors.suppressions.show_suppression(
            request.caller, request.args["suppression_id"]
        )
        rows = [
            (
                Cell(each.leader, href=f"/alerts/{each.leader}"),
                Cell(", ".join(orjson.loads(each.group_key)[1:])),
                Cell(str(each.count), sort=each.count),
                Cell("", instant=each.last_at),
            )
            for each in groups
        ]
        table = Table(N_("被抑制的告警"), _QUIET, rows, None, N_("没有被抑制的告警"))
        return self.desk.page(
            request,
            "detectors/suppression.html",
            suppression=found,
            groups=groups,
            table=view_table(request, table),
            may=request.caller.may(ALERT_SUPPRESS),
        )

    def add_suppression(self, request: Request) -> Response:
        """Keep repeats quiet."""
        form = request.form
        try:
            window, days = int(form.get("window", "")), int(form.get("days", ""))
        except ValueError as error:
            msg = "the window and the days are whole numbers"
            raise Invalid(msg) from error
        wish = SuppressionWish(
            form.get("rule", "") or "*",
            tuple(form.get("by", "").replace(",", " ").split()),
            window,
            form.get("owner", ""),
            form.get("reason", ""),
            days,
        )
        found = self.desk.parts.detectors.suppressions.add_suppression(request.caller, wish)
        return redirect(f"/suppressions/{found.id}")

    def lift_suppression(self, request: Request) -> Response:
        """Raise what was kept quiet."""
        suppression_id = request.args["suppression_id"]
        self.desk.parts.detectors.suppressions.lift_suppression(
            request.caller, suppression_id, request.form.get("reason", "")
        )
        return redirect(f"/suppressions/{suppression_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of these pages."""
    entities, here = _Entities(desk), _Restrictions(desk)
    return (
        get_page("/entities", "show_entities", ALERT_READ, entities.list_entities),
        get_page("/entity", "show_entity_page", ALERT_READ, entities.show_entity),
        post_page(
            "/entity/criticality",
            "set_criticality_form",
            CRITICALITY_SET,
            entities.set_criticality,
        ),
        get_page("/exceptions", "show_exceptions", RULE_READ, here.list_exceptions),
        post_page(
            "/exceptions", "request_exception_form", EXCEPTION_REQUEST, here.request_exception
        ),
        post_page(
            "/exceptions/<exception_id>/decide",
            "decide_exception_form",
            EXCEPTION_APPROVE,
            here.decide_exception,
        ),
        post_page(
            "/exceptions/<exception_id>/revoke",
            "revoke_exception_form",
            EXCEPTION_REQUEST,
            here.revoke_exception,
        ),
        get_page("/suppressions", "show_suppressions", ALERT_READ, here.list_suppressions),
        post_page("/suppressions", "add_suppression_form", ALERT_SUPPRESS, here.add_suppression),
        get_page(
            "/suppressions/<suppression_id>",
            "show_suppression_page",
            ALERT_READ,
            here.show_suppression,
        ),
        post_page(
            "/suppressions/<suppression_id>/lift",
            "lift_suppression_form",
            ALERT_SUPPRESS,
            here.lift_suppression,
        ),
    )
