"""Trust anchors (信任锚): proposed, decided on a card that shows the certificate, retired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.certificates import ANCHOR_USES, AnchorEntry
from secops.console.kms.seals import APPROVAL_STATES
from secops.console.parts import Desk, chosen_file, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.kms import (
    ANCHOR_APPROVE,
    ANCHOR_PROPOSE,
    ANCHOR_READ,
    ANCHOR_RETIRE,
    CERTIFICATE_IMPORT,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_HERE: Final = "/trust-anchors"
_MAX_CERTIFICATE: Final = 128 << 10
_MAX_LIST: Final = 9 << 20
USES: Final = {
    "seals": N_("制章与用章"),
    "documents": N_("无印章的文档签名"),
    "time_stamps": N_("时间戳"),
}
_STATES: Final = {"proposed": N_("待审批"), "active": N_("已信任"), "retired": N_("已停用")}
_BADGES: Final = {"proposed": "warn", "active": "good", "retired": "bad"}
_COLUMNS: Final = (
    Column("subject", N_("主体")),
    Column("uses", N_("用途")),
    Column("state", N_("状态")),
    Column("until", N_("有效至")),
    Column("list", N_("吊销列表有效至")),
    Column("fingerprint", N_("SHA-256 指纹")),
)


@dataclass(frozen=True, slots=True)
class _Anchors:
    desk: Desk

    def list_anchors(self, request: Request) -> Response:
        """Show the anchors, the cards that wait, and the forms."""
        caller = request.caller
        page = self.desk.parts.kms.certificates.anchors.list_anchors(caller, wanted_page(request))
        rows = [self._row(request, entry) for entry in page.items]
        table = Table(N_("信任锚"), _COLUMNS, rows, page.next, N_("还没有外部信任锚"))
        return self.desk.list_page(
            request,
            "kms/trust_anchors.html",
            table,
            waiting=[entry for entry in page.items if entry.approval.state == "pending"],
            active=[entry for entry in page.items if entry.anchor.state == "active"],
            uses=USES,
            approval_states=APPROVAL_STATES,
            may_propose=caller.may(ANCHOR_PROPOSE),
            may_approve=caller.may(ANCHOR_APPROVE),
            may_retire=caller.may(ANCHOR_RETIRE),
            may_import=caller.may(CERTIFICATE_IMPORT),
        )

    def _row(self, request: Request, entry: AnchorEntry) -> tuple[Cell, ...]:
        word, anchor, known = self.desk.renderer.word, entry.anchor, entry.revocation_list
        stale = known is not None and known.next_update < self.desk.parts.clock.now()
        return (
            Cell(anchor.subject),
            Cell("、".join(word(request, USES[use]) for use in anchor.uses)),
            Cell(word(request, _STATES[anchor.state]), badge=_BADGES[anchor.state]),
            Cell("", instant=anchor.not_after),
            Cell(word(request, N_("没有吊销列表")))
            if known is None
            else Cell("", instant=known.next_update, badge="bad" if stale else ""),
            Cell(anchor.fingerprint),
        )

    def propose_anchor(self, request: Request) -> Response:
        """Propose the certificate in the form."""
        form = request.form
        self.desk.parts.kms.certificates.anchors.propose_anchor(
            request.caller,
            form.get("certificate", "").encode(),
            [use for use in ANCHOR_USES if form.get(f"use_{use}") == "on"],
            form.get("reason", ""),
        )
        return redirect(_HERE)

    def decide_anchor(self, request: Request) -> Response:
        """Believe it from now on, or not."""
        form = request.form
        self.desk.parts.kms.certificates.anchors.decide_anchor(
            request.caller,
            request.args["anchor_id"],
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(_HERE)

    def retire_anchor(self, request: Request) -> Response:
        """Believe it no more."""
        self.desk.parts.kms.certificates.anchors.retire_anchor(
            request.caller, request.args["anchor_id"], request.form.get("reason", "")
        )
        return redirect(_HERE)

    def import_revocation_list(self, request: Request) -> Response:
        """Take over the list in the form."""
        upload = chosen_file(request, "list", "choose the revocation list")
        self.desk.parts.kms.certificates.anchors.import_revocation_list(
            request.caller, request.args["anchor_id"], upload.content
        )
        return redirect(_HERE)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the anchors' page."""
    here = _Anchors(desk)
    one = f"{_HERE}/<anchor_id>"
    return (
        get_page(_HERE, "show_anchors", ANCHOR_READ, here.list_anchors),
        post_page(
            _HERE,
            "propose_anchor_form",
            ANCHOR_PROPOSE,
            here.propose_anchor,
            level=2,
            max_body=_MAX_CERTIFICATE,
        ),
        post_page(
            f"{one}/decide", "decide_anchor_form", ANCHOR_APPROVE, here.decide_anchor, level=2
        ),
        post_page(
            f"{one}/retire", "retire_anchor_form", ANCHOR_RETIRE, here.retire_anchor, level=2
        ),
        post_page(
            f"{one}/list",
            "import_revocation_list_form",
            CERTIFICATE_IMPORT,
            here.import_revocation_list,
            level=2,
            max_body=_MAX_LIST,
        ),
    )
