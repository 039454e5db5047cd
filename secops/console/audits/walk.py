"""The guided walk: one item a page with the evidence beside, and what a person says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from audits.models.assessments import STATUSES, Status
from audits.models.systems import THIS_INSTANCE
from audits.service.assessments.answers import Said, UnitAnswer
from audits.service.assessments.entering import Judgement
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.audits import ENTER_JUDGEMENT, READ_ASSESSMENTS
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

KINDS: Final[Mapping[str, str]] = {
    "auto": N_("自动核查"),
    "semi": N_("半自动核查"),
    "manual": N_("人工核查"),
}
BADGES: Final = {"compliant": "good", "partial": "warn", "noncompliant": "bad"}
GAPS: Final = ("partial", "noncompliant")
_FEW: Final = 5
_TICKS: Final[Mapping[str, bool | None]] = {"yes": True, "no": False, "": None}
CASE_TICKS: Final[Mapping[str, str]] = {
    "condition": N_("适用条件成立"),
    "triggered": N_("触发情形成立"),
    "never": N_("属于不可缓解的情形"),
    "mitigated": N_("已有缓解措施并有证据"),
}
MAJOR_TICKS: Final[Mapping[str, str]] = {
    "relevant": N_("相关性"),
    "severe": N_("严重性"),
    "frequent": N_("高发性"),
    "rectified": N_("已整改并有证据"),
}
_HISTORY: Final = (
    Column("at", N_("时间")),
    Column("before", N_("此前")),
    Column("after", N_("此后")),
    Column("level", N_("级别")),
    Column("cause", N_("来源")),
    Column("reason", N_("说明")),
)


@dataclass(frozen=True, slots=True)
class _Step:
    """Where an item stands in the walk: its place, how many there are, and its neighbours."""

    place: int
    count: int
    previous: str
    following: str


@dataclass(frozen=True, slots=True)
class _Filter:
    """Which items the walk goes through."""

    status: str
    kind: str

    def admits(self, item: Mapping[str, Any]) -> bool:
        """Tell whether the walk comes by ``item``."""
        wanted = GAPS if self.status == "gap" else (self.status,)
        return (not self.status or item["status"] in wanted) and self.kind in ("", item["assess"])

    def link(self, assessment_id: str, item_id: str) -> str:
        """Return the address of an item's page within this walk."""
        words = {"status": self.status, "kind": self.kind}
        asked = urlencode({name: value for name, value in words.items() if value})
        return f"/assessments/{assessment_id}/items/{item_id}" + (f"?{asked}" if asked else "")


def filter_of(request: Request) -> _Filter:
    """Return the walk that the address asks for; raise ``Invalid`` for none of ours."""
    status, kind = request.query.get("status", ""), request.query.get("kind", "")
    if status not in ("", "gap", *STATUSES) or kind not in ("", *KINDS):
        raise Invalid("there are no items of this status or kind")
    return _Filter(status, kind)


def step_of(items: Sequence[Mapping[str, Any]], item_id: str, walk: _Filter) -> _Step:
    """Return the place of an item among those of the walk; an item outside it has place 0."""
    order = [item["id"] for item in items]
    at = order.index(item_id)
    inside = [name for name, item in zip(order, items, strict=True) if walk.admits(item)]
    before = [name for name in inside if order.index(name) < at]
    after = [name for name in inside if order.index(name) > at]
    place = len(before) + 1 if item_id in inside else 0
    return _Step(place, len(inside), before[-1] if before else "", after[0] if after else "")


def raw_link(origin: Mapping[str, Any]) -> str:
    """Return the address that opens the exact raw events again; empty where there are none."""
    link = str(origin.get("link") or "")
    if link.startswith("/") and not link.startswith(("//", "/\\")):
        return link
    query, window = origin.get("query"), origin.get("window")
    if not query or not window:
        return ""
    return "/logs?" + urlencode({"q": query, "since": window[0], "until": window[1]})


