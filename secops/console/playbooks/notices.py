"""Notices (通报), the issuer's side: the register, writing, approving, sealing, scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from playbooks.models.notices import (
    DELIVERY_STATES,
    ENDINGS,
    MAX_BODY,
    MAX_TITLE,
    NOTICE_SEVERITIES,
    NOTICE_STATES,
    OWED,
    PETITION_KINDS,
    PETITION_STATES,
    SCORE_FORMULA,
    Content,
    Debt,
    Notice,
    NoticeSeverity,
)
from playbooks.service.notices.verifying import Verdict
from playbooks.service.notices.views import NoticeView
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.permissions.playbooks import (
    NOTICE_APPROVE,
    NOTICE_DRAFT,
    NOTICE_ISSUE,
    NOTICE_READ,
    NOTICE_RECEIVE,
    NOTICE_VERIFY,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

BOTH: Final = SignedIn("the issuer's readers and the unit's; the service asks which", NOTICE_READ)
_COLUMNS: Final = (
    Column("reference", N_("文号")),
    Column("title", N_("标题")),
    Column("state", N_("状态")),
    Column("severity", N_("级别")),
    Column("drafted", N_("拟稿时间")),
)
_SCORES: Final = (
    Column("unit", N_("单位")),
    Column("score", N_("得分")),
    Column("notices", N_("通报数")),
    Column("in_time", N_("按时 / 应完成")),
    Column("closed", N_("复核通过")),
    Column("returned", N_("退回轮次")),
    Column("repeated", N_("重复")),
)
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class ShownDebt:
    """What is owed, until when, and whether that is over."""

    name: Text
    due: int
    overdue: bool


def shown_debts(debts: tuple[Debt, ...], now: int) -> list[ShownDebt]:
    """Return ``debts`` as a page shows them."""
    return [ShownDebt(OWED[debt.what], debt.due, debt.overdue(now)) for debt in debts]


def notice_words(view: NoticeView) -> dict[str, Any]:
    """Return what both sides' pages of a notice need."""
    return {
        "view": view,
        "notice": view.notice,
        "content": view.notice.content,
        "debts": {
            unit.delivery.org_id: shown_debts(unit.debts, view.seen_at) for unit in view.units
        },
        "states": NOTICE_STATES,
        "delivery_states": DELIVERY_STATES,
        "severities": NOTICE_SEVERITIES,
        "endings": ENDINGS,
        "kinds": PETITION_KINDS,
        "petition_states": PETITION_STATES,
    }


