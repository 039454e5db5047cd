"""What waits for a second person about seals: applications, single uses, destruction; receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from kms.models.seal_registry import SealedValue, UseForm
from kms.models.seal_requests import SealUseWish
from kms.models.seals import MAX_FILE
from kms.service.seals.receipts import receipt_record
from secops.console.kms.seals import (
    APPROVAL_STATES,
    FORMS,
    SHAPES,
    optional_upload,
    sealed_file,
    stamping_of_form,
)
from secops.console.parts import FRESH, Desk, chosen_file, get_page, granted, png_picture, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.crypto.hashes import sm3
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    SEAL_APPROVE,
    SEAL_APPROVE_USE,
    SEAL_DESTROY,
    SEAL_MAKE,
    SEAL_READ,
    SEAL_USE,
)
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_BODY: Final = MAX_FILE + FRAMING
_PDF: Final[dict[str, UseForm]] = {"pades": "pdf", "sm2": "pdf_sm2"}
_COLUMNS: Final = (
    Column("file", N_("文件名")),
    Column("sm3", N_("文件 SM3")),
    Column("purpose", N_("用途")),
    Column("requester", N_("申请人")),
    Column("state", N_("状态")),
    Column("requested", N_("申请时间")),
    Column("expires", N_("有效至")),
)
_BADGES: Final = {"pending": "warn", "approved": "info", "used": "good", "rejected": "bad"}


@dataclass(frozen=True, slots=True)
class _Requests:
    desk: Desk

    def show_application(self, request: Request) -> Response:
        """Show exactly what would be made: the picture, its measures, the holders."""
        kms, caller = self.desk.parts.kms, request.caller
        view = kms.seal_applications.show_application(caller, request.args["application_id"])
        return self.desk.page(
            request,
            "kms/seal_application.html",
            application=view.application,
            approval=view.approval,
            picture=png_picture(view.picture),
            shapes=SHAPES,
            state=APPROVAL_STATES[view.approval.state],
            badge=_BADGES.get(view.approval.state, ""),
            may_approve=caller.may(SEAL_APPROVE)
            and view.approval.state == "pending"
            and view.approval.requester_id != caller.id,
            may_make=caller.may(SEAL_MAKE) and view.approval.state == "approved",
        )

    def list_requests(self, request: Request) -> Response:
        """Show requests for single uses."""
        kms, caller = self.desk.parts.kms, request.caller
        page = kms.seal_use_requests.list_seal_use_requests(caller, wanted_page(request))
        word = self.desk.renderer.word
        rows = [
            (
                Cell(each.file_name, href=f"/seals/use-requests/{each.id}"),
                Cell(each.digest),
                Cell(each.purpose),
                Cell(each.requester),
                Cell(
                    word(request, APPROVAL_STATES[approval.state]),
                    badge=_BADGES.get(approval.state, ""),
                ),
                Cell("", instant=each.requested_at),
                Cell("", instant=each.expires_at),
            )
            for each, approval in page.items
        ]
        table = Table(N_("单次用章申请"), _COLUMNS, rows, page.next, N_("没有单次用章申请"))
        return self.desk.list_page(request, "kms/seal_use_requests.html", table)

    def show_request(self, request: Request) -> Response:
        """Show one request: which document, where on it, what for, and the file if it is kept."""
        kms, caller = self.desk.parts.kms, request.caller
        view = kms.seal_use_requests.show_seal_use_request(caller, request.args["request_id"])
        mine = view.request.requester_id == caller.id
        return self.desk.page(
            request,
            "kms/seal_use_request.html",
            use=view.request,
            seal=view.seal,
            approval=view.approval,
            form=FORMS[view.request.form],
            state=APPROVAL_STATES[view.approval.state],
            badge=_BADGES.get(view.approval.state, ""),
            may_read=bool(view.request.document) and (mine or caller.may(SEAL_APPROVE_USE)),
            may_decide=caller.may(SEAL_APPROVE_USE)
            and view.approval.state == "pending"
            and not mine,
            may_use=mine and view.approval.state == "approved",
        )

    def request_seal_use(self, request: Request) -> Response:
        """Ask another person to approve one use."""
        upload = chosen_file(request, "document", "choose the file to be sealed")
        form = request.form
        made = self.desk.parts.kms.seal_use_requests.request_seal_use(
            request.caller,
            SealUseWish(
                seal_id=request.args["seal_id"],
                digest=sm3(upload.content),
                file_name=upload.filename.rpartition("/")[2],
                form=_form(form, upload.filename),
                purpose=form.get("purpose", ""),
                stamping=stamping_of_form(form),
                document_class=form.get("document_class", "").strip(),
                document=None if form.get("digest_only") == "on" else upload.content,
            ),
        )
        return redirect(f"/seals/use-requests/{made.id}")

    def decide_seal_use(self, request: Request) -> Response:
        """Approve or reject it."""
        form, request_id = request.form, request.args["request_id"]
        self.desk.parts.kms.seal_use_requests.decide_seal_use(
            request.caller,
            request_id,
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(f"/seals/use-requests/{request_id}")

    def use_approved_seal(self, request: Request) -> Response:
        """Seal what was approved and give it out."""
        sealed = self.desk.parts.kms.seal_use_requests.use_approved_seal(
            request.caller, request.args["request_id"], optional_upload(request, "document")
        )
        body = sealed.value if isinstance(sealed, SealedValue) else sealed.document
        return sealed_file(sealed.use, body)

    def read_document(self, request: Request) -> Response:
        """Give the kept file to who decides."""
        found = self.desk.parts.kms.seal_use_requests.read_requested_document(
            request.caller, request.args["request_id"]
        )
        return file_response(found.content, "application/octet-stream", found.safe_name)

    def show_receipt(self, request: Request) -> Response:
        """Give the receipt of a use as a file."""
        use_id = request.args["use_id"]
        receipt = self.desk.parts.kms.seal_receipts.show_receipt(request.caller, use_id)
        content = orjson.dumps(receipt_record(receipt), option=orjson.OPT_INDENT_2)
        return file_response(content, "application/json", f"{receipt.use.id}.receipt.json")

    def destroy(self, request: Request) -> Response:
        """Ask for a seal's destruction, or decide it."""
        form, seal_id, reason = (
            request.form,
            request.args["seal_id"],
            request.form.get("reason", ""),
        )
        destruction = self.desk.parts.kms.seal_destruction
        if form.get("do") == "request":
            destruction.request_seal_destruction(request.caller, seal_id, reason)
        elif form.get("do") in ("grant", "reject"):
            destruction.decide_seal_destruction(
                request.caller, seal_id, grant=form["do"] == "grant", reason=reason
            )
        else:
            raise Invalid("a destruction is asked for, approved or rejected")
        return redirect(f"/seals/{seal_id}")


