"""One's own factors: what every signed-in person does for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iam.errors import (
    LastFactor,
    PasskeyKnown,
    PasskeyRefused,
    PasswordWeak,
    SignInRefused,
)
from iam.models.factors import Factor
from secops.console.iam.words import FACTOR_KINDS
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.shared import qr_picture
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError, TooMany
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the caller's own factors")
_COLUMNS: Final = (
    Column("kind", N_("类别")),
    Column("name", N_("名称")),
    Column("state", N_("状态")),
    Column("since", N_("设置时间")),
    Column("used", N_("最近使用")),
)
_NOTES: Final = {
    "hardware": Text("有效(专用硬件)", "in force (hardware)"),
    "synced": Text("有效(可同步)", "in force (synced)"),
    "": Text("有效", "in force"),
}
_SUSPENDED: Final = Text("已停用", "suspended")
_USED_UP: Final = Text("已用完", "used up")


@dataclass(frozen=True, slots=True)
class _Factors:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show all of the caller's factors."""
        iam, caller = self.desk.parts.iam, request.caller
        held = iam.factors.list_factors(caller)
        table = Table(N_("登录因素"), _COLUMNS, [_row(factor, request) for factor in held])
        return self.desk.list_page(
            request,
            "signin/factors.html",
            table,
            passkeys=[factor for factor in held if factor.kind == "passkey"],
            certificates=[factor for factor in held if factor.kind == "certificate"],
            passkeys_usable=iam.passkeys.usable,
            addresses=iam.message_addresses.list_addresses(caller),
            channels=iam.message_addresses.channels,
            fresh=iam.factors.is_fresh(caller),
        )

    def unbind_certificate(self, request: Request) -> Response:
        """End the binding of a certificate."""
        self.desk.parts.iam.certificates.unbind_own(request.caller, request.args["certificate"])
        return redirect("/me/factors")

    def renew_codes(self, request: Request) -> Response:
        """Show new recovery codes, once."""
        codes = self.desk.parts.iam.factors.renew_recovery_codes(request.caller)
        return self.desk.page(request, "signin/recovery_codes.html", codes=codes)

    def show_password(self, request: Request) -> Response:
        """Ask for the old and the new password."""
        return self.desk.page(request, "signin/password.html", error=None)

    def change_password(self, request: Request) -> Response:
        """Change it, and end the caller's other sessions where that was asked for."""
        form, caller, iam = request.form, request.caller, self.desk.parts.iam
        try:
            new = _typed_twice(form)
            iam.sign_in.change_password(caller, form.get("old", ""), new)
        except (SignInRefused, PasswordWeak, Invalid, TooMany) as error:
            return self.desk.page(request, "signin/password.html", error.status, error=error)
        if form.get("others") == "end":
            iam.sessions.end_others(caller)
        return redirect("/me/factors")


@dataclass(frozen=True, slots=True)
class _Passkeys:
    desk: Desk

    def new_passkey(self, request: Request) -> Response:
        """Ask the browser for a new passkey."""
        return self._ask_passkey(request)

    def _ask_passkey(self, request: Request, error: SecopsError | None = None) -> Response:
        question = self.desk.parts.iam.passkeys.ask_registration(request.caller)
        status = error.status if error else 200
        return self.desk.page(
            request, "signin/new_passkey.html", status, question=question, error=error
        )

    def add_passkey(self, request: Request) -> Response:
        """Store the passkey that the browser made."""
        form = request.form
        reference, answer = form.get("challenge", ""), form.get("answer", "")
        passkeys = self.desk.parts.iam.passkeys
        try:
            passkeys.register_passkey(request.caller, form.get("name", ""), reference, answer)
        except (PasskeyRefused, PasskeyKnown) as error:
            return self._ask_passkey(request, error)
        return redirect("/me/factors")

    def rename_passkey(self, request: Request) -> Response:
        """Give it another name."""
        name = request.form.get("name", "")
        self.desk.parts.iam.passkeys.rename_passkey(request.caller, request.args["passkey"], name)
        return redirect("/me/factors")

    def remove_passkey(self, request: Request) -> Response:
        """Take it away."""
        self.desk.parts.iam.passkeys.remove_passkey(request.caller, request.args["passkey"])
        return redirect("/me/factors")


@dataclass(frozen=True, slots=True)
class _Totp:
    desk: Desk

    def show_totp(self, request: Request) -> Response:
        """Show a new secret for the authenticator app."""
        return self._ask_totp(request)

    def _ask_totp(self, request: Request, error: SecopsError | None = None) -> Response:
        new = self.desk.parts.iam.factors.ask_totp(request.caller)
        qr, status = qr_picture(new.otpauth_uri), error.status if error else 200
        return self.desk.page(request, "signin/totp.html", status, new=new, qr=qr, error=error)

    def replace_totp(self, request: Request) -> Response:
        """Put the new secret into force once a code proved it."""
        form = request.form
        code = form.get("code", "").strip()
        try:
            self.desk.parts.iam.factors.replace_totp(
                request.caller, form.get("reference", ""), code
            )
        except SignInRefused as error:
            return self._ask_totp(request, error)
        return redirect("/me/factors")

    def remove_totp(self, request: Request) -> Response:
        """Take the authenticator app away, if something else is left."""
        try:
            self.desk.parts.iam.factors.remove_totp(request.caller)
        except LastFactor as error:
            return self._ask_totp(request, error)
        return redirect("/me/factors")


def _typed_twice(form: Mapping[str, str]) -> str:
    if form.get("password") != form.get("repeat"):
        msg = "the two passwords differ"
        raise Invalid(msg)
    return form.get("password", "")


def _row(factor: Factor, request: Request) -> tuple[Cell, ...]:
    state = _NOTES.get(factor.note, _NOTES[""]) if factor.usable else _SUSPENDED
    if factor.kind == "recovery" and not factor.usable:
        state = _USED_UP
    return (
        Cell(FACTOR_KINDS[factor.kind].into(request.language)),
        Cell(factor.name or "—"),
        Cell(state.into(request.language), badge="good" if factor.usable else "warn"),
        Cell("", instant=factor.since) if factor.since else Cell("—"),
        Cell("", instant=factor.last_used_at) if factor.last_used_at else Cell("—"),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of one's own factors."""
    here, keys, app = _Factors(desk), _Passkeys(desk), _Totp(desk)
    one = "/me/passkeys/<passkey>"
    fresh = {"fresh_seconds": FRESH_SECONDS}
    return (
        get_page("/me/factors", "show_factors", _OWN, here.show),
        get_page("/me/passkeys/new", "new_passkey", _OWN, keys.new_passkey),
        post_page("/me/passkeys", "add_passkey", _OWN, keys.add_passkey, **fresh),
        post_page(f"{one}/name", "rename_passkey_form", _OWN, keys.rename_passkey, **fresh),
        post_page(f"{one}/remove", "remove_passkey_form", _OWN, keys.remove_passkey, **fresh),
        post_page(
            "/me/certificates/<certificate>/remove",
            "unbind_certificate_form",
            _OWN,
            here.unbind_certificate,
            **fresh,
        ),
        get_page("/me/totp", "show_totp", _OWN, app.show_totp),
        post_page("/me/totp", "replace_totp_form", _OWN, app.replace_totp, **fresh),
        post_page("/me/totp/remove", "remove_totp_form", _OWN, app.remove_totp, **fresh),
        post_page("/me/recovery-codes", "renew_codes_form", _OWN, here.renew_codes, **fresh),
        get_page("/me/password", "show_password", _OWN, here.show_password),
        post_page("/me/password", "change_password_form", _OWN, here.change_password, **fresh),
    )
