"""Notices, the unit's side: what came, and what the unit answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from playbooks.models.notices import DELIVERY_STATES, NOTICE_SEVERITIES
from playbooks.service.notices.deliveries import MAX_PROOF, DeliveryService
from playbooks.service.notices.views import ListedDelivery
from secops.console.parts import Desk, chosen_file, get_page, post_page, whole_number
from secops.console.playbooks.notices import notice_words, shown_debts
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.playbooks import NOTICE_RECEIVE, NOTICE_RECTIFY
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("reference", N_("文号")),
    Column("title", N_("标题")),
    Column("issuer", N_("发文单位")),
    Column("state", N_("状态")),
    Column("severity", N_("级别")),
    Column("owed", N_("待办")),
    Column("due", N_("截止")),
)


@dataclass(frozen=True, slots=True)
class _Deliveries:
    desk: Desk

    def list_deliveries(self, request: Request) -> Response:
        """Show what the unit was notified of; ``?state=`` filters."""
        state = request.query.get("state", "open")
        views = self.desk.parts.playbooks.notices.views
        page = views.list_deliveries(request.caller, state, wanted_page(request))
        rows = [self._row(request, each, views.now) for each in page.items]
        table = Table(N_("收到的通报"), _COLUMNS, rows, page.next, N_("没有收到通报"))
        return self.desk.list_page(
            request, "playbooks/received_notices.html", table, state=state, states=DELIVERY_STATES
        )

    def _row(self, request: Request, listed: ListedDelivery, now: int) -> tuple[Cell, ...]:
        content, language = listed.notice.content, request.language
        debts = shown_debts(listed.debts, now)
        over = self.desk.renderer.word(request, N_("已逾期"))
        owed = "、".join(
            each.name.into(language) + (f"({over})" if each.overdue else "") for each in debts
        )
        return (
            Cell(listed.notice.reference),
            Cell(content.title, href=f"/received-notices/{listed.notice.id}"),
            Cell(listed.issuer),
            Cell(DELIVERY_STATES[listed.delivery.state].into(language)),
            Cell(
                NOTICE_SEVERITIES[content.severity].into(language),
                badge=f"severity-{content.severity}",
            ),
            Cell(owed or "—", badge="bad" if any(each.overdue for each in debts) else ""),
            Cell("", instant=debts[0].due) if debts else Cell("—"),
        )

    def show_delivery(self, request: Request) -> Response:
        """Show a notice as the unit sees it."""
        return self._show(request)

    def _show(self, request: Request, **found: Any) -> Response:
        views, caller = self.desk.parts.playbooks.notices.views, request.caller
        view = views.show_delivery(caller, request.args["notice_id"])
        shown = {"verdict": None, **found}
        return self.desk.page(
            request,
            "playbooks/received_notice.html",
            **notice_words(view),
            **shown,
            unit=view.units[0],
            may_rectify=caller.may(NOTICE_RECTIFY),
        )

    def verify_file(self, request: Request) -> Response:
        """Show the notice with what verifying its seal finds, now."""
        issuing = self.desk.parts.playbooks.notices.issuing
        verdict = issuing.verify_notice_file(request.caller, request.args["notice_id"])
        return self._show(request, verdict=verdict)

    def receive_notice(self, request: Request) -> Response:
        """Sign for it."""
        self._unit.receive_notice(request.caller, request.args["notice_id"])
        return _back(request)

    def respond_notice(self, request: Request) -> Response:
        """Answer it."""
        self._unit.respond_notice(
            request.caller, request.args["notice_id"], request.form.get("text", "")
        )
        return _back(request)

    def add_proof(self, request: Request) -> Response:
        """Keep a proof file."""
        upload = chosen_file(request, "proof", "choose a file that proves it")
        name = upload.filename.replace("\\", "/").rpartition("/")[2]
        self._unit.add_proof(request.caller, request.args["notice_id"], name, upload.content)
        return _back(request)

    def rectify_notice(self, request: Request) -> Response:
        """Declare it put right."""
        self._unit.rectify_notice(
            request.caller, request.args["notice_id"], request.form.get("text", "")
        )
        return _back(request)

    def petition_notice(self, request: Request) -> Response:
        """Ask for more time, or to be let off."""
        form = request.form
        self._unit.petition_notice(
            request.caller,
            request.args["notice_id"],
            form.get("kind", ""),
            form.get("reason", ""),
            days=whole_number(form.get("days", ""), 3) or 0,
        )
        return _back(request)

    @property
    def _unit(self) -> DeliveryService:
        return self.desk.parts.playbooks.notices.deliveries


def _back(request: Request) -> Response:
    return redirect(f"/received-notices/{request.args['notice_id']}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the unit's pages."""
    here = _Deliveries(desk)
    all_of, one = "/received-notices", "/received-notices/<notice_id>"
    return (
        get_page(all_of, "show_received_notices", NOTICE_RECEIVE, here.list_deliveries),
        get_page(one, "show_received_notice_page", NOTICE_RECEIVE, here.show_delivery),
        post_page(f"{one}/seal", "verify_received_seal_form", NOTICE_RECEIVE, here.verify_file),
        post_page(f"{one}/receipt", "receive_notice_form", NOTICE_RECEIVE, here.receive_notice),
        post_page(f"{one}/response", "respond_notice_form", NOTICE_RECEIVE, here.respond_notice),
        post_page(
            f"{one}/proofs",
            "add_proof_form",
            NOTICE_RECTIFY,
            here.add_proof,
            max_body=MAX_PROOF + FRAMING,
        ),
        post_page(
            f"{one}/rectification", "rectify_notice_form", NOTICE_RECTIFY, here.rectify_notice
        ),
        post_page(f"{one}/petitions", "petition_notice_form", NOTICE_RECEIVE, here.petition_notice),
    )
