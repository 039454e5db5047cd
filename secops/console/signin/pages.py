"""The pages before anybody is known. Every refusal of a sign-in reads the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import (
    ChannelOff,
    EnrolmentRefused,
    MessageCodeNotAdmitted,
    MessageNotSent,
    PasskeyRefused,
    PasswordExpired,
    SignInRefused,
    SignInUnusual,
)
from iam.models.accounts import IdentityDocument
from iam.models.factors import PasskeyAttempt
from iam.models.messages import CodeWish
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.service.people.enrolment import EnrolmentForm
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.shared import (
    PAGES,
    ask_factor,
    device_cookie,
    go_on,
    qr_picture,
    same_origin,
)
from secops.kernel.errors import Forbidden, Invalid, SecopsError, TooMany
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_START_SECONDS: Final = 600
_YEAR_SECONDS: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class _SignIn:
    desk: Desk

    def start(self, request: Request) -> Response:
        """Begin an authorization request of the console at our own provider."""
        console = self.desk.parts.iam.console
        fresh = request.query.get("fresh") == "1"
        begun = console.start(request.query.get("next", "/"), fresh=fresh)
        cookie = console.cookie_header("rp_start", begun.cookie, max_age=_START_SECONDS)
        return redirect(begun.location, headers=(("set-cookie", cookie),))

    def show_login(self, request: Request) -> Response:
        """Ask for name and password."""
        transaction = request.query.get("transaction", "")
        if not transaction:
            return redirect("/signin")
        return self._ask_password(request, transaction)

    def _ask_password(
        self, request: Request, transaction: str, error: SecopsError | None = None
    ) -> Response:
        application = self.desk.parts.iam.authorize.client_name(transaction)
        return self.desk.page(
            request,
            "signin/login.html",
            error.status if error else 200,
            transaction=transaction,
            application=application,
            question=self.desk.parts.iam.passkeys.ask(),
            upstreams=self.desk.parts.iam.upstream_sign_in.buttons(),
            error=error,
        )

    def check_password(self, request: Request) -> Response:
        """Check name and password; ask for the second factor."""
        same_origin(request)
        form = request.form
        transaction = form.get("transaction", "")
        device = device_cookie(self.desk, request)
        attempt = PasswordAttempt(
            form.get("name", ""), form.get("password", ""), request.remote, device
        )
        try:
            reference = self.desk.parts.iam.sign_in.begin(attempt)
        except (SignInRefused, TooMany) as error:
            return self._ask_password(request, transaction, error)
        return ask_factor(self.desk, request, (transaction, reference))

    def send_code(self, request: Request) -> Response:
        """Send a code by message, and ask for it; every other factor stays on the page."""
        same_origin(request)
        form = request.form
        transaction, reference = form.get("transaction", ""), form.get("reference", "")
        wish = CodeWish(
            reference,
            form.get("channel", ""),
            request.remote,
            request.language,
            device_cookie(self.desk, request),
        )
        try:
            sent = self.desk.parts.iam.message_codes.send_code(wish)
        except SignInRefused as error:
            return self._ask_password(request, transaction, error)
        except (ChannelOff, MessageCodeNotAdmitted, MessageNotSent, TooMany) as error:
            return ask_factor(self.desk, request, (transaction, reference), error)
        return ask_factor(self.desk, request, (transaction, reference), sent=sent)

    def check_passkey(self, request: Request) -> Response:
        """Check a passkey's answer, alone or after a password, and go on."""
        same_origin(request)
        form = request.form
        transaction, second = form.get("transaction", ""), form.get("reference", "")
        iam = self.desk.parts.iam
        attempt = PasskeyAttempt(
            form.get("challenge", ""),
            form.get("answer", ""),
            request.remote,
            second,
            user_agent=request.headers.get("user-agent", ""),
            device=device_cookie(self.desk, request),
        )
        try:
            opened = iam.passkeys.sign_in(attempt)
        except (SignInRefused, PasskeyRefused) as error:
            if second:
                return ask_factor(self.desk, request, (transaction, second), error)
            return self._ask_password(request, transaction, error)
        return go_on(iam.console, transaction, opened)

    def check_factor(self, request: Request) -> Response:
        """Check the code, open the provider's session, go on with the application."""
        same_origin(request)
        form = request.form
        transaction, reference = form.get("transaction", ""), form.get("reference", "")
        iam = self.desk.parts.iam
        attempt = FactorAttempt(
            reference,
            form.get("code", "").strip(),
            request.remote,
            form.get("new_password"),
            user_agent=request.headers.get("user-agent", ""),
            device=device_cookie(self.desk, request),
        )
        try:
            opened = iam.sign_in.finish(attempt)
        except SignInRefused as error:
            return self._ask_password(request, transaction, error)
        except SignInUnusual as error:
            return ask_factor(self.desk, request, (transaction, error.reference), error)
        except (PasswordExpired, Invalid, TooMany) as error:
            return ask_factor(self.desk, request, (transaction, reference), error)
        return go_on(iam.console, transaction, opened)

    def callback(self, request: Request) -> Response:
        """Redeem the code: the console's own session begins."""
        console = self.desk.parts.iam.console
        start = request.cookies.get(console.cookie_name("rp_start"), "")
        session = console.complete(start, request.query)
        cookies = (
            ("set-cookie", console.cookie_header("rp_session", session.cookie)),
            ("set-cookie", console.cookie_header("rp_start", "")),
        )
        return redirect(session.return_to, headers=cookies)

    def sign_out(self, request: Request) -> Response:
        """End the provider's session and with it every application's."""
        same_origin(request)
        iam = self.desk.parts.iam
        iam.sessions.sign_out(request.cookies.get(iam.console.cookie_name("op_session"), ""))
        gone = [
            ("set-cookie", iam.console.cookie_header(name, ""))
            for name in ("op_session", "rp_session")
        ]
        return redirect("/signed-out", headers=gone)

    def signed_out(self, request: Request) -> Response:
        """Say that it is over."""
        return self.desk.page(request, "signin/signed_out.html")

    def set_preferences(self, request: Request) -> Response:
        """Keep the reader's language in a cookie and go back."""
        same_origin(request)
        form = request.form
        language = "en" if form.get("lang") == "en" else "zh"
        back = form.get("next", "/")
        if not back.startswith("/") or back.startswith("//") or "\\" in back:
            back = "/"
        cookie = f"lang={language}; Path=/; SameSite=Lax; HttpOnly; Max-Age={_YEAR_SECONDS}"
        return redirect(back, headers=(("set-cookie", cookie),))