@dataclass(frozen=True, slots=True)
class _Walk:
    desk: Desk

    def begin_walk(self, request: Request) -> Response:
        """Go to the first item of the walk."""
        assessment_id, walk = request.args["assessment_id"], filter_of(request)
        document = self.desk.parts.audits.assessments.show_assessment(request.caller, assessment_id)
        first = next((item for item in document["items"] if walk.admits(item)), None)
        if first is None:
            raise NotFound("no item of this assessment is of that status and kind")
        return redirect(walk.link(assessment_id, first["id"]))

    def show_item(self, request: Request) -> Response:
        """Show one item with the evidence beside."""
        audits, caller = self.desk.parts.audits, request.caller
        assessment_id, item_id = request.args["assessment_id"], request.args["item_id"]
        document, item, evidence = audits.assessments.show_item(caller, assessment_id, item_id)
        walk = filter_of(request)
        step = step_of(document["items"], item_id, walk)
        system, standard = document["system"]["id"], document["standard"]
        history = audits.controls.list_history(caller, standard, item_id, PageRequest(_FEW), system)
        return self.desk.page(
            request,
            "audits/item.html",
            document=document,
            item=item,
            evidence=[{**one, "raw": raw_link(one["origin"])} for one in evidence],
            documents=[one for one in item["evidence"] if one["kind"] == "person.document"],
            cases=[case for case in document["high_risks"] if case["item"] == item_id],
            majors=[one for one in document["majors"]["items"] if item_id in one["items"]],
            history=history.items,
            walk=walk,
            step=step,
            statuses=STATUSES,
            badges=BADGES,
            kinds=KINDS,
            case_ticks=CASE_TICKS,
            major_ticks=MAJOR_TICKS,
            noted=request.query.get("noted") == "1",
            may_enter=caller.may(ENTER_JUDGEMENT),
        )

    def show_history(self, request: Request) -> Response:
        """Show how one item of a system stood over time."""
        standard, item_id = request.args["standard"], request.args["item_id"]
        system = request.query.get("system", THIS_INSTANCE)
        page = self.desk.parts.audits.controls.list_history(
            request.caller, standard, item_id, wanted_page(request), system
        )
        language = request.language
        rows = [
            (
                Cell("", instant=change.at),
                _status(change.before, language),
                _status(change.after, language),
                Cell(str(change.level), sort=change.level),
                Cell(
                    change.cause,
                    href=f"/assessments/{change.cause}/items/{item_id}"
                    if change.cause.startswith("asm_")
                    else "",
                ),
                Cell(change.reason.into(language)),
            )
            for change in page.items
        ]
        table = Table(N_("核查结果的变化"), _HISTORY, rows, page.next, N_("还没有核查过"))
        return self.desk.list_page(
            request, "audits/history.html", table, item_id=item_id, system=system
        )

    def judge_item(self, request: Request) -> Response:
        """Keep what a named person judged of an item; it counts from the next assessment on."""
        form = request.form
        document = self._document(request)
        judgement = Judgement(
            item_id=request.args["item_id"],
            status=cast("Status", form.get("status", "")),
            reason=form.get("reason", ""),
            person=form.get("person", ""),
            evidence_digest=next(iter(self._kept(request)), ""),
            object_id=form.get("object", ""),
        )
        self.desk.parts.audits.assessments.enter_judgement(
            request.caller, document["standard"], judgement, document["system"]["id"]
        )
        return self._back(request)

    def answer_case(self, request: Request) -> Response:
        """Keep what a named person says of a high-risk case."""
        document = self._document(request)
        self.desk.parts.audits.answers.answer_case(
            request.caller,
            document["standard"],
            request.form.get("case", ""),
            _ticks(request, CASE_TICKS),
            self._said(request, document),
        )
        return self._back(request)

    def tick_major(self, request: Request) -> Response:
        """Keep a named person's ticks on a trigger of a major risk."""
        document = self._document(request)
        self.desk.parts.audits.answers.tick_major(
            request.caller,
            document["standard"],
            request.form.get("trigger", ""),
            _ticks(request, MAJOR_TICKS),
            self._said(request, document),
        )
        return self._back(request)

    def set_high_risk(self, request: Request) -> Response:
        """Keep a high risk that a named person sets, or takes back, where no case matches."""
        document = self._document(request)
        self.desk.parts.audits.answers.set_high_risk(
            request.caller,
            document["standard"],
            request.args["item_id"],
            self._said(request, document),
            high=request.form.get("high") == "yes",
        )
        return self._back(request)

    def judge_unit(self, request: Request) -> Response:
        """Keep D, A and K of an object under a unit of cryptography."""
        document, form = self._document(request), request.form
        bits = whole_number(form.get("bits") or "0", 4)
        module_level = whole_number(form.get("module_level") or "0", 1)
        if bits is None or module_level is None:
            raise Invalid("a strength and a level are whole numbers")
        unit = UnitAnswer(
            unit_id=request.args["item_id"],
            effective=form.get("effective") == "yes",
            approved=form.get("approved") == "yes",
            managed=form.get("managed") == "yes",
            bits=bits,
            module_level=module_level,
            compensated_by=form.get("compensated_by", "").strip(),
            object_id=form.get("object", ""),
        )
        self.desk.parts.audits.answers.judge_unit(
            request.caller, document["standard"], unit, self._said(request, document)
        )
        return self._back(request)

    def _document(self, request: Request) -> Mapping[str, Any]:
        return self.desk.parts.audits.assessments.show_assessment(
            request.caller, request.args["assessment_id"]
        )

    def _said(self, request: Request, document: Mapping[str, Any]) -> Said:
        return Said(
            person=request.form.get("person", ""),
            reason=request.form.get("reason", ""),
            evidence=self._kept(request),
            system_id=document["system"]["id"],
        )

    def _kept(self, request: Request) -> tuple[str, ...]:
        """Keep the file that a form brings, if it does; return its digest."""
        upload = request.files.get("evidence")
        if upload is None or not upload.content:
            return ()
        keep = self.desk.parts.audits.assessments.keep_document
        return (keep(request.caller, upload.content),)

    def _back(self, request: Request) -> Response:
        args, form = request.args, request.form
        asked = {name: form[name] for name in ("status_walk", "kind_walk") if form.get(name)}
        words = urlencode({name.partition("_")[0]: value for name, value in asked.items()})
        address = f"/assessments/{args['assessment_id']}/items/{args['item_id']}?noted=1"
        return redirect(f"{address}&{words}" if words else address)


