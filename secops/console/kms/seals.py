"""Seals: apply, approve, make, use, suspend; each by who may."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from kms.models.seal_policies import show_minutes
from kms.models.seal_registry import SealRecord, SealRequest, SealShape, SealUse
from kms.models.seals import MAX_FILE
from kms.models.stamps import EdgePlace, Stamping, StampPlace, StampRequest
from kms.service.seals.pades_words import pades_of
from secops.console.days import day_picture
from secops.console.kms.policies import DAY_NAMES, USE_APPROVALS
from secops.console.parts import (
    FRESH,
    Desk,
    chosen_file,
    get_page,
    granted,
    png_picture,
    post_page,
    whole_number,
)
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.crypto.hashes import sm3
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.kms import (
    SEAL_APPLY,
    SEAL_APPROVE,
    SEAL_CONFIGURE,
    SEAL_DESTROY,
    SEAL_MAKE,
    SEAL_READ,
    SEAL_SUSPEND,
    SEAL_USE,
)
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_MAX_PICTURE: Final = 1 << 20
_MAX_NUMBER: Final = 12
_PAGE_DIGITS: Final = 4
SEAL_STATES: Final = {
    "active": N_("有效"),
    "suspended": N_("已停用"),
    "revoked": N_("已吊销"),
    "destroyed": N_("已销毁"),
}
ORIGIN_NAMES: Final = {"local": N_("本系统"), "remote": N_("省级电子印章系统")}
APPROVAL_STATES: Final = {
    "pending": N_("待审批"),
    "approved": N_("已批准"),
    "rejected": N_("已驳回"),
    "used": N_("已办结"),
    "expired": N_("已过期"),
}
FORMS: Final = {
    "detached": N_("单独的签章值"),
    "ofd": N_("签入 OFD"),
    "pdf": N_("签入 PDF"),
    "pdf_sm2": N_("以 SM2 签入 PDF"),
}
SHAPES: Final = {"round": N_("圆章"), "oval": N_("椭圆章"), "square": N_("方章")}
_COLUMNS: Final = (
    Column("name", N_("印章")),
    Column("shape", N_("形状")),
    Column("state", N_("状态")),
    Column("origin", N_("所在")),
    Column("until", N_("有效至")),
    Column("marking", N_("标记")),
)
_USES: Final = (
    Column("at", N_("时间")),
    Column("receipt", N_("回执")),
    Column("holder", N_("使用人")),
    Column("purpose", N_("用途")),
    Column("class", N_("文件类别")),
    Column("form", N_("方式")),
    Column("sm3", N_("文件 SM3")),
)


@dataclass(frozen=True, slots=True)
class _Seals:
    desk: Desk

    def list_seals(self, request: Request) -> Response:
        """Show the registry and the applications."""
        kms, caller = self.desk.parts.kms, request.caller
        page = kms.seal_registry.list_seals(caller, wanted_page(request))
        rows = [self._row(request, seal) for seal in page.items]
        table = Table(N_("电子印章"), _COLUMNS, rows, page.next, N_("还没有印章"))
        applications = kms.seal_applications.list_applications(caller, PageRequest())
        return self.desk.list_page(
            request,
            "kms/seals.html",
            table,
            applications=applications.items,
            shapes=SHAPES,
            approval_states=APPROVAL_STATES,
            may_apply=caller.may(SEAL_APPLY),
            may_approve=caller.may(SEAL_APPROVE),
            may_make=caller.may(SEAL_MAKE),
        )

    def _row(self, request: Request, seal: SealRecord) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        return (
            Cell(seal.name, href=f"/seals/{seal.id}"),
            Cell(word(request, SHAPES.get(seal.shape, seal.shape))),
            Cell(
                word(request, SEAL_STATES.get(seal.state, seal.state)),
                badge="good" if seal.state == "active" else "bad",
            ),
            Cell(word(request, ORIGIN_NAMES[seal.origin])),
            Cell("", instant=seal.valid_until),
            Cell(seal.marking, badge="warn" if seal.marking else ""),
        )

    def apply_seal(self, request: Request) -> Response:
        """Apply for a seal."""
        form, picture = request.form, optional_upload(request, "picture")
        wish = SealRequest(
            name=form.get("name", "").strip(),
            shape=cast("SealShape", form.get("shape", "round")),
            organization=form.get("organization", "").strip(),
            holders=tuple(name.strip() for name in form.get("holders", "").split() if name.strip()),
            reason=form.get("reason", ""),
            format_version=5 if form.get("format_version") == "5" else 4,
            code=form.get("code", "").strip(),
            picture=picture,
            origin="remote" if form.get("origin") == "remote" else "local",
        )
        self.desk.parts.kms.seal_applications.apply_seal(request.caller, wish)
        return redirect("/seals")

    def decide_application(self, request: Request) -> Response:
        """Approve or reject an application."""
        form = request.form
        self.desk.parts.kms.seal_applications.decide_application(
            request.caller,
            request.args["application_id"],
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect("/seals")

    def make_seal(self, request: Request) -> Response:
        """Make the seal of an approved application."""
        made = self.desk.parts.kms.seal_making.make_seal(
            request.caller, request.args["application_id"]
        )
        return redirect(f"/seals/{made.id}")

    def show_seal(self, request: Request) -> Response:
        """Show one seal: picture, holders, uses."""
        kms, caller, seal_id = self.desk.parts.kms, request.caller, request.args["seal_id"]
        details = kms.seal_registry.show_seal(caller, seal_id)
        names = {holder.account_id: holder.name for holder in details.holders}
        page = kms.seal_using.list_uses(caller, seal_id, wanted_page(request))
        rows = [self._use_row(request, use, names) for use in page.items]
        record = details.record
        holds = any(holder.account_id == caller.id for holder in details.holders)
        return self.desk.list_page(
            request,
            "kms/seal.html",
            Table(N_("每次用章均在审计账本中"), _USES, rows, page.next, N_("尚未使用")),
            seal=record,
            holders=details.holders,
            picture=png_picture(details.picture),
            days_used=day_picture(kms.seal_using.count_uses(caller, seal_id)),
            names=names,
            state=SEAL_STATES.get(record.state, record.state),
            origin=ORIGIN_NAMES[record.origin],
            may_use=holds and caller.may(SEAL_USE) and record.state == "active",
            may_suspend=caller.may(SEAL_SUSPEND),
            may_configure=caller.may(SEAL_CONFIGURE),
            may_destroy=caller.may(SEAL_DESTROY) and record.state == "revoked",
            loss=kms.seal_destruction.show_loss(caller, seal_id),
            caller_id=caller.id,
            approval_states=APPROVAL_STATES,
            policy=kms.seal_policies.show_use_policy(caller, seal_id),
            approvals=USE_APPROVALS,
            minutes=show_minutes,
            days=DAY_NAMES,
        )

    def _use_row(
        self, request: Request, use: SealUse, names: Mapping[str, str]
    ) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        receipt = Cell("—")
        if use.leaf_hash:
            receipt = Cell(word(request, N_("下载")), href=f"/seals/uses/{use.id}/receipt")
        return (
            Cell("", instant=use.used_at),
            receipt,
            Cell(names.get(use.account_id, use.account_id)),
            Cell(use.purpose),
            Cell(use.document_class),
            Cell(word(request, FORMS[use.form])),
            Cell(use.digest),
        )

    def use_seal(self, request: Request) -> Response:
        """Seal the uploaded file: only its SM3 leaves this process's memory."""
        upload = chosen_file(request, "document", "choose the file to be sealed")
        form = request.form
        sealed = self.desk.parts.kms.seal_using.use_seal(
            request.caller,
            request.args["seal_id"],
            document_digest=sm3(upload.content),
            purpose=form.get("purpose", ""),
            document_class=form.get("document_class", "").strip(),
        )
        return sealed_file(sealed.use, sealed.value)

    def stamp_document(self, request: Request) -> Response:
        """Put the seal into the uploaded OFD or PDF; nothing of it stays here."""
        upload = chosen_file(request, "document", "choose the OFD or PDF to be sealed")
        form = request.form
        sealed = self.desk.parts.kms.seal_stamping.stamp_document(
            request.caller,
            request.args["seal_id"],
            StampRequest(
                upload.content,
                stamping_of_form(form),
                form.get("purpose", ""),
                "sm2" if form.get("pdf") == "sm2" else "pades",
                form.get("document_class", "").strip(),
                pades=pades_of(form),
            ),
        )
        return sealed_file(sealed.use, sealed.document)

    def switch_seal(self, request: Request) -> Response:
        """Suspend, resume or revoke."""
        form, seal_id = request.form, request.args["seal_id"]
        registry = self.desk.parts.kms.seal_registry
        acts = {
            "suspend": registry.suspend_seal,
            "resume": registry.resume_seal,
            "revoke": registry.revoke_seal,
        }
        act = acts.get(form.get("to", ""))
        if act is None:
            raise Invalid("a seal is suspended, resumed or revoked")
        act(request.caller, seal_id, form.get("reason", ""))
        return redirect(f"/seals/{seal_id}")


