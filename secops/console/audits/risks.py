"""风险登记册: the register, its picture of 5 × 5, treatment, acceptance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from audits.models.risks import (
    RISK_SOURCES,
    RISK_STATES,
    TREATMENTS,
    Risk,
    RiskFacts,
    RiskFilter,
    Treatment,
)
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification import RectificationServices
from audits.service.risks.register import NewRisk, Rating, TreatmentPlan
from audits.service.risks.words import DOUBT, GRADES, MATRIX, THREATS
from secops.console.audits.rectification import history_table
from secops.console.parts import (
    FRESH,
    Desk,
    get_page,
    granted,
    post_page,
    version_of,
    whole_number,
)
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import (
    ACCEPT_RISK,
    MANAGE_RECTIFICATION,
    MANAGE_RISKS,
    READ_ASSESSMENTS,
    READ_RISKS,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_RISKS: Final = (
    Column("title", N_("风险")),
    Column("asset", N_("资产")),
    Column("threat", N_("威胁")),
    Column("level", N_("等级")),
    Column("treatment", N_("处置方式")),
    Column("owner", N_("负责人")),
    Column("due", N_("完成期限")),
    Column("residual", N_("残余")),
    Column("source", N_("来源")),
    Column("state", N_("状态")),
)
_LEVELS: Final = {1: "good", 2: "good", 3: "warn", 4: "bad", 5: "bad"}
_STATES: Final = {"identified": "warn", "treating": "info", "accepted": "info", "closed": "good"}
_CELL: Final = 56
_EDGE: Final = 34


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A square of the picture: where it stands, its level and how many risks are in it."""

    x: int
    y: int
    likelihood: int
    impact: int
    level: int
    count: int


@dataclass(frozen=True, slots=True)
class MatrixPicture:
    """The table of levels, likelihood upwards and impact to the right."""

    cells: tuple[MatrixCell, ...]
    cell: int = _CELL
    edge: int = _EDGE
    side: int = _EDGE + 5 * _CELL


def matrix_picture(counts: Mapping[tuple[int, int], int]) -> MatrixPicture:
    """Return the picture of how many risks stand where."""
    return MatrixPicture(
        tuple(
            MatrixCell(
                x=_EDGE + (impact - 1) * _CELL,
                y=(5 - likelihood) * _CELL,
                likelihood=likelihood,
                impact=impact,
                level=MATRIX[likelihood - 1][impact - 1],
                count=counts.get((likelihood, impact), 0),
            )
            for likelihood in sorted(GRADES, reverse=True)
            for impact in GRADES
        )
    )


