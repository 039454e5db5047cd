"""Bindings alert → playbook: tried, proposed, approved with their difference; and the switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from playbooks.models.bindings import Answer, Binding, BindingTerms, Pause
from playbooks.service.bindings import ChangeDecision
from playbooks.service.bindings.documents import WISH_FIELDS, difference_of, read_wish
from secops.console.automatic import OUTCOMES, reason_of
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, whole_number
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.console.times import day_field, local_instant
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest, every_item
from secops.kernel.permissions.playbooks import (
    BINDING_APPROVE,
    BINDING_PAUSE,
    BINDING_PROPOSE,
    BINDING_READ,
    RUN_APPROVE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

AUTONOMY: Final = {
    "suggest": N_("只建议"),
    "approve": N_("审批后执行"),
    "act": N_("先执行,30 分钟内补批"),
}
STATES: Final = {
    "proposed": N_("待另一人审批"),
    "active": N_("生效"),
    "withdrawn": N_("已撤销"),
}
TERMS: Final = {
    "name": N_("名称"),
    "playbook_id": N_("剧本编号"),
    "playbook_version": N_("剧本版本"),
    "content_hash": N_("剧本内容摘要"),
    "autonomy": N_("自主程度"),
    "rules": N_("规则"),
    "severities": N_("严重程度"),
    "kinds": N_("告警类别"),
    "entities": N_("对象条件"),
    "arguments": N_("剧本变量取自"),
    "cooldown_s": N_("同一对象冷却(秒)"),
    "per_hour": N_("每小时自动执行上限"),
    "valid_from": N_("生效时间"),
    "valid_until": N_("失效时间"),
}
_COLUMNS: Final = (
    Column("name", N_("名称")),
    Column("state", N_("状态")),
    Column("autonomy", N_("自主程度")),
    Column("waiting", N_("待审批的变更")),
    Column("proposed", N_("提出时间")),
)
_ANSWERS: Final = (
    Column("at", N_("时间")),
    Column("alert", N_("告警")),
    Column("outcome", N_("结果")),
    Column("reason", N_("说明")),
    Column("run", N_("剧本运行")),
)
_RECENT: Final = 20


@dataclass(frozen=True, slots=True)
class _Bindings:
    desk: Desk

    def list_bindings(self, request: Request) -> Response:
        """Show bindings, what they answered lately, and the switch."""
        autonomy = self.desk.parts.playbooks.autonomy
        page = autonomy.bindings.list_bindings(request.caller, wanted_page(request))
        rows = [self._row(request, one) for one in page.items]
        answers = autonomy.bindings.list_answers(request.caller, PageRequest(_RECENT)).items
        told = Table(N_("最近的自动响应"), _ANSWERS, [self._answer(request, a) for a in answers])
        return self.desk.list_page(
            request,
            "playbooks/bindings.html",
            Table(N_("自动响应绑定"), _COLUMNS, rows, page.next),
            answers=view_table(request, told),
            switch=switch_of(self.desk, request),
            may_propose=request.caller.may(BINDING_PROPOSE),
        )

    def _row(self, request: Request, binding: Binding) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        waits = binding.change is not None
        return (
            Cell(binding.terms.name, href=f"/bindings/{binding.id}"),
            Cell(word(request, STATES[binding.state])),
            Cell(word(request, AUTONOMY[binding.terms.autonomy])),
            Cell(
                word(request, N_("待另一人审批")) if waits else "—", badge="warn" if waits else ""
            ),
            Cell("", instant=binding.proposed_at),
        )

    def _answer(self, request: Request, answer: Answer) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        return (
            Cell("", instant=answer.at),
            Cell(answer.alert_id, href=f"/alerts/{answer.alert_id}"),
            Cell(word(request, OUTCOMES[answer.outcome])),
            Cell(reason_of(self.desk, request, answer.reason)),
            Cell(answer.run_id, href=f"/runs/{answer.run_id}") if answer.run_id else Cell("—"),
        )

    def show_binding(self, request: Request) -> Response:
        """Show the terms, and the change that waits beside what it would change."""
        bindings = self.desk.parts.playbooks.autonomy.bindings
        binding = bindings.show_binding(request.caller, request.args["binding_id"])
        caller, change = request.caller, binding.change
        return self.desk.page(
            request,
            "playbooks/binding.html",
            binding=binding,
            state=STATES[binding.state],
            terms=difference_of(None, binding.terms),
            change=change,
            difference=()
            if change is None
            else difference_of(binding.terms if binding.version else None, change.terms),
            words=TERMS,
            may_approve=change is not None
            and caller.may(BINDING_APPROVE)
            and caller.id != change.requested_by,
            may_propose=binding.state != "withdrawn" and caller.may(BINDING_PROPOSE),
        )

    def ask_binding(self, request: Request) -> Response:
        """Show the form for a new binding."""
        return self._form(request, {"cooldown_s": "3600", "per_hour": "5"})

    def ask_change(self, request: Request) -> Response:
        """Show the form with the terms of a binding."""
        bindings = self.desk.parts.playbooks.autonomy.bindings
        binding = bindings.show_binding(request.caller, request.args["binding_id"])
        return self._form(request, _shown(binding.terms), binding_id=binding.id)

    def propose_binding(self, request: Request) -> Response:
        """Try the terms on the last 30 days, or propose them."""
        form, name = request.form, request.args.get("binding_id", "")
        bindings = self.desk.parts.playbooks.autonomy.bindings
        playbook, wanted = read_wish(_wish(form))
        terms = bindings.terms_for(request.caller, playbook, wanted)
        if form.get("do") == "try":
            tried = bindings.try_binding(request.caller, terms)
            return self._form(request, form, tried=tried, binding_id=name)
        asked = bindings.propose_binding(request.caller, terms, binding_id=name)
        return redirect(f"/bindings/{asked.id}")

    def _form(self, request: Request, values: Mapping[str, str], **more: Any) -> Response:
        register, caller = self.desk.parts.playbooks.playbooks, request.caller
        choices = [
            (one.entry.content_hash, f"{one.entry.name} ({one.entry.modified[:10]})")
            for one in every_item(lambda page: register.list_playbooks(caller, page))
            if one.origin != "unsigned"
        ]
        context = {"tried": None, "binding_id": "", **more}
        return self.desk.page(
            request,
            "playbooks/binding_form.html",
            values={**_BLANK, **values},
            playbooks=choices,
            autonomy=AUTONOMY,
            **context,
        )

    def approve_binding(self, request: Request) -> Response:
        """Approve or reject exactly the change that was shown."""
        name, form = request.args["binding_id"], request.form
        decision = ChangeDecision(form.get("sha256", ""), granted(form), form.get("reason", ""))
        bindings = self.desk.parts.playbooks.autonomy.bindings
        bindings.decide_binding(request.caller, name, decision)
        return redirect(f"/bindings/{name}")

    def withdraw_binding(self, request: Request) -> Response:
        """Ask to end the binding."""
        name = request.args["binding_id"]
        bindings = self.desk.parts.playbooks.autonomy.bindings
        bindings.withdraw_binding(request.caller, name)
        return redirect(f"/bindings/{name}")

    def switch_bindings(self, request: Request) -> Response:
        """Pause at once, or ask to go on."""
        pauses, form = self.desk.parts.playbooks.autonomy.pauses, request.form
        if form.get("do") == "pause":
            pauses.pause_bindings(request.caller, form.get("reason", ""))
        elif form.get("do") == "resume":
            pauses.request_resume(request.caller, form.get("reason", ""))
        else:
            msg = "pause or resume"
            raise Invalid(msg)
        return redirect("/bindings")

    def approve_resume(self, request: Request) -> Response:
        """Let bindings go on, or leave them paused."""
        self.desk.parts.playbooks.autonomy.pauses.decide_resume(
            request.caller, grant=granted(request.form), reason=request.form.get("reason", "")
        )
        return redirect("/bindings")

    def confirm_run(self, request: Request) -> Response:
        """Approve after the fact what a binding began, or have it taken back."""
        run_id, form = request.args["run_id"], request.form
        self.desk.parts.playbooks.autonomy.automatic.confirm_run(
            request.caller,
            run_id,
            grant=granted(form),
            plan_sha256=form.get("plan", ""),
            reason=form.get("reason", ""),
        )
        return redirect(f"/runs/{run_id}")


@dataclass(frozen=True, slots=True)
class Switch:
    """The switch as a page shows it, and what the reader may do with it."""

    pause: Pause
    may_switch: bool
    may_decide: bool


def switch_of(desk: Desk, request: Request) -> Switch | None:
    """Return the switch for any page about runs; None for who may not see it."""
    caller = request.caller
    if not caller.may(BINDING_READ):
        return None
    pause = desk.parts.playbooks.autonomy.pauses.show_pause(caller)
    own = pause.org_id == caller.org_id
    return Switch(
        pause,
        may_switch=caller.may(BINDING_PAUSE) and (own or not pause.paused),
        may_decide=own and bool(pause.approval_id) and caller.may(BINDING_APPROVE),
    )


_BLANK: Final[Mapping[str, str]] = dict.fromkeys(WISH_FIELDS, "")


def _shown(terms: BindingTerms) -> dict[str, str]:
    """Return terms as the form's fields."""
    return {
        "name": terms.name,
        "playbook": terms.content_hash,
        "autonomy": terms.autonomy,
        "rules": "\n".join(terms.rules),
        "severities": " ".join(terms.severities),
        "kinds": " ".join(terms.kinds),
        "entities": _lines(terms.entities),
        "arguments": _lines(terms.arguments),
        "cooldown_s": str(terms.cooldown_s),
        "per_hour": str(terms.per_hour),
        "valid_from": day_field(terms.valid_from),
        "valid_until": day_field(terms.valid_until),
    }