@dataclass(frozen=True, slots=True)
class _Register:
    desk: Desk

    def list_notices(self, request: Request) -> Response:
        """Show the organisation's own notices; ``?state=`` filters."""
        state = request.query.get("state", "")
        views = self.desk.parts.playbooks.notices.views
        page = views.list_notices(request.caller, state, wanted_page(request))
        rows = [self._row(request, notice) for notice in page.items]
        table = Table(N_("通报"), _COLUMNS, rows, page.next, N_("没有通报"))
        return self.desk.list_page(
            request,
            "playbooks/notices.html",
            table,
            state=state,
            states=NOTICE_STATES,
            may_draft=request.caller.may(NOTICE_DRAFT),
            may_receive=request.caller.may(NOTICE_RECEIVE),
        )

    @staticmethod
    def _row(request: Request, notice: Notice) -> tuple[Cell, ...]:
        severity = notice.content.severity
        language = request.language
        return (
            Cell(notice.reference or "—", sort=notice.year * 1_000_000 + notice.number),
            Cell(notice.content.title, href=f"/notices/{notice.id}"),
            Cell(NOTICE_STATES[notice.state].into(language)),
            Cell(NOTICE_SEVERITIES[severity].into(language), badge=f"severity-{severity}"),
            Cell("", instant=notice.drafted_at),
        )

    def write_notice(self, request: Request) -> Response:
        """Show the form of a new notice, filled from an incident where one is named."""
        incident_id = request.query.get("incident", "")
        content = Content("", "", "medium", urgent=False, units=())
        if incident_id:
            drafting = self.desk.parts.playbooks.notices.drafting
            content = drafting.prefilled(request.caller, incident_id)
        return self._form(request, content, "/notices", 0)

    def edit_notice(self, request: Request) -> Response:
        """Show the form of a draft."""
        notice_id = request.args["notice_id"]
        notice = self.desk.parts.playbooks.notices.views.show_notice(
            request.caller, notice_id
        ).notice
        return self._form(request, notice.content, f"/notices/{notice_id}/revision", notice.version)

    def _form(self, request: Request, content: Content, action: str, version: int) -> Response:
        units = self.desk.parts.playbooks.notices.views.possible_units(request.caller)
        return self.desk.page(
            request,
            "playbooks/notice_form.html",
            content=content,
            action=action,
            seen_version=version,
            units=units,
            severities=NOTICE_SEVERITIES,
            longest={"title": MAX_TITLE, "body": MAX_BODY},
        )

    def draft_notice(self, request: Request) -> Response:
        """Keep a draft."""
        drafting = self.desk.parts.playbooks.notices.drafting
        notice = drafting.draft_notice(request.caller, _content(request))
        return redirect(f"/notices/{notice.id}")

    def revise_notice(self, request: Request) -> Response:
        """Change a draft."""
        version = whole_number(request.form.get("version", ""), 9) or 0
        self.desk.parts.playbooks.notices.drafting.revise_notice(
            request.caller, request.args["notice_id"], _content(request), version
        )
        return _back(request)

    def show_scores(self, request: Request) -> Response:
        """Show 考核 of a year with its formula."""
        asked = request.query.get("year", "")
        views = self.desk.parts.playbooks.notices.views
        year = (whole_number(asked, _DIGITS) or 0) if asked else views.year
        scores, names = views.score_units(request.caller, year)
        rows = [
            (
                Cell(names[each.org_id]),
                Cell(f"{each.score / 10:.1f}", sort=each.score),
                Cell(str(each.notices), sort=each.notices),
                Cell(f"{each.in_time} / {each.owed}", sort=each.in_time),
                Cell(str(each.closed), sort=each.closed),
                Cell(str(each.returned), sort=each.returned),
                Cell(str(each.repeated), sort=each.repeated),
            )
            for each in scores
        ]
        table = Table(N_("通报考核"), _SCORES, rows, empty=N_("该年度没有通报"))
        return self.desk.list_page(
            request, "playbooks/notice_scores.html", table, year=year, formula=SCORE_FORMULA
        )