@dataclass(frozen=True, slots=True)
class _Enrolment:
    desk: Desk

    def show_enrolment(self, request: Request) -> Response:
        """Ask for the enrolment token, or show what it is for."""
        token = request.query.get("token", "")
        if not token:
            return self._ask_token(request)
        return self._ask_factors(request, token)

    def _ask_token(self, request: Request, error: SecopsError | None = None) -> Response:
        status = error.status if error else 200
        return self.desk.page(request, "signin/enrol_token.html", status, error=error)

    def _ask_factors(
        self, request: Request, token: str, error: SecopsError | None = None
    ) -> Response:
        try:
            view = self.desk.parts.iam.enrolment.look(token)
        except EnrolmentRefused as refused:
            return self._ask_token(request, refused)
        return self.desk.page(
            request,
            "signin/enrol.html",
            error.status if error else 200,
            token=token,
            view=view,
            qr=qr_picture(view.otpauth_uri),
            error=error,
        )

    def enrol(self, request: Request) -> Response:
        """Set the first factors and show the recovery codes, once."""
        same_origin(request)
        form = request.form
        token = form.get("token", "")
        number = form.get("document", "").strip()
        if form.get("password") != form.get("repeat"):
            return self._ask_factors(request, token, Invalid("the two passwords differ"))
        wish = EnrolmentForm(
            token,
            form.get("password", ""),
            form.get("code", "").strip(),
            IdentityDocument("cn-id", number) if number else None,
        )
        try:
            codes = self.desk.parts.iam.enrolment.enrol(wish)
        except (Invalid, SignInRefused, Forbidden) as error:
            return self._ask_factors(request, token, error)
        return self.desk.page(request, "signin/enrolled.html", codes=codes)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of sign-in."""
    here, first = _SignIn(desk), _Enrolment(desk)
    return (
        get_page("/signin", "start_sign_in", PAGES, here.start),
        get_page("/login", "show_login", PAGES, here.show_login),
        post_page("/login", "check_password", PAGES, here.check_password),
        post_page("/login/factor", "check_factor", PAGES, here.check_factor),
        post_page("/login/factor/message", "send_code", PAGES, here.send_code),
        post_page("/login/passkey", "check_passkey", PAGES, here.check_passkey),
        post_page("/login/factor/passkey", "check_second_passkey", PAGES, here.check_passkey),
        get_page("/login/callback", "complete_sign_in", PAGES, here.callback),
        post_page("/signout", "sign_out", PAGES, here.sign_out),
        get_page("/signed-out", "signed_out", PAGES, here.signed_out),
        post_page("/preferences", "set_preferences", PAGES, here.set_preferences),
        get_page("/enrol", "show_enrolment", PAGES, first.show_enrolment),
        post_page("/enrol", "enrol", PAGES, first.enrol),
    )
