"""OpenPGP: own keys, partners and their approval, and an export protected in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from kms.models.openpgp import (
    MAX_EXPORT,
    MAX_PARTNER_KEY,
    OPENPGP_ALGORITHMS,
    OpenPgpAlgorithm,
    OpenPgpKey,
    Partner,
)
from secops.console.parts import Desk, chosen_file, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.permissions.kms import OPENPGP_CONFIGURE, OPENPGP_READ, OPENPGP_USE
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_HERE: Final = "/openpgp"
_STATES: Final = {
    "requested": N_("待审批"),
    "active": N_("有效"),
    "rejected": N_("已驳回"),
    "retired": N_("已停用"),
}
_BADGES: Final = {"requested": "warn", "active": "good", "rejected": "bad"}
_PARTNERS: Final = (
    Column("name", N_("合作方")),
    Column("state", N_("状态")),
    Column("fingerprint", N_("指纹")),
    Column("user_id", N_("公钥持有人")),
    Column("algorithm", N_("算法")),
    Column("expires", N_("有效至")),
    Column("reason", N_("理由")),
)
_KEYS: Final = (
    Column("user_id", N_("名称")),
    Column("state", N_("状态")),
    Column("fingerprint", N_("指纹")),
    Column("algorithm", N_("算法")),
    Column("created", N_("创建时间")),
    Column("expires", N_("有效至")),
)


@dataclass(frozen=True, slots=True)
class _OpenPgp:
    desk: Desk

    def show_openpgp(self, request: Request) -> Response:
        """Show partners, own keys, and the forms of who may fill them."""
        kms, caller = self.desk.parts.kms, request.caller
        page = kms.partners.list_partners(caller, wanted_page(request))
        rows = [self._partner_row(request, each) for each in page.items]
        table = Table(N_("合作方"), _PARTNERS, rows, page.next, N_("还没有合作方"))
        keys = kms.openpgp_keys.list_openpgp_keys(caller, PageRequest(MAX_LIMIT))
        listed = [self._key_row(request, each) for each in keys.items]
        return self.desk.list_page(
            request,
            "kms/openpgp.html",
            table,
            keys=view_table(request, Table(N_("本单位签名密钥"), _KEYS, listed, empty=N_("没有"))),
            waiting=[each for each in page.items if each.state == "requested"],
            active=[each for each in page.items if each.state == "active"],
            own=[each for each in keys.items if each.state == "active"],
            algorithms=OPENPGP_ALGORITHMS,
            may_configure=caller.may(OPENPGP_CONFIGURE),
            may_use=caller.may(OPENPGP_USE),
        )

    def _partner_row(self, request: Request, partner: Partner) -> tuple[Cell, ...]:
        return (
            Cell(partner.name),
            self._state(request, partner.state),
            Cell(partner.fingerprint),
            Cell(partner.user_id),
            Cell(partner.algorithm),
            Cell("", instant=partner.expires_at),
            Cell(partner.reason),
        )

    def _key_row(self, request: Request, key: OpenPgpKey) -> tuple[Cell, ...]:
        return (
            Cell(key.user_id, href=f"{_HERE}/keys/{key.id}"),
            self._state(request, key.state),
            Cell(key.fingerprint),
            Cell(key.algorithm),
            Cell("", instant=key.created_at),
            Cell("", instant=key.expires_at),
        )

    def _state(self, request: Request, state: str) -> Cell:
        return Cell(self.desk.renderer.word(request, _STATES[state]), badge=_BADGES.get(state, ""))

    def export_openpgp_key(self, request: Request) -> Response:
        """Hand out the public half of a key."""
        key = self.desk.parts.kms.openpgp_keys.show_openpgp_key(
            request.caller, request.args["key_id"]
        )
        name = f"{key.fingerprint}.asc"
        return file_response(key.public_key.encode(), "application/pgp-keys", name)

    def create_openpgp_key(self, request: Request) -> Response:
        """Make the key that signs from now on."""
        form = request.form
        self.desk.parts.kms.openpgp_keys.create_openpgp_key(
            request.caller,
            form.get("name", "").strip(),
            form.get("email", "").strip(),
            cast("OpenPgpAlgorithm", form.get("algorithm", OPENPGP_ALGORITHMS[0])),
        )
        return redirect(_HERE)

    def retire_openpgp_key(self, request: Request) -> Response:
        """Let a key sign no more."""
        self.desk.parts.kms.openpgp_keys.retire_openpgp_key(request.caller, request.args["key_id"])
        return redirect(_HERE)

    def request_partner(self, request: Request) -> Response:
        """Ask that exports may go to a partner."""
        upload = chosen_file(request, "public_key", "choose the partner's public key")
        form = request.form
        self.desk.parts.kms.partners.request_partner(
            request.caller,
            form.get("name", "").strip(),
            upload.content,
            reason=form.get("reason", ""),
        )
        return redirect(_HERE)

    def decide_partner(self, request: Request) -> Response:
        """Approve by the fingerprint that was asked for, or reject."""
        form = request.form
        self.desk.parts.kms.partners.decide_partner(
            request.caller,
            request.args["partner_id"],
            grant=granted(form),
            reason=form.get("reason", ""),
            fingerprint=form.get("fingerprint", ""),
        )
        return redirect(_HERE)

    def retire_partner(self, request: Request) -> Response:
        """Let nothing go to a partner any more."""
        self.desk.parts.kms.partners.retire_partner(request.caller, request.args["partner_id"])
        return redirect(_HERE)

    def protect_export(self, request: Request) -> Response:
        """Sign and encrypt the uploaded file; nothing of it stays here."""
        upload = chosen_file(request, "export", "choose the file to be protected")
        exports, partner = self.desk.parts.kms.exports, request.form.get("partner", "")
        if partner:
            export = exports.protect_export(request.caller, upload.content, (partner,))
            return file_response(export.message, "application/pgp-encrypted", "export.pgp")
        export = exports.sign_export(request.caller, upload.content)
        return file_response(export.message, "application/pgp-signature", "export.asc")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the OpenPGP page."""
    here, configure = _OpenPgp(desk), OPENPGP_CONFIGURE
    key, partner = f"{_HERE}/keys/<key_id>", f"{_HERE}/partners/<partner_id>"
    return (
        get_page(_HERE, "show_openpgp_page", OPENPGP_READ, here.show_openpgp),
        get_page(key, "export_openpgp_key_page", OPENPGP_READ, here.export_openpgp_key),
        post_page(
            f"{_HERE}/keys",
            "create_openpgp_key_form",
            configure,
            here.create_openpgp_key,
            level=2,
        ),
        post_page(
            f"{key}/retire", "retire_openpgp_key_form", configure, here.retire_openpgp_key, level=2
        ),
        post_page(
            f"{_HERE}/partners",
            "request_partner_form",
            configure,
            here.request_partner,
            max_body=MAX_PARTNER_KEY + FRAMING,
            level=2,
        ),
        post_page(
            f"{partner}/decide", "decide_partner_form", configure, here.decide_partner, level=2
        ),
        post_page(
            f"{partner}/retire", "retire_partner_form", configure, here.retire_partner, level=2
        ),
        post_page(
            f"{_HERE}/exports",
            "protect_export_form",
            OPENPGP_USE,
            here.protect_export,
            max_body=MAX_EXPORT + FRAMING,
            level=2,
        ),
    )