def _form(form: Mapping[str, str], name: str) -> UseForm:
    if form.get("form") != "inside":
        return "detached"
    if name.lower().endswith(".ofd"):
        return "ofd"
    return _PDF.get(form.get("pdf", ""), "pdf")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of what waits about seals."""
    here = _Requests(desk)
    one = "/seals/use-requests/<request_id>"
    return (
        get_page(
            "/seals/applications/<application_id>",
            "show_application_page",
            SEAL_READ,
            here.show_application,
        ),
        get_page("/seals/use-requests", "show_seal_use_requests", SEAL_READ, here.list_requests),
        get_page(one, "show_seal_use_request_page", SEAL_READ, here.show_request),
        get_page(f"{one}/document", "read_requested_document_page", SEAL_READ, here.read_document),
        get_page("/seals/uses/<use_id>/receipt", "show_receipt_page", SEAL_READ, here.show_receipt),
        post_page(
            "/seals/<seal_id>/use-requests",
            "request_seal_use_form",
            SEAL_USE,
            here.request_seal_use,
            max_body=_BODY,
            level=2,
        ),
        post_page(
            f"{one}/decide", "decide_seal_use_form", SEAL_APPROVE_USE, here.decide_seal_use, level=2
        ),
        post_page(
            f"{one}/use",
            "use_approved_seal_form",
            SEAL_USE,
            here.use_approved_seal,
            max_body=_BODY,
            **FRESH,
        ),
        post_page(
            "/seals/<seal_id>/destruction",
            "destroy_seal_form",
            SEAL_DESTROY,
            here.destroy,
            **FRESH,
        ),
    )
