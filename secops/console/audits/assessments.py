"""Self-assessment: make one, read it, have it made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlencode

from audits.models.assessments import STATUSES, Status
from audits.models.systems import THIS_INSTANCE
from audits.service.assessments.controls import Gap
from secops.console.audits.walk import BADGES, KINDS, filter_of
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_, translate
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.audits import (
    ASSESS,
    EXPORT_REPORT,
    READ_ASSESSMENTS,
    READ_REGISTER,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_STANDARDS: Final = {
    "gbt22239": N_("等级保护 GB/T 22239"),
    "gbt39786": N_("密码应用 GB/T 39786"),
}
_MOST_SYSTEMS: Final = 200
_COLUMNS: Final = (
    Column("id", N_("自查")),
    Column("standard", N_("标准")),
    Column("system", N_("系统")),
    Column("level", N_("级别")),
    Column("made", N_("时间")),
    Column("by", N_("执行人")),
    Column("coverage", N_("核查覆盖")),
)
_SCHEDULES: Final = (
    Column("id", N_("计划")),
    Column("standard", N_("标准")),
    Column("system", N_("系统")),
    Column("hours", N_("间隔(小时)")),
    Column("next", N_("下次")),
    Column("last", N_("上次")),
)
_GAPS: Final = (
    Column("item", N_("编号")),
    Column("system", N_("系统")),
    Column("status", N_("结果")),
    Column("since", N_("自何时")),
    Column("reason", N_("说明")),
)
_ITEM_COLUMNS: Final = (
    Column("id", N_("编号")),
    Column("clause", N_("条款")),
    Column("kind", N_("方式")),
    Column("point", N_("控制点")),
    Column("requirement", N_("要求(释义)")),
    Column("status", N_("结果")),
    Column("reason", N_("说明")),
)


@dataclass(frozen=True, slots=True)
class _Assessments:
    desk: Desk

    def list_assessments(self, request: Request) -> Response:
        """Show what was assessed."""
        audits, caller = self.desk.parts.audits, request.caller
        page = audits.assessments.list_assessments(caller, wanted_page(request))
        rows = [
            (
                Cell(each.id, href=f"/assessments/{each.id}"),
                Cell(translate(_STANDARDS[each.standard], request.language)),
                Cell(each.system_id),
                Cell(str(each.level), sort=each.level),
                Cell("", instant=each.made_at),
                Cell(each.made_by),
                Cell(f"{each.judged} / {each.applicable}", sort=each.judged),
            )
            for each in page.items
        ]
        table = Table(N_("合规自查"), _COLUMNS, rows, page.next, N_("还没有自查"))
        return self.desk.list_page(
            request,
            "audits/assessments.html",
            table,
            standards=_STANDARDS,
            systems=self._systems(request),
            may_assess=caller.may(ASSESS),
        )

    def _systems(self, request: Request) -> Sequence[tuple[str, str]]:
        """Return the systems that can be chosen: the platform, then the registered ones."""
        known = {THIS_INSTANCE: N_("本平台")}
        if request.caller.may(READ_REGISTER):
            page = self.desk.parts.audits.register.systems.list_systems(
                request.caller, PageRequest(_MOST_SYSTEMS)
            )
            known |= {system.id: system.name for system in page.items}
        return list(known.items())

    def assess(self, request: Request) -> Response:
        """Assess a system now."""
        form = request.form
        made = self.desk.parts.audits.assessments.assess(
            request.caller,
            form.get("standard", "gbt22239"),
            _level(request),
            form.get("system", THIS_INSTANCE),
        )
        return redirect(f"/assessments/{made.id}")

    def show_assessment(self, request: Request) -> Response:
        """Show one assessment; ``?status=`` and ``?kind=`` filter its items."""
        caller = request.caller
        document = self.desk.parts.audits.assessments.show_assessment(
            caller, request.args["assessment_id"]
        )
        walk, language = filter_of(request), request.language
        rows = [
            (
                Cell(item["id"], href=walk.link(document["id"], item["id"])),
                Cell(item["clause"] or ""),
                Cell(translate(KINDS[item["assess"]], language)),
                Cell(item["control_point"][language]),
                Cell(item["requirement"][language]),
                Cell(
                    STATUSES[cast("Status", item["status"])].into(language),
                    badge=BADGES.get(item["status"], ""),
                ),
                Cell(item["reason"][language]),
            )
            for item in document["items"]
            if walk.admits(item)
        ]
        table = Table(N_("单项记录"), _ITEM_COLUMNS, rows)
        return self.desk.list_page(
            request,
            "audits/assessment.html",
            table,
            document=document,
            statuses=STATUSES,
            kinds=KINDS,
            walk=walk,
            may_export=caller.may(EXPORT_REPORT),
        )

    def list_schedules(self, request: Request) -> Response:
        """Show which assessments are made again by themselves, and what has drifted."""
        audits, caller, language = self.desk.parts.audits, request.caller, request.language
        page = audits.schedules.list_schedules(caller, wanted_page(request))
        rows = [
            (
                Cell(each.id),
                Cell(f"{translate(_STANDARDS[each.standard], language)} {each.level}"),
                Cell(each.system_id),
                Cell(str(each.hours), sort=each.hours),
                Cell("", instant=each.next_at),
                Cell(each.failed or each.last_id, badge="bad" if each.failed else ""),
            )
            for each in page.items
        ]
        gaps = [_gap_row(gap, language) for gap in audits.controls.list_gaps(caller)]
        drift = Table(N_("合规漂移"), _GAPS, gaps, None, N_("没有漂移"))
        table = Table(N_("定期自查"), _SCHEDULES, rows, page.next, N_("还没有定期自查"))
        return self.desk.list_page(
            request,
            "audits/assessment_schedules.html",
            table,
            drift=view_table(request, drift),
            schedules=page.items,
            standards=_STANDARDS,
            systems=self._systems(request),
            may_assess=caller.may(ASSESS),
        )

    def schedule_assessment(self, request: Request) -> Response:
        """Have an assessment made again by itself."""
        form = request.form
        hours = whole_number(form.get("hours", ""), 4)
        if hours is None:
            raise Invalid("hours is a whole number")
        self.desk.parts.audits.schedules.schedule_assessment(
            request.caller,
            form.get("standard", "gbt22239"),
            _level(request),
            hours,
            form.get("system", THIS_INSTANCE),
        )
        return redirect("/assessments/schedules")

    def cancel_schedule(self, request: Request) -> Response:
        """End a schedule."""
        self.desk.parts.audits.schedules.cancel_schedule(
            request.caller, request.args["schedule_id"]
        )
        return redirect("/assessments/schedules")


def _level(request: Request) -> int:
    level = request.form.get("level", "3")
    if level not in ("1", "2", "3", "4"):
        raise Invalid("a level is from 1 to 4")
    return int(level)


def _gap_row(gap: Gap, language: Language) -> tuple[Cell, ...]:
    state = gap.state
    address = f"/assessments/controls/{state.standard}/{state.item_id}"
    return (
        Cell(state.item_id, href=f"{address}?{urlencode({'system': state.system_id})}"),
        Cell(state.system_id),
        Cell(STATUSES[state.status].into(language), badge=BADGES.get(state.status, "")),
        Cell("", instant=state.since),
        Cell(state.reason.into(language)),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the assessment pages."""
    here = _Assessments(desk)
    one = "/assessments/<assessment_id>"
    return (
        get_page("/assessments", "show_assessments", READ_ASSESSMENTS, here.list_assessments),
        post_page("/assessments", "assess_form", ASSESS, here.assess),
        get_page("/assessments/schedules", "show_schedules", READ_ASSESSMENTS, here.list_schedules),
        post_page(
            "/assessments/schedules", "schedule_assessment_form", ASSESS, here.schedule_assessment
        ),
        post_page(
            "/assessments/schedules/<schedule_id>/cancel",
            "cancel_schedule_form",
            ASSESS,
            here.cancel_schedule,
        ),
        get_page(one, "show_assessment_page", READ_ASSESSMENTS, here.show_assessment),
    )