def _lines(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in sorted(pairs.items()))


def _wish(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the form's fields as the document of a binding; days begin in Beijing."""
    wish: dict[str, Any] = {name: form.get(name, "") for name in ("name", "playbook", "autonomy")}
    for name in ("rules", "severities", "kinds"):
        wish[name] = form.get(name, "").split()
    for name in ("entities", "arguments"):
        wish[name] = _pairs(form.get(name, ""))
    for name in ("cooldown_s", "per_hour"):
        number = whole_number(form.get(name, ""), 8)
        if number is None:
            msg = f"{name} is a whole number"
            raise Invalid(msg)
        wish[name] = number
    for name in ("valid_from", "valid_until"):
        if (midnight := local_instant(form.get(name, ""))) is not None:
            wish[name] = to_rfc3339(midnight)
    return wish


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split():
        name, separator, value = line.partition("=")
        if not separator:
            msg = f"one NAME=VALUE a line, not {line[:60]!r}"
            raise Invalid(msg)
        found[name] = value
    return found


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages about bindings."""
    here = _Bindings(desk)
    one = "/bindings/<binding_id>"
    return (
        get_page("/bindings", "show_bindings", BINDING_READ, here.list_bindings),
        get_page("/bindings/new", "ask_binding", BINDING_PROPOSE, here.ask_binding),
        post_page("/bindings/new", "propose_binding_form", BINDING_PROPOSE, here.propose_binding),
        post_page("/bindings/switch", "switch_bindings", BINDING_PAUSE, here.switch_bindings),
        post_page(
            "/bindings/resume",
            "approve_resume_form",
            BINDING_APPROVE,
            here.approve_resume,
            **FRESH,
        ),
        get_page(one, "show_binding_page", BINDING_READ, here.show_binding),
        get_page(f"{one}/change", "ask_binding_change", BINDING_PROPOSE, here.ask_change),
        post_page(f"{one}/change", "change_binding_form", BINDING_PROPOSE, here.propose_binding),
        post_page(
            f"{one}/approve",
            "approve_binding_form",
            BINDING_APPROVE,
            here.approve_binding,
            **FRESH,
        ),
        post_page(
            f"{one}/withdraw", "withdraw_binding_form", BINDING_PROPOSE, here.withdraw_binding
        ),
        post_page(
            "/runs/<run_id>/confirm", "confirm_run_form", RUN_APPROVE, here.confirm_run, **FRESH
        ),
    )
