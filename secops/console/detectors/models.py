"""Anomaly models with their cards, and the sign-ins they found unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from detectors.models.anomalies import ModelRecord
from detectors.service.anomaly.model_presentation import card_text, login_json
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import StoredEvent
from secops.kernel.permissions.detectors import LOGIN_JUDGE, MODEL_READ, MODEL_TRAIN
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_KINDS: Final = {"login": N_("登录"), "use": N_("密钥与印章使用")}
_STATES: Final = {"active": N_("使用中"), "retired": N_("已替换")}
_ANSWERS: Final = {
    "allow": N_("放行"),
    "step_up": N_("要求再次验证,未通过"),
    "passed": N_("再次验证后放行"),
    "unjudged": N_("未评估"),
}
_MODELS: Final = (
    Column("kind", N_("模型")),
    Column("state", N_("状态")),
    Column("made", N_("训练时间")),
    Column("events", N_("学习的记录数")),
    Column("moved", N_("已漂移的特征")),
)
_LOGINS: Final = (
    Column("at", N_("时间")),
    Column("account", N_("账户")),
    Column("answer", N_("处置")),
    Column("risk", N_("风险排位")),
    Column("why", N_("主要原因")),
    Column("session", N_("会话")),
)
_CARD: Final = {
    "events": N_("学习的记录数"),
    "left_out": N_("未学习的记录数"),
    "accounts": N_("账户数"),
    "first_at": N_("最早记录"),
    "last_at": N_("最近记录"),
    "learned_after_days": N_("几天后才学习"),
    "features": N_("特征"),
    "figures": N_("数据"),
}


@dataclass(frozen=True, slots=True)
class _Models:
    desk: Desk

    def list_models(self, request: Request) -> Response:
        """Show the models, newest first."""
        page = self.desk.parts.detectors.models.list_models(request.caller, wanted_page(request))
        rows = [self._row(request, record) for record in page.items]
        empty = N_("还没有模型:登录记录满 300 条、满 7 天后自动训练")
        table = Table(N_("异常检测模型"), _MODELS, rows, page.next, empty)
        may = request.caller.may(MODEL_TRAIN)
        return self.desk.list_page(request, "detectors/models.html", table, may=may, kinds=_KINDS)

    def _row(self, request: Request, record: ModelRecord) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        state = word(request, _STATES[record.state])
        events = int(record.card.get("events", 0))
        return (
            Cell(word(request, _KINDS[record.kind]), href=f"/models/{record.id}"),
            Cell(state, badge="good" if record.state == "active" else ""),
            Cell("", instant=record.made_at),
            Cell(str(events), sort=events),
            Cell(" ".join(record.drift.get("moved", ()))),
        )

    def show_model(self, request: Request) -> Response:
        """Show a model's card."""
        models = self.desk.parts.detectors.models
        record = models.show_model(request.caller, request.args["model_id"])
        card = [
            (title, card_text(record.card[name]))
            for name, title in _CARD.items()
            if name in record.card
        ]
        return self.desk.page(
            request,
            "detectors/model.html",
            record=record,
            heading=_KINDS[record.kind],
            state=_STATES[record.state],
            card=card,
            psi=sorted(record.drift.get("psi", {}).items(), key=lambda pair: -pair[1]),
            moved=frozenset(record.drift.get("moved", ())),
        )

    def ask_training(self, request: Request) -> Response:
        """Have a model trained by the scheduler."""
        models = self.desk.parts.detectors.models
        models.ask_training(request.caller, request.form.get("kind", ""))
        return redirect("/models")

    def list_logins(self, request: Request) -> Response:
        """Show the sign-ins of 30 days that were found unusual."""
        found = self.desk.parts.detectors.models.list_logins(request.caller)
        rows = [self._login(request, event) for event in found]
        table = Table(N_("异常登录"), _LOGINS, rows, None, N_("30 天内没有异常登录"))
        may = request.caller.may(LOGIN_JUDGE)
        return self.desk.list_page(request, "detectors/logins.html", table, may=may)

    def _login(self, request: Request, event: StoredEvent) -> tuple[Cell, ...]:
        login = login_json(event)
        answer = self.desk.renderer.word(request, _ANSWERS.get(login["answer"], login["answer"]))
        risk = login["risk"] or 0
        return (
            Cell("", instant=from_rfc3339(login["at"])),
            Cell(login["account"]),
            Cell(answer, badge="severity-medium" if login["alert"] else ""),
            Cell(f"{risk:.4%}", sort=int(risk * 1_000_000)),
            Cell(", ".join(_reason(text) for text in login["why"][:3])),
            Cell(login["session"]),
        )

    def judge_login(self, request: Request) -> Response:
        """Say whether a sign-in was its owner's."""
        form = request.form
        verdict: Literal["good", "bad"] = "good" if form.get("verdict") == "good" else "bad"
        self.desk.parts.detectors.models.judge_login(
            request.caller, form.get("session", "").strip(), verdict, form.get("reason", "")
        )
        return redirect("/logins")


def _reason(text: str) -> str:
    """Return ``source.country:4120:0`` as ``source.country e^4.1``."""
    name, _, rest = text.partition(":")
    weight = rest.partition(":")[0]
    return f"{name} e^{int(weight) / 1000:.1f}" if weight.lstrip("-").isdigit() else name


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of models."""
    here = _Models(desk)
    return (
        get_page("/models", "show_models", MODEL_READ, here.list_models),
        get_page("/models/<model_id>", "show_model_page", MODEL_READ, here.show_model),
        post_page("/models/train", "ask_training_form", MODEL_TRAIN, here.ask_training),
        get_page("/logins", "show_logins", MODEL_READ, here.list_logins),
        post_page("/logins/judge", "judge_login_form", LOGIN_JUDGE, here.judge_login),
    )