@dataclass(frozen=True, slots=True)
class _Notices:
    desk: Desk

    def show_notice(self, request: Request) -> Response:
        """Show one notice with all its units."""
        return self._show(request)

    def _show(self, request: Request, **found: Any) -> Response:
        caller, notices = request.caller, self.desk.parts.playbooks.notices
        view = notices.views.show_notice(caller, request.args["notice_id"])
        state = view.notice.state
        may_issue = state == "approved" and caller.may(NOTICE_ISSUE)
        shown = {"verdict": None, "recheck": None, "rechecked": "", **found}
        return self.desk.page(
            request,
            "playbooks/notice.html",
            **notice_words(view),
            **shown,
            seals=notices.issuing.usable_seals(caller) if may_issue else (),
            may_draft=caller.may(NOTICE_DRAFT),
            may_decide=state == "review"
            and caller.may(NOTICE_APPROVE)
            and caller.id not in view.notice.authors,
            may_issue=may_issue,
            may_withdraw=state in ("draft", "review", "approved", "issued")
            and caller.may(NOTICE_DRAFT if view.notice.issue is None else NOTICE_APPROVE),
            may_answer=caller.may(NOTICE_APPROVE),
            may_verify=caller.may(NOTICE_VERIFY),
        )

    def act_on_notice(self, request: Request) -> Response:
        """Submit, take back, archive or withdraw."""
        drafting, caller = self.desk.parts.playbooks.notices.drafting, request.caller
        notice_id, form = request.args["notice_id"], request.form
        act = form.get("act", "")
        if act == "withdraw":
            drafting.withdraw_notice(caller, notice_id, form.get("reason", ""))
        else:
            acts = {
                "submit": drafting.submit_notice,
                "recall": drafting.recall_notice,
                "archive": drafting.archive_notice,
            }
            if act in acts:
                acts[act](caller, notice_id)
        return _back(request)

    def decide_notice(self, request: Request) -> Response:
        """Approve what was shown, or return it."""
        form = request.form
        self.desk.parts.playbooks.notices.issuing.decide_notice(
            request.caller,
            request.args["notice_id"],
            form.get("digest", ""),
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return _back(request)

    def issue_notice(self, request: Request) -> Response:
        """Give it its number and seal it."""
        self.desk.parts.playbooks.notices.issuing.issue_notice(
            request.caller, request.args["notice_id"], request.form.get("seal", "")
        )
        return _back(request)

    def read_file(self, request: Request) -> Response:
        """Download the sealed file."""
        notice_id = request.args["notice_id"]
        content = self.desk.parts.playbooks.notices.issuing.read_notice_file(
            request.caller, notice_id
        )
        return file_response(content, "application/pdf", f"{notice_id}.pdf")

    def read_proof(self, request: Request) -> Response:
        """Download a proof: as it came, and never shown by us."""
        proof, content = self.desk.parts.playbooks.notices.views.read_proof(
            request.caller, request.args["notice_id"], request.args["proof_id"]
        )
        return file_response(content, "application/octet-stream", f"{proof.id}.bin")

    def verify_file(self, request: Request) -> Response:
        """Show the notice with what verifying its seal finds, now."""
        issuing = self.desk.parts.playbooks.notices.issuing
        verdict = issuing.verify_notice_file(request.caller, request.args["notice_id"])
        return self._show(request, verdict=verdict)

    def verify_unit(self, request: Request) -> Response:
        """Run the check again, close, or return."""
        verifying, form = self.desk.parts.playbooks.notices.verifying, request.form
        notice_id, unit = request.args["notice_id"], request.args["unit_id"]
        if form.get("verdict") == "recheck":
            found = verifying.recheck_notice(request.caller, notice_id, unit)
            return self._show(request, recheck=found, rechecked=unit)
        verdict: Verdict = "close" if form.get("verdict") == "close" else "return"
        verifying.verify_notice(request.caller, notice_id, unit, verdict, form.get("reason", ""))
        return _back(request)

    def decide_petition(self, request: Request) -> Response:
        """Grant or refuse what a unit asks for."""
        self.desk.parts.playbooks.notices.verifying.decide_petition(
            request.caller,
            request.args["notice_id"],
            request.args["petition_id"],
            grant=granted(request.form),
            reason=request.form.get("reason", ""),
        )
        return _back(request)


def _content(request: Request) -> Content:
    form = request.form
    units = tuple(
        key.removeprefix("unit:") for key in form if key.startswith("unit:") and form[key] == "on"
    )
    return Content(
        title=form.get("title", ""),
        body=form.get("body", ""),
        severity=cast("NoticeSeverity", form.get("severity", "")),
        urgent=form.get("urgent") == "on",
        units=units,
        check=form.get("check", "").strip(),
        incident_id=form.get("incident", "").strip(),
    )


def _back(request: Request) -> Response:
    return redirect(f"/notices/{request.args['notice_id']}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the issuer's pages."""
    here, register = _Notices(desk), _Register(desk)
    one = "/notices/<notice_id>"
    return (
        get_page("/notices", "show_notices", NOTICE_READ, register.list_notices),
        get_page("/notices/new", "write_notice_form", NOTICE_DRAFT, register.write_notice),
        post_page("/notices", "draft_notice_form", NOTICE_DRAFT, register.draft_notice),
        get_page("/notice-scores", "show_notice_scores", NOTICE_READ, register.show_scores),
        get_page(one, "show_notice_page", NOTICE_READ, here.show_notice),
        get_page(f"{one}/revision", "edit_notice_form", NOTICE_DRAFT, register.edit_notice),
        post_page(f"{one}/revision", "revise_notice_form", NOTICE_DRAFT, register.revise_notice),
        post_page(f"{one}/act", "act_on_notice_form", NOTICE_READ, here.act_on_notice),
        post_page(
            f"{one}/decide", "decide_notice_form", NOTICE_APPROVE, here.decide_notice, **FRESH
        ),
        post_page(f"{one}/issue", "issue_notice_form", NOTICE_ISSUE, here.issue_notice, **FRESH),
        post_page(f"{one}/seal", "verify_notice_seal_form", NOTICE_READ, here.verify_file),
        post_page(f"{one}/units/<unit_id>", "verify_notice_form", NOTICE_VERIFY, here.verify_unit),
        post_page(
            f"{one}/petitions/<petition_id>",
            "decide_petition_form",
            NOTICE_APPROVE,
            here.decide_petition,
            **FRESH,
        ),
        get_page(f"{one}/file", "download_notice", BOTH, here.read_file),
        get_page(f"{one}/proofs/<proof_id>", "download_proof", BOTH, here.read_proof),
    )