def optional_upload(request: Request, name: str) -> bytes | None:
    """Return the file ``name`` of a form, None where none was chosen or the form has no files."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return None
    upload = request.files.get(name)
    return None if upload is None or not upload.content else upload.content


def sealed_file(use: SealUse, content: bytes) -> Response:
    """Return what a use gave as a file called like the use."""
    suffix = {"detached": "dat", "ofd": "ofd"}.get(use.form, "pdf")
    kind = "octet-stream" if suffix == "dat" else suffix
    return file_response(content, f"application/{kind}", f"{use.id}.{suffix}")


def stamping_of_form(form: Mapping[str, str]) -> Stamping:
    """Return the place that a form names: a page's, across the edges, or both."""
    places: tuple[StampPlace, ...] = ()
    if any(form.get(name, "").strip() for name in ("x", "y")):
        places = (StampPlace(_page(form), _number(form, "x"), _number(form, "y")),)
    edge = form.get("edge", "").strip()
    return Stamping(places, EdgePlace(_number(form, "edge")) if edge else None)


def _page(form: Mapping[str, str]) -> int:
    text = form.get("page", "").strip()
    number = whole_number(text.removeprefix("-"), _PAGE_DIGITS)
    if number is None:
        raise Invalid("page is a number")
    return -number if text.startswith("-") else number