def _ticks(request: Request, names: Mapping[str, str]) -> dict[str, bool | None]:
    try:
        return {name: _TICKS[request.form.get(name, "")] for name in names}
    except KeyError as error:
        raise Invalid("a tick is yes, no or not given") from error


def _status(status: str, language: Any) -> Cell:
    if status not in STATUSES:
        return Cell("—")
    return Cell(STATUSES[status].into(language), badge=BADGES.get(status, ""))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the walk."""
    here, one = _Walk(desk), "/assessments/<assessment_id>"
    item = f"{one}/items/<item_id>"
    enter = ENTER_JUDGEMENT
    return (
        get_page(f"{one}/walk", "begin_walk", READ_ASSESSMENTS, here.begin_walk),
        get_page(item, "show_item_page", READ_ASSESSMENTS, here.show_item),
        get_page(
            "/assessments/controls/<standard>/<item_id>",
            "show_history_page",
            READ_ASSESSMENTS,
            here.show_history,
        ),
        post_page(f"{item}/judgement", "judge_item_form", enter, here.judge_item),
        post_page(f"{item}/case", "answer_case_form", enter, here.answer_case),
        post_page(f"{item}/major", "tick_major_form", enter, here.tick_major),
        post_page(f"{item}/high-risk", "set_high_risk_form", enter, here.set_high_risk),
        post_page(f"{item}/unit", "judge_unit_form", enter, here.judge_unit),
    )
