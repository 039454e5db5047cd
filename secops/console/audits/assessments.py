"""Self-assessment: make one, read it, enter judgements, download the proved report."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final, cast

from audits.models.compliance import STATUSES, Status
from audits.service.assessments import Judgement
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import (
    ASSESS,
    ENTER_JUDGEMENT,
    EXPORT_REPORT,
    READ_ASSESSMENTS,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

STANDARD: Final = "gbt22239"
_BADGES: Final = {"compliant": "good", "partial": "warn", "noncompliant": "bad"}
_COLUMNS: Final = (
    Column("id", N_("自查")),
    Column("level", N_("级别")),
    Column("made", N_("时间")),
    Column("by", N_("执行人")),
    Column("coverage", N_("核查覆盖")),
)
_ITEM_COLUMNS: Final = (
    Column("id", N_("编号")),
    Column("clause", N_("条款")),
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
        service, caller = self.desk.parts.audits.assessments, request.caller
        page = service.list_assessments(caller, wanted_page(request))
        rows = [
            (
                Cell(each.id, href=f"/assessments/{each.id}"),
                Cell(str(each.level), sort=each.level),
                Cell("", instant=each.made_at),
                Cell(each.made_by),
                Cell(f"{each.judged} / {each.applicable}", sort=each.judged),
            )
            for each in page.items
        ]
        table = Table(N_("等保自查"), _COLUMNS, rows, page.next, N_("还没有自查"))
        return self.desk.list_page(
            request, "audits/assessments.html", table, may_assess=caller.may(ASSESS)
        )

    def assess(self, request: Request) -> Response:
        """Assess this instance now."""
        level = request.form.get("level", "3")
        if level not in ("1", "2", "3", "4"):
            raise Invalid("a level is from 1 to 4")
        made = self.desk.parts.audits.assessments.assess(request.caller, STANDARD, int(level))
        return redirect(f"/assessments/{made.id}")

    def show_assessment(self, request: Request) -> Response:
        """Show one assessment; ``?status=`` filters its items."""
        caller = request.caller
        document = self.desk.parts.audits.assessments.show_assessment(
            caller, request.args["assessment_id"]
        )
        chosen, language = request.query.get("status", ""), request.language
        rows = [
            (
                Cell(item["id"]),
                Cell(item["clause"] or ""),
                Cell(item["control_point"][language]),
                Cell(item["requirement"][language]),
                Cell(
                    STATUSES[cast("Status", item["status"])].into(language),
                    badge=_BADGES.get(item["status"], ""),
                ),
                Cell(item["reason"][language]),
            )
            for item in document["items"]
            if chosen in ("", item["status"])
        ]
        table = Table(N_("单项记录"), _ITEM_COLUMNS, rows)
        return self.desk.list_page(
            request,
            "audits/assessment.html",
            table,
            document=document,
            statuses=STATUSES,
            chosen=chosen,
            may_export=caller.may(EXPORT_REPORT),
            may_enter=caller.may(ENTER_JUDGEMENT),
        )

    def enter_judgement(self, request: Request) -> Response:
        """Keep what a named person judged; it counts from the next assessment on."""
        form = request.form
        judgement = Judgement(
            item_id=form.get("item", "").strip(),
            status=cast("Status", form.get("status", "")),
            reason=form.get("reason", ""),
            person=form.get("person", ""),
        )
        self.desk.parts.audits.assessments.enter_judgement(request.caller, STANDARD, judgement)
        return redirect("/assessments")

    def export_report(self, request: Request) -> Response:
        """Download the report and its proof as one zip file."""
        report = self.desk.parts.audits.reports.export_report(
            request.caller, request.args["assessment_id"], "html", request.language
        )
        packed = io.BytesIO()
        day = to_rfc3339(self.desk.parts.clock.now())[:10].split("-")
        stamp = (int(day[0]), int(day[1]), int(day[2]), 0, 0, 0)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(report.name, stamp), report.content)
            archive.writestr(zipfile.ZipInfo(f"{report.name}.proof", stamp), report.proof)
        return file_response(packed.getvalue(), "application/zip", f"{report.name}.zip")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the assessment pages."""
    here = _Assessments(desk)
    one = "/assessments/<assessment_id>"
    return (
        get_page("/assessments", "show_assessments", READ_ASSESSMENTS, here.list_assessments),
        post_page("/assessments", "assess_form", ASSESS, here.assess),
        post_page(
            "/assessments/judgements",
            "enter_judgement_form",
            ENTER_JUDGEMENT,
            here.enter_judgement,
        ),
        get_page(one, "show_assessment_page", READ_ASSESSMENTS, here.show_assessment),
        post_page(
            f"{one}/report",
            "export_report_form",
            EXPORT_REPORT,
            here.export_report,
            fresh_seconds=FRESH_SECONDS,
        ),
    )