def _number(form: Mapping[str, str], name: str) -> float:
    text = form.get(name, "").strip()
    try:
        return float(text[: _MAX_NUMBER + 1]) if len(text) <= _MAX_NUMBER else math.nan
    except ValueError as error:
        raise Invalid(f"{name} is a number") from error


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the seal pages."""
    here = _Seals(desk)
    application = "/seals/applications/<application_id>"
    return (
        get_page("/seals", "show_seals", SEAL_READ, here.list_seals),
        post_page(
            "/seals/apply",
            "apply_seal_form",
            SEAL_APPLY,
            here.apply_seal,
            max_body=_MAX_PICTURE + FRAMING,
        ),
        post_page(
            f"{application}/decide",
            "decide_application_form",
            SEAL_APPROVE,
            here.decide_application,
        ),
        post_page(f"{application}/make", "make_seal_form", SEAL_MAKE, here.make_seal),
        get_page("/seals/<seal_id>", "show_seal_page", SEAL_READ, here.show_seal),
        post_page(
            "/seals/<seal_id>/use",
            "use_seal_form",
            SEAL_USE,
            here.use_seal,
            max_body=MAX_FILE + FRAMING,
            **FRESH,
        ),
        post_page(
            "/seals/<seal_id>/stamp",
            "stamp_document_form",
            SEAL_USE,
            here.stamp_document,
            max_body=MAX_FILE + FRAMING,
            **FRESH,
        ),
        post_page("/seals/<seal_id>/switch", "switch_seal_form", SEAL_SUSPEND, here.switch_seal),
    )