@dataclass(frozen=True, slots=True)
class _Risks:
    desk: Desk

    @property
    def services(self) -> RectificationServices:
        """The plane's services."""
        return self.desk.parts.audits.rectification

    def list_risks(self, request: Request) -> Response:
        """Show the picture and the register; filters stand in the address."""
        query, caller, risks = request.query, request.caller, self.services.risks
        system_id = query.get("system", "")
        wanted = RiskFilter(system_id, query.get("state", ""), 0, _cell(query.get("cell", "")))
        page = risks.list_risks(caller, wanted, wanted_page(request))
        rows = [self._row(risk, request.language) for risk in page.items]
        may_manage = caller.may(MANAGE_RISKS)
        may_choose = may_manage and caller.may(MANAGE_RECTIFICATION)
        recent = self.services.tasks.recent_assessments(caller) if may_choose else ()
        table = Table(N_("风险登记册"), _RISKS, rows, page.next, N_("没有登记的风险"))
        return self.desk.list_page(
            request,
            "audits/risks.html",
            table,
            picture=matrix_picture(risks.risk_matrix(caller, system_id)),
            grades=GRADES,
            threats=THREATS,
            states=RISK_STATES,
            doubt=DOUBT,
            query=query,
            recent=recent,
            may_manage=may_manage,
        )

    def add_risk(self, request: Request) -> Response:
        """Enter a risk, or fill the register from what the platform knows."""
        form, caller = request.form, request.caller
        system_id = form.get("system", "").strip() or THIS_INSTANCE
        if form.get("act") == "fill":
            assessment = form.get("assessment", "").strip()
            self.services.filling.fill_risks(caller, system_id, assessment)
            return redirect("/risks?state=unclosed")
        names = ("title", "asset_name", "threat", "weakness", "measures")
        facts = RiskFacts(*(form.get(name, "") for name in names))
        new = NewRisk(facts, _grade(form, "likelihood"), _grade(form, "impact"), system_id)
        risk = self.services.risks.add_risk(caller, new)
        return redirect(f"/risks/{risk.id}")

    def show_risk(self, request: Request) -> Response:
        """Show a risk with what may be done now, and its history."""
        caller = request.caller
        risk, history = self.services.risks.show_risk(caller, request.args["risk_id"])
        hands = (risk.asked_by, risk.owner_id)
        open_now = risk.state != "closed" and not risk.waits
        return self.desk.list_page(
            request,
            "audits/risk.html",
            history_table(history, request.language),
            risk=risk,
            may_read=caller.may(READ_ASSESSMENTS),
            grades=GRADES,
            threats=THREATS,
            treatments=TREATMENTS,
            states=RISK_STATES,
            sources=RISK_SOURCES,
            badges=_LEVELS,
            doubt=DOUBT,
            overdue=risk.overdue(self.desk.parts.clock.now()),
            may_manage=open_now and caller.may(MANAGE_RISKS),
            may_accept=risk.waits and caller.may(ACCEPT_RISK) and caller.id not in hands,
        )

    def act_on_risk(self, request: Request) -> Response:
        """Rate, treat or close a risk, or ask for its acceptance."""
        form, caller, risk_id = request.form, request.caller, request.args["risk_id"]
        act, version, reason = form.get("act"), version_of(request), form.get("reason", "")
        if act == "rate":
            rating = Rating(
                version,
                _grade(form, "likelihood"),
                _grade(form, "impact"),
                form.get("measures", ""),
            )
            self.services.risks.rate_risk(caller, risk_id, rating)
        elif act == "treat":
            self.services.risks.treat_risk(caller, risk_id, _plan(form, version))
        elif act == "close":
            self.services.risks.close_risk(caller, risk_id, version, reason)
        elif act == "ask":
            until = local_instant(form.get("until", "")) or 0
            self.services.acceptance.ask_acceptance(caller, risk_id, version, reason, until)
        else:
            raise Invalid("a risk is rated, treated, closed, or its acceptance asked for")
        return redirect(f"/risks/{risk_id}")

    def decide_acceptance(self, request: Request) -> Response:
        """Accept, or not, exactly what the page showed."""
        form, risk_id = request.form, request.args["risk_id"]
        self.services.acceptance.decide_acceptance(
            request.caller,
            risk_id,
            form.get("digest", ""),
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(f"/risks/{risk_id}")

    def _row(self, risk: Risk, language: Language) -> Sequence[Cell]:
        late = risk.overdue(self.desk.parts.clock.now())
        due = risk.accepted_until if risk.state == "accepted" else risk.due_at
        residual = GRADES[risk.residual_level].into(language) if risk.residual_level else "—"
        proposed = " *" if not risk.rated_by else ""
        return (
            Cell(risk.title, href=f"/risks/{risk.id}"),
            Cell(risk.asset_name),
            Cell(THREATS[risk.threat].into(language)),
            Cell(
                f"{GRADES[risk.level].into(language)}{proposed}",
                badge=_LEVELS[risk.level],
                sort=risk.level,
            ),
            Cell(TREATMENTS[risk.treatment].into(language)),
            Cell(risk.owner_name),
            Cell("" if due else "—", instant=due or None, badge="bad" if late else ""),
            Cell(residual, sort=risk.residual_level),
            Cell(RISK_SOURCES[risk.source].into(language)),
            Cell(RISK_STATES[risk.state].into(language), badge=_STATES[risk.state]),
        )


def _cell(text: str) -> tuple[int, int] | None:
    """Return likelihood and impact of ``4-5``; None for an empty text."""
    if not text:
        return None
    likelihood, _, impact = text.partition("-")
    cell = whole_number(likelihood, 1), whole_number(impact, 1)
    if None in cell:
        raise Invalid("a cell is written as 4-5")
    return cast("tuple[int, int]", cell)


def _grade(form: Mapping[str, str], name: str) -> int:
    """Return a rating from 0 to 5; raise ``Invalid``. Where 0 is none, the service refuses it."""
    grade = whole_number(form.get(name, "") or "0", 1)
    if grade is None or grade > len(GRADES):
        raise Invalid("ratings are from 1 to 5")
    return grade


def _plan(form: Mapping[str, str], version: int) -> TreatmentPlan:
    return TreatmentPlan(
        version,
        cast("Treatment", form.get("treatment", "")),
        form.get("plan", ""),
        form.get("owner", ""),
        local_instant(form.get("due", "")) or 0,
        _grade(form, "residual_likelihood"),
        _grade(form, "residual_impact"),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the register."""
    here = _Risks(desk)
    one = "/risks/<risk_id>"
    return (
        get_page("/risks", "show_risks", READ_RISKS, here.list_risks),
        post_page("/risks", "add_risk_form", MANAGE_RISKS, here.add_risk),
        get_page(one, "show_risk_page", READ_RISKS, here.show_risk),
        post_page(f"{one}/act", "act_on_risk_form", MANAGE_RISKS, here.act_on_risk),
        post_page(
            f"{one}/acceptance",
            "decide_acceptance_form",
            ACCEPT_RISK,
            here.decide_acceptance,
            **FRESH,
        ),
    )
